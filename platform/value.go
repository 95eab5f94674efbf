package platform

import (
	"strconv"
	"strings"
)

// GlobalGroup is the config group that every process type reads.
const GlobalGroup = "global"

// DefaultPort is where an app listens unless its config says otherwise.
const DefaultPort = 5000

// DefaultGrace is how long a stopping pod may take, in seconds.
const DefaultGrace = 30

const (
	maxKey = 253 // a Secret's key
	// maxValue keeps "NAME=value" below the kernel's limit of 128 KiB for one
	// environment string; a longer one would make every container fail to start.
	maxValue = 127 << 10
	// MaxConfigBytes bounds all names and values of one config, so that it fits
	// in a Secret, which the cluster limits to 1 MiB.
	MaxConfigBytes = 900 << 10
)

// ValidateConfigKey checks the name of a variable or of a group.
func ValidateConfigKey(name string) error {
	ok := name != ""
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		ok = isAlnum(c) || c == '_' || c == '-' || c == '.'
	}
	if !ok {
		return FieldErrorf("values", `Config key can only supports: ^[A-z0-9_\-\.]+$`)
	}
	if len(name) > maxKey {
		return FieldErrorf("values", "Ensure this field has no more than %d characters.", maxKey)
	}
	return nil
}

// ValidateConfigValue checks the value of the variable name. PORT has to be a
// port; no value may hold a NUL byte or be too long for the kernel.
func ValidateConfigValue(name, value string) error {
	if strings.IndexByte(value, 0) >= 0 {
		return FieldErrorf("values", "The value of %s holds a NUL byte, which no environment variable can.", name)
	}
	if len(name)+len(value) > maxValue {
		return FieldErrorf("values", "The value of %s is longer than %d bytes.", name, maxValue)
	}
	if name == "PORT" {
		_, err := ParsePort(value)
		return err
	}
	return nil
}

// ParsePort reads the value of PORT.
func ParsePort(value string) (int, error) {
	if value == "" || strings.Trim(value, "0123456789") != "" {
		return 0, FieldErrorf("values", "PORT can only be a numeric value")
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > 65535 {
		return 0, FieldErrorf("values", "PORT needs to be between 1 and 65535")
	}
	return n, nil
}

// maxGrace is a day: a pod that needs longer to stop blocks every rollout.
const maxGrace = 24 * 60 * 60

// ValidateGrace checks a termination grace period in seconds.
func ValidateGrace(value string) error {
	const field = "termination_grace_period"
	if value == "" || strings.Trim(value, "0123456789") != "" {
		return FieldErrorf(field, "Timeouts can only be numeric values")
	}
	if n, err := strconv.Atoi(value); err != nil || n > maxGrace {
		return FieldErrorf(field, "Timeouts can be at most %d seconds", maxGrace)
	}
	return nil
}

// ValidateTag checks a node label: key with an optional DNS prefix, and value.
func ValidateTag(key, value string) error {
	prefix, name, found := strings.Cut(key, "/")
	if !found {
		prefix, name = "", key
	}
	if !validLabelPart(name) || (found && (len(prefix) > maxKey || !validTagPrefix(prefix))) {
		return FieldErrorf("tags", "Tag keys can only contain alphanumeric characters, '-', '_' and '.', with an optional prefix before '/': %s", key)
	}
	if value != "" && !validLabelPart(value) {
		return FieldErrorf("tags", "Tag values can only contain alphanumeric characters, '-', '_' and '.': %s", value)
	}
	return nil
}

func validTagPrefix(s string) bool {
	for _, part := range strings.Split(s, ".") {
		if !validLabelPart(part) {
			return false
		}
	}
	return true
}

// validLabelPart accepts 1 to 63 characters that start and end with a letter
// or digit.
func validLabelPart(s string) bool {
	if s == "" || len(s) > maxLabel || !isAlnum(s[0]) || !isAlnum(s[len(s)-1]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// ValidateRegistry checks one credential field of a private registry.
func ValidateRegistry(key, value string) error {
	switch key {
	case "username", "password":
		if value == "" {
			return FieldErrorf("registry", "The %s of the registry may not be blank.", key)
		}
	case "hostname":
		if value != "" && !validRegistry(value) {
			return FieldErrorf("registry", "%q is not the host name of a registry.", value)
		}
	default:
		return FieldErrorf("registry", "Registry can only hold username, password and hostname, not %s", key)
	}
	return nil
}

// maxReplicas bounds one process type; far above what a cluster of this kind runs.
const maxReplicas = 10000

// ValidateScale checks the wanted replicas of a process type.
func ValidateScale(ptype string, n int) error {
	if n < 0 || n > maxReplicas {
		return Errorf(Invalid, "the number of %s processes must be between 0 and %d", ptype, maxReplicas)
	}
	return nil
}

// ValidateAutoscale checks the rule by which a process type grows and shrinks.
func ValidateAutoscale(ptype string, rule map[string]int) error {
	if ptype == "run" {
		return FieldErrorf("autoscale", "run can't be scaled automatically")
	}
	for _, key := range []string{"min", "max", "cpu_percent"} {
		if _, ok := rule[key]; !ok || len(rule) != 3 {
			return FieldErrorf("autoscale", "autoscale needs exactly min, max and cpu_percent for %s", ptype)
		}
	}
	switch {
	case rule["min"] < 1:
		return FieldErrorf("autoscale", "min has to be at least 1")
	case rule["max"] < rule["min"] || rule["max"] > maxReplicas:
		return FieldErrorf("autoscale", "max has to be between min and %d", maxReplicas)
	case rule["cpu_percent"] < 1 || rule["cpu_percent"] > 1000:
		return FieldErrorf("autoscale", "cpu_percent has to be between 1 and 1000")
	}
	return nil
}

// ValidateLabel checks a label that users give an app. Those that the platform
// and Kubernetes choose objects by are not to be had.
func ValidateLabel(key, value string) error {
	if err := ValidateTag(key, value); err != nil {
		return FieldErrorf("label", "Labels can only contain alphanumeric characters, '-', '_' and '.', with an optional prefix before '/' in the key: %s", key)
	}
	prefix, _, found := strings.Cut(key, "/")
	for _, own := range []string{"drycc.cc", "kubernetes.io", "k8s.io"} {
		if found && (prefix == own || strings.HasSuffix(prefix, "."+own)) {
			return FieldErrorf("label", "Labels of %s are the platform's own: %s", own, key)
		}
	}
	return nil
}
