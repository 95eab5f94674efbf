package k3s

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// NodeEvent writes an event about a node, as "kubectl get events" and "kubectl
// describe node" show it.
func NodeEvent(ctx context.Context, kubeconfig, node, reason, message string) error {
	client, err := clientFor(kubeconfig)
	if err != nil {
		return err
	}
	now := metav1.NewTime(time.Now())
	event := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: node + ".", Namespace: metav1.NamespaceDefault},
		// The kubelet names nodes in events so, and who looks for them does too.
		InvolvedObject: corev1.ObjectReference{Kind: "Node", Name: node, UID: types.UID(node)},
		Reason:         reason, Message: message, Type: corev1.EventTypeNormal,
		Source:         corev1.EventSource{Component: "slipway", Host: node},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}
	if _, err := client.CoreV1().Events(event.Namespace).Create(ctx, event, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("event %s of node %s: %w", reason, node, err)
	}
	return nil
}

// CountServers is how many servers the cluster has.
func CountServers(ctx context.Context, kubeconfig string) (int, error) {
	client, err := clientFor(kubeconfig)
	if err != nil {
		return 0, err
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: "node-role.kubernetes.io/control-plane=true"})
	if err != nil {
		return 0, fmt.Errorf("servers of the cluster: %w", err)
	}
	return len(nodes.Items), nil
}
