package platform

import (
	"encoding/json"
	"math"
	"strings"
)

// ValidateProbe checks one entry of a process type's health checks. Probe maps
// have the keys of a Kubernetes probe in camelCase, as JSON decodes them.
func ValidateProbe(name string, probe map[string]any) error {
	if name != "livenessProbe" && name != "readinessProbe" && name != "startupProbe" {
		return FieldErrorf("healthcheck", "Healthcheck can only be livenessProbe, readinessProbe or startupProbe, not %s", name)
	}
	handlers := 0
	for key, value := range probe {
		switch key {
		case "exec", "grpc", "httpGet", "tcpSocket":
			handlers++
			if err := validateHandler("healthcheck", key, value); err != nil {
				return err
			}
		case "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold",
			"failureThreshold", "terminationGracePeriodSeconds":
			low := 1
			if key == "initialDelaySeconds" {
				low = 0
			}
			if n, ok := WholeNumber(value); !ok || n < low {
				return FieldErrorf("healthcheck", "%s of %s has to be an integer of at least %d", key, name, low)
			}
		default:
			return FieldErrorf("healthcheck", "%s is not a part of %s", key, name)
		}
	}
	if handlers != 1 {
		return FieldErrorf("healthcheck", "%s needs exactly one of exec, grpc, httpGet, tcpSocket", name)
	}
	if n, ok := WholeNumber(probe["successThreshold"]); ok && n != 1 && name != "readinessProbe" {
		return FieldErrorf("healthcheck", "successThreshold of %s has to be 1", name)
	}
	return nil
}

// ValidateLifecycle checks one entry of a process type's lifecycle: a hook or
// the stop signal.
func ValidateLifecycle(name string, value any) error {
	if name == "stopSignal" {
		s, ok := value.(string)
		if !ok || (s != "" && !strings.HasPrefix(s, "SIG")) {
			return FieldErrorf("lifecycle", "stopSignal has to be the name of a signal, such as SIGTERM")
		}
		return nil
	}
	if name != "postStart" && name != "preStop" {
		return FieldErrorf("lifecycle", "Lifecycle can only be postStart, preStop or stopSignal, not %s", name)
	}
	hook, ok := value.(map[string]any)
	if !ok || len(hook) != 1 {
		return FieldErrorf("lifecycle", "%s needs exactly one of exec, httpGet, tcpSocket, sleep", name)
	}
	for key, v := range hook {
		if key == "grpc" {
			return FieldErrorf("lifecycle", "%s needs exactly one of exec, httpGet, tcpSocket, sleep", name)
		}
		return validateHandler("lifecycle", key, v)
	}
	return nil
}

func validateHandler(field, kind string, value any) error {
	h, ok := value.(map[string]any)
	if !ok {
		return FieldErrorf(field, "%s has to be an object", kind)
	}
	switch kind {
	case "exec":
		return validateCommand(field, h)
	case "grpc":
		return validateKeys(field, kind, h, "port", "service")
	case "httpGet":
		if err := validateHeaders(field, h["httpHeaders"]); err != nil {
			return err
		}
		return validateKeys(field, kind, h, "port", "path", "host", "scheme", "httpHeaders")
	case "tcpSocket":
		return validateKeys(field, kind, h, "port", "host")
	case "sleep":
		if n, ok := WholeNumber(h["seconds"]); !ok || n < 0 || len(h) != 1 {
			return FieldErrorf(field, "sleep needs seconds, an integer of at least 0")
		}
		return nil
	}
	return FieldErrorf(field, "%s is not a known action", kind)
}

func validateCommand(field string, h map[string]any) error {
	words, ok := h["command"].([]any)
	if !ok || len(words) == 0 || len(h) != 1 {
		return FieldErrorf(field, "exec needs command, a list of words")
	}
	for _, w := range words {
		if _, ok := w.(string); !ok {
			return FieldErrorf(field, "exec needs command, a list of words")
		}
	}
	return nil
}

// validateKeys checks the port, which all network handlers need, that every
// other member is a string, and that no unknown one is there.
func validateKeys(field, kind string, h map[string]any, known ...string) error {
	if n, ok := WholeNumber(h["port"]); !ok || n < 1 || n > 65535 {
		return FieldErrorf(field, "%s needs port, an integer between 1 and 65535", kind)
	}
	for key, v := range h {
		found := false
		for _, k := range known {
			found = found || k == key
		}
		if !found {
			return FieldErrorf(field, "%s is not a part of %s", key, kind)
		}
		if _, ok := v.(string); !ok && key != "port" && key != "httpHeaders" {
			return FieldErrorf(field, "%s of %s has to be a string", key, kind)
		}
	}
	if s, ok := h["scheme"].(string); ok && s != "HTTP" && s != "HTTPS" {
		return FieldErrorf(field, "scheme of %s has to be HTTP or HTTPS", kind)
	}
	return nil
}

func validateHeaders(field string, value any) error {
	if value == nil {
		return nil
	}
	list, ok := value.([]any)
	if !ok {
		return FieldErrorf(field, "httpHeaders has to be a list of name and value")
	}
	for _, item := range list {
		h, _ := item.(map[string]any)
		name, okName := h["name"].(string)
		_, okValue := h["value"].(string)
		if !okName || name == "" || !okValue || len(h) != 2 {
			return FieldErrorf(field, "httpHeaders has to be a list of name and value")
		}
	}
	return nil
}

// WholeNumber reads the number types that JSON decoders and Go callers use;
// false for all that is no integer of 32 bits.
func WholeNumber(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, n <= math.MaxInt32
	case int64:
		return int(n), n >= math.MinInt32 && n <= math.MaxInt32
	case float64:
		return int(n), n == math.Trunc(n) && math.Abs(n) <= math.MaxInt32
	case json.Number:
		i, err := n.Int64()
		return int(i), err == nil && i >= math.MinInt32 && i <= math.MaxInt32
	}
	return 0, false
}
