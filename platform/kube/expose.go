package kube

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// expose gives a ready process its Service and route, or takes the route of
// one that is not routable any more. A route that the gateway has not seen
// yet is waited for: before that the app does not answer.
func (r *deploy) expose(ctx context.Context, roll *rollout) error {
	o := roll.objects
	if o.Service == nil {
		return r.c.unroute(ctx, r.app, o.Ptype)
	}
	if _, err := apply(ctx, r.c.core.CoreV1().Services(r.app), o.Service); err != nil {
		return err
	}
	if o.Route == nil {
		return r.c.unroute(ctx, r.app, o.Ptype)
	}
	routes := r.c.gateway.HTTPRoutes(r.app)
	applied, err := apply(ctx, routes, o.Route)
	switch {
	case apierrors.IsNotFound(err):
		return &platform.Error{Code: platform.Unavailable, Op: "kube.Apply", Err: err,
			Message: "the cluster knows no routes: the gateway is not installed"}
	case err != nil:
		return err
	}
	if ok, _ := routed(applied, applied.Generation); ok {
		return nil
	}
	return r.awaitRoute(ctx, roll, applied)
}

// unroute removes the route that was made for the web process. Other process
// types never had one.
func (c *Cluster) unroute(ctx context.Context, app, ptype string) error {
	if ptype != platform.WebPtype {
		return nil
	}
	err := c.gateway.HTTPRoutes(app).Delete(ctx, serviceName(app, ptype), metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (r *deploy) awaitRoute(ctx context.Context, roll *rollout, route *gatewayv1.HTTPRoute) error {
	watching, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	changed := make(chan struct{}, 1)
	view, err := follow(watching, &group, r.c.routes(r.app), changed)
	if err != nil {
		return err
	}
	deadline := time.NewTimer(r.c.patience.route)
	defer deadline.Stop()
	why := "the gateway does not answer"
	for {
		if found, there := view.get(route.Name); there {
			var ok bool
			if ok, why = routed(found, route.Generation); ok {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-deadline.C:
			return &control.RolloutError{Ptype: roll.objects.Ptype, Kind: kindRoute,
				Reason: fmt.Sprintf("the gateway did not take the route of %s: %s", roll.objects.Route.Spec.Hostnames[0], why)}
		}
	}
}

// routed reports whether every listener of the route has accepted it, in this
// generation, with all that it refers to; else why not.
func routed(route *gatewayv1.HTTPRoute, generation int64) (bool, string) {
	for _, ref := range route.Spec.ParentRefs {
		section := string(*ref.SectionName)
		found := false
		for _, parent := range route.Status.Parents {
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
