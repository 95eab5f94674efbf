package node

import (
	"fmt"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// Hardening is how much of the CIS benchmark's advice a node follows.
// docs/security.md explains each point.
type Hardening string

// HardeningDefault is what costs an operator nothing. HardeningCIS adds what
// may refuse or cut off something that worked before.
const (
	HardeningDefault Hardening = "default"
	HardeningCIS     Hardening = "cis"
)

// Where the policies of the API server lie: root's, as they say what is not
// looked at.
const (
	AuditPolicyPath = "/etc/slipway/audit-policy.yaml"
	AdmissionPath   = "/etc/slipway/admission.yaml"
	eventLimitPath  = "/etc/slipway/event-rate-limit.yaml"
)

// AuditLog is where the API server writes who changed what.
func (c Config) AuditLog() string { return filepath.Join(c.DataDir, "server", "logs", "audit.log") }

// apiServerArgs are the arguments of the API server.
func (c Config) apiServerArgs() []string {
	// 50 MB at most; CIS asks for thirty days and ten old files of 100 MB.
	size, files := 10, 4
	if c.Hardening == HardeningCIS {
		size, files = 100, 10
	}
	args := []string{
		"profiling=false",
		"audit-policy-file=" + AuditPolicyPath,
		"audit-log-path=" + c.AuditLog(),
		"audit-log-maxage=30",
		fmt.Sprintf("audit-log-maxbackup=%d", files),
		fmt.Sprintf("audit-log-maxsize=%d", size),
	}
	if c.Hardening == HardeningCIS {
		args = append(args, "admission-control-config-file="+AdmissionPath,
			"enable-admission-plugins=NodeRestriction,EventRateLimit", "request-timeout=300s")
	}
	return args
}

func (c Config) controllerManagerArgs() []string {
	args := []string{"profiling=false"}
	if c.Hardening == HardeningCIS {
		args = append(args, "terminated-pod-gc-threshold=100")
	}
	return args
}

// strongCiphers are those of TLS 1.2 with forward secrecy and authenticated
// encryption; TLS 1.3 chooses its own.
func strongCiphers() []string {
	return strings.Fields(`TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
		TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
		TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256`)
}

// podPIDs keeps a fork bomb in its pod; a build or a large JVM has a tenth of it.
const podPIDs = 8192

func (c Config) hardenKubelet(m map[string]any) {
	m["tlsMinVersion"] = "VersionTLS12"
	m["tlsCipherSuites"] = strongCiphers()
	m["podPidsLimit"] = podPIDs
	m["readOnlyPort"] = 0
	m["makeIPTablesUtilChains"] = true
	if c.Hardening == HardeningCIS {
		// Cuts "drycc run" and "kubectl exec" off that say nothing for so long.
		m["streamingConnectionIdleTimeout"] = "5m0s"
	}
}

// auditPolicy says what is written down: every change with who, what and when,
// never the contents, so no secret. Reads are left out by default; with CIS
// those of Secrets are in it.
func (c Config) auditPolicy() map[string]any {
	none := func(rule map[string]any) map[string]any {
		rule["level"] = "None"
		return rule
	}
	rules := []map[string]any{
		// Heartbeats and what the control plane tells itself, many a second.
		none(map[string]any{"resources": []map[string]any{{"group": "coordination.k8s.io", "resources": []string{"leases"}}, {"group": "", "resources": []string{"events"}}, {"group": "events.k8s.io", "resources": []string{"events"}}}}),
		none(map[string]any{"users": []string{"system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"}, "verbs": []string{"update", "patch"}}),
		none(map[string]any{"userGroups": []string{"system:nodes"}, "verbs": []string{"update", "patch"}, "resources": []map[string]any{{"group": "", "resources": []string{"nodes/status", "pods/status"}}}}),
		none(map[string]any{"nonResourceURLs": []string{"/healthz*", "/livez*", "/readyz*", "/version", "/openapi*"}}),
	}
	if c.Hardening == HardeningCIS {
		rules = append(rules, map[string]any{"level": "Metadata", "verbs": []string{"get", "list", "watch"}, "resources": []map[string]any{{"group": "", "resources": []string{"secrets", "serviceaccounts/token"}}}})
	}
	rules = append(rules, none(map[string]any{"verbs": []string{"get", "list", "watch"}}), map[string]any{"level": "Metadata"})
	return map[string]any{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": []string{"RequestReceived"}, "rules": rules}
}

// admission holds namespaces without a label of their own to the baseline, but
// for those of the platform, whose gateway and builder need more.
func (c Config) admission() map[string]any {
	return map[string]any{"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": []map[string]any{
		{"name": "PodSecurity", "configuration": map[string]any{
			"apiVersion": "pod-security.admission.config.k8s.io/v1", "kind": "PodSecurityConfiguration",
			"defaults":   map[string]string{"enforce": "baseline", "enforce-version": "latest", "audit": "restricted", "audit-version": "latest", "warn": "restricted", "warn-version": "latest"},
			"exemptions": map[string]any{"namespaces": []string{"kube-system", "drycc"}},
		}},
		{"name": "EventRateLimit", "path": eventLimitPath},
	}}
}

// eventLimit keeps one loud namespace from filling the datastore with events.
func eventLimit() map[string]any {
	return map[string]any{"apiVersion": "eventratelimit.admission.k8s.io/v1alpha1", "kind": "Configuration", "limits": []map[string]any{
		{"type": "Server", "qps": 500, "burst": 5000}, {"type": "Namespace", "qps": 50, "burst": 500, "cacheSize": 1000},
	}}
}

// policyFiles are those that the arguments of the API server name.
func (c Config) policyFiles() ([]File, error) {
	contents := map[string]any{AuditPolicyPath: c.auditPolicy()}
	order := []string{AuditPolicyPath}
	if c.Hardening == HardeningCIS {
		contents[AdmissionPath], contents[eventLimitPath] = c.admission(), eventLimit()
		order = append(order, AdmissionPath, eventLimitPath)
	}
	var files []File
	for _, path := range order {
		data, err := yaml.Marshal(contents[path])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		files = append(files, File{Path: path, Data: withHeader(data), Secret: true})
	}
	return files, nil
}
