//go:build e2e

package fleet

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

const deployLimit = 4 * time.Minute

// TestAgents makes a platform of a server and two agents out of bare hosts, of
// which only the first is given the program.
func TestAgents(t *testing.T) {
	first := boot(t, "joa", "172.31.77.21")
	house.Must(t, "install the server", func(t *testing.T) { installServer(t, first) })
	second := boot(t, "job", "172.31.77.22")
	house.Must(t, "who may not join is refused", func(t *testing.T) { refusals(t, first, second) })
	house.Must(t, "an agent joins with install.sh, K3S_URL and K3S_TOKEN", func(t *testing.T) {
		made := first.token(t, "--ttl", "1h", "--note", "the second host")
		r := second.script(t, []string{"K3S_URL=" + made.K3sURL, "K3S_TOKEN=" + made.K3sToken}, "install_k3s_agent")
		require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
		t.Logf("joined in %.1fs\n%s", r.Took.Seconds(), r.Stderr)
		house.Well(t, second.m, time.Minute)
		assert.Contains(t, first.slipway(t, "token", "list"), "the second host")
		first.slipway(t, "token", "delete", made.ID)
	})
	third := boot(t, "joc", "172.31.77.23")
	house.Must(t, "another joins with the whole token, killed on the way", func(t *testing.T) { joinKilled(t, first, third) })
	all := []*node{first, second, third}
	house.Must(t, "six of an app are on all nodes and answer through each", func(t *testing.T) { spread(t, first, all) })
	house.Must(t, "a node comes back after its token has ended", func(t *testing.T) {
		_, err := second.Output(t.Context(), "systemctl", "restart", "slipway.service")
		require.NoError(t, err)
		house.Well(t, second.m, 2*time.Minute)
		r := second.run(t, "join")
		require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	})
	house.Must(t, "an agent says what it is", func(t *testing.T) {
		assert.Contains(t, second.slipway(t, "status"), "agent joined through https://172.31.77.21:6443")
		r := second.run(t, "token", "list")
		assert.Equal(t, 1, r.Code)
		assert.Contains(t, r.Stderr, "run the command on a server")
		r = second.run(t, "join", "server")
		assert.Equal(t, 1, r.Code)
		assert.Contains(t, r.Stderr, "has joined as an agent")
		r = second.run(t, "upgrade")
		assert.Equal(t, 1, r.Code)
		assert.Contains(t, r.Stderr, "follows its server by itself")
	})
	var before, after string
	house.Must(t, "agents follow their server, and no app notices", func(t *testing.T) { before, after = followUp(t, first, second, third) })
	house.Must(t, "agents follow back, killed on the way and refused", func(t *testing.T) { followBack(t, first, third, second, before, after) })
	house.Must(t, "a node is drained while its app answers, and taken out", func(t *testing.T) { takeOut(t, first, third) })
	house.Must(t, "uninstall of a node leaves nothing", func(t *testing.T) {
		r := second.run(t, "uninstall", "--yes")
		require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
		second.bare(t)
	})
	house.Must(t, "uninstall of the server leaves nothing", func(t *testing.T) {
		r := first.run(t, "uninstall", "--yes")
		require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
		first.bare(t)
	})
}

// installServer puts the program on the host and makes it a platform, with more
// environment.
func installServer(t *testing.T, n *node, env ...string) {
	t.Helper()
	require.NoError(t, n.Put(house.Program(t), "/root/slipway", 0o755))
	r := n.script(t, append(env, "SLIPWAY_BINARY=/root/slipway"))
	require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	t.Logf("installed in %.1fs", r.Took.Seconds())
	_, err := n.Output(t.Context(), "rm", "/root/slipway")
	require.NoError(t, err)
	house.Well(t, n.m, time.Minute)
	require.NoError(t, appliance.Eventually(t.Context(), time.Minute, func(context.Context) error {
		if !reachable(n.Address, "9583") {
			return fmt.Errorf("the node door is closed")
		}
		return nil
	}))
}

// refusals tries to join in ways that must not work. Nothing may be changed.
func refusals(t *testing.T, first, n *node) {
	good := first.token(t, "--ttl", "1h")
	gone := first.token(t, "--ttl", "1h")
	first.slipway(t, "token", "delete", gone.ID)
	ended := first.token(t, "--ttl", "1s")
	hash := good.K3sToken[3:67]
	for name, c := range map[string]struct {
		token, url string
		args       []string
		says       string
	}{
		"no hash":          {token: good.K3sToken[69:], url: good.K3sURL, says: "anybody could pretend to be its server"},
		"another cluster":  {token: strings.Replace(good.K3sToken, hash, strings.Repeat("0", 64), 1), url: good.K3sURL, says: "not a server of the cluster that made the token"},
		"taken back":       {token: gone.K3sToken, url: gone.K3sURL, says: "taken back"},
		"ended":            {token: ended.K3sToken, url: ended.K3sURL, says: "ended"},
		"nobody there":     {token: good.K3sToken, url: "https://172.31.77.29:6443", says: "does not answer"},
		"no token":         {url: good.K3sURL, says: "set K3S_TOKEN too"},
		"an agent's token": {token: good.K3sToken, url: good.K3sURL, args: []string{"install_k3s_server"}, says: "this token lets agents in, not servers"},
	} {
		r := n.script(t, []string{"K3S_URL=" + c.url, "K3S_TOKEN=" + c.token}, c.args...)
		assert.NotEqual(t, 0, r.Code, name)
		assert.Contains(t, r.Stderr, c.says, name)
		assert.NotContains(t, r.Stdout+r.Stderr, "preflight", name)
	}
	first.slipway(t, "token", "delete", good.ID)
	after, err := n.m.Photograph(t.Context())
	require.NoError(t, err)
	var changed []string
	for _, line := range n.before.Diff(after) {
		if !strings.Contains(line, "/root/install.sh") {
			changed = append(changed, line)
		}
	}
	assert.Empty(t, changed, "a refused host is as before")
}

// joinKilled joins with the whole token, and kills the join before it is done.
func joinKilled(t *testing.T, first, n *node) {
	made := first.token(t)
	env := []string{"K3S_TOKEN=" + made.Token}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := n.m.RunEnv(ctx, env, "sh", "/root/install.sh")
		done <- err
	}()
	// Once the node's configuration is there, most of the way is before it.
	require.NoError(t, appliance.Eventually(t.Context(), 3*time.Minute, func(ctx context.Context) error {
		_, err := n.m.Output(ctx, "ls", "/etc/rancher/k3s/config.yaml")
		return err
	}))
	_, err := n.Output(t.Context(), "sh", "-c", `for p in /proc/[0-9]*; do case "$(readlink $p/exe)" in */slipway-install.*) kill -9 ${p#/proc/} ;; esac; done`)
	require.NoError(t, err)
	require.NoError(t, <-done)
	cancel()
	r := n.script(t, env)
	require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	house.Well(t, n.m, time.Minute)
}

// spread deploys an app, scales it to six and asks each node for it.
func spread(t *testing.T, first *node, all []*node) {
	ctx := t.Context()
	client := house.Login(t, first.m)
	_, err := client.CreateApp(ctx, "hello", "")
	require.NoError(t, err)
	_, err = client.Deployed(ctx, "hello", house.Carried(t, first.m, "hello"), deployLimit)
	require.NoError(t, err)
	require.NoError(t, client.Scale(ctx, "hello", 6))
	_, err = client.WaitPods(ctx, "hello", 6, deployLimit)
	require.NoError(t, err)
	require.NoError(t, appliance.Eventually(ctx, deployLimit, func(context.Context) error {
		if got := first.places(t, "hello"); len(got) != len(all) {
			return fmt.Errorf("pods are on %v", got)
		}
		return nil
	}))
	t.Logf("pods: %v", first.places(t, "hello"))
	for _, n := range all {
		require.NoError(t, appliance.Eventually(ctx, time.Minute, func(ctx context.Context) error {
			status, body, err := via(ctx, n, "hello")
			if err == nil && (status != http.StatusOK || !strings.Contains(body, "hello")) {
				err = fmt.Errorf("%s answers %d %.100s", n.Name, status, body)
			}
			return err
		}), n.Name)
	}
}

// takeOut empties a node under load and removes it from the cluster.
func takeOut(t *testing.T, first, n *node) {
	ctx := t.Context()
	r := first.run(t, "node", "drain", first.Name)
	assert.Equal(t, 1, r.Code)
	assert.Contains(t, r.Stderr, "their volumes are on the disk of "+first.Name)
	r = first.run(t, "node", "remove", first.Name)
	assert.Equal(t, 1, r.Code)
	assert.Contains(t, r.Stderr, "the only server")

	stop := appliance.Prober{URL: first.m.URL("hello", "/"), PerSecond: 50, Machine: first.m}.Start(ctx)
	first.slipway(t, "node", "drain", n.Name)
	require.NoError(t, appliance.Eventually(ctx, deployLimit, func(context.Context) error {
		got := first.places(t, "hello")
		if got[n.Name] > 0 || got[first.Name]+got["job"] != 6 {
			return fmt.Errorf("pods are on %v", got)
		}
		return nil
	}))
	tally := stop()
	t.Logf("while draining: %s", tally)
	assert.Zero(t, tally.Failed, "%s", strings.Join(tally.Reasons, "\n"))
	assert.Contains(t, first.slipway(t, "node", "list"), "drained")
	first.slipway(t, "node", "remove", n.Name)
	assert.NotContains(t, first.slipway(t, "node", "list"), n.Name)
	r = n.run(t, "uninstall", "--yes")
	require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	n.bare(t)
}
