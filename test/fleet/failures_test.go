//go:build e2e

package fleet

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

const (
	// away is how long a cut lasts: longer than Kubernetes needs to notice, and
	// to put pods elsewhere.
	away = time.Minute
	// settleLimit is how long pods may take to be elsewhere, or a node to be back.
	settleLimit = 4 * time.Minute
)

// TestNodeFailures has one server and two agents lose a node in three ways, with
// an app of six processes that is asked through the gateways of the others all
// the while. FLEET_ROUNDS repeats it.
func TestNodeFailures(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("FLEET_ROUNDS"))
	if err != nil {
		rounds = 1
	}
	first := boot(t, "haa", "172.31.77.30")
	house.Must(t, "install the server", func(t *testing.T) { installServer(t, first) })
	// The disk of this one can be filled without filling this machine's.
	second := bootSized(t, "hab", "172.31.77.31", "8g")
	third := boot(t, "hac", "172.31.77.32")
	for _, n := range []*node{second, third} {
		house.Must(t, n.Name+" joins", func(t *testing.T) {
			made := first.token(t, "--ttl", "1h")
			r := n.script(t, []string{"K3S_TOKEN=" + made.Token})
			require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
			house.Well(t, n.m, time.Minute)
		})
	}
	all := []*node{first, second, third}
	house.Must(t, "six of an app are on all nodes and answer through each", func(t *testing.T) { spread(t, first, all) })
	for range rounds {
		house.Must(t, "a node is killed", func(t *testing.T) { killed(t, first, second, third) })
		house.Must(t, "a node's network is cut for a minute", func(t *testing.T) { cut(t, first, third, second) })
		house.Must(t, "a node's disk is full", func(t *testing.T) { full(t, first, third, second) })
	}
}

// killed ends a node as a loss of power does and starts it again.
func killed(t *testing.T, first, other, victim *node) {
	stop := watchApp(t, first, other)
	require.NoError(t, victim.Kill())
	since := time.Now()
	elsewhere(t, first, victim.Name)
	t.Logf("%-50s %6.1fs", "six processes on the other nodes after", time.Since(since).Seconds())
	stop("while the node was dead")

	stop = watchApp(t, first, other)
	since = time.Now()
	require.NoError(t, victim.Reboot(t.Context()))
	back(t, first, victim)
	t.Logf("%-50s %6.1fs", "the node is back after", time.Since(since).Seconds())
	stop("while the node came back")
}

// cut takes a node off the network for a while.
func cut(t *testing.T, first, other, victim *node) {
	stop := watchApp(t, first, other)
	require.NoError(t, victim.Cut())
	timer := time.NewTimer(away)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
	require.NoError(t, victim.Mend())
	since := time.Now()
	back(t, first, victim)
	t.Logf("%-50s %6.1fs", "the node is back after", time.Since(since).Seconds())
	stop("while the node was cut off and came back")
	sixAnswer(t, first)
}

// full fills a node's disk until the kubelet gives up its pods, and frees it.
func full(t *testing.T, first, other, victim *node) {
	stop := watchApp(t, first, other)
	_, err := victim.Output(t.Context(), "sh", "-c",
		`set -- $(df -B1 --output=avail /var/lib | tail -1); fallocate -l $(($1 - 67108864)) /var/lib/filler`)
	require.NoError(t, err)
	require.NoError(t, appliance.Eventually(t.Context(), settleLimit, func(ctx context.Context) error {
		out, err := first.m.Slipway(ctx, "kubectl", "get", "node", victim.Name, "-o", `jsonpath={.status.conditions[?(@.type=="DiskPressure")].status}`)
		if err == nil && out != "True" {
			err = fmt.Errorf("disk pressure: %q", out)
		}
		return err
	}))
	sixAnswer(t, first)
	_, err = victim.Output(t.Context(), "rm", "/var/lib/filler")
	require.NoError(t, err)
	back(t, first, victim)
	stop("while a disk was full")
	sixAnswer(t, first)
}

// watchApp asks the app through the gateways of some nodes until the returned
// call, which prints what was lost. Nearly all has to be answered.
func watchApp(t *testing.T, nodes ...*node) (stop func(when string)) {
	t.Helper()
	var stops []func() appliance.Tally
	for _, n := range nodes {
		m := appliance.At(n.Address, domain, nil)
		stops = append(stops, appliance.Prober{URL: m.URL("hello", "/"), PerSecond: 20, Machine: m}.Start(t.Context()))
	}
	return func(when string) {
		t.Helper()
		for i, n := range nodes {
			tally := stops[i]()
			t.Logf("%s, through %s: %s", when, n.Name, tally)
			if len(tally.Reasons) > 0 {
				t.Logf("first failures: %s", strings.Join(tally.Reasons[:min(3, len(tally.Reasons))], "; "))
			}
			assert.Less(t, tally.Failed*10, tally.Requests, "through %s %s: the app did not go on answering", n.Name, when)
		}
	}
}

// elsewhere waits until six processes are ready, none of them on a node.
func elsewhere(t *testing.T, first *node, gone string) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), settleLimit, func(context.Context) error {
		total, places := 0, first.places(t, "hello")
		for _, n := range places {
			total += n
		}
		if total < 6 || places[gone] > 0 {
			return fmt.Errorf("processes are on %v", places)
		}
		return nil
	}))
}

// sixAnswer waits until six processes are ready, wherever.
func sixAnswer(t *testing.T, first *node) { elsewhere(t, first, "") }

// back waits until a node is ready and its gateway answers for the app.
func back(t *testing.T, first, n *node) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), settleLimit, func(ctx context.Context) error {
		out, err := first.m.Slipway(ctx, "kubectl", "get", "node", n.Name, "-o",
			`jsonpath={.status.conditions[?(@.type=="Ready")].status} {.spec.taints}`)
		if err == nil && strings.TrimSpace(out) != "True" {
			err = fmt.Errorf("node %s: ready and taints: %s", n.Name, out)
		}
		if err != nil {
			return err
		}
		status, body, err := via(ctx, n, "hello")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%s answers %d %.100s", n.Name, status, body)
		}
		return err
	}))
}
