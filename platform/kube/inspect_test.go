package kube

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Clients read a number where a probe of ours names the port.
func TestProbesAreDescribedWithNumbers(t *testing.T) {
	c := corev1.Container{
		Ports:          []corev1.ContainerPort{{Name: "other", ContainerPort: 1}, {Name: portName, ContainerPort: 5000}},
		ReadinessProbe: defaultReadiness(),
	}
	assert.Equal(t, intstr.FromInt32(5000), numbered(c, c.ReadinessProbe).TCPSocket.Port)
	assert.Equal(t, intstr.FromString(portName), c.ReadinessProbe.TCPSocket.Port, "what is described stays as it is")
	own := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(81)}}}
	assert.Equal(t, own, numbered(c, own))
	get := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/"}}}
	assert.Equal(t, get, numbered(c, get))
	assert.Nil(t, numbered(c, nil))
}
