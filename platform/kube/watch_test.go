package kube

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
)

const allDeployments = "/apis/apps/v1/deployments"

// following runs FollowReplicas and returns what it tells, and how it ended.
func following(t *testing.T, c *Cluster) (<-chan sighting, <-chan error) {
	ctx, cancel := context.WithCancel(t.Context())
	told, ended := make(chan sighting, 100), make(chan error, 1)
	go func() {
		ended <- c.FollowReplicas(ctx, func(app, ptype string, n int) { told <- sighting{app, ptype, int32(n)} })
	}()
	t.Cleanup(cancel)
	return told, ended
}

// mirror shows the Deployments of one namespace in the collection of all, as
// an API server does.
func mirror(s *simulation) {
	inner := s.after
	s.after = func(path string, obj object) {
		inner(path, obj)
		if d := s.deployment(path); d != nil && strings.HasPrefix(path, helloDeployments) {
			s.put(allDeployments+"/"+d.Name, d)
		}
	}
}

func TestFollowReplicas(t *testing.T) {
	s, c := newSimulation(t)
	mirror(s)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	s.put(allDeployments+"/alien", &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
		Namespace: "elsewhere", Labels: map[string]string{labelHeritage: heritage, labelApp: "hello", labelType: "web"}}})
	told, _ := following(t, c)
	assert.Equal(t, sighting{"hello", "web", 1}, <-told, "what is there")

	require.NoError(t, c.Scale(t.Context(), "hello", map[string]int{"web": 3}))
	assert.Equal(t, sighting{"hello", "web", 3}, <-told)
	d := s.deployment(allDeployments + "/hello-web")
	d.Status.ReadyReplicas = 2
	s.put(allDeployments+"/hello-web", d) // nobody's business
	s.cut(false)
	require.NoError(t, c.Scale(t.Context(), "hello", map[string]int{"web": 4}))
	assert.Equal(t, sighting{"hello", "web", 4}, <-told, "taken up where it was")
	s.cut(true)
	require.NoError(t, c.Scale(t.Context(), "hello", map[string]int{"web": 5}))
	assert.Equal(t, sighting{"hello", "web", 5}, <-told, "started over")
	s.drop(allDeployments + "/hello-web")
	s.put(allDeployments+"/hello-web", s.deployment(helloWeb))
	assert.Equal(t, sighting{"hello", "web", 5}, <-told, "one that was made again is new")
	assert.Empty(t, told)

	live, err := c.Replicas(t.Context(), "hello")
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"web": 5}, live)
}

func TestFollowReplicasEnds(t *testing.T) {
	s, c := newSimulation(t)
	s.set(func(s *apiServer) {
		s.fail = func(*http.Request) int { return http.StatusServiceUnavailable }
	})
	err := c.FollowReplicas(t.Context(), func(string, string, int) {})
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
	_, err = c.Replicas(t.Context(), "hello")
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
	_, err = c.NodesMatch(t.Context(), map[string]string{"a": "b"})
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
	s.set(func(s *apiServer) { s.fail = nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.NoError(t, c.FollowReplicas(ctx, func(string, string, int) {}))
}

func TestNodesMatch(t *testing.T) {
	s, c := newSimulation(t)
	s.put("/api/v1/nodes/two", &corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"disk": "ssd", "zone": "a"}}})
	for labels, want := range map[string]bool{"disk=ssd": true, "disk=ssd,zone=a": true, "disk=ssd,zone=b": false, "gpu=yes": false} {
		set := map[string]string{}
		for _, pair := range strings.Split(labels, ",") {
			key, value, _ := strings.Cut(pair, "=")
			set[key] = value
		}
		got, err := c.NodesMatch(t.Context(), set)
		require.NoError(t, err)
		assert.Equal(t, want, got, labels)
	}
}

func TestBoundsComeAndGo(t *testing.T) {
	s, c := newSimulation(t)
	quota, err := ParseQuota(`{"hard": {"pods": "10"}}`)
	require.NoError(t, err)
	limits, err := ParseLimitRange(`{"spec": {"limits": [{"type": "Container"}]}}`)
	require.NoError(t, err)
	const quotas, ranges = "/api/v1/namespaces/hello/resourcequotas", "/api/v1/namespaces/hello/limitranges"
	c.opts.Quota, c.opts.LimitRange = quota, limits
	require.NoError(t, c.EnsureApp(t.Context(), webDeployment(1).App))
	assert.Equal(t, []string{"hello"}, s.names(quotas))
	assert.Equal(t, []string{"hello"}, s.names(ranges))
	c.opts.Quota, c.opts.LimitRange = nil, nil
	require.NoError(t, c.EnsureApp(t.Context(), webDeployment(1).App))
	assert.Empty(t, s.names(quotas))
	assert.Empty(t, s.names(ranges))
	for _, text := range []string{"{", `{"spec": 5}`, `{"hard": {"pods": "many"}}`} {
		_, err := ParseQuota(text)
		require.ErrorContains(t, err, "KUBERNETES_NAMESPACE_DEFAULT_QUOTA_SPEC", text)
	}
	none, err := ParseLimitRange("")
	require.NoError(t, err)
	assert.Nil(t, none)
}

func TestHooksThatNoKubeletCarriesOut(t *testing.T) {
	d := webDeployment(1)
	d.Processes[0].Lifecycle = map[string]any{
		"postStart": map[string]any{"tcpSocket": map[string]any{"port": 5000}},
		"preStop":   map[string]any{"tcpSocket": map[string]any{"port": 5000}},
	}
	o, err := Render(d, oneNode())
	require.NoError(t, err)
	l := o.Processes[0].Deployment.Spec.Template.Spec.Containers[0].Lifecycle
	assert.Nil(t, l.PostStart, "it would kill the container")
	assert.EqualValues(t, drainSeconds, l.PreStop.Sleep.Seconds)
}
