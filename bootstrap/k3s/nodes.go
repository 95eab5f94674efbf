package k3s

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// Labels and annotations of k3s. Its etcd controller takes a member out when
// its node is asked to go, and says so.
const (
	labelServer    = "node-role.kubernetes.io/control-plane"
	labelEtcd      = "node-role.kubernetes.io/etcd"
	annotateRemove = "etcd.k3s.cattle.io/remove"
	annotateGone   = "etcd.k3s.cattle.io/removed-node-name"
	annotateMember = "etcd.k3s.cattle.io/node-name"
	// leaderLease is held by the server whose controller works; the holder is
	// the node's name.
	leaderLease = "slipway-controller"
	// What a node's own Slipway says of itself.
	annotateVersion = "slipway.internal/version"
	annotateBehind  = "slipway.internal/behind"
)

// NodeInfo is one node as the cluster sees it.
type NodeInfo struct {
	Name       string    `json:"name"`
	Role       string    `json:"role"` // "server" or "agent"
	Address    string    `json:"address"`
	Version    string    `json:"version"`          // of the kubelet
	Slipway    string    `json:"slipway"`          // as the node says; empty when it has not
	Behind     string    `json:"behind,omitempty"` // why it does not run what its server runs
	Ready      bool      `json:"ready"`
	State      string    `json:"state"` // "ready", "drained", or why it is not ready
	Since      time.Time `json:"since"` // of ready or not
	Pods       int       `json:"pods"`  // that run or will
	Etcd       bool      `json:"etcd"`  // holds a copy of the cluster's data
	Controller bool      `json:"controller"`
}

// Fleet looks at the nodes of a cluster and takes them out.
type Fleet struct {
	client kubernetes.Interface
	pause  time.Duration // before etcd is asked again for what it refused
}

const (
	// removePause is as long as etcd wants to have seen its other members before
	// it lets one go: one that came back a moment ago does not count yet.
	removePause = 5 * time.Second
	removeTries = 9
)

// OpenFleet connects to the cluster.
func OpenFleet(kubeconfig string) (*Fleet, error) {
	client, err := clientFor(kubeconfig)
	if err != nil {
		return nil, err
	}
	return &Fleet{client: client, pause: removePause}, nil
}

// List returns all nodes, servers first.
func (n *Fleet) List(ctx context.Context) ([]NodeInfo, error) {
	list, err := n.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("nodes: %w", err)
	}
	pods, err := n.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("pods: %w", err)
	}
	count := map[string]int{}
	for _, p := range pods.Items {
		if p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			count[p.Spec.NodeName]++
		}
	}
	leader, err := n.leader(ctx)
	if err != nil {
		return nil, err
	}
	all := []NodeInfo{}
	for i := range list.Items {
		info := describeNode(&list.Items[i])
		info.Pods, info.Controller = count[info.Name], info.Name == leader
		all = append(all, info)
	}
	markOnlyServer(all, leader)
	slices.SortFunc(all, func(a, b NodeInfo) int {
		if a.Role != b.Role {
			return -strings.Compare(a.Role, b.Role)
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all, nil
}

// markOnlyServer names the controller's node where nobody has to lead.
func markOnlyServer(all []NodeInfo, leader string) {
	servers := []int{}
	for i, n := range all {
		if n.Role == string(Server) {
			servers = append(servers, i)
		}
	}
	if leader == "" && len(servers) == 1 {
		all[servers[0]].Controller = true
	}
}

// leader is the node whose controller works; empty when none has said so.
func (n *Fleet) leader(ctx context.Context) (string, error) {
	lease, err := n.client.CoordinationV1().Leases(metav1.NamespaceSystem).Get(ctx, leaderLease, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("lease of the controller: %w", err)
	}
	if lease.Spec.HolderIdentity == nil {
		return "", nil
	}
	return *lease.Spec.HolderIdentity, nil
}

func describeNode(node *corev1.Node) NodeInfo {
	info := NodeInfo{Name: node.Name, Role: string(Agent), Address: internalIP(node), Version: node.Status.NodeInfo.KubeletVersion, Since: node.CreationTimestamp.UTC()}
	if _, ok := node.Labels[labelServer]; ok {
		info.Role = string(Server)
	}
	_, info.Etcd = node.Labels[labelEtcd]
	info.Slipway, info.Behind = node.Annotations[annotateVersion], node.Annotations[annotateBehind]
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			info.Since = c.LastTransitionTime.UTC()
		}
	}
	reason := notReady(node)
	switch info.Ready = reason == ""; {
	case !info.Ready:
		info.State = reason
	case node.Spec.Unschedulable:
		info.State = "drained"
	default:
		info.State = "ready"
	}
	return info
}

// SayVersion writes to a node which version of Slipway runs on it and, unless it
// is empty, how it is behind its server. The node's own kubeconfig will do.
func SayVersion(ctx context.Context, kubeconfig, node, version, behind string) error {
	client, err := clientFor(kubeconfig)
	if err != nil {
		return err
	}
	said := map[string]any{annotateVersion: version, annotateBehind: nil} // nil removes it
	if behind != "" {
		said[annotateBehind] = behind
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": said}})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("annotate node %s: %w", node, err)
	}
	return nil
}

// ErrNoNode says that there is no node of that name.
var ErrNoNode = errors.New("there is no such node: \"slipway node list\" shows all")

func (n *Fleet) get(ctx context.Context, name string) (*corev1.Node, error) {
	node, err := n.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("node %s: %w", name, ErrNoNode)
	}
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", name, err)
	}
	return node, nil
}

// Quorum says why a server cannot be taken out; nil when it can. Of n members
// of etcd more than half have to work at any time.
func Quorum(all []NodeInfo, name string) error {
	members, working, leaves := 0, 0, false
	for _, n := range all {
		if n.Role != string(Server) {
			continue
		}
		if n.Name == name {
			leaves = true
			continue
		}
		members++
		if n.Ready {
			working++
		}
	}
	switch {
	case !leaves:
		return nil
	case members == 0:
		return fmt.Errorf("%s is the only server: without it there is no cluster; \"slipway uninstall\" on it removes everything", name)
	case working < members/2+1:
		return fmt.Errorf("without %s, %d of %d servers would work, and %d are needed to keep the cluster's data writable: bring the others back first",
			name, working, members, members/2+1)
	}
	return nil
}

// Delete takes a node out of the cluster: its member of etcd first, then the
// node and the password with which it came. It does not touch the host itself.
func (n *Fleet) Delete(ctx context.Context, name string, progress func(string)) error {
	node, err := n.get(ctx, name)
	if err != nil {
		return err
	}
	if _, ok := node.Labels[labelEtcd]; ok && !memberGone(node) {
		progress("taking its copy of the data out of etcd")
		if err := n.removeMember(ctx, name, progress); err != nil {
			return err
		}
	}
	progress("deleting the node")
	err = n.client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete node %s: %w", name, err)
	}
	err = n.client.CoreV1().Secrets(metav1.NamespaceSystem).Delete(ctx, name+".node-password.k3s", metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the password of node %s: %w", name, err)
	}
	return nil
}

// memberGone reports whether etcd has let a node's member go. k3s writes the
// member's name, which is not the node's, and takes away the one of before.
func memberGone(node *corev1.Node) bool {
	gone := node.Annotations[annotateGone]
	return gone != "" && gone != node.Annotations[annotateMember]
}

// removeMember takes a server's copy of the data out of etcd.
func (n *Fleet) removeMember(ctx context.Context, name string, progress func(string)) error {
	for try := range removeTries {
		if try > 0 {
			progress("etcd refuses for now: its other members have to be there for a while")
			select {
			case <-ctx.Done():
				return fmt.Errorf("take %s out of etcd: %w; run it again", name, ctx.Err())
			case <-time.After(n.pause):
			}
		}
		refused, err := n.askRemoval(ctx, name)
		if err != nil {
			return fmt.Errorf("take %s out of etcd: %w; run it again", name, err)
		}
		if !refused {
			return nil
		}
	}
	return fmt.Errorf("take %s out of etcd: etcd refuses, it needs this member: bring the other servers back first", name)
}

// askRemoval asks k3s's etcd controller to take the member out and waits for its
// word: it takes the question back when etcd refuses.
func (n *Fleet) askRemoval(ctx context.Context, name string) (refused bool, err error) {
	nodes := n.client.CoreV1().Nodes()
	watcher, err := nodes.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		return false, err
	}
	defer watcher.Stop()
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"true"}}}`, annotateRemove)
	if _, err := nodes.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return false, err
	}
	asked := false // the watch begins with the node as it was before
	for e := range watcher.ResultChan() {
		node, ok := e.Object.(*corev1.Node)
		if !ok || e.Type == watch.Error {
			break
		}
		if e.Type == watch.Deleted || memberGone(node) {
			return false, nil
		}
		_, pending := node.Annotations[annotateRemove]
		if asked && !pending {
			return true, nil
		}
		asked = asked || pending
	}
	return false, errors.Join(ctx.Err(), errors.New("the watch ended before anybody answered"))
}
