package k3s

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
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

// TellAddress writes a node's address into its status as soon as the API server
// takes it. The kubelet does the same a little later, but k3s's network policies
// do not wait for that: with an address that is on no interface they end k3s,
// and the next start ends like this one.
func TellAddress(ctx context.Context, kubeconfig, node, address string) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		client, err := clientFor(kubeconfig)
		if err == nil {
			err = tellAddress(ctx, client, node, address)
		}
		if err == nil || apierrors.IsNotFound(err) { // a node that is not there yet comes with its address
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("tell the cluster the address %s of node %s: %w", address, node, errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

func tellAddress(ctx context.Context, client kubernetes.Interface, name, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	nodes := client.CoreV1().Nodes()
	node, err := nodes.Get(ctx, name, metav1.GetOptions{})
	if err != nil || internalIP(node) == address {
		return err
	}
	for i, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			node.Status.Addresses[i].Address = address
			break
		}
	}
	_, err = nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{})
	return err
}
