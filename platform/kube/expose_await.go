package kube

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	streamv1 "sigs.k8s.io/gateway-api/apis/v1alpha2"

	"github.com/slipway-paas/slipway/platform"
)

// pending are objects, by name, that the gateway had not taken when they were
// applied.
type pending struct{ http, grpc, tcp, tls, gateways []string }

func (p pending) none() bool {
	return len(p.http)+len(p.grpc)+len(p.tcp)+len(p.tls)+len(p.gateways) == 0
}

// edgeKind is how objects of a kind are made to be what is wanted.
type edgeKind[T metav1.Object] struct {
	client patcher[T]
	list   func(context.Context, metav1.ListOptions) ([]T, string, error)
	spec   func(T) any
	taken  func(T) (bool, string) // by the gateway, and else why not
}

// put applies objects and lists those that the gateway has not taken. An app
// with a hundred domains has dozens, of which a change touches one or two: what
// the cluster has already is left alone, which one list tells.
func (k edgeKind[T]) put(ctx context.Context, app string, objects []T) (open []string, err error) {
	if len(objects) == 0 {
		return nil, nil
	}
	found, _, err := k.list(ctx, edgeSelector(app))
	if err != nil {
		return nil, err
	}
	there := map[string]T{}
	for _, obj := range found {
		there[obj.GetName()] = obj
	}
	for _, obj := range objects {
		now, ok := there[obj.GetName()]
		if !ok || !k.same(now, obj) {
			if now, err = apply(ctx, k.client, obj); err != nil {
				return open, err
			}
		}
		if ok, _ := k.taken(now); !ok {
			open = append(open, obj.GetName())
		}
	}
	return open, nil
}

// same reports whether an object of the cluster is what want says. Where the
// API server fills in what want leaves open it is not, and is applied.
func (k edgeKind[T]) same(now, want T) bool {
	return now.GetDeletionTimestamp() == nil && reflect.DeepEqual(k.spec(now), k.spec(want)) &&
		contains(now.GetLabels(), want.GetLabels()) && contains(now.GetAnnotations(), want.GetAnnotations())
}

func (c *Cluster) showRoutes(ctx context.Context, app string, o EdgeObjects) (open pending, err error) {
	gateways := edgeKind[*gatewayv1.Gateway]{c.gateway.Gateways(app), c.gateways(app).list,
		func(g *gatewayv1.Gateway) any { return g.Spec }, programmed}
	if open.gateways, err = gateways.put(ctx, app, o.Gateways); err != nil {
		return open, err
	}
	http := edgeKind[*gatewayv1.HTTPRoute]{c.gateway.HTTPRoutes(app), c.routes(app).list,
		func(r *gatewayv1.HTTPRoute) any { return r.Spec }, takenHTTP}
	if open.http, err = http.put(ctx, app, o.HTTPRoutes); err != nil {
		return open, err
	}
	grpc := edgeKind[*gatewayv1.GRPCRoute]{c.gateway.GRPCRoutes(app), c.grpcRoutes(app).list,
		func(r *gatewayv1.GRPCRoute) any { return r.Spec }, takenGRPC}
	if open.grpc, err = grpc.put(ctx, app, o.GRPCRoutes); err != nil {
		return open, err
	}
	tcp := edgeKind[*streamv1.TCPRoute]{c.streams.TCPRoutes(app), c.tcpRoutes(app).list,
		func(r *streamv1.TCPRoute) any { return r.Spec }, takenTCP}
	if open.tcp, err = tcp.put(ctx, app, o.TCPRoutes); err != nil {
		return open, err
	}
	tls := edgeKind[*streamv1.TLSRoute]{c.streams.TLSRoutes(app), c.tlsRoutes(app).list,
		func(r *streamv1.TLSRoute) any { return r.Spec }, takenTLS}
	open.tls, err = tls.put(ctx, app, o.TLSRoutes)
	return open, err
}

func takenHTTP(r *gatewayv1.HTTPRoute) (bool, string) {
	return taken("the route of "+first(r.Spec.Hostnames), r.Spec.CommonRouteSpec, r.Status.RouteStatus, r.Generation)
}

func takenGRPC(r *gatewayv1.GRPCRoute) (bool, string) {
	return taken("the route of "+first(r.Spec.Hostnames), r.Spec.CommonRouteSpec, r.Status.RouteStatus, r.Generation)
}

func takenTCP(r *streamv1.TCPRoute) (bool, string) {
	return taken("the route "+r.Name, r.Spec.CommonRouteSpec, r.Status.RouteStatus, r.Generation)
}

func takenTLS(r *streamv1.TLSRoute) (bool, string) {
	return taken("the route of "+first(r.Spec.Hostnames), r.Spec.CommonRouteSpec, r.Status.RouteStatus, r.Generation)
}

func taken(what string, spec gatewayv1.CommonRouteSpec, status gatewayv1.RouteStatus, generation int64) (bool, string) {
	ok, why := routed(spec.ParentRefs, status, generation)
	if ok {
		return true, ""
	}
	return false, "the gateway did not take " + what + ": " + why
}

func first(names []gatewayv1.Hostname) string {
	if len(names) == 0 {
		return "every host"
	}
	return string(names[0])
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
	look, err := c.followEdge(watching, &group, app, open, changed)
	if err != nil {
		return err
	}
	deadline := time.NewTimer(c.patience.route)
	defer deadline.Stop()
	for {
		ok, why := look()
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

// followEdge opens the views that are needed. The answer looks at all of them.
func (c *Cluster) followEdge(ctx context.Context, group *sync.WaitGroup, app string, open pending, changed chan<- struct{}) (look func() (bool, string), err error) {
	var looks []func() (bool, string)
	add := func(look func() (bool, string), failed error) {
		if looks = append(looks, look); err == nil {
			err = failed
		}
	}
	add(watchTaken(ctx, group, c.routes(app), open.http, changed, takenHTTP))
	add(watchTaken(ctx, group, c.grpcRoutes(app), open.grpc, changed, takenGRPC))
	add(watchTaken(ctx, group, c.tcpRoutes(app), open.tcp, changed, takenTCP))
	add(watchTaken(ctx, group, c.tlsRoutes(app), open.tls, changed, takenTLS))
	add(watchTaken(ctx, group, c.gateways(app), open.gateways, changed, programmed))
	return func() (bool, string) {
		for _, look := range looks {
			if ok, why := look(); !ok {
				return false, why
			}
		}
		return true, ""
	}, err
}

// watchTaken follows objects of a kind, if there are any to wait for.
func watchTaken[T metav1.Object](ctx context.Context, group *sync.WaitGroup, s source[T], names []string, changed chan<- struct{},
	taken func(T) (bool, string)) (func() (bool, string), error) {
	if len(names) == 0 {
		return func() (bool, string) { return true, "" }, nil
	}
	v, err := follow(ctx, group, s, changed)
	return func() (bool, string) {
		for _, name := range names {
			obj, there := v.get(name)
			if !there {
				return false, "the gateway does not answer"
			}
			if ok, why := taken(obj); !ok {
				return false, why
			}
		}
		return true, ""
	}, err
}

// programmed reports whether the gateway serves every listener: the certificate
// of a domain, or a port of the app's own.
func programmed(g *gatewayv1.Gateway) (bool, string) {
	for _, l := range g.Spec.Listeners {
		i := slices.IndexFunc(g.Status.Listeners, func(s gatewayv1.ListenerStatus) bool { return s.Name == l.Name })
		if i < 0 {
			return false, "the gateway has not looked at " + listened(l)
		}
		for _, name := range []gatewayv1.ListenerConditionType{gatewayv1.ListenerConditionResolvedRefs, gatewayv1.ListenerConditionProgrammed} {
			cond := meta.FindStatusCondition(g.Status.Listeners[i].Conditions, string(name))
			switch {
			case cond == nil || cond.ObservedGeneration < g.Generation:
				return false, "the gateway has not looked at " + listened(l)
			case cond.Status != metav1.ConditionTrue:
				return false, fmt.Sprintf("the gateway did not take %s: %s %s", listened(l), cond.Reason, clip(cond.Message, maxMessage))
			}
		}
	}
	return true, ""
}

// listened says what a listener is for.
func listened(l gatewayv1.Listener) string {
	if l.Hostname == nil {
		return fmt.Sprintf("port %d (%s)", l.Port, l.Protocol)
	}
	return "the certificate of " + string(*l.Hostname)
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
