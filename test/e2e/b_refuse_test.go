//go:build e2e

package e2e

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

// A host that is not fit is told so before anything on it is touched.
func TestUnfitHostsAreRefused(t *testing.T) {
	m := thisMachine(t)
	before := house.Photograph(t, m)

	t.Run("a port is taken", func(t *testing.T) {
		for _, port := range []string{"80", "443", "6443"} {
			l, err := net.Listen("tcp", ":"+port)
			require.NoError(t, err)
			r := install(t, m)
			require.NoError(t, l.Close())
			assert.Equal(t, 1, r.Code)
			assert.Regexp(t, `\b`+port+`\b`, r.Stderr)
			assert.Contains(t, r.Stderr, "e2e.test", "the message names the program that has the port")
			house.Unchanged(t, m, before)
		}
	})

	t.Run("not root", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), publicCopy(t), "install", "--yes")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		cmd.Dir = "/"
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		assert.Equal(t, 1, exit.ExitCode())
		assert.Regexp(t, `root|sudo`, string(out))
		house.Unchanged(t, m, before)
	})

	t.Run("wrong words", func(t *testing.T) {
		for _, args := range [][]string{{"frobnicate"}, {"install", "--no-such-flag"}, {"status", "extra"}} {
			r, err := m.Run(t.Context(), house.Program(t), args...)
			require.NoError(t, err)
			assert.Equal(t, 2, r.Code, "%v: %s", args, r.Stderr)
		}
		house.Unchanged(t, m, before)
	})

	t.Run("settings that cannot be", func(t *testing.T) {
		for _, env := range []string{"PLATFORM_DOMAIN=not a domain", "PLATFORM_DOMAIN=-x.example", "DRYCC_ADMIN_USERNAME=not a name", "CLUSTER_CIDR=300.0.0.0/8"} {
			r, err := m.RunEnv(t.Context(), []string{env}, house.Program(t), "install", "--yes")
			require.NoError(t, err)
			name, _, _ := strings.Cut(env, "=")
			require.NotEqual(t, 0, r.Code, env)
			assert.Contains(t, r.Stderr, name)
		}
		house.Unchanged(t, m, before)
	})

	t.Run("nothing is installed", func(t *testing.T) {
		r, err := m.Run(t.Context(), house.Program(t), "status")
		require.NoError(t, err)
		assert.Equal(t, 1, r.Code)
		assert.Contains(t, r.Stderr, "install")
		r, err = m.Run(t.Context(), house.Program(t), "uninstall", "--yes")
		require.NoError(t, err)
		assert.Equal(t, 0, r.Code, "removing nothing is no error: %s", r.Stderr)
		house.Unchanged(t, m, before)
	})
}

func TestAFullDiskIsRefused(t *testing.T) {
	h, m := house.Bare(t, harness.Options{Name: "full", Address: "172.31.77.21", DataSize: "256m"}, domain)
	before := house.Photograph(t, m)
	carry(t, h)
	r := installOn(t, m)
	assert.Equal(t, 1, r.Code)
	assert.Regexp(t, `(?i)disk|space|free`, r.Stderr)
	assert.Contains(t, r.Stderr, "/var/lib/")
	removeCarried(t, m)
	house.Unchanged(t, m, before)
}

// publicCopy puts the binary where any user can run it.
func publicCopy(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "slipway-e2e-")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	path := filepath.Join(dir, "slipway")
	from, err := os.Open(house.Program(t))
	require.NoError(t, err)
	defer from.Close()
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(to, from)
	require.NoError(t, err)
	require.NoError(t, to.Close())
	return path
}

// carry brings the two files of an installation to a host, as on a USB stick.
func carry(t *testing.T, h *harness.Host) {
	t.Helper()
	require.NoError(t, h.Put(house.Program(t), house.Brought, 0o755))
	require.NoError(t, h.Put(installScript(t), "/opt/install.sh", 0o755))
}

func removeCarried(t *testing.T, m *appliance.Machine) {
	t.Helper()
	_, err := m.Output(t.Context(), "rm", house.Brought, "/opt/install.sh")
	require.NoError(t, err)
}

// installOn runs the carried files on a host.
func installOn(t *testing.T, m *appliance.Machine) appliance.Result {
	t.Helper()
	r, err := m.RunEnv(t.Context(), []string{"SLIPWAY_BINARY=" + house.Brought}, "sh", "/opt/install.sh")
	require.NoError(t, err)
	return r
}
