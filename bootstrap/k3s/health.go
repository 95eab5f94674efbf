package k3s

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NodeHealth is what the cluster knows of a node.
type NodeHealth struct {
	Name    string
	Server  bool // runs the control plane
	Ready   bool
	Reason  string        // why it is not ready
	Trouble []string      // conditions such as "MemoryPressure: kubelet has …"
	Ahead   time.Duration // how far its clock is ahead of ours, as its lease shows; never negative
}

// NodeHealths asks the cluster how its nodes are. A kubelet writes its own time into
// its lease every ten seconds, so a clock that is ahead of ours shows.
func NodeHealths(ctx context.Context, kubeconfig string, now func() time.Time) ([]NodeHealth, error) {
	client, err := clientFor(kubeconfig)
	if err != nil {
		return nil, err
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("nodes: %w", err)
	}
	leases, err := client.CoordinationV1().Leases(corev1.NamespaceNodeLease).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("leases of nodes: %w", err)
	}
	ahead := map[string]time.Duration{}
	for _, l := range leases.Items {
		if l.Spec.RenewTime != nil {
			ahead[l.Name] = max(0, l.Spec.RenewTime.Sub(now()))
		}
	}
	list := make([]NodeHealth, 0, len(nodes.Items))
	for _, n := range nodes.Items {
		list = append(list, nodeHealth(n, ahead[n.Name]))
	}
	return list, nil
}

func nodeHealth(n corev1.Node, ahead time.Duration) NodeHealth {
	_, server := n.Labels["node-role.kubernetes.io/control-plane"]
	h := NodeHealth{Name: n.Name, Server: server, Ahead: ahead}
	for _, c := range n.Status.Conditions {
		is := c.Status == corev1.ConditionTrue
		switch c.Type {
		case corev1.NodeReady:
			h.Ready, h.Reason = is, c.Message
		case corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure, corev1.NodeNetworkUnavailable:
			if is {
				h.Trouble = append(h.Trouble, fmt.Sprintf("%s: %s", c.Type, c.Message))
			}
		default: // others tell other things, such as that the node has a vote in etcd
		}
	}
	return h
}
