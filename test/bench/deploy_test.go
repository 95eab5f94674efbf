//go:build e2e

package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

const rounds = 7

// deploys measures what developers and visitors notice: how long a deploy
// takes next to bare kubectl with the same pods, and what the gateway costs.
func deploys(t *testing.T, h *harness.Host, m *appliance.Machine, report *rows) {
	t.Helper()
	ctx := t.Context()
	c := house.Login(t, m)
	images := pushTwo(t, m)
	_, err := c.CreateApp(ctx, "probe", "")
	require.NoError(t, err)
	for _, image := range images { // both images on the node before the clock starts
		_, err = c.Deployed(ctx, "probe", image, 3*time.Minute)
		require.NoError(t, err)
	}
	twin(t, h, m)
	gateway(t, h, m, c, report)

	var ours, plain []time.Duration
	for i := range rounds {
		version := i % 2
		start := time.Now()
		require.NoError(t, c.Deploy(ctx, "probe", images[version]))
		require.NoError(t, serving(ctx, m, fmt.Sprintf("v%d", version+1)))
		ours = append(ours, time.Since(start))
		_, err := c.WaitRelease(ctx, "probe", 0, 3*time.Minute)
		require.NoError(t, err)

		start = time.Now()
		_, err = m.Slipway(ctx, "kubectl", "-n", "twin", "set", "image", "deployment/probe", "*="+images[version])
		require.NoError(t, err)
		_, err = m.Slipway(ctx, "kubectl", "-n", "twin", "rollout", "status", "deployment/probe", "--timeout=180s")
		require.NoError(t, err)
		plain = append(plain, time.Since(start))
	}
	a, b := median(ours), median(plain)
	report.add("deploy (POST build to served; set image to rolled out)", seconds(a), seconds(b), fmt.Sprintf("%.2f", a.Seconds()/b.Seconds()), "≤ 1.30")
}

// pushTwo pushes two versions of the probe app.
func pushTwo(t *testing.T, m *appliance.Machine) []string {
	t.Helper()
	username, password, err := m.Credentials(t.Context())
	require.NoError(t, err)
	program, err := appliance.BuildProbe(t.Context(), t.TempDir())
	require.NoError(t, err)
	https, err := m.HTTPS(t.Context())
	require.NoError(t, err)
	var refs []string
	for _, version := range []string{"v1", "v2"} {
		image, err := appliance.ProbeImage(program, version)
		require.NoError(t, err)
		ref, err := m.Push(t.Context(), https, image, "probe", version, username, password)
		require.NoError(t, err)
		refs = append(refs, ref)
	}
	return refs
}

// twin applies the app's own Deployment a second time, in a namespace that the
// platform does not know: same pods, same probes, nobody but Kubernetes.
func twin(t *testing.T, h *harness.Host, m *appliance.Machine) {
	t.Helper()
	ctx := t.Context()
	out, err := m.Slipway(ctx, "kubectl", "-n", "probe", "get", "deployments,secrets", "-o", "json")
	require.NoError(t, err)
	var list struct{ Items []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	kinds := map[any]int{}
	for _, item := range list.Items {
		kinds[item["kind"]]++
		name := item["metadata"].(map[string]any)["name"]
		delete(item, "status")
		if item["kind"] == "Deployment" {
			name = "probe"
			pod := item["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
			delete(pod, "serviceAccountName")
			delete(pod, "serviceAccount")
		}
		item["metadata"] = map[string]any{"name": name, "namespace": "twin"}
	}
	require.Equal(t, 1, kinds["Deployment"], "%v", kinds)
	manifest, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": list.Items})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "twin.json")
	require.NoError(t, os.WriteFile(file, manifest, 0o600))
	require.NoError(t, h.Put(file, "/tmp/twin.json", 0o600))
	for _, args := range [][]string{
		{"kubectl", "create", "namespace", "twin"},
		{"kubectl", "apply", "-f", "/tmp/twin.json"},
		{"kubectl", "-n", "twin", "rollout", "status", "deployment/probe", "--timeout=180s"},
	} {
		_, err := m.Slipway(ctx, args...)
		require.NoError(t, err)
	}
}

// serving waits until the gateway answers with the version.
func serving(ctx context.Context, m *appliance.Machine, version string) error {
	client := &http.Client{Transport: m.Transport(), Timeout: 5 * time.Second}
	return appliance.Eventually(ctx, 3*time.Minute, func(ctx context.Context) error {
		status, body, err := m.Get(ctx, client, m.URL("probe", "/"))
		if err != nil || status != http.StatusOK || !strings.Contains(body, `"version":"`+version+`"`) {
			return fmt.Errorf("HTTP %d %s: %w", status, body, err)
		}
		return nil
	})
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// load is one run of wrk.
type load struct {
	rate     float64 // requests a second
	requests float64 // all of the run
	p99      time.Duration
	cost     time.Duration // processor time of what answered, for each request; 0: not measured
}

// gateway compares requests through the gateway with requests to the pod, in
// turns, from within the host's network.
func gateway(t *testing.T, h *harness.Host, m *appliance.Machine, c *appliance.Client, report *rows) {
	t.Helper()
	ctx := t.Context()
	_, err := c.WaitPods(ctx, "probe", 1, time.Minute)
	require.NoError(t, err)
	ip, err := m.Slipway(ctx, "kubectl", "-n", "probe", "get", "pods", "-o", "jsonpath={.items[0].status.podIP}:{.items[0].spec.containers[0].ports[0].containerPort}")
	require.NoError(t, err)
	var through, direct []load
	for range 3 {
		through = append(through, wrk(t, h, "http://127.0.0.1/", "probe."+domain))
		direct = append(direct, wrk(t, h, "http://"+strings.TrimSpace(ip)+"/", "probe."+domain))
	}
	a, b := best(through), best(direct)
	report.add("gateway: requests a second (next to the pod's own address)", fmt.Sprintf("%.0f", a.rate), fmt.Sprintf("%.0f", b.rate), fmt.Sprintf("%.2f", a.rate/b.rate), "")
	report.add("gateway: slowest of 100 (p99)", milliseconds(a.p99), milliseconds(b.p99), fmt.Sprintf("%.2f", a.p99.Seconds()/b.p99.Seconds()), "")
}

// best is the run that was disturbed least.
func best(all []load) load {
	slices.SortFunc(all, func(a, b load) int { return int(b.rate - a.rate) })
	return all[0]
}

func wrk(t *testing.T, h *harness.Host, url, host string) load {
	t.Helper()
	return parseLoad(t, h.Network(t.Context(), "wrk", "-t1", "-c32", "-d10s", "--latency", "-H", "Host: "+host, url))
}

// parseLoad runs wrk and reads what it says. Answers other than success, and
// connections that broke, are no speed.
func parseLoad(t *testing.T, cmd *exec.Cmd) load {
	t.Helper()
	cmd.Stderr = io.Discard
	out, err := cmd.Output()
	require.NoError(t, err)
	rate := regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`).FindSubmatch(out)
	p99 := regexp.MustCompile(`(?m)^\s+99%\s+(\S+)`).FindSubmatch(out) // others may deviate by 99% too
	require.True(t, rate != nil && p99 != nil, "%s", out)
	require.NotContains(t, string(out), "Non-2xx")
	require.NotContains(t, string(out), "Socket errors")
	r, err := strconv.ParseFloat(string(rate[1]), 64)
	require.NoError(t, err)
	d, err := time.ParseDuration(string(p99[1]))
	require.NoError(t, err)
	count := regexp.MustCompile(`(\d+) requests in`).FindSubmatch(out)
	require.NotNil(t, count, "%s", out)
	all, err := strconv.ParseFloat(string(count[1]), 64)
	require.NoError(t, err)
	return load{rate: r, requests: all, p99: d}
}

// sorted lists the keys by size, the largest first.
func sorted(m map[string]int64) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return int(m[b]>>10 - m[a]>>10) })
	return keys
}
