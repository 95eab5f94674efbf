//go:build e2e

package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// realApp makes an app of its own on the cluster, with a Cluster of its own.
func realApp(t *testing.T, name, workspace string, change func(*Options)) *real {
	t.Helper()
	opts := Options{Kubeconfig: os.Getenv("KUBECONFIG")}
	require.NotEmpty(t, opts.Kubeconfig)
	change(&opts)
	c, err := New(opts)
	require.NoError(t, err)
	r := &real{c: c, image: os.Getenv("SLIPWAY_HELLO_IMAGE"), version: 1,
		app: platform.App{ID: fmt.Sprintf("%s-%d", name, os.Getpid()), Workspace: workspace}}
	t.Cleanup(func() { assert.NoError(t, c.DeleteApp(context.Background(), r.app.ID)) })
	require.NoError(t, c.EnsureApp(t.Context(), r.app))
	return r
}

func usual(*Options) {}

// TestRealAutoscale: the autoscaler has the replicas, deploys leave them
// alone, and taking the rule away keeps what runs. All of it flows back.
func TestRealAutoscale(t *testing.T) {
	t.Parallel()
	r := realApp(t, "kubetest-hpa", "kubetest", usual)
	ctx, stop := context.WithCancel(t.Context())
	seen := make(chan int, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- r.c.FollowReplicas(ctx, func(app, ptype string, n int) {
			if app == r.app.ID && ptype == "web" {
				seen <- n
			}
		})
	}()
	t.Cleanup(func() { stop(); assert.NoError(t, <-ended) })
	comes := func(want int) {
		t.Helper()
		for late := time.After(time.Minute); ; {
			select {
			case n := <-seen:
				if n == want {
					return
				}
			case <-late:
				require.Fail(t, "not seen", "%d replicas", want)
			}
		}
	}
	hidden := func(p *control.Process) { p.Routed = false }
	scaled := func(p *control.Process) {
		p.Routed = false
		p.Autoscale = &control.Autoscale{Min: 2, Max: 3, CPUPercent: 80}
	}
	r.apply(t, r.release(hidden))
	comes(1)
	r.apply(t, r.release(scaled))
	comes(2) // the cluster's own doing
	hpa, err := r.c.core.AutoscalingV2().HorizontalPodAutoscalers(r.app.ID).Get(t.Context(), r.app.ID+"-web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.EqualValues(t, 2, *hpa.Spec.MinReplicas)
	assert.EqualValues(t, 80, *hpa.Spec.Metrics[0].Resource.Target.AverageUtilization)

	r.apply(t, r.release(scaled)) // says 1
	assert.EqualValues(t, 2, *r.deployment(t).Spec.Replicas)
	assert.False(t, ownsReplicas(r.deployment(t).ManagedFields))

	r.apply(t, r.release(hidden)) // says 1, too
	assert.EqualValues(t, 2, *r.deployment(t).Spec.Replicas, "taking the rule away keeps what runs")
	_, err = r.c.core.AutoscalingV2().HorizontalPodAutoscalers(r.app.ID).Get(t.Context(), r.app.ID+"-web", metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err))
	assert.True(t, ownsReplicas(r.deployment(t).ManagedFields))

	_, err = r.c.core.AppsV1().Deployments(r.app.ID).Patch(t.Context(), r.app.ID+"-web", types.MergePatchType,
		[]byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{}, "scale")
	require.NoError(t, err)
	comes(3)
	live, err := r.c.Replicas(t.Context(), r.app.ID)
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"web": 3}, live)
}

// TestRealWalls: what a pod of an app reaches, and what not.
func TestRealWalls(t *testing.T) {
	t.Parallel()
	target := realApp(t, "kubetest-walls", "kubetest", usual)
	target.apply(t, target.release(func(p *control.Process) { p.Routed = false }))
	service, err := target.c.core.CoreV1().Services(target.app.ID).Get(t.Context(), target.app.ID, metav1.GetOptions{})
	require.NoError(t, err)
	pods, err := target.c.core.CoreV1().Pods(target.app.ID).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	surroundings, err := target.c.surroundings(t.Context())
	require.NoError(t, err)
	node := hosts(surroundings)[0].Addr().String()
	api, err := target.c.core.CoreV1().Services("default").Get(t.Context(), "kubernetes", metav1.GetOptions{})
	require.NoError(t, err)
	dns, err := target.c.core.CoreV1().Services("kube-system").Get(t.Context(), "kube-dns", metav1.GetOptions{})
	require.NoError(t, err)
	platformPods, err := target.c.core.CoreV1().Pods("drycc").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)

	want := map[string]bool{
		"app " + service.Spec.ClusterIP + " 80":       true,
		"pod " + pods.Items[0].Status.PodIP + " 5000": true,
		"gateway " + node + " 80":                     true,
		"names " + dns.Spec.ClusterIP + " 53":         true,
		"api " + api.Spec.ClusterIP + " 443":          false,
		"apiserver " + node + " 6443":                 false,
		"kubelet " + node + " 10250":                  false,
		"controller " + node + " 9580":                false,
		"bridge 10.42.0.1 6443":                       false,
		"metadata 169.254.169.254 80":                 false,
	}
	for _, p := range platformPods.Items {
		if !p.Spec.HostNetwork && p.Status.PodIP != "" && strings.HasPrefix(p.Name, "registry-") {
			want["registry "+p.Status.PodIP+" 5000"] = false
		}
	}
	t.Run("same workspace", func(t *testing.T) { reaches(t, "kubetest", want) })
	foreign := maps.Clone(want)
	for name := range foreign {
		if strings.HasPrefix(name, "app ") || strings.HasPrefix(name, "pod ") {
			foreign[name] = false
		}
	}
	t.Run("other workspace", func(t *testing.T) { reaches(t, "stranger", foreign) })
}

// reaches runs a pod in the workspace that tries each target, "name address
// port", over and over, and compares what it says of them.
func reaches(t *testing.T, workspace string, want map[string]bool) {
	r := realApp(t, "kubetest-from-"+workspace, workspace, usual)
	script := "while true; do echo round;\n"
	for _, name := range slices.Sorted(maps.Keys(want)) {
		words := strings.Fields(name)
		script += fmt.Sprintf("if busybox nc -w 2 %s %s -e true 2>/dev/null; then echo 'open %s'; else echo 'shut %s'; fi\n", words[1], words[2], name, name)
	}
	script += "done"
	r.apply(t, r.release(func(p *control.Process) {
		p.Ptype, p.Routed, p.Port, p.Image = "probe", false, 0, os.Getenv("SLIPWAY_BUSYBOX_IMAGE")
		p.Command, p.Grace = []string{"busybox", "sh", "-c", script}, time.Second
	}))
	pods, err := r.c.core.CoreV1().Pods(r.app.ID).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, pods.Items, 1)
	assert.Empty(t, slices.DeleteFunc(slices.Clone(pods.Items[0].Spec.Volumes), func(v corev1.Volume) bool { return v.Projected == nil }),
		"no token of a service account")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		logs, err := r.c.core.CoreV1().Pods(r.app.ID).GetLogs(pods.Items[0].Name, &corev1.PodLogOptions{}).Stream(t.Context())
		require.NoError(c, err)
		defer logs.Close()
		text, err := io.ReadAll(logs)
		require.NoError(c, err)
		rounds := strings.Split(string(text), "round\n")
		require.Greater(c, len(rounds), 3, "a first round may be before the rules are in place")
		got := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^(open|shut) (.*)$`).FindAllStringSubmatch(rounds[len(rounds)-2], -1) {
			got[m[2]] = m[1] == "open"
		}
		assert.Equal(c, want, got)
	}, 3*time.Minute, time.Second)
}

// TestRealBounds: quota, limits of new pods, and the restricted level, as the
// operator sets them.
func TestRealBounds(t *testing.T) {
	t.Parallel()
	quota, err := ParseQuota(`{"spec":{"hard":{"pods":"1"}}}`)
	require.NoError(t, err)
	limits, err := ParseLimitRange(`{"spec":{"limits":[{"type":"Container","max":{"memory":"128Mi"}}]}}`)
	require.NoError(t, err)
	r := realApp(t, "kubetest-bounds", "kubetest", func(o *Options) { o.Quota, o.LimitRange = quota, limits })
	hidden := func(p *control.Process) { p.Routed = false }
	fails := func(c *Cluster, kind, says string, change func(*control.Process)) {
		t.Helper()
		var failed *control.RolloutError
		require.ErrorAs(t, c.Apply(t.Context(), r.release(change)), &failed)
		assert.Equal(t, kind, failed.Kind)
		assert.Contains(t, failed.Reason, says)
	}
	fails(r.c, "FailedCreate", "maximum memory usage per Container is 128Mi", func(p *control.Process) {
		p.Routed, p.Plan.MemoryLimit = false, 256<<20
	})
	r.apply(t, r.release(hidden))
	fails(r.c, "FailedCreate", "exceeded quota", func(p *control.Process) { p.Routed, p.Replicas = false, 3 })

	free, err := New(Options{Kubeconfig: os.Getenv("KUBECONFIG")})
	require.NoError(t, err)
	require.NoError(t, free.EnsureApp(t.Context(), r.app))
	_, err = free.core.CoreV1().ResourceQuotas(r.app.ID).Get(t.Context(), r.app.ID, metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err), "the setting is gone")
	_, err = free.core.CoreV1().LimitRanges(r.app.ID).Get(t.Context(), r.app.ID, metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err))

	strict := realApp(t, "kubetest-strict", "kubetest", func(o *Options) { o.PodSecurity = PodSecurityRestricted })
	strict.apply(t, strict.release(hidden))
	ns, err := free.core.CoreV1().Namespaces().Get(t.Context(), strict.app.ID, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "restricted", ns.Labels["pod-security.kubernetes.io/enforce"])
}

// TestRealProbesAndHooks: the API server takes every probe and hook with every
// action, and keeps each as it was given.
func TestRealProbesAndHooks(t *testing.T) {
	t.Parallel()
	r := realApp(t, "kubetest-probes", "kubetest", usual)
	actions := map[string]map[string]any{
		"httpGet": {"port": 5000, "path": "/healthz", "scheme": "HTTP",
			"httpHeaders": []any{map[string]any{"name": "X-Client-Version", "value": "v1.0"}}},
		"exec":      {"command": []any{"/bin/true"}},
		"tcpSocket": {"port": 5000},
		"grpc":      {"port": 5000, "service": "health"},
		"sleep":     {"seconds": 3},
	}
	timings := map[string]any{"initialDelaySeconds": 3, "timeoutSeconds": 4, "periodSeconds": 5, "successThreshold": 1, "failureThreshold": 7}
	taken := func(change func(*control.Process)) corev1.Container {
		t.Helper()
		o, err := Render(r.release(change), Surroundings{Nodes: 1})
		require.NoError(t, err)
		body, err := manifest(o.Processes[0].Deployment)
		require.NoError(t, err)
		data, err := json.Marshal(body)
		require.NoError(t, err)
		d, err := r.c.core.AppsV1().Deployments(r.app.ID).Patch(t.Context(), r.app.ID+"-web", types.ApplyPatchType, data,
			metav1.PatchOptions{FieldManager: fieldManager, Force: ptr(true), DryRun: []string{metav1.DryRunAll}, FieldValidation: "Strict"})
		require.NoError(t, err)
		return d.Spec.Template.Spec.Containers[0]
	}
	for _, action := range []string{"httpGet", "exec", "tcpSocket", "grpc"} {
		probe := maps.Clone(timings)
		probe[action] = actions[action]
		c := taken(func(p *control.Process) {
			p.Healthcheck = map[string]any{"startupProbe": probe, "livenessProbe": probe, "readinessProbe": probe}
		})
		for _, got := range []*corev1.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
			want := &corev1.Probe{}
			require.NoError(t, convert(probe, want))
			require.NotNil(t, got, action)
			if want.GRPC == nil && want.Exec == nil {
				assert.Equal(t, want.HTTPGet, got.HTTPGet, action)
			}
			assert.Equal(t, want.Exec, got.Exec, action)
			assert.Equal(t, want.GRPC, got.GRPC, action)
			assert.Equal(t, []int32{3, 4, 5, 1, 7}, []int32{got.InitialDelaySeconds, got.TimeoutSeconds, got.PeriodSeconds, got.SuccessThreshold, got.FailureThreshold})
		}
	}
	for _, action := range []string{"httpGet", "exec", "sleep"} {
		c := taken(func(p *control.Process) {
			p.Lifecycle = map[string]any{"postStart": map[string]any{action: actions[action]}, "preStop": map[string]any{action: actions[action]}}
		})
		want := &corev1.LifecycleHandler{}
		require.NoError(t, convert(map[string]any{action: actions[action]}, want))
		require.NotNil(t, c.Lifecycle, action)
		assert.Equal(t, want, c.Lifecycle.PostStart, action)
		assert.Equal(t, want, c.Lifecycle.PreStop, action)
	}
	c := taken(func(p *control.Process) { p.Lifecycle = map[string]any{"stopSignal": "SIGQUIT"} })
	assert.Nil(t, c.Lifecycle.StopSignal, "the carried containerd cannot send it, so its feature gate is off")
	taken(func(p *control.Process) {
		p.Lifecycle = map[string]any{"postStart": map[string]any{"tcpSocket": actions["tcpSocket"]}}
	})
}
