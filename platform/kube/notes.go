package kube

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
)

// PodEvents lists what was noted about a pod, oldest first.
func (c *Cluster) PodEvents(ctx context.Context, app, pod string) ([]platform.ClusterEvent, error) {
	list, err := c.core.CoreV1().Events(app).List(ctx, metav1.ListOptions{
		FieldSelector: "involvedObject.kind=Pod,involvedObject.name=" + pod,
	})
	if err != nil {
		return nil, translate(ctx, "PodEvents", err)
	}
	return asEvents(list.Items), nil
}

// PtypeEvents lists what was noted about a Deployment and its ReplicaSets,
// which say why a pod cannot be made, oldest first.
func (c *Cluster) PtypeEvents(ctx context.Context, app, ptype string) ([]platform.ClusterEvent, error) {
	name := workloadName(app, ptype)
	all, err := c.core.CoreV1().Events(app).List(ctx, metav1.ListOptions{
		FieldSelector: "involvedObject.kind!=Pod",
	})
	if err != nil {
		return nil, translate(ctx, "PtypeEvents", err)
	}
	return asEvents(slices.DeleteFunc(all.Items, func(e corev1.Event) bool {
		switch e.InvolvedObject.Kind {
		case "Deployment":
			return e.InvolvedObject.Name != name
		case "ReplicaSet":
			hash, ok := strings.CutPrefix(e.InvolvedObject.Name, name+"-")
			return !ok || strings.Contains(hash, "-") // of a process type with a longer name
		}
		return true
	})), nil
}

func asEvents(list []corev1.Event) []platform.ClusterEvent {
	slices.SortStableFunc(list, func(a, b corev1.Event) int { return eventTime(a).Compare(eventTime(b)) })
	out := make([]platform.ClusterEvent, len(list))
	for i, e := range list {
		out[i] = platform.ClusterEvent{Reason: e.Reason, Message: e.Message, Created: eventTime(e)}
	}
	return out
}
