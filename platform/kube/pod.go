package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
)

// The states of a pod as users see them.
const (
	stateInitializing = "initializing" // not on a node yet
	stateNodeAway     = "NodeAway"     // the node it runs on does not answer
	stateVolumeAway   = "VolumeAway"   // the only node that has its volume takes no pods
	stateCreating     = "creating"     // the node makes its container
	stateStarting     = "starting"     // it runs, and is not ready
	stateUp           = "up"
	stateTerminating  = "terminating"
	stateDown         = "down"    // ended well
	stateCrashed      = "crashed" // ended badly
	stateError        = "error"   // the node does not answer
)

// Pods lists the app's pods, by process type and age.
func (c *Cluster) Pods(ctx context.Context, app string) ([]platform.Pod, error) {
	list, err := c.core.CoreV1().Pods(app).List(ctx, metav1.ListOptions{LabelSelector: appSelector(app)})
	if err != nil {
		return nil, translate(ctx, "Pods", err)
	}
	pods := make([]platform.Pod, 0, len(list.Items))
	for i := range list.Items {
		pods = append(pods, asPod(&list.Items[i]))
	}
	slices.SortFunc(pods, func(a, b platform.Pod) int {
		if n := strings.Compare(a.Type, b.Type); n != 0 {
			return n
		}
		if n := a.Started.Compare(b.Started); n != 0 {
			return n
		}
		return strings.Compare(a.Name, b.Name)
	})
	return pods, nil
}

func asPod(p *corev1.Pod) platform.Pod {
	out := platform.Pod{
		Name:    p.Name,
		Release: p.Labels[labelVersion],
		Type:    p.Labels[labelType],
		State:   podState(p),
		Started: p.CreationTimestamp.Time,
	}
	if p.Status.StartTime != nil {
		out.Started = p.Status.StartTime.Time
	}
	ready := 0
	for _, cs := range p.Status.ContainerStatuses {
		out.Restarts += int(cs.RestartCount)
		if cs.Ready {
			ready++
		}
	}
	out.Ready = fmt.Sprintf("%d/%d", ready, len(p.Spec.Containers))
	return out
}

// podState is one word for a pod: one of ours, or the node's own reason when
// a container does not get going.
func podState(p *corev1.Pod) string {
	if p.DeletionTimestamp != nil {
		return stateTerminating
	}
	switch p.Status.Phase {
	case corev1.PodSucceeded:
		return stateDown
	case corev1.PodFailed:
		return stateCrashed
	case corev1.PodUnknown:
		return stateError
	}
	for _, cs := range p.Status.ContainerStatuses {
		if w := cs.State.Waiting; w != nil {
			if w.Reason == "" || w.Reason == "ContainerCreating" || w.Reason == "PodInitializing" {
				return stateCreating
			}
			return w.Reason
		}
		if cs.State.Terminated != nil {
			return stateCrashed // about to be started again
		}
	}
	switch {
	case p.Status.Phase == corev1.PodRunning && podReady(p):
		return stateUp
	case p.Status.Phase == corev1.PodRunning && nodeAway(p):
		return stateNodeAway
	case p.Status.Phase == corev1.PodRunning:
		return stateStarting
	case volumeAway(p):
		return stateVolumeAway
	case p.Spec.NodeName != "":
		return stateCreating
	}
	return stateInitializing
}

func podReady(p *corev1.Pod) bool { return podIs(p, corev1.PodReady) }

func podIs(p *corev1.Pod, kind corev1.PodConditionType) bool {
	for _, cond := range p.Status.Conditions {
		if cond.Type == kind {
			return cond.Status == corev1.ConditionTrue
		}
	}
	return false
}

// nodeAway reports a pod that Kubernetes took out of service because its node
// does not answer. The kubelet would have said so of the containers too.
func nodeAway(p *corev1.Pod) bool {
	return len(p.Spec.ReadinessGates) == 0 && !podReady(p) && podIs(p, corev1.ContainersReady)
}

// volumeAway reports a pod that waits for a node which has its volume and is
// gone. The scheduler's words are all there is: no other node has the volume,
// and one is tainted.
func volumeAway(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			tainted := strings.Contains(c.Message, corev1.TaintNodeUnreachable) || strings.Contains(c.Message, corev1.TaintNodeNotReady) ||
				strings.Contains(c.Message, "were unschedulable")
			return tainted && strings.Contains(c.Message, "PersistentVolume's node affinity")
		}
	}
	return false
}
