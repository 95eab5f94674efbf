//go:build e2e

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

const (
	manyDomains = 500
	// The domains are those of several apps: with each change of an app all its
	// routes and certificates are looked at.
	manyApps = 5
	changes  = 15 // of routes, each measured
)

// edge is an appliance whose gateway is measured, and what it is measured with.
type edge struct {
	h     *harness.Host
	m     *appliance.Machine
	c     *appliance.Client
	hosts string // file of names for programs that would ask a resolver
	plain *nginx
}

// TestGateway measures the gateway next to nginx with a pod behind both, and
// what becomes of it, and of the time until a change shows, with 500 domains.
func TestGateway(t *testing.T) {
	report := &rows{other: "nginx"}
	t.Cleanup(func() { fmt.Println(report) })
	h, m := boot(t)
	house.Install(t, h, m, nil, "--yes")
	sites := makeSites(t, setting(t, "BENCH_DOMAINS", manyDomains))
	e := prepare(t, h, m, sites[0])

	e.add(t, sites[:1])
	one := e.compare(t)
	one.tell(report, "1 domain")
	before := e.change(t, "early")
	start := time.Now()
	e.add(t, sites[1:])
	t.Logf("%d more domains with certificates after %.0f s", len(sites)-1, time.Since(start).Seconds())
	after := e.change(t, "late")
	many := e.compare(t)
	many.tell(report, fmt.Sprintf("%d domains", len(sites)))
	relate(report, one, many)
	before.tell(report, after, len(sites))
}

// prepare deploys the apps and starts nginx beside the gateway.
func prepare(t *testing.T, h *harness.Host, m *appliance.Machine, first site) *edge {
	t.Helper()
	ctx := t.Context()
	e := &edge{h: h, m: m, c: house.Login(t, m), hosts: filepath.Join(t.TempDir(), "hosts")}
	image := pushTwo(t, m)[0]
	for i := range manyApps {
		_, err := e.c.CreateApp(ctx, appName(i), "")
		require.NoError(t, err)
		require.NoError(t, e.c.Deploy(ctx, appName(i), image))
	}
	for i := range manyApps {
		_, err := e.c.WaitRelease(ctx, appName(i), 1, 5*time.Minute)
		require.NoError(t, err)
	}
	require.NoError(t, os.WriteFile(e.hosts, []byte("127.0.0.1 localhost "+first.name+"\n"), 0o600))
	pod, err := m.Slipway(ctx, "kubectl", "-n", appName(0), "get", "pods", "-o", "jsonpath={.items[0].status.podIP}:{.items[0].spec.containers[0].ports[0].containerPort}")
	require.NoError(t, err)
	args, err := m.Slipway(ctx, "kubectl", "-n", "drycc", "get", "daemonset", "traefik", "-o", "jsonpath={.spec.template.spec.containers[0].args}")
	require.NoError(t, err)
	e.plain = startNginx(t, h, first, strings.TrimSpace(pod), strings.Contains(strings.ToLower(args), "--accesslog=true"))
	return e
}

func appName(i int) string { return fmt.Sprintf("probe%d", i) }

// setting reads a number of the environment, for smaller and larger runs.
func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	require.NoError(t, err, name)
	require.Positive(t, n, name)
	return n
}
