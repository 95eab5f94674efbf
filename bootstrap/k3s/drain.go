package k3s

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubectl/pkg/drain"
)

// DrainOptions say how a node is emptied.
type DrainOptions struct {
	// Force goes on where pods will not run elsewhere, and deletes those that
	// nobody would start again.
	Force   bool
	Timeout time.Duration
	// Progress gets what is going on.
	Progress func(string)
}

// Drain keeps new pods off a node and has those on it end, as fast as their
// disruption budgets allow; who owns them starts them elsewhere. Pods of
// DaemonSets stay.
func (n *Fleet) Drain(ctx context.Context, name string, o DrainOptions) error {
	node, err := n.get(ctx, name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	left := 0
	helper := &drain.Helper{
		Ctx: ctx, Client: n.client, Force: o.Force, GracePeriodSeconds: -1, IgnoreAllDaemonSets: true,
		DeleteEmptyDirData: true, Timeout: o.Timeout, Out: io.Discard, ErrOut: io.Discard,
		// A node that is gone cannot say that its pods have ended.
		SkipWaitForDeleteTimeoutSeconds: skipAfter(node),
		OnPodDeletionOrEvictionFinished: func(pod *corev1.Pod, _ bool, err error) {
			if err == nil {
				left--
				o.Progress(fmt.Sprintf("%s/%s has left; %d to go", pod.Namespace, pod.Name, left))
			}
		},
	}
	list, problems := helper.GetPodsForDeletion(name)
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("drain %s: %w; --force ends them for good", name, err)
	}
	pods := list.Pods()
	if !o.Force {
		if err := n.canMove(ctx, name, pods); err != nil {
			return err
		}
	}
	if err := drain.RunCordonOrUncordon(helper, node, true); err != nil {
		return fmt.Errorf("keep pods off %s: %w", name, err)
	}
	left = len(pods)
	o.Progress(fmt.Sprintf("%d pods to go", left))
	if err := helper.DeleteOrEvictPods(pods); err != nil {
		return fmt.Errorf("drain %s: %w; it takes no new pods meanwhile: run it again with a longer --timeout, or let pods back with \"slipway node uncordon %s\"", name, err, name)
	}
	return nil
}

// skipAfter is how old a deletion may be, in seconds, before a pod is no longer
// waited for; 0 waits for all.
func skipAfter(node *corev1.Node) int {
	if notReady(node) == "" {
		return 0
	}
	return 1
}

// Uncordon lets pods onto a node again.
func (n *Fleet) Uncordon(ctx context.Context, name string) error {
	node, err := n.get(ctx, name)
	if err != nil {
		return err
	}
	helper := &drain.Helper{Ctx: ctx, Client: n.client, Out: io.Discard, ErrOut: io.Discard}
	if err := drain.RunCordonOrUncordon(helper, node, false); err != nil {
		return fmt.Errorf("let pods onto %s: %w", name, err)
	}
	return nil
}

// canMove refuses to drain when pods would have no place to go: no other node
// takes pods, or a volume of theirs is on this node's disk.
func (n *Fleet) canMove(ctx context.Context, name string, pods []corev1.Pod) error {
	if len(pods) == 0 {
		return nil
	}
	all, err := n.List(ctx)
	if err != nil {
		return err
	}
	others := 0
	for _, o := range all {
		if o.Name != name && o.State == "ready" {
			others++
		}
	}
	if others == 0 {
		return fmt.Errorf("no other node can take the %d pods of %s: join or bring back another one first, or give --force to stop them", len(pods), name)
	}
	stuck, err := n.withLocalVolumes(ctx, name, pods)
	if err != nil {
		return err
	}
	if len(stuck) > 0 {
		return fmt.Errorf("%s cannot run anywhere else, their volumes are on the disk of %s: move the data first, or give --force to stop them until the node is back",
			strings.Join(stuck, ", "), name)
	}
	return nil
}

// withLocalVolumes lists the pods that have a volume which only this node has.
func (n *Fleet) withLocalVolumes(ctx context.Context, node string, pods []corev1.Pod) ([]string, error) {
	local, err := n.LocalVolumes(ctx, node)
	if err != nil {
		return nil, err
	}
	here := map[string]bool{}
	for _, claim := range local {
		here[claim] = true
	}
	var stuck []string
	for _, pod := range pods {
		for _, v := range pod.Spec.Volumes {
			if v.PersistentVolumeClaim != nil && here[pod.Namespace+"/"+v.PersistentVolumeClaim.ClaimName] {
				stuck = append(stuck, pod.Namespace+"/"+pod.Name)
				break
			}
		}
	}
	return stuck, nil
}

// LocalVolumes lists the claims, as namespace/name, whose volume is on the disk
// of one node only.
func (n *Fleet) LocalVolumes(ctx context.Context, node string) ([]string, error) {
	volumes, err := n.client.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("volumes: %w", err)
	}
	var claims []string
	for _, v := range volumes.Items {
		if v.Spec.ClaimRef != nil && boundTo(v, node) {
			claims = append(claims, v.Spec.ClaimRef.Namespace+"/"+v.Spec.ClaimRef.Name)
		}
	}
	return claims, nil
}

// boundTo reports whether a volume can be used on that node only.
func boundTo(v corev1.PersistentVolume, node string) bool {
	if v.Spec.NodeAffinity == nil || v.Spec.NodeAffinity.Required == nil {
		return false
	}
	for _, term := range v.Spec.NodeAffinity.Required.NodeSelectorTerms {
		for _, e := range term.MatchExpressions {
			if e.Key == corev1.LabelHostname && e.Operator == corev1.NodeSelectorOpIn && len(e.Values) == 1 && e.Values[0] == node {
				return true
			}
		}
	}
	return false
}
