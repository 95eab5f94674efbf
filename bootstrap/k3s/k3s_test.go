package k3s

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
)

func TestSaysTooMuch(t *testing.T) {
	status := func(id string, running bool) corev1.ContainerStatus {
		s := corev1.ContainerStatus{ContainerID: "containerd://" + id}
		if running {
			s.State.Running = &corev1.ContainerStateRunning{}
		}
		return s
	}
	running := map[string]bool{"a": true}
	tests := map[string]struct {
		statuses []corev1.ContainerStatus
		want     bool
	}{
		"nothing said":        {},
		"true":                {statuses: []corev1.ContainerStatus{status("a", true)}},
		"ended, said so":      {statuses: []corev1.ContainerStatus{status("b", false)}},
		"ended, said running": {statuses: []corev1.ContainerStatus{status("a", true), status("b", true)}, want: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			pod := corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: tt.statuses}}
			assert.Equal(t, tt.want, saysTooMuch(pod, running))
		})
	}
}

func TestNotReadySaysWhy(t *testing.T) {
	node := func(change func(*corev1.Node)) *corev1.Node {
		n := &corev1.Node{Status: corev1.NodeStatus{
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.0.2.1"}},
		}}
		change(n)
		return n
	}
	tests := map[string]struct {
		change func(*corev1.Node)
		want   string
	}{
		"ready":  {change: func(*corev1.Node) {}},
		"silent": {change: func(n *corev1.Node) { n.Status.Conditions = nil }, want: "the kubelet has not reported"},
		"not yet": {change: func(n *corev1.Node) {
			n.Status.Conditions[0].Status, n.Status.Conditions[0].Message = corev1.ConditionFalse, "no network"
		}, want: "no network"},
		"taint": {change: func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "node.cloudprovider.kubernetes.io/uninitialized"}}
		}, want: "taint node.cloudprovider.kubernetes.io/uninitialized"},
		"no address": {change: func(n *corev1.Node) { n.Status.Addresses = nil }, want: "no address yet"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tt.want, notReady(node(tt.change))) })
	}
}
