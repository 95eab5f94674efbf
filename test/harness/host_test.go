//go:build e2e

package harness_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/harness"
)

func TestMain(m *testing.M) {
	harness.Init()
	os.Exit(m.Run())
}

// boot boots a host that goes away with the test.
func boot(t *testing.T, o harness.Options) *harness.Host {
	t.Helper()
	ctx := t.Context()
	root, err := harness.RootFS(ctx)
	require.NoError(t, err)
	o.RootFS = root
	h, err := harness.Boot(ctx, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, h.Close()) })
	return h
}

func output(t *testing.T, h *harness.Host, name string, args ...string) string {
	t.Helper()
	out, err := h.Output(t.Context(), name, args...)
	require.NoError(t, err)
	return strings.TrimSpace(out)
}

func TestABareHost(t *testing.T) {
	h := boot(t, harness.Options{Name: "alpha", Address: "172.31.77.11"})
	assert.Equal(t, "alpha", output(t, h, "hostname"))
	assert.Equal(t, "systemd", output(t, h, "cat", "/proc/1/comm"))
	assert.Contains(t, output(t, h, "cat", "/etc/os-release"), "bookworm")
	for _, absent := range []string{"iptables", "go", "gcc"} {
		_, err := h.Output(t.Context(), "which", absent)
		assert.Error(t, err, "a bare host has no %s", absent)
	}

	t.Run("sees nothing of the machine", func(t *testing.T) {
		mounts := output(t, h, "cat", "/proc/self/mountinfo")
		assert.NotContains(t, mounts, "/var/tmp/slipway-hosts/alpha/root")
		assert.NotContains(t, output(t, h, "ps", "ax"), "harness.test")
		assert.NotContains(t, output(t, h, "ip", "-o", "link"), "slwtest0")
	})
	t.Run("has writable cgroups", func(t *testing.T) {
		output(t, h, "sh", "-c", "d=$(ls -d /sys/fs/cgroup/memory 2>/dev/null || echo /sys/fs/cgroup); mkdir $d/probe && rmdir $d/probe")
	})
	t.Run("runs services", func(t *testing.T) {
		output(t, h, "systemd-run", "--unit=probe", "--remain-after-exit", "true")
		assert.Equal(t, "active", output(t, h, "systemctl", "is-active", "probe"))
	})
	t.Run("is connected to the machine only", func(t *testing.T) {
		l, err := net.Listen("tcp", harness.Gateway+":0")
		require.NoError(t, err)
		defer l.Close()
		go func() {
			if c, err := l.Accept(); err == nil {
				_, _ = c.Write([]byte("hello"))
				_ = c.Close()
			}
		}()
		assert.Equal(t, "hello", output(t, h, "bash", "-c", "cat </dev/tcp/"+strings.Replace(l.Addr().String(), ":", "/", 1)))
		_, err = h.Output(t.Context(), "timeout", "3", "bash", "-c", "</dev/tcp/1.1.1.1/53")
		assert.Error(t, err, "a bare host has no network")
	})
	t.Run("takes files", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "f")
		require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\necho ran"), 0o600))
		require.NoError(t, h.Put(file, "/usr/local/bin/probe", 0o755))
		assert.Equal(t, "ran", output(t, h, "probe"))
	})
	t.Run("keeps its files over a power cut", func(t *testing.T) {
		card := output(t, h, "cat", "/sys/class/net/eth0/address")
		output(t, h, "sh", "-c", "echo kept >/etc/probe; echo kept >/var/lib/probe; echo gone >/run/probe")
		require.NoError(t, h.Reboot(t.Context()))
		assert.Equal(t, "kept\nkept", output(t, h, "cat", "/etc/probe", "/var/lib/probe"))
		assert.Equal(t, card, output(t, h, "cat", "/sys/class/net/eth0/address"))
		_, err := h.Output(t.Context(), "cat", "/run/probe")
		assert.Error(t, err)
	})
	t.Run("leaves nothing", func(t *testing.T) {
		require.NoError(t, h.Close())
		gone(t, "alpha")
	})
}

func TestASmallDisk(t *testing.T) {
	h := boot(t, harness.Options{Name: "small", Address: "172.31.77.12", DataSize: "64m"})
	assert.Equal(t, "65536", output(t, h, "sh", "-c", "df -k --output=size /var/lib | tail -1 | tr -d ' '"))
	_, err := h.Output(t.Context(), "dd", "if=/dev/zero", "of=/var/lib/f", "bs=1M", "count=65")
	assert.ErrorContains(t, err, "No space left")
}

// A run that is killed must not cost the next one anything.
func TestHostsOfAKilledProgram(t *testing.T) {
	root, err := harness.RootFS(t.Context())
	require.NoError(t, err)
	for name, keep := range map[string]bool{"dies with it": false, "outlives it and is swept": true} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe", "-test.run", "^TestHelperBootsAHost$", "-test.v")
			cmd.Env = append(os.Environ(), "HARNESS_ROOT="+root)
			if keep {
				cmd.Env = append(cmd.Env, "HARNESS_KEEP=1")
			}
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			waitFor(t, stdout, "host is up")
			if !keep {
				require.NoError(t, harness.Sweep())
				_, err := os.Stat("/var/tmp/slipway-hosts/orphan")
				require.NoError(t, err, "a host whose program runs was swept")
			}
			require.NoError(t, cmd.Process.Kill())
			_ = cmd.Wait()
			require.NoError(t, harness.Sweep())
			gone(t, "orphan")
		})
	}
}

// TestHelperBootsAHost is the program that gets killed.
func TestHelperBootsAHost(t *testing.T) {
	root := os.Getenv("HARNESS_ROOT")
	if root == "" {
		return // only a part of the test above
	}
	_, err := harness.Boot(t.Context(), harness.Options{Name: "orphan", Address: "172.31.77.13", RootFS: root, Keep: os.Getenv("HARNESS_KEEP") != ""})
	require.NoError(t, err)
	_, _ = os.Stdout.WriteString("host is up\n")
	<-context.Background().Done()
}

func waitFor(t *testing.T, r interface{ Read([]byte) (int, error) }, text string) {
	t.Helper()
	var seen strings.Builder
	buf := make([]byte, 4096)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		n, err := r.Read(buf)
		seen.Write(buf[:n])
		if strings.Contains(seen.String(), text) {
			return
		}
		require.NoError(t, err, seen.String())
	}
	t.Fatalf("no %q in %s", text, seen.String())
}

// gone checks that nothing of a host is left on the machine.
func gone(t *testing.T, name string) {
	t.Helper()
	assert.NoDirExists(t, "/var/tmp/slipway-hosts/"+name)
	_, err := net.InterfaceByName("slw-" + name)
	assert.Error(t, err, "its network cable is still there")
	groups, err := filepath.Glob("/sys/fs/cgroup/*/slipway-test-" + name)
	require.NoError(t, err)
	assert.Empty(t, groups)
	procs, err := exec.Command("ps", "ax", "-o", "args").Output()
	require.NoError(t, err)
	assert.NotContains(t, string(procs), "systemd --log-target")
}
