//go:build e2e

package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

const kubeconfig = "/etc/rancher/k3s/k3s.yaml"

// installSlipway installs and writes down how long that took and how much the
// host had to get.
func installSlipway(t *testing.T, h *harness.Host, m *appliance.Machine, program string, report *rows) {
	t.Helper()
	r := house.Install(t, h, m, nil, "--yes")
	t.Log(r.Stderr)
	report.add("install, first to last line", seconds(r.Took), "-", "-", "")
	size, err := exec.CommandContext(t.Context(), "sh", "-c", `zstd -3 --long=27 -T0 -c "$1" | wc -c`, "sh", program).Output()
	require.NoError(t, err)
	n, err := strconv.ParseInt(strings.TrimSpace(string(size)), 10, 64)
	require.NoError(t, err)
	report.add("download (zstd)", megabytes(n), "-", "-", "≤ 220 MB")
}

// keepEngine copies what makes k3s run here: node programs, its configuration,
// and the pause image. Nothing else of ours.
func keepEngine(t *testing.T, h *harness.Host, dir string) {
	t.Helper()
	copyTo := func(globs ...string) {
		for _, g := range globs {
			matches, err := filepath.Glob(filepath.Join(h.Root(), g))
			require.NoError(t, err)
			for _, m := range matches {
				to := filepath.Join(dir, strings.TrimPrefix(m, h.Root()))
				require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
				out, err := exec.Command("cp", "-a", m, to).CombinedOutput()
				require.NoError(t, err, "%s", out)
			}
		}
	}
	copyTo("/var/lib/slipway/bin", "/etc/rancher/k3s/config.yaml", "/etc/slipway/kubelet.yaml", "/etc/slipway/audit-policy.yaml",
		"/var/lib/rancher/k3s/agent/etc/containerd/slipway.toml", "/var/lib/rancher/k3s/agent/etc/containerd/*.tmpl",
		"/var/lib/rancher/k3s/agent/images/*pause*")
}

const plainUnit = `[Unit]
After=network-online.target
[Service]
Type=exec
ExecStart=/usr/local/bin/slipway k3s --bin /var/lib/slipway/bin server
Environment=GOMEMLIMIT=off
KillMode=process
Delegate=yes
LimitNOFILE=1048576
TasksMax=infinity
[Install]
WantedBy=multi-user.target
`

// installPlain makes a host with k3s only.
func installPlain(t *testing.T, h *harness.Host, program, engine string) {
	t.Helper()
	require.NoError(t, h.Put(program, "/usr/local/bin/slipway", 0o755))
	out, err := exec.Command("cp", "-a", engine+"/.", h.Root()+"/").CombinedOutput()
	require.NoError(t, err, "%s", out)
	unit := filepath.Join(t.TempDir(), "plain.service")
	require.NoError(t, os.WriteFile(unit, []byte(plainUnit), 0o600))
	require.NoError(t, h.Put(unit, "/etc/systemd/system/plain.service", 0o644))
	_, err = h.Output(t.Context(), "systemctl", "enable", "--now", "plain.service")
	require.NoError(t, err)
	require.NoError(t, waitNode(t.Context(), h, 0))
}

// measure pulls the plug of a host that has been up once, so that images are
// imported and certificates made, and watches it start; then lets it rest and
// looks at memory and disk.
func measure(t *testing.T, h *harness.Host, unit string, ready func(ctx context.Context) error) measured {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, h.Reboot(ctx))
	start := started(t, h, unit)
	require.NoError(t, waitNode(ctx, h, start))
	m := measured{node: monotonic() - start}
	require.NoError(t, appliance.Eventually(ctx, 5*time.Minute, ready))
	m.platform = monotonic() - start
	rest(ctx, settle)
	m.memory = memory(h)
	for _, dir := range []string{"/var/lib/rancher", "/var/lib/slipway"} {
		out, err := h.Output(ctx, "du", "-sxB1", dir)
		require.NoError(t, err)
		n, err := strconv.ParseInt(strings.Fields(out)[0], 10, 64)
		require.NoError(t, err)
		m.disk += n
	}
	return m
}

// rest lets the host idle: what is measured next is what it is like at rest.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// monotonic is the kernel's clock that systemd stamps units with.
func monotonic() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // cannot fail with this clock
	return time.Duration(ts.Nano())
}

// started is when the unit's program was started.
func started(t *testing.T, h *harness.Host, unit string) time.Duration {
	t.Helper()
	var at time.Duration
	require.NoError(t, appliance.Eventually(t.Context(), time.Minute, func(ctx context.Context) error {
		out, err := h.Output(ctx, "systemctl", "show", "--value", "-p", "ExecMainStartTimestampMonotonic", unit)
		if err != nil {
			return err
		}
		us, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
		if err != nil || us == 0 {
			return fmt.Errorf("%s has not started: %q", unit, out)
		}
		at = time.Duration(us) * time.Microsecond
		return nil
	}))
	return at
}

// kubeClient reads the host's kubeconfig and returns a client and the address
// of its API server from here.
func kubeClient(h *harness.Host) (*http.Client, string, error) {
	b, err := os.ReadFile(h.Root() + kubeconfig)
	if err != nil {
		return nil, "", err
	}
	var c struct {
		Clusters []struct {
			Cluster struct {
				Authority []byte `json:"certificate-authority-data"`
			}
		}
		Users []struct {
			User struct {
				Certificate []byte `json:"client-certificate-data"`
				Key         []byte `json:"client-key-data"`
			}
		}
	}
	if err := yaml.Unmarshal(b, &c); err != nil {
		return nil, "", err
	}
	if len(c.Clusters) == 0 || len(c.Users) == 0 {
		return nil, "", errors.New("kubeconfig is not complete yet")
	}
	pair, err := tls.X509KeyPair(c.Users[0].User.Certificate, c.Users[0].User.Key)
	if err != nil {
		return nil, "", err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.Clusters[0].Cluster.Authority)
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
	}}, "https://" + h.Address + ":6443", nil
}

// waitNode waits until the node says that it is ready, in words younger than
// the given moment: the ones from before the reboot are still in the database.
func waitNode(ctx context.Context, h *harness.Host, since time.Duration) error {
	from := time.Now().Add(since - monotonic()).Truncate(time.Second)
	return appliance.Eventually(ctx, 5*time.Minute, func(ctx context.Context) error {
		client, url, err := kubeClient(h)
		if err != nil {
			return err
		}
		defer client.CloseIdleConnections()
		resp, err := client.Get(url + "/api/v1/nodes")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var list struct {
			Items []struct {
				Status struct {
					Conditions []struct {
						Type, Status      string
						LastHeartbeatTime time.Time
					}
				}
			}
		}
		if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
			return err
		}
		for _, n := range list.Items {
			for _, c := range n.Status.Conditions {
				if c.Type == "Ready" && c.Status == "True" && !c.LastHeartbeatTime.Before(from) {
					return nil
				}
			}
		}
		return fmt.Errorf("no ready node among %d", len(list.Items))
	})
}

// memory is the proportional share of memory by program, in bytes.
func memory(h *harness.Host) map[string]int64 {
	parts := map[string]int64{}
	for _, pid := range h.Processes() {
		part := partOf(pid)
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if part == "" || err != nil {
			continue
		}
		for _, line := range bytes.Split(b, []byte("\n")) {
			if f := strings.Fields(string(line)); len(f) == 3 && f[0] == "Pss:" {
				kb, _ := strconv.ParseInt(f[1], 10, 64)
				parts[part] += kb << 10
			}
		}
	}
	return parts
}

// partOf names the part of the platform a process belongs to; empty when it is
// the host's own (systemd and its daemons).
func partOf(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(b) == 0 {
		return ""
	}
	args := strings.Split(string(b), "\x00")
	switch name := filepath.Base(args[0]); name {
	case "slipway":
		return "slipway (k3s and ours)"
	case "systemd", "(sd-pam)", "dbus-daemon", "agetty", "init":
		return ""
	case "containerd-shim-runc-v2":
		return "shims"
	default:
		if strings.HasPrefix(name, "systemd-") {
			return ""
		}
		return name
	}
}
