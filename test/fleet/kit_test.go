//go:build e2e

package fleet

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

const domain = "slipway.localhost"

func TestMain(m *testing.M) { os.Exit(house.Main(m, "make test-fleet")) }

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
	h, m := house.Bare(t, harness.Options{Name: name, Address: address, DataSize: size}, domain)
	n := &node{Host: h, m: m, before: house.Photograph(t, m)}
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

// bare checks that nothing but what the test put there has come to the host. The
// limits of inotify are not looked at: all hosts of this machine have them
// together, also those of other tests, which come and go meanwhile.
func (n *node) bare(t *testing.T) {
	t.Helper()
	_, err := os.Stat(filepath.Join(n.Root(), "root/install.sh"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(n.Root(), "root/install.sh")))
	house.Unchanged(t, n.m, n.before, "sysctl\tfs/inotify/")
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

// places are the nodes that an app's ready pods run on, and how many on each.
// Those of a node that is gone are no longer ready, though nobody has told that
// of their containers.
func (n *node) places(t *testing.T, app string) map[string]int {
	t.Helper()
	out := n.slipway(t, "kubectl", "get", "pods", "-n", app, "--field-selector=status.phase=Running",
		"-o", `jsonpath={range .items[*]}{.spec.nodeName}{" "}{.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}`)
	places := map[string]int{}
	for line := range strings.Lines(out) {
		if name, ready, _ := strings.Cut(strings.TrimSpace(line), " "); ready == "True" {
			places[name]++
		}
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
