package kube

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
)

// Node is a node of the cluster, as far as the platform minds.
type Node struct {
	Name      string
	Internal  []string // addresses by which nodes reach each other
	External  []string // addresses by which others reach it; often none
	Ready     bool     // as the cluster sees it
	PodRanges []string // the part of the pods' network that is its
}

// FollowNodes calls f with all nodes, in order of their names, now and whenever
// one of these facts changes, until ctx ends. It returns an error only when the
// cluster is away at the start.
func (c *Cluster) FollowNodes(ctx context.Context, f func([]Node)) error {
	client := c.core.CoreV1().Nodes()
	changed := make(chan struct{}, 1)
	watching, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	view, err := follow(watching, &group, source[*corev1.Node]{
		list:  listing(client, func(l *corev1.NodeList) []corev1.Node { return l.Items }),
		watch: client.Watch,
	}, changed)
	if err != nil {
		return translate(ctx, "FollowNodes", err)
	}
	var last []Node
	for {
		if now := nodesOf(view.all()); last == nil || !reflect.DeepEqual(last, now) {
			last = now
			f(now)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

func nodesOf(list []*corev1.Node) []Node {
	out := []Node{}
	for _, n := range list {
		node := Node{Name: n.Name, PodRanges: n.Spec.PodCIDRs}
		for _, a := range n.Status.Addresses {
			switch a.Type {
			case corev1.NodeInternalIP:
				node.Internal = append(node.Internal, a.Address)
			case corev1.NodeExternalIP:
				node.External = append(node.External, a.Address)
			}
		}
		for _, condition := range n.Status.Conditions {
			if condition.Type == corev1.NodeReady {
				node.Ready = condition.Status == corev1.ConditionTrue
			}
		}
		out = append(out, node)
	}
	slices.SortFunc(out, func(a, b Node) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// RefreshPolicies brings the network policies of all apps to the nodes that
// there are: a gateway on a new node would be kept out, and apps would reach
// what listens there. An app whose namespace is going away is passed over.
func (c *Cluster) RefreshPolicies(ctx context.Context) error {
	return translate(ctx, "RefreshPolicies", c.refreshPolicies(ctx))
}

func (c *Cluster) refreshPolicies(ctx context.Context) error {
	s, err := c.surroundings(ctx)
	if err != nil {
		return err
	}
	list, err := c.core.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: labelHeritage + "=" + heritage})
	if err != nil {
		return err
	}
	for _, ns := range list.Items {
		if err := c.refreshPolicy(ctx, ns.Name, s); err != nil {
			return err
		}
	}
	return nil
}

// refreshPolicy writes one policy by what the namespace says of its app, again
// if that changed meanwhile: an app may be moving to another workspace.
func (c *Cluster) refreshPolicy(ctx context.Context, name string, s Surroundings) error {
	namespaces := c.core.CoreV1().Namespaces()
	written := ""
	for {
		ns, err := namespaces.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		app := platform.App{ID: ns.Name, Workspace: ns.Labels[labelWorkspace]}
		if !ours(ns) || ns.DeletionTimestamp != nil || written == app.Workspace {
			return nil
		}
		if _, err := apply(ctx, c.core.NetworkingV1().NetworkPolicies(name), renderPolicy(app, s)); err != nil {
			return err
		}
		written = app.Workspace
	}
}
