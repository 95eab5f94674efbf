package kube

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// Server-side apply with Kubernetes' own field manager and schemas: what an
// apply of the next release takes over, drops and leaves alone.
func TestFieldOwnership(t *testing.T) {
	client := fake.NewClientset().AppsV1().Deployments("hello")
	rendered := func(version int, liveness bool) *appsv1.Deployment {
		d := webDeployment(version)
		if liveness {
			d.Processes[0].Healthcheck = map[string]any{"livenessProbe": map[string]any{"tcpSocket": map[string]any{"port": 5000}}}
			d.Processes[0].Env["OLD"] = "1"
		}
		o, err := Render(d, oneNode())
		require.NoError(t, err)
		return o.Processes[0].Deployment
	}
	patch := func(change any, sub ...string) {
		require.NoError(t, mergePatch(t.Context(), client, "hello-web", change, sub...))
	}

	old, err := apply(t.Context(), client, rendered(2, true))
	require.NoError(t, err)
	patch(map[string]any{"metadata": map[string]any{"annotations": map[string]any{annotationServing: "v2"}}})
	patch(map[string]any{"spec": map[string]any{"replicas": 3}}, "scale")

	now, err := apply(t.Context(), client, rendered(3, false))
	require.NoError(t, err)
	assert.Equal(t, "v2", now.Annotations[annotationServing], "patched by us, not applied")
	assert.EqualValues(t, 1, *now.Spec.Replicas, "taken over")
	container := now.Spec.Template.Spec.Containers[0]
	assert.Nil(t, container.LivenessProbe, "no longer applied")
	for _, v := range container.Env {
		assert.NotEqual(t, "OLD", v.Name)
	}
	require.Len(t, now.ManagedFields, 2)
	for _, m := range now.ManagedFields {
		assert.Equal(t, fieldManager, m.Manager)
	}

	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{annotationChangeCause: "before"}},
		Spec:       appsv1.ReplicaSetSpec{Template: *old.Spec.Template.DeepCopy()},
	}
	set.Spec.Template.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = "abc"
	back, err := apply(t.Context(), client, previous(now, set))
	require.NoError(t, err)
	assert.Equal(t, old.Spec.Template, back.Spec.Template)
	assert.Equal(t, "v2", back.Annotations[annotationServing])
	assert.Equal(t, "before", back.Annotations[annotationChangeCause])

	again, err := apply(t.Context(), client, rendered(4, false))
	require.NoError(t, err)
	assert.Nil(t, again.Spec.Template.Spec.Containers[0].LivenessProbe)
}
