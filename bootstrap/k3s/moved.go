package k3s

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// Moved makes pods follow a node that has another address than before: it waits
// until the cluster knows the address, and then ends those pods on the host's
// network that were told the old one when they started. Their controllers make
// new ones. It may be called again.
func Moved(ctx context.Context, kubeconfig, node, address string) error {
	err := eachNode(ctx, kubeconfig, node, func(n *corev1.Node) (stop bool, err error) { return internalIP(n) == address, nil })
	if err != nil {
		return fmt.Errorf("node %s: its address in the cluster is not yet %s: %w", node, address, err)
	}
	client, err := clientFor(kubeconfig)
	if err != nil {
		return err
	}
	pods, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", node).String(),
	})
	if err != nil {
		return fmt.Errorf("pods of node %s: %w", node, err)
	}
	var errs []error
	for _, pod := range pods.Items {
		if !toldAddress(pod) {
			continue
		}
		err := client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("end pod %s/%s, which knows the old address: %w", pod.Namespace, pod.Name, err))
		}
	}
	return errors.Join(errs...)
}

// toldAddress reports whether a pod on the host's network gets the host's
// address as a variable, which keeps its value as long as the container runs.
func toldAddress(pod corev1.Pod) bool {
	return pod.Spec.HostNetwork && slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool {
		return slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool {
			return e.ValueFrom != nil && e.ValueFrom.FieldRef != nil &&
				(e.ValueFrom.FieldRef.FieldPath == "status.hostIP" || e.ValueFrom.FieldRef.FieldPath == "status.podIP")
		})
	})
}
