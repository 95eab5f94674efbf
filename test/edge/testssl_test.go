//go:build e2e

package edge

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scanned has testssl.sh, Debian's, look at what the gateway offers in a
// handshake: protocols, ciphers, forward secrecy. Who signed is not its matter:
// the authority is a test's.
func (w *world) scanned(t *testing.T) {
	program, err := exec.LookPath("testssl")
	require.NoError(t, err, "run scripts/deps.sh test first")
	report := filepath.Join(t.TempDir(), "report.json")
	cmd := exec.CommandContext(t.Context(), program, "--quiet", "--warnings", "off", "--color", "0", "--nodns", "min", "--openssl", "/usr/bin/openssl",
		"--protocols", "--std", "--pfs", "--jsonfile", report, "--ip", address, "www.edge.test:443")
	out, err := cmd.CombinedOutput()
	text, failed := os.ReadFile(report)
	require.NoError(t, failed, "%v: %s", err, out)
	var findings []struct{ ID, Severity, Finding string }
	require.NoError(t, json.Unmarshal(text, &findings), "%s", text)
	seen := map[string]string{}
	for _, f := range findings {
		seen[f.ID] = f.Finding
		switch f.Severity {
		case "OK", "INFO", "WARN": // a warning is about the scan itself
		default:
			t.Errorf("%s: %s %s", f.Severity, f.ID, f.Finding)
		}
	}
	for _, id := range []string{"SSLv2", "SSLv3", "TLS1", "TLS1_1"} {
		assert.Contains(t, seen[id], "not offered", id)
	}
	for _, id := range []string{"TLS1_2", "TLS1_3"} {
		assert.Contains(t, seen[id], "offered", id)
	}
	assert.Contains(t, seen["cipherlist_STRONG"], "offered")
	t.Logf("%d findings", len(findings))
}
