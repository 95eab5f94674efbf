package node

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func plain() Config {
	return Config{
		DataDir: "/var/lib/rancher/k3s", ClusterCIDR: "10.42.0.0/16", ServiceCIDR: "10.43.0.0/16",
		FlannelBackend: "vxlan", PauseImage: "slipway.internal/pause:1.0.0",
		Registry: Registry{Host: "registry.slipway.localhost", Endpoint: "http://10.43.0.20:5000", Username: "admin", Password: "pw"},
	}
}

func TestFilesGolden(t *testing.T) {
	restricted := plain()
	restricted.CgroupV1, restricted.RestrictOOMScoreAdj = true, true
	joined := plain()
	joined.ServerURL, joined.NodeIP, joined.TLSSANs = "https://192.0.2.1:6443", "192.0.2.2", []string{"k8s.example.com"}
	hardened := plain()
	hardened.Hardening = HardeningCIS
	moved := plain()
	moved.Registry.Former = []string{"registry.old.example.com", "registry.older.example.com"}
	joined.Token = "K10abc::server:secret"
	agent := joined
	agent.Agent = true
	for name, c := range map[string]Config{"plain": plain(), "restricted": restricted, "joined": joined, "moved": moved, "agent": agent, "cis": hardened} {
		t.Run(name, func(t *testing.T) {
			files, err := c.Files()
			require.NoError(t, err)
			var got bytes.Buffer
			for _, f := range files {
				fmt.Fprintf(&got, "-- %s secret=%v --\n%s", f.Path, f.Secret, f.Data)
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got.String())
		})
	}
}

func TestPasswordOnlyInSecretFiles(t *testing.T) {
	c := plain()
	c.Registry.Password = "s3cr3t-value"
	files, err := c.Files()
	require.NoError(t, err)
	for _, f := range files {
		if !f.Secret {
			require.NotContains(t, string(f.Data), "s3cr3t-value", f.Path)
		}
	}
}

// TestTheAuditLogHoldsNoContents reads the policies: no rule may be of a level
// that writes down what a request or an answer says.
func TestTheAuditLogHoldsNoContents(t *testing.T) {
	for _, h := range []Hardening{HardeningDefault, HardeningCIS} {
		rules, ok := Config{Hardening: h}.auditPolicy()["rules"].([]map[string]any)
		require.True(t, ok)
		for _, rule := range rules {
			require.Contains(t, []any{"None", "Metadata"}, rule["level"])
		}
		require.Equal(t, map[string]any{"level": "Metadata"}, rules[len(rules)-1], "what no rule leaves out is written down")
	}
}
