package charts_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the generated files anew")

const crdHeader = `# Gateway API, %s channel, as in module sigs.k8s.io/gateway-api at the
# version of go.mod; Copyright The Kubernetes Authors, Apache License 2.0.
# Changed: descriptions left out, which every API server would keep in memory.
# Written by "go test ./charts -update"; do not edit.
`

// TestCRDs holds the Gateway API types of chart gateway to those of the module
// the platform's Go code is compiled with.
func TestCRDs(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	require.NoError(t, err)
	upstream := filepath.Join(strings.TrimSpace(string(out)), "config", "crd")

	// What Traefik watches; it refuses to start when one is missing.
	plurals := map[string]string{
		"backendtlspolicies": "standard", "gatewayclasses": "standard", "gateways": "standard", "grpcroutes": "standard",
		"httproutes": "standard", "referencegrants": "standard", "tcproutes": "experimental", "tlsroutes": "experimental",
	}
	for plural, channel := range plurals {
		t.Run(plural, func(t *testing.T) {
			source, err := os.ReadFile(filepath.Join(upstream, channel, "gateway.networking.k8s.io_"+plural+".yaml"))
			require.NoError(t, err)
			want := withoutDescriptions(t, channel, source)

			file := filepath.Join("gateway", "crds", plural+".yaml")
			if *update {
				require.NoError(t, os.WriteFile(file, want, 0o644))
			}
			got, err := os.ReadFile(file)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got), "%s is not that of the module: go test ./charts -update", file)
		})
	}
	present, err := filepath.Glob("gateway/crds/*")
	require.NoError(t, err)
	require.Len(t, present, len(plurals))
}

func withoutDescriptions(t *testing.T, channel string, source []byte) []byte {
	t.Helper()
	var crd map[string]any
	require.NoError(t, yaml.Unmarshal(source, &crd))
	delete(crd, "status")
	versions := crd["spec"].(map[string]any)["versions"].([]any)
	for _, v := range versions {
		schema := v.(map[string]any)["schema"].(map[string]any)
		stripSchema(schema["openAPIV3Schema"].(map[string]any))
	}
	out, err := yaml.Marshal(crd)
	require.NoError(t, err)
	return append(fmt.Appendf(nil, crdHeader, channel), out...)
}

// stripSchema removes the text of a schema and of those inside it. Below
// "properties" the keys are names of fields, one of which may be "description".
func stripSchema(schema map[string]any) {
	delete(schema, "description")
	for key, value := range schema {
		switch v := value.(type) {
		case map[string]any:
			if key != "properties" {
				stripSchema(v)
				continue
			}
			for _, p := range v {
				stripSchema(p.(map[string]any))
			}
		case []any:
			for _, item := range v {
				if m, ok := item.(map[string]any); ok {
					stripSchema(m)
				}
			}
		}
	}
}
