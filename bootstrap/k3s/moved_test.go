package k3s

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestToldAddress(t *testing.T) {
	from := func(field string) []corev1.Container {
		return []corev1.Container{{}, {Env: []corev1.EnvVar{{Name: "A", Value: "b"},
			{Name: "X", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: field}}}}}}
	}
	for name, tt := range map[string]struct {
		spec corev1.PodSpec
		want bool
	}{
		"the host's address":           {corev1.PodSpec{HostNetwork: true, Containers: from("status.hostIP")}, true},
		"its own, which is the host's": {corev1.PodSpec{HostNetwork: true, Containers: from("status.podIP")}, true},
		"something else":               {corev1.PodSpec{HostNetwork: true, Containers: from("metadata.name")}, false},
		"not on the host's network":    {corev1.PodSpec{Containers: from("status.podIP")}, false},
		"no variables":                 {corev1.PodSpec{HostNetwork: true, Containers: []corev1.Container{{}}}, false},
	} {
		assert.Equal(t, tt.want, toldAddress(corev1.Pod{Spec: tt.spec}), name)
	}
}

func TestTellAddress(t *testing.T) {
	node := func(ip string) *corev1.Node {
		return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeHostName, Address: "a"}, {Type: corev1.NodeInternalIP, Address: ip}, {Type: corev1.NodeInternalIP, Address: "fd00::1"}}}}
	}
	cluster := fake.NewClientset(node("10.0.0.1"))
	require.NoError(t, tellAddress(t.Context(), cluster, "a", "10.0.0.2"))
	is, err := cluster.CoreV1().Nodes().Get(t.Context(), "a", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, node("10.0.0.2").Status.Addresses, is.Status.Addresses, "and no other changed")

	cluster.ClearActions()
	require.NoError(t, tellAddress(t.Context(), cluster, "a", "10.0.0.2"))
	assert.Len(t, cluster.Actions(), 1, "what is right is only looked at")
	require.True(t, apierrors.IsNotFound(tellAddress(t.Context(), cluster, "b", "10.0.0.2")))
}
