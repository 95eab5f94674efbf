//go:build e2e

package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
)

const domain = "slipway.localhost"

func TestMain(m *testing.M) {
	harness.Init()
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "these tests make hosts: run them as root (sudo make test-fleet)")
		os.Exit(1)
	}
	os.Exit(run(m))
}

// instances is how many inotify instances systemd, k3s and containerd of a
// fleet may need: all hosts count as one user here. A machine with fewer gets
// them for the time of the tests.
const instances = 1024

func run(m *testing.M) int {
	const file = "/proc/sys/fs/inotify/max_user_instances"
	before, err := os.ReadFile(file)
	if n, bad := strconv.Atoi(strings.TrimSpace(string(before))); err == nil && bad == nil && n < instances {
		if err := os.WriteFile(file, []byte(strconv.Itoa(instances)), 0o644); err == nil {
			defer func() { _ = os.WriteFile(file, before, 0o644) }() // of use to others at worst
		}
	}
	return m.Run()
}

func keep() bool { return os.Getenv("KEEP") != "" }

// binary is the program under test.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("SLIPWAY")
	if path == "" {
		path = "../../bin/slipway"
	}
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err, "no binary to test: run make build first")
	return path
}

// node is a host of the fleet.
type node struct {
	*harness.Host
	m      *appliance.Machine
	before appliance.Picture
}

// boot makes a bare host, which is photographed before anything is put on it.
func boot(t *testing.T, name, address string) *node {
	t.Helper()
	return bootSized(t, name, address, "")
}

// bootSized is boot with a disk of a size for /var/lib; "" is this machine's.
func bootSized(t *testing.T, name, address, size string) *node {
	t.Helper()
	root, err := harness.RootFS(t.Context())
	require.NoError(t, err)
	h, err := harness.Boot(t.Context(), harness.Options{Name: name, Address: address, RootFS: root, DataSize: size, Keep: keep()})
	require.NoError(t, err)
	n := &node{Host: h, m: appliance.At(address, domain, h.Command)}
	t.Cleanup(func() { assert.NoError(t, h.Close()) })
	t.Cleanup(func() {
		if t.Failed() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			t.Log(name + "\n" + n.m.Report(ctx))
		}
	})
	n.before, err = n.m.Photograph(t.Context())
	require.NoError(t, err)
	require.NoError(t, h.Put("../../install.sh", "/root/install.sh", 0o755))
	return n
}

// script runs install.sh on the node, as its user would.
func (n *node) script(t *testing.T, env []string, args ...string) appliance.Result {
	t.Helper()
	r, err := n.m.RunEnv(t.Context(), env, "sh", append([]string{"/root/install.sh"}, args...)...)
	require.NoError(t, err)
	return r
}

// run runs the installed program to its end, however it ends.
func (n *node) run(t *testing.T, args ...string) appliance.Result {
	t.Helper()
	r, err := n.m.Run(t.Context(), appliance.Binary, args...)
	require.NoError(t, err)
	return r
}

// slipway runs the installed program, which has to end well.
func (n *node) slipway(t *testing.T, args ...string) string {
	t.Helper()
	out, err := n.m.Slipway(t.Context(), args...)
	require.NoError(t, err)
	return strings.TrimSpace(out)
}

// well waits until status says so.
func (n *node) well(t *testing.T, limit time.Duration) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) error {
		_, err := n.m.Slipway(ctx, "status")
		return err
	}))
}

// bare checks that nothing but what the test put there has come to the host.
func (n *node) bare(t *testing.T) {
	t.Helper()
	_, err := os.Stat(filepath.Join(n.Root(), "root/install.sh"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(n.Root(), "root/install.sh")))
	assert.NoError(t, appliance.Eventually(t.Context(), 20*time.Second, func(ctx context.Context) error {
		after, err := n.m.Photograph(ctx)
		if err != nil {
			return err
		}
		if diff := n.before.Diff(after); len(diff) > 0 {
			return fmt.Errorf("%s: %d differences:\n%s", n.Name, len(diff), strings.Join(diff, "\n"))
		}
		return nil
	}))
}

// must runs a step and ends the test when it fails: the steps build on one
// another.
func must(t *testing.T, name string, step func(t *testing.T)) {
	t.Helper()
	start := time.Now()
	if !t.Run(name, step) {
		t.FailNow()
	}
	t.Logf("%-60s %6.1fs", name, time.Since(start).Seconds())
}

// token is what "slipway token create -o json" says.
type token struct {
	ID       string
	Token    string
	K3sToken string
	K3sURL   string
}

func (n *node) token(t *testing.T, args ...string) token {
	t.Helper()
	var made token
	require.NoError(t, json.Unmarshal([]byte(n.slipway(t, append([]string{"token", "create", "-o", "json"}, args...)...)), &made))
	return made
}

// via gets a page of the platform through the gateway of any node.
func via(ctx context.Context, n *node, name string) (int, string, error) {
	m := appliance.At(n.Address, domain, nil)
	transport := m.Transport()
	transport.DisableKeepAlives = true
	return m.Get(ctx, &http.Client{Transport: transport, Timeout: 5 * time.Second}, m.URL(name, "/"))
}

// places are the nodes that an app's pods run on, and how many on each.
func (n *node) places(t *testing.T, app string) map[string]int {
	t.Helper()
	out := n.slipway(t, "kubectl", "get", "pods", "-n", app, "--field-selector=status.phase=Running",
		"-o", `jsonpath={range .items[?(@.status.containerStatuses[0].ready==true)]}{.spec.nodeName}{"\n"}{end}`)
	places := map[string]int{}
	for _, name := range strings.Fields(out) {
		places[name]++
	}
	return places
}

// reachable reports whether a port of a host answers from here.
func reachable(address, port string) bool {
	c, err := net.DialTimeout("tcp", net.JoinHostPort(address, port), 2*time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}
