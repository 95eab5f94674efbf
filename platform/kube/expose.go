package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

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

// pending are objects, by name, that the gateway had not taken when they were
// applied.
type pending struct{ http, grpc, gateways []string }

func (p pending) none() bool { return len(p.http)+len(p.grpc)+len(p.gateways) == 0 }

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

func (c *Cluster) showRoutes(ctx context.Context, app string, o EdgeObjects) (open pending, err error) {
	for _, g := range o.Gateways {
		now, err := apply(ctx, c.gateway.Gateways(app), g)
		if err != nil {
			return open, err
		}
		if ok, _ := programmed(now); !ok {
			open.gateways = append(open.gateways, g.Name)
		}
	}
	for _, r := range o.HTTPRoutes {
		now, err := apply(ctx, c.gateway.HTTPRoutes(app), r)
		if err != nil {
			return open, err
		}
		if ok, _ := routed(now.Spec.ParentRefs, now.Status.RouteStatus, now.Generation); !ok {
			open.http = append(open.http, r.Name)
		}
	}
	for _, r := range o.GRPCRoutes {
		now, err := apply(ctx, c.gateway.GRPCRoutes(app), r)
		if err != nil {
			return open, err
		}
		if ok, _ := routed(now.Spec.ParentRefs, now.Status.RouteStatus, now.Generation); !ok {
			open.grpc = append(open.grpc, r.Name)
		}
	}
	return open, nil
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

// edgeViews follow what the gateway says of an app's objects.
type edgeViews struct {
	http     *view[*gatewayv1.HTTPRoute]
	grpc     *view[*gatewayv1.GRPCRoute]
	gateways *view[*gatewayv1.Gateway]
}

// awaitEdge waits until the gateway has taken what is open. What it does not
// take in time is Invalid.
func (c *Cluster) awaitEdge(ctx context.Context, app string, open pending) error {
	if open.none() {
		return nil
	}
	watching, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	changed := make(chan struct{}, 1)
	views, err := c.followEdge(watching, &group, app, open, changed)
	if err != nil {
		return err
	}
	deadline := time.NewTimer(c.patience.route)
	defer deadline.Stop()
	for {
		ok, why := views.taken(open)
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-deadline.C:
			return platform.Errorf(platform.Invalid, "%s", why)
		}
	}
}

// followEdge opens the views that are needed.
func (c *Cluster) followEdge(ctx context.Context, group *sync.WaitGroup, app string, open pending, changed chan<- struct{}) (v edgeViews, err error) {
	if len(open.http) > 0 {
		if v.http, err = follow(ctx, group, c.routes(app), changed); err != nil {
			return v, err
		}
	}
	if len(open.grpc) > 0 {
		if v.grpc, err = follow(ctx, group, c.grpcRoutes(app), changed); err != nil {
			return v, err
		}
	}
	if len(open.gateways) > 0 {
		v.gateways, err = follow(ctx, group, c.gateways(app), changed)
	}
	return v, err
}

func (v edgeViews) taken(open pending) (bool, string) {
	const away = "the gateway does not answer"
	for _, name := range open.http {
		r, there := v.http.get(name)
		if !there {
			return false, away
		}
		if ok, why := routed(r.Spec.ParentRefs, r.Status.RouteStatus, r.Generation); !ok {
			return false, "the gateway did not take the route of " + first(r.Spec.Hostnames) + ": " + why
		}
	}
	for _, name := range open.grpc {
		r, there := v.grpc.get(name)
		if !there {
			return false, away
		}
		if ok, why := routed(r.Spec.ParentRefs, r.Status.RouteStatus, r.Generation); !ok {
			return false, "the gateway did not take the route of " + first(r.Spec.Hostnames) + ": " + why
		}
	}
	for _, name := range open.gateways {
		g, there := v.gateways.get(name)
		if !there {
			return false, away
		}
		if ok, why := programmed(g); !ok {
			return false, why
		}
	}
	return true, ""
}

func first(names []gatewayv1.Hostname) string {
	if len(names) == 0 {
		return "every host"
	}
	return string(names[0])
}

// programmed reports whether the gateway serves every certificate.
func programmed(g *gatewayv1.Gateway) (bool, string) {
	for _, l := range g.Spec.Listeners {
		i := slices.IndexFunc(g.Status.Listeners, func(s gatewayv1.ListenerStatus) bool { return s.Name == l.Name })
		if i < 0 {
			return false, fmt.Sprintf("the gateway has not looked at the certificate of %s", *l.Hostname)
		}
		for _, name := range []gatewayv1.ListenerConditionType{gatewayv1.ListenerConditionResolvedRefs, gatewayv1.ListenerConditionProgrammed} {
			cond := meta.FindStatusCondition(g.Status.Listeners[i].Conditions, string(name))
			switch {
			case cond == nil || cond.ObservedGeneration < g.Generation:
				return false, fmt.Sprintf("the gateway has not looked at the certificate of %s", *l.Hostname)
			case cond.Status != metav1.ConditionTrue:
				return false, fmt.Sprintf("the gateway did not take the certificate of %s: %s %s", *l.Hostname, cond.Reason, clip(cond.Message, maxMessage))
			}
		}
	}
	return true, ""
}

// routed reports whether every listener of a route has accepted it, in this
// generation, with all that it refers to; else why not.
func routed(refs []gatewayv1.ParentReference, status gatewayv1.RouteStatus, generation int64) (bool, string) {
	for _, ref := range refs {
		section := string(*ref.SectionName)
		found := false
		for _, parent := range status.Parents {
			if parent.ParentRef.SectionName == nil || string(*parent.ParentRef.SectionName) != section {
				continue
			}
			found = true
			for _, name := range []gatewayv1.RouteConditionType{gatewayv1.RouteConditionAccepted, gatewayv1.RouteConditionResolvedRefs} {
				cond := meta.FindStatusCondition(parent.Conditions, string(name))
				switch {
				case cond == nil || cond.ObservedGeneration < generation:
					return false, fmt.Sprintf("listener %s has not looked at it", section)
				case cond.Status != metav1.ConditionTrue:
					return false, fmt.Sprintf("listener %s: not %s: %s %s", section, name, cond.Reason, clip(cond.Message, maxMessage))
				}
			}
		}
		if !found {
			return false, fmt.Sprintf("listener %s has not looked at it", section)
		}
	}
	return true, ""
}
