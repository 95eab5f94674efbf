//go:build e2e

package cis

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

const domain = "slipway.localhost"

func TestMain(m *testing.M) { os.Exit(house.Main(m, "make test-cis")) }

// boot makes a host with the program on it.
func boot(t *testing.T, name, address string, packages ...string) (*harness.Host, *appliance.Machine) {
	t.Helper()
	root, err := harness.RootFSWith(t.Context(), packages...)
	require.NoError(t, err)
	h, m := house.Bare(t, harness.Options{Name: name, Address: address, RootFS: root}, domain)
	require.NoError(t, h.Put(house.Program(t), house.Brought, 0o755))
	return h, m
}

// finding is what these tests read of "slipway doctor -o json".
type finding struct {
	ID, Severity, Title, Evidence string
	Fix                           *struct{ Change string }
}

// examine runs the doctor and returns its findings and exit code.
func examine(t *testing.T, m *appliance.Machine, args ...string) ([]finding, int) {
	t.Helper()
	r, err := m.Run(t.Context(), house.Brought, append([]string{"doctor", "-o", "json"}, args...)...)
	require.NoError(t, err)
	var report struct{ Findings []finding }
	require.NoError(t, json.Unmarshal([]byte(r.Stdout), &report), "%s%s", r.Stdout, r.Stderr)
	return report.Findings, r.Code
}

func has(found []finding, id string) bool {
	return slices.ContainsFunc(found, func(f finding) bool { return f.ID == id })
}

// TestHardening installs on a bare host and asks every row of the table.
func TestHardening(t *testing.T) {
	h, m := boot(t, "docis", "172.31.77.70")
	before, err := m.Output(t.Context(), "sh", "-c", "cat /proc/sys/kernel/panic /proc/sys/vm/overcommit_memory; ls /etc/sysctl.d")
	require.NoError(t, err)
	r, err := m.Run(t.Context(), house.Brought, "install", "--yes")
	require.NoError(t, err)
	require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	t.Logf("installed in %.1fs", r.Took.Seconds())
	house.Well(t, m, 3*time.Minute)

	// What is lowered to be mended is this machine's: the kernel has one for all hosts.
	const limit = "/proc/sys/fs/inotify/max_user_instances"
	instances, err := os.ReadFile(limit)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.WriteFile(limit, instances, 0o644)) })

	t.Run("table", func(t *testing.T) { askTable(t, h) })
	t.Run("doctor", func(t *testing.T) { mendInotify(t, m) })
	t.Run("bundle", func(t *testing.T) { bundle(t, h, m) })
	t.Run("uninstall", func(t *testing.T) {
		r, err := m.Run(t.Context(), house.Brought, "uninstall", "--yes")
		require.NoError(t, err)
		require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
		after, err := m.Output(t.Context(), "sh", "-c", "cat /proc/sys/kernel/panic /proc/sys/vm/overcommit_memory; ls /etc/sysctl.d")
		require.NoError(t, err)
		assert.Equal(t, before, after)
	})
}

// askTable fails where the table says other than the host.
func askTable(t *testing.T, h *harness.Host) {
	asked := 0
	for _, row := range Rows() {
		var answers []error
		for _, ask := range row.Asks {
			answers = append(answers, ask(t.Context(), h))
			asked++
		}
		met := errors.Join(answers...)
		switch {
		case len(answers) == 0:
		case row.Stand == Pass && met != nil:
			t.Errorf("%s (%s) is said to pass: %v", row.ID, row.What, met)
		case row.Stand == Design && met == nil:
			t.Errorf("%s (%s) is said to differ by design, and is met", row.ID, row.What)
		case row.Stand == NA:
			t.Errorf("%s is said not to apply, and has questions", row.ID)
		}
	}
	t.Logf("%d rows, %d questions", len(Rows()), asked)
	assert.Greater(t, asked, 60)
}

// mendInotify lowers a limit, has it found and mended, and the file kept.
func mendInotify(t *testing.T, m *appliance.Machine) {
	found, code := examine(t, m)
	assert.Zero(t, code, "%+v", found)
	for _, f := range found {
		assert.NotEqual(t, "error", f.Severity, "%+v", f)
	}
	_, err := m.Output(t.Context(), "sh", "-c", "echo 100 > /proc/sys/fs/inotify/max_user_instances")
	require.NoError(t, err)
	found, _ = examine(t, m, "--check", "inotify")
	require.True(t, has(found, "inotify"), "%+v", found)
	r, err := m.Run(t.Context(), house.Brought, "doctor", "--check", "inotify", "--fix")
	require.NoError(t, err)
	require.NotEqual(t, 0, r.Code, "nobody was there to agree")
	r, err = m.Run(t.Context(), house.Brought, "doctor", "--check", "inotify", "--fix", "--yes")
	require.NoError(t, err)
	require.Equal(t, 0, r.Code, "%s%s", r.Stdout, r.Stderr)
	assert.Contains(t, r.Stderr, "this will write /etc/sysctl.d/91-slipway-inotify.conf")
	found, _ = examine(t, m, "--check", "inotify")
	assert.Empty(t, found)
	_, err = m.Output(t.Context(), "grep", "-q", "max_user_instances", "/etc/sysctl.d/91-slipway-inotify.conf")
	assert.NoError(t, err)
}

// bundle looks for every secret of this host in what people would send around.
func bundle(t *testing.T, h *harness.Host, m *appliance.Machine) {
	_, password, err := m.Credentials(t.Context())
	require.NoError(t, err)
	secrets := map[string]string{"admin's password": password, "an app's config": "swordfish-of-an-app"}
	for name, script := range map[string]string{
		"the cluster's token":    "cat /var/lib/rancher/k3s/server/token | sed 's/.*:://'",
		"the registry's account": `sed -n 's/.*"registryNode": *"\([^"]*\)".*/\1/p' /var/lib/slipway/controller/secrets.json`,
		"the key of the CA":      "sed -n 2p /var/lib/slipway/ca/ca.key",
		"the node's password":    "cat /etc/rancher/node/password",
	} {
		out, err := m.Output(t.Context(), "sh", "-c", script)
		require.NoError(t, err, name)
		if s := strings.TrimSpace(out); len(s) > 8 {
			secrets[name] = s
		}
	}
	require.GreaterOrEqual(t, len(secrets), 5)
	_, err = m.Slipway(t.Context(), "kubectl", "create", "secret", "generic", "fish", "--from-literal=a=swordfish-of-an-app")
	require.NoError(t, err)
	_, err = m.Slipway(t.Context(), "kubectl", "delete", "secret", "fish")
	require.NoError(t, err)
	out, err := m.Slipway(t.Context(), "support-bundle", "/root/bundle.tar.gz")
	require.NoError(t, err)
	assert.Contains(t, out, "/root/bundle.tar.gz")
	data, err := os.ReadFile(filepath.Join(h.Root(), "root/bundle.tar.gz"))
	require.NoError(t, err)
	files := unpack(t, data)
	for name, content := range files {
		for what, secret := range secrets {
			assert.NotContains(t, content, secret, "%s is in %s", what, name)
		}
		assert.False(t, strings.HasSuffix(name, ".error") && !strings.Contains(name, "usage") && !strings.Contains(name, "containerd"), "%s: %s", name, content)
	}
	assert.Contains(t, files["slipway-support/cluster/pods.txt"], "coredns")
	assert.NotEmpty(t, files["slipway-support/log/slipway.txt"])
	t.Logf("bundle: %d bytes, %d files", len(data), len(files))
	_, err = m.Output(t.Context(), "rm", "/root/bundle.tar.gz")
	require.NoError(t, err)
}

func unpack(t *testing.T, data []byte) map[string]string {
	t.Helper()
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	files := map[string]string{}
	for archive := tar.NewReader(zipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		content, err := io.ReadAll(archive)
		require.NoError(t, err)
		files[header.Name] = string(content)
	}
}

// TestFirewalls has real ufw and firewalld in the way. Nothing listens: what a
// connection meets tells whether it came through.
func TestFirewalls(t *testing.T) {
	h, m := boot(t, "dofw", "172.31.77.71", "ufw", "firewalld", "libpam-systemd") // polkitd, which firewalld needs, wants a logind
	run := func(line string) string {
		t.Helper()
		out, err := m.Output(t.Context(), "sh", "-c", line)
		require.NoError(t, err, line)
		return out
	}
	run("systemctl disable --now firewalld; ufw allow 22/tcp; ufw --force enable")
	t.Run("ufw", func(t *testing.T) {
		before := run("ufw show added")
		openAndBack(t, h, m)
		assert.Equal(t, before, run("ufw show added"))
	})
	run("ufw --force disable; systemctl start firewalld; firewall-cmd --permanent --add-port=22/tcp; firewall-cmd --reload")
	t.Run("firewalld", func(t *testing.T) {
		const rules = "firewall-cmd --list-all-zones; firewall-cmd --permanent --list-all-zones"
		before := run(rules)
		openAndBack(t, h, m)
		assert.Equal(t, before, run(rules))
	})
}

// openAndBack finds the firewall in the way, opens it, and takes that back.
func openAndBack(t *testing.T, h *harness.Host, m *appliance.Machine) {
	t.Helper()
	require.Error(t, reaches(h.Address), "the firewall lets everything in already")
	found, _ := examine(t, m, "--check", "firewall")
	require.True(t, has(found, "firewall"), "%+v", found)
	r, err := m.Run(t.Context(), house.Brought, "doctor", "--check", "firewall", "--fix", "--yes")
	require.NoError(t, err)
	require.Equal(t, 0, r.Code, "%s%s", r.Stdout, r.Stderr)
	t.Log(r.Stderr)
	found, _ = examine(t, m, "--check", "firewall")
	assert.Empty(t, found)
	require.NoError(t, reaches(h.Address))

	r, err = m.Run(t.Context(), house.Brought, "uninstall", "--yes")
	require.NoError(t, err)
	require.Equal(t, 0, r.Code, "%s%s", r.Stdout, r.Stderr)
	require.Error(t, reaches(h.Address))
}

// reaches asks port 443, where nothing listens: refused means let in.
func reaches(address string) error {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(address, "443"), 3*time.Second)
	switch {
	case err == nil:
		return errors.Join(conn.Close(), fmt.Errorf("something listens on port 443 of %s", address))
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil
	}
	return err
}
