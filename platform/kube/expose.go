package kube

import (
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Expose makes the cluster show the app as x says, removes what it made before
// and is not wanted any more, and waits until the gateway has taken it.
func (c *Cluster) Expose(ctx context.Context, x control.Exposure) error {
	open, err := c.show(ctx, x.App.ID, RenderEdge(x, c.place()))
	if err == nil {
		err = c.awaitEdge(ctx, x.App.ID, open)
	}
	return translate(ctx, "Expose", err)
}

// place is the part of the surroundings that needs no question.
func (c *Cluster) place() Surroundings {
	return Surroundings{
		GatewayName: c.opts.GatewayName, GatewayNamespace: c.opts.GatewayNamespace, GatewayClass: c.opts.GatewayClass,
		ClusterCIDRs: c.opts.ClusterCIDRs, Controller: c.opts.Controller,
	}
}

// show applies services and certificates before what refers to them, and
// removes in the opposite order. It tells what the gateway has yet to take.
func (c *Cluster) show(ctx context.Context, app string, o EdgeObjects) (pending, error) {
	for _, s := range o.Services {
		now, err := apply(ctx, c.core.CoreV1().Services(app), s)
		if err == nil && o.Controller != nil && o.Controller.Name == s.Name {
			_, err = apply(ctx, c.core.DiscoveryV1().EndpointSlices(app), owned(o.Controller, now))
		}
		if err != nil {
			return pending{}, err
		}
	}
	if err := c.applyCerts(ctx, app, o.Secrets); err != nil {
		return pending{}, err
	}
	open, err := c.showRoutes(ctx, app, o)
	if err != nil {
		return pending{}, noGateway(err)
	}
	return open, c.pruneEdge(ctx, app, o)
}

// noGateway tells a cluster that does not know routes from other trouble.
func noGateway(err error) error {
	if !apierrors.IsNotFound(err) {
		return err
	}
	return &platform.Error{Code: platform.Unavailable, Op: "kube.Expose", Err: err,
		Message: "the cluster knows no routes: the gateway is not installed"}
}

// deleter is what the typed clients have in common.
type deleter interface {
	Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error
}

// edgeSelector finds what shows an app to the outside.
func edgeSelector(app string) metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: appSelector(app) + "," + labelClass + "=" + classEdge}
}

// pruneEdge removes what was made before and is not in o. Routes go first, so
// that the gateway answers for what is gone instead of looking for it.
func (c *Cluster) pruneEdge(ctx context.Context, app string, o EdgeObjects) error {
	selector := edgeSelector(app)
	if err := sweep(ctx, c.gateway.HTTPRoutes(app), c.routes(app).list, selector, o.HTTPRoutes); err != nil {
		return err
	}
	if err := sweep(ctx, c.gateway.GRPCRoutes(app), c.grpcRoutes(app).list, selector, o.GRPCRoutes); err != nil {
		return err
	}
	if err := sweep(ctx, c.streams.TCPRoutes(app), c.tcpRoutes(app).list, selector, o.TCPRoutes); err != nil {
		return err
	}
	if err := sweep(ctx, c.streams.TLSRoutes(app), c.tlsRoutes(app).list, selector, o.TLSRoutes); err != nil {
		return err
	}
	if err := sweep(ctx, c.gateway.Gateways(app), c.gateways(app).list, selector, o.Gateways); err != nil {
		return err
	}
	if err := sweep(ctx, c.core.CoreV1().Services(app), c.services(app).list, selector, o.Services); err != nil {
		return err
	}
	return sweep(ctx, c.core.CoreV1().Secrets(app), c.secrets(app).list, selector, o.Secrets)
}

// sweep deletes the objects of a kind that are not among keep.
func sweep[T metav1.Object](ctx context.Context, client deleter, list func(context.Context, metav1.ListOptions) ([]T, string, error),
	selector metav1.ListOptions, keep []T) error {
	found, _, err := list(ctx, selector)
	if err != nil {
		return err
	}
	for _, obj := range found {
		if slices.ContainsFunc(keep, func(k T) bool { return k.GetName() == obj.GetName() }) {
			continue
		}
		if err := client.Delete(ctx, obj.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// expose shows the app once its processes are ready. A route of a process that
// the gateway has not seen yet is waited for: before that it does not answer.
// Other routes are their own trouble, not the release's.
func (r *deploy) expose(ctx context.Context) error {
	open, err := r.c.show(ctx, r.app, r.objects.Edge)
	if err != nil {
		return err
	}
	for _, roll := range r.rollouts {
		name := platform.ServiceName(r.app, roll.objects.Ptype)
		if !slices.Contains(open.http, name) {
			continue
		}
		err := r.c.awaitEdge(ctx, r.app, pending{http: []string{name}})
		var refused *platform.Error
		if errors.As(err, &refused) && refused.Code == platform.Invalid {
			return &control.RolloutError{Ptype: roll.objects.Ptype, Kind: kindRoute, Reason: refused.Message}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unexpose takes web off the network: its route first, so that the gateway
// answers for an app that is gone instead of looking for it. What users have
// added for other process types stays.
func (c *Cluster) unexpose(ctx context.Context, app, ptype string) error {
	if ptype != platform.WebPtype {
		return nil
	}
	name := platform.ServiceName(app, ptype)
	for _, client := range []deleter{c.gateway.HTTPRoutes(app), c.core.CoreV1().Services(app)} {
		if err := client.Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}
