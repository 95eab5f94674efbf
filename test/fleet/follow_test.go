//go:build e2e

package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

const (
	// followLimit is for a server that is upgraded and agents that follow;
	// againLimit for one that does so once more after it was cut off.
	followLimit = 5 * time.Minute
	againLimit  = 8 * time.Minute

	nextProgram = "/root/slipway-next"
	refusing    = "/etc/systemd/system/slipway.service.d/refuse.conf"
)

// followUp upgrades the server to another build of the program. The agents
// follow, while an app on all nodes is asked through two of them. It returns the
// sums of the two programs.
func followUp(t *testing.T, first *node, agents ...*node) (before, after string) {
	ctx := t.Context()
	before, pods := first.sum(t, appliance.Binary), first.pods(t)
	require.NoError(t, first.Put(house.Another(t, house.Program(t)), nextProgram, 0o755))
	after = first.sum(t, nextProgram)
	require.NotEqual(t, before, after)
	for _, n := range agents {
		require.Equal(t, before, n.sum(t, appliance.Binary), n.Name)
	}

	stops := map[string]func() appliance.Tally{}
	for _, n := range append([]*node{first}, agents...) {
		m := appliance.At(n.Address, domain, nil)
		stops[n.Name] = appliance.Prober{URL: m.URL("hello", "/"), PerSecond: 30, Machine: m}.Start(ctx)
	}
	r, err := first.m.Run(ctx, nextProgram, "upgrade")
	require.NoError(t, err)
	require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	t.Logf("the server was upgraded in %.1fs", r.Took.Seconds())
	began := time.Now()
	for _, n := range agents {
		n.follows(t, after, followLimit)
		t.Logf("%s has followed %.1fs after that", n.Name, time.Since(began).Seconds())
	}
	for name, stop := range stops {
		tally := stop()
		t.Logf("through %s: %s", name, tally)
		assert.Zero(t, tally.Failed, "through %s: %s", name, strings.Join(tally.Reasons, "\n"))
	}
	assert.Equal(t, pods, first.pods(t), "no pod of the app was touched")
	list := first.slipway(t, "node", "list")
	t.Log("\n" + list)
	assert.NotContains(t, list, "the cluster")
	for _, n := range agents {
		n.tidy(t)
	}
	_, err = first.Output(ctx, "rm", nextProgram)
	require.NoError(t, err)
	return before, after
}

// followBack takes the server's upgrade back. One agent is killed while it
// follows, and follows all the same; on another the program does not start,
// which brings back the one that did.
func followBack(t *testing.T, first, killed, refuser *node, before, after string) {
	ctx := t.Context()
	// The service does not start with the program of before.
	dropIn := fmt.Sprintf("[Service]\nExecStartPre=/bin/sh -c '! sha256sum %s | grep -q ^%s'\n", appliance.Binary, before)
	file := filepath.Join(refuser.Root(), refusing)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(dropIn), 0o644))
	_, err := refuser.Output(ctx, "systemctl", "daemon-reload")
	require.NoError(t, err)

	first.slipway(t, "upgrade", "--rollback", "--yes")
	require.Equal(t, before, first.sum(t, appliance.Binary))
	killed.killFollowing(t)
	t.Logf("%s was killed while it was %q", killed.Name, killed.record(t).Phase)

	require.NoError(t, appliance.Eventually(ctx, followLimit, func(context.Context) error {
		if r := refuser.record(t); r.Phase != "rolled-back" || r.To.SHA256 != before {
			return fmt.Errorf("%s is %s", refuser.Name, r.Phase)
		}
		return nil
	}))
	assert.Equal(t, after, refuser.sum(t, appliance.Binary), "what ran before runs again")
	t.Logf("%s went back: %s", refuser.Name, refuser.record(t).Reason)
	require.NoError(t, appliance.Eventually(ctx, 2*time.Minute, func(context.Context) error {
		if r := refuser.run(t, "status"); r.Code != 1 || !strings.Contains(r.Stdout, "it is tried again at") {
			return fmt.Errorf("status %d: %s", r.Code, r.Stdout)
		}
		if list := first.slipway(t, "node", "list"); !strings.Contains(list, "the cluster another build of it") {
			return fmt.Errorf("%s", list)
		}
		return nil
	}))
	t.Log("\n" + first.slipway(t, "node", "list"))
	killed.follows(t, before, againLimit)

	// The obstacle is gone, and the host joins by hand.
	tried := refuser.record(t).Began
	_, err = refuser.Output(ctx, "sh", "-c", "rm -r "+filepath.Dir(refusing)+" && systemctl daemon-reload")
	require.NoError(t, err)
	assert.Equal(t, tried, refuser.record(t).Began, "it was not tried again")
	made := first.token(t, "--ttl", "1h")
	r := refuser.script(t, []string{"K3S_URL=" + made.K3sURL, "K3S_TOKEN=" + made.K3sToken}, "install_k3s_agent")
	require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	refuser.follows(t, before, followLimit)
}

// follows waits until a node runs a program and is well.
func (n *node) follows(t *testing.T, sum string, limit time.Duration) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) error {
		if have := n.sum(t, appliance.Binary); have != sum {
			return fmt.Errorf("%s has %.8s, not %.8s", n.Name, have, sum)
		}
		if r := n.record(t); r.Phase != "committed" && r.Phase != "" {
			return fmt.Errorf("%s is %s", n.Name, r.Phase)
		}
		_, err := n.m.Slipway(ctx, "status")
		return err
	}), n.Name)
}

// tidy waits until nothing is left of following but its record.
func (n *node) tidy(t *testing.T) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), 2*time.Minute, func(ctx context.Context) error {
		out, err := n.m.Output(ctx, "sh", "-c", "ls /var/lib/slipway/upgrade/next* /var/lib/slipway/checkpoints/* 2>/dev/null || true")
		if err == nil && strings.TrimSpace(out) != "" {
			err = fmt.Errorf("%s has %s", n.Name, out)
		}
		return err
	}))
}

// killFollowing kills the program that takes the place of the installed one,
// after it has begun to.
func (n *node) killFollowing(t *testing.T) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), followLimit, func(context.Context) error {
		if phase := n.record(t).Phase; phase != "applying" && phase != "verifying" {
			return fmt.Errorf("%s is %q", n.Name, phase)
		}
		return nil
	}))
	_, err := n.Output(t.Context(), "sh", "-c", `for p in /proc/[0-9]*; do case "$(readlink $p/exe)" in /var/lib/slipway/upgrade/next*) kill -9 ${p#/proc/} ;; esac; done`)
	require.NoError(t, err)
}

// record is the record of the latest upgrade of a node.
type record struct {
	Phase, Reason string
	Began         time.Time
	To            struct{ SHA256 string }
}

func (n *node) record(t *testing.T) (r record) {
	t.Helper()
	out, err := n.m.Output(t.Context(), "sh", "-c", "cat /var/lib/slipway/upgrade/state.json 2>/dev/null || echo '{}'")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	return r
}

// sum is the SHA-256 of a file of the node.
func (n *node) sum(t *testing.T, path string) string {
	t.Helper()
	out, err := n.m.Output(t.Context(), "sha256sum", path)
	require.NoError(t, err)
	return strings.Fields(out)[0]
}

// pods are the app's, with what changes when one is touched.
func (n *node) pods(t *testing.T) string {
	t.Helper()
	return n.slipway(t, "kubectl", "get", "pods", "-n", "hello", "-o",
		`jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.spec.nodeName} {.status.containerStatuses[0].restartCount}{"\n"}{end}`)
}
