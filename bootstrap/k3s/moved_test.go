package k3s

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
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
