package kube

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/slipway-paas/slipway/platform/control"
)

const helloAutoscalers = "/apis/autoscaling/v2/namespaces/hello/horizontalpodautoscalers"

func autoscaledDeployment(version int) control.Deployment {
	d := webDeployment(version)
	d.Processes[0].Autoscale = &control.Autoscale{Min: 2, Max: 5, CPUPercent: 70}
	return d
}

func TestApplyWithAnAutoscaler(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), autoscaledDeployment(2)))
	assert.EqualValues(t, 2, *s.deployment(helloWeb).Spec.Replicas, "begins within the bounds")
	obj, ok := s.find(helloAutoscalers + "/hello-web")
	require.True(t, ok)
	hpa := decode[autoscalingv2.HorizontalPodAutoscaler](t, obj)
	assert.Equal(t, "hello-web", hpa.Spec.ScaleTargetRef.Name)
	assert.EqualValues(t, 5, hpa.Spec.MaxReplicas)

	require.NoError(t, c.Scale(t.Context(), "hello", map[string]int{"web": 4})) // as the autoscaler does
	require.NoError(t, c.Apply(t.Context(), autoscaledDeployment(3)))
	assert.EqualValues(t, 4, *s.deployment(helloWeb).Spec.Replicas, "a deploy leaves them alone")

	require.NoError(t, c.Apply(t.Context(), webDeployment(4)))
	assert.Empty(t, s.names(helloAutoscalers))
	assert.EqualValues(t, 4, *s.deployment(helloWeb).Spec.Replicas, "what it left is kept")
	require.NoError(t, c.Apply(t.Context(), webDeployment(5)))
	assert.EqualValues(t, 1, *s.deployment(helloWeb).Spec.Replicas)

	require.NoError(t, c.Apply(t.Context(), autoscaledDeployment(6)))
	require.NoError(t, c.Remove(t.Context(), "hello", []string{"web"}))
	assert.Empty(t, s.names(helloAutoscalers))
}

// A release that fails leaves the autoscaler's replicas alone as well.
func TestRestoreWithAnAutoscaler(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), autoscaledDeployment(2)))
	require.NoError(t, c.Scale(t.Context(), "hello", map[string]int{"web": 3}))
	s.fate = func(_, version string, p *corev1.Pod) {
		if version == "v3" {
			crashing(1, "Error")(p)
		}
	}
	require.Error(t, c.Apply(t.Context(), autoscaledDeployment(3)))
	d := s.deployment(helloWeb)
	assert.Equal(t, "v2", d.Spec.Template.Labels[labelVersion])
	assert.EqualValues(t, 3, *d.Spec.Replicas)
	assert.Equal(t, []string{"hello-web"}, s.names(helloAutoscalers))
}

func TestWithoutAutoscalersNothingIsAskedTwice(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	for _, r := range s.requests {
		assert.NotEqual(t, "GET "+helloWeb, r)
		assert.False(t, strings.HasPrefix(r, "DELETE "+helloAutoscalers), r)
	}
}

func TestFirstReplicas(t *testing.T) {
	rule := &control.Autoscale{Min: 2, Max: 5}
	for want, p := range map[int32]control.Process{
		0: {Autoscale: rule}, 2: {Autoscale: rule, Replicas: 1}, 3: {Autoscale: rule, Replicas: 3},
		5: {Autoscale: rule, Replicas: 9}, 7: {Replicas: 7},
	} {
		assert.Equal(t, want, firstReplicas(p))
	}
}

// With Kubernetes' own field manager: the replicas change hands without
// changing, and whoever changes them afterwards has them.
func TestReplicasChangeHands(t *testing.T) {
	core := fake.NewClientset()
	client := core.AppsV1().Deployments("hello")
	c := &Cluster{core: core}
	render := func(d control.Deployment) *appsv1.Deployment {
		o, err := Render(d, oneNode())
		require.NoError(t, err)
		return o.Processes[0].Deployment
	}
	three := webDeployment(2)
	three.Processes[0].Replicas = 3
	live, err := apply(t.Context(), client, render(three))
	require.NoError(t, err)
	require.True(t, ownsReplicas(live.ManagedFields))

	require.NoError(t, c.handOver(t.Context(), live))
	now, err := apply(t.Context(), client, render(autoscaledDeployment(3)))
	require.NoError(t, err)
	assert.EqualValues(t, 3, *now.Spec.Replicas)
	assert.False(t, ownsReplicas(now.ManagedFields))

	require.NoError(t, mergePatch(t.Context(), client, "hello-web", map[string]any{"spec": map[string]any{"replicas": 5}}))
	require.NoError(t, c.handOver(t.Context(), now))
	now, err = apply(t.Context(), client, render(autoscaledDeployment(4)))
	require.NoError(t, err)
	assert.EqualValues(t, 5, *now.Spec.Replicas)

	back := render(webDeployment(5))
	now, err = apply(t.Context(), client, back)
	require.NoError(t, err)
	assert.EqualValues(t, 1, *now.Spec.Replicas)
	assert.True(t, ownsReplicas(now.ManagedFields))
}

func TestHandOverLosesToWhoCameFirst(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	live := s.deployment(helloWeb)
	live.ManagedFields = []metav1.ManagedFieldsEntry{{
		Manager: fieldManager, Operation: metav1.ManagedFieldsOperationApply,
		FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:spec":{"f:replicas":{}}}`)},
	}}
	s.set(func(s *apiServer) {
		s.fail = func(r *http.Request) int {
			if r.URL.Query().Get("fieldManager") == replicasManager {
				return http.StatusConflict
			}
			return 0
		}
	})
	require.NoError(t, c.handOver(t.Context(), live))
}
