package drycc

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// appMetrics answers in the text format of Prometheus, with a token as any
// other route, so that whoever owns an app can scrape it.
func (h *Handler) appMetrics(r *request) (answer, error) {
	m, err := h.core.AppMetrics(r.Context(), r.who, r.params["app"])
	if err != nil {
		return answer{}, err
	}
	r.w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	return answer{http.StatusOK, plain(metricsText(m))}, nil
}

// exposition is a page of metrics.
type exposition struct{ strings.Builder }

// family begins a metric.
func (x *exposition) family(name, kind, help string) {
	fmt.Fprintf(x, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// sample adds a value; labels are names and values by turns.
func (x *exposition) sample(name string, value float64, labels ...string) {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	var parts []string
	for i := 0; i+1 < len(labels); i += 2 {
		parts = append(parts, labels[i]+`="`+escape.Replace(labels[i+1])+`"`)
	}
	fmt.Fprintf(x, "%s{%s} %s\n", name, strings.Join(parts, ","), strconv.FormatFloat(value, 'f', -1, 64))
}

func metricsText(m control.AppMetrics) string {
	var x exposition
	x.family("drycc_app_release_version", "gauge", "The version of the newest release.")
	x.sample("drycc_app_release_version", float64(m.Version), "app", m.App)
	x.family("drycc_app_release_failed", "gauge", "1 while the newest release is a failed one.")
	x.sample("drycc_app_release_failed", truth(m.State == string(platform.ReleaseCrashed)), "app", m.App)
	x.family("drycc_app_replicas_wanted", "gauge", "How many of a process type there should be.")
	for _, ptype := range slices.Sorted(maps.Keys(m.Wanted)) {
		x.sample("drycc_app_replicas_wanted", float64(m.Wanted[ptype]), "app", m.App, "ptype", ptype)
	}
	x.family("drycc_app_pods", "gauge", "Pods by process type and state.")
	type group struct{ ptype, state string }
	counts := map[group]int{}
	for _, p := range m.Pods {
		counts[group{p.Type, p.State}]++
	}
	for _, g := range slices.SortedFunc(maps.Keys(counts), func(a, b group) int {
		return strings.Compare(a.ptype+" "+a.state, b.ptype+" "+b.state)
	}) {
		x.sample("drycc_app_pods", float64(counts[g]), "app", m.App, "ptype", g.ptype, "state", g.state)
	}
	x.pods(m)
	return x.String()
}

// pods adds what is told of each pod.
func (x *exposition) pods(m control.AppMetrics) {
	usage := map[string]platform.PodUsage{}
	for _, u := range m.Usage {
		usage[u.Pod] = u
	}
	for _, f := range []struct {
		name, kind, help string
		value            func(p platform.Pod, u platform.PodUsage, known bool) float64 // negative: not known
	}{
		{"drycc_pod_up", "gauge", "1 while the pod takes requests.",
			func(p platform.Pod, _ platform.PodUsage, _ bool) float64 { return truth(p.State == "up") }},
		{"drycc_pod_restarts_total", "counter", "How often the pod's process began again.",
			func(p platform.Pod, _ platform.PodUsage, _ bool) float64 { return float64(p.Restarts) }},
		{"drycc_pod_cpu_seconds_total", "counter", "CPU time used.",
			func(_ platform.Pod, u platform.PodUsage, known bool) float64 { return when(known, u.CPUSeconds) }},
		{"drycc_pod_memory_bytes", "gauge", "Memory in use that cannot be taken back.",
			func(_ platform.Pod, u platform.PodUsage, known bool) float64 { return when(known, float64(u.Memory)) }},
		{"drycc_pod_disk_bytes", "gauge", "What the pod's own files and logs take on the node's disk.",
			func(_ platform.Pod, u platform.PodUsage, known bool) float64 { return when(known, float64(u.Disk)) }},
		{"drycc_pod_network_received_bytes_total", "counter", "Bytes received.",
			func(_ platform.Pod, u platform.PodUsage, known bool) float64 { return when(known, float64(u.Received)) }},
		{"drycc_pod_network_sent_bytes_total", "counter", "Bytes sent.",
			func(_ platform.Pod, u platform.PodUsage, known bool) float64 { return when(known, float64(u.Sent)) }},
	} {
		x.family(f.name, f.kind, f.help)
		for _, p := range m.Pods {
			u, known := usage[p.Name]
			if v := f.value(p, u, known); v >= 0 {
				x.sample(f.name, v, "app", m.App, "ptype", p.Type, "pod", p.Name, "release", p.Release)
			}
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// when is v, or what stands for not knowing.
func when(known bool, v float64) float64 {
	if known {
		return v
	}
	return -1
}

// ratio is "1/2".
func ratio(part, whole int) string { return fmt.Sprintf("%d/%d", part, whole) }
