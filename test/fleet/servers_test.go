//go:build e2e

package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

// TestServers makes a platform of three servers out of one that kept its data in
// SQLite, while its app is asked.
func TestServers(t *testing.T) {
	first := boot(t, "jod", "172.31.77.24")
	house.Must(t, "install the first", func(t *testing.T) { installServer(t, first) })
	client := house.Login(t, first.m)
	house.Must(t, "deploy an app", func(t *testing.T) {
		_, err := client.CreateApp(t.Context(), "hello", "")
		require.NoError(t, err)
		_, err = client.Deployed(t.Context(), "hello", house.Carried(t, first.m, "hello"), deployLimit)
		require.NoError(t, err)
	})
	second := boot(t, "joe", "172.31.77.25")
	house.Must(t, "the second server joins, SQLite becomes etcd, nobody notices", func(t *testing.T) { becomesEtcd(t, first, second) })
	third := boot(t, "jof", "172.31.77.26")
	house.Must(t, "the third server joins", func(t *testing.T) {
		joinServer(t, first, third)
		assert.Equal(t, map[string]string{"jod": "server", "joe": "server", "jof": "server"}, roles(t, first))
		assert.NotContains(t, first.slipway(t, "node", "list"), "passing state")
	})
	house.Must(t, "deploys go on", func(t *testing.T) {
		require.NoError(t, client.Scale(t.Context(), "hello", 6))
		_, err := client.WaitPods(t.Context(), "hello", 6, deployLimit)
		require.NoError(t, err)
	})
	house.Must(t, "a server loses its power, the others go on", func(t *testing.T) {
		require.NoError(t, second.Kill())
		twoOfThree(t, first, third)
		require.NoError(t, client.Scale(t.Context(), "hello", 5), "deploys too")
	})
	house.Must(t, "it comes back by itself", func(t *testing.T) {
		require.NoError(t, second.Reboot(t.Context()))
		require.NoError(t, appliance.Eventually(t.Context(), 5*time.Minute, func(ctx context.Context) error {
			out, err := first.m.Slipway(ctx, "kubectl", "get", "node", "joe", "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
			if err == nil && strings.TrimSpace(out) != "True" {
				err = fmt.Errorf("joe is %s", out)
			}
			return err
		}))
	})
	house.Must(t, "a server is taken out and leaves nothing", func(t *testing.T) {
		first.slipway(t, "node", "remove", "jof")
		assert.Equal(t, map[string]string{"jod": "server", "joe": "server"}, roles(t, first))
		r := third.run(t, "uninstall", "--yes")
		require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
		third.bare(t)
	})
}

// becomesEtcd has the second server join while the app is asked.
func becomesEtcd(t *testing.T, first, second *node) {
	before := objects(t, first)
	stop := appliance.Prober{URL: first.m.URL("hello", "/"), PerSecond: 20, Machine: first.m}.Start(t.Context())
	joinServer(t, first, second)
	tally := stop()
	t.Logf("while joining: %s", tally)
	assert.Zero(t, tally.Failed, "%s", strings.Join(tally.Reasons, "\n"))
	after := objects(t, first)
	for name := range before {
		assert.Contains(t, after, name)
	}
	log, err := first.Output(t.Context(), "sh", "-c", "journalctl -u slipway --no-pager | grep -o 'every key was compared.*'")
	require.NoError(t, err)
	t.Log(strings.TrimSpace(log))
	checkpoints, err := first.Output(t.Context(), "ls", "/var/lib/slipway/checkpoints")
	require.NoError(t, err)
	assert.Contains(t, checkpoints, "-etcd")
	assert.Contains(t, first.slipway(t, "node", "list"), "2 servers stand the loss of 0")
}

// twoOfThree checks that two servers do without the third, and know that they
// need each other.
func twoOfThree(t *testing.T, first, third *node) {
	require.NoError(t, appliance.Eventually(t.Context(), 3*time.Minute, func(ctx context.Context) error {
		for _, n := range []*node{first, third} {
			if _, err := n.m.Slipway(ctx, "kubectl", "get", "nodes"); err != nil {
				return err
			}
		}
		return nil
	}))
	// Until the cluster has noticed, it counts the lost one.
	require.NoError(t, appliance.Eventually(t.Context(), 3*time.Minute, func(ctx context.Context) error {
		r, err := first.m.Run(ctx, appliance.Binary, "node", "list")
		if err == nil && strings.Count(r.Stdout, "ready") == 3 {
			err = fmt.Errorf("all are ready:\n%s", r.Stdout)
		}
		return err
	}))
	r := first.run(t, "node", "remove", "jof")
	assert.Equal(t, 1, r.Code, "two of three are needed")
	assert.Contains(t, r.Stderr, "1 of 2 servers would work")
}

func joinServer(t *testing.T, first, n *node) {
	t.Helper()
	made := first.token(t, "--role", "server", "--ttl", "30m")
	r := n.script(t, []string{"K3S_URL=" + made.K3sURL, "K3S_TOKEN=" + made.K3sToken}, "install_k3s_server")
	require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	t.Logf("joined in %.1fs\n%s", r.Took.Seconds(), r.Stderr)
	house.Well(t, n.m, 3*time.Minute)
	house.Well(t, first.m, 3*time.Minute)
	first.slipway(t, "token", "delete", made.ID)
}

// roles are the nodes with what they do.
func roles(t *testing.T, n *node) map[string]string {
	t.Helper()
	var list struct{ Nodes []struct{ Name, Role string } }
	require.NoError(t, json.Unmarshal([]byte(n.slipway(t, "node", "list", "-o", "json")), &list))
	all := map[string]string{}
	for _, one := range list.Nodes {
		all[one.Name] = one.Role
	}
	return all
}

// objects are the uids of what people and charts have made.
func objects(t *testing.T, n *node) map[string]bool {
	t.Helper()
	out := n.slipway(t, "kubectl", "get", "-A", "namespaces,deployments,daemonsets,services,configmaps,secrets,persistentvolumeclaims,serviceaccounts,httproutes",
		"-o", `jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}/{.metadata.uid}{"\n"}{end}`)
	all := map[string]bool{}
	for line := range strings.Lines(out) {
		if !strings.Contains(line, "bootstrap-token-") { // they come and go
			all[strings.TrimSpace(line)] = true
		}
	}
	require.Greater(t, len(all), 50)
	return all
}
