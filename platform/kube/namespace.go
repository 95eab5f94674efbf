package kube

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
)

// EnsureApp makes the namespace of the app and its policy. A namespace of
// that name that is not ours is a platform.Conflict, and is left alone.
func (c *Cluster) EnsureApp(ctx context.Context, a platform.App) error {
	s, err := c.surroundings(ctx)
	if err != nil {
		return translate(ctx, "EnsureApp", err)
	}
	return translate(ctx, "EnsureApp", c.ensure(ctx, renderHome(a, s)))
}

// ID is the identity of the namespace that every cluster has from its start.
func (c *Cluster) ID(ctx context.Context) (string, error) {
	ns, err := c.core.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", translate(ctx, "ID", err)
	}
	return string(ns.UID), nil
}

func (c *Cluster) ensure(ctx context.Context, o Objects) error {
	found, err := c.core.CoreV1().Namespaces().Get(ctx, o.Namespace.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return err
	case !ours(found):
		return platform.Errorf(platform.Conflict, "the namespace %s exists and is not an app's", found.Name)
	case found.DeletionTimestamp != nil:
		return platform.Errorf(platform.Conflict, "the namespace %s is still being deleted; try again in a moment", found.Name)
	}
	if _, err := apply(ctx, c.core.CoreV1().Namespaces(), o.Namespace); err != nil {
		return err
	}
	if _, err = apply(ctx, c.core.NetworkingV1().NetworkPolicies(o.Policy.Namespace), o.Policy); err != nil {
		return err
	}
	return c.bound(ctx, found.Annotations, o)
}

// ours reports whether we made the namespace for the app of its name.
func ours(ns *corev1.Namespace) bool {
	return ns.Labels[labelHeritage] == heritage && ns.Labels[labelOwnerApp] == ns.Name
}

// surroundings asks the cluster for its nodes; an answer from the API
// server's cache will do.
func (c *Cluster) surroundings(ctx context.Context) (Surroundings, error) {
	s := c.place()
	s.PublicPorts, s.PodSecurity = c.opts.PublicPorts, c.opts.PodSecurity
	s.Quota, s.LimitRange = c.opts.Quota, c.opts.LimitRange
	nodes, err := c.core.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return s, err
	}
	s.Nodes = max(len(nodes.Items), 1)
	for _, n := range nodes.Items {
		s.NodeSubnets = append(s.NodeSubnets, n.Spec.PodCIDRs...)
		for _, a := range n.Status.Addresses {
			if a.Type == corev1.NodeInternalIP || a.Type == corev1.NodeExternalIP {
				s.NodeAddresses = append(s.NodeAddresses, a.Address)
			}
		}
	}
	s.NodeAddresses = append(s.NodeAddresses, c.opts.HostAddresses()...)
	return s, nil
}

// NamespaceExists reports a namespace of that name, whoever made it and also
// while it is being deleted.
func (c *Cluster) NamespaceExists(ctx context.Context, name string) (bool, error) {
	_, err := c.core.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, translate(ctx, "NamespaceExists", err)
}

// DeleteApp deletes the namespace with all in it and waits until it is gone,
// at most half a minute. A namespace that takes longer is no error: the
// cluster goes on with it. One that is not there is none either; one that is
// not ours is a platform.Conflict.
func (c *Cluster) DeleteApp(ctx context.Context, app string) error {
	return translate(ctx, "DeleteApp", c.deleteApp(ctx, app))
}

func (c *Cluster) deleteApp(ctx context.Context, app string) error {
	namespaces := c.core.CoreV1().Namespaces()
	found, err := namespaces.Get(ctx, app, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	case !ours(found):
		return platform.Errorf(platform.Conflict, "the namespace %s is not an app's and stays", app)
	}

	if err := c.dropPersistent(ctx, app); err != nil {
		return err
	}
	waiting, stop := context.WithTimeout(ctx, c.patience.deletion)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	changed := make(chan struct{}, 1)
	view, err := follow(waiting, &group, c.namespace(app), changed)
	if err != nil {
		return err
	}
	if err := namespaces.Delete(ctx, app, metav1.DeleteOptions{
		Preconditions: metav1.NewUIDPreconditions(string(found.UID)),
	}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	c.hurryPods(ctx, app)
	for {
		if ns, there := view.get(app); !there || ns.UID != found.UID {
			return nil
		}
		select {
		case <-changed:
		case <-waiting.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			c.log.WithField("app", app).Warn("kube: the namespace is deleted but not gone yet")
			return nil
		}
	}
}

// hurryPods ends the pods of a namespace that is going away. Nothing can be
// made in it any more, and the cluster waits for half of the longest grace
// period before it looks again: without this an app would take as long to
// delete as its slowest process may take to end.
func (c *Cluster) hurryPods(ctx context.Context, app string) {
	err := c.core.CoreV1().Pods(app).DeleteCollection(ctx,
		metav1.DeleteOptions{GracePeriodSeconds: ptr(int64(1))}, metav1.ListOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		c.log.WithError(err).WithField("app", app).Debug("kube: ending the pods of a deleted app")
	}
}
