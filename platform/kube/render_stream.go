package kube

import (
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	streamv1 "sigs.k8s.io/gateway-api/apis/v1alpha2"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// portsSuffix makes the name of the Gateway for an app's own ports; names of
// users have no dots.
const portsSuffix = ".ports"

// sectionOf names the listener of a port other than the usual two: "tcp-5432",
// "https-8443". Those of HTTP and HTTPS are in the platform's Gateway.
func sectionOf(p platform.GatewayPort) string {
	return strings.ToLower(p.Protocol) + "-" + strconv.Itoa(p.Port)
}

// renderPorts makes the Gateway for the ports on which the app gets whole
// connections, if it has any. What is TLS there stays unopened.
func renderPorts(x control.Exposure, s Surroundings) []*gatewayv1.Gateway {
	var ports []platform.GatewayPort
	for _, r := range x.Routes {
		for _, p := range r.Ports {
			if platform.Streams(r.Kind) && !slices.Contains(ports, p) {
				ports = append(ports, p)
			}
		}
	}
	if len(ports) == 0 {
		return nil
	}
	g := &gatewayv1.Gateway{
		TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "Gateway"},
		ObjectMeta: edgeMeta(x.App, x.App.ID+portsSuffix),
		Spec:       gatewayv1.GatewaySpec{GatewayClassName: gatewayv1.ObjectName(s.GatewayClass)},
	}
	for _, p := range ports {
		l := gatewayv1.Listener{
			Name: gatewayv1.SectionName(sectionOf(p)), Port: gatewayv1.PortNumber(p.Port), Protocol: gatewayv1.ProtocolType(p.Protocol),
			AllowedRoutes: &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: ptr(gatewayv1.NamespacesFromSame)}},
		}
		if p.Protocol == platform.ProtocolTLS {
			l.TLS = &gatewayv1.ListenerTLSConfig{Mode: ptr(gatewayv1.TLSModePassthrough)}
		}
		g.Spec.Listeners = append(g.Spec.Listeners, l)
	}
	return []*gatewayv1.Gateway{g}
}

func streamParents(x control.Exposure, r control.ExposedRoute) streamv1.CommonRouteSpec {
	var spec streamv1.CommonRouteSpec
	for _, p := range r.Ports {
		spec.ParentRefs = append(spec.ParentRefs, parentRef(x.App.ID, x.App.ID+portsSuffix, sectionOf(p)))
	}
	return spec
}

func streamBackends(rule platform.RouteRule) (refs []gatewayv1.BackendRef) {
	for _, b := range rule.Backends {
		refs = append(refs, renderBackend(b))
	}
	return refs
}

func renderTCPRoute(x control.Exposure, r control.ExposedRoute) *streamv1.TCPRoute {
	route := &streamv1.TCPRoute{
		TypeMeta:   metav1.TypeMeta{APIVersion: streamv1.GroupVersion.String(), Kind: platform.TCPRoute},
		ObjectMeta: edgeMeta(x.App, r.Name),
		Spec:       streamv1.TCPRouteSpec{CommonRouteSpec: streamParents(x, r)},
	}
	for _, rule := range r.Rules {
		route.Spec.Rules = append(route.Spec.Rules, streamv1.TCPRouteRule{
			Name: optional[gatewayv1.SectionName](rule.Name), BackendRefs: streamBackends(rule)})
	}
	return route
}

func renderTLSRoute(x control.Exposure, r control.ExposedRoute) *streamv1.TLSRoute {
	route := &streamv1.TLSRoute{
		TypeMeta:   metav1.TypeMeta{APIVersion: streamv1.GroupVersion.String(), Kind: platform.TLSRoute},
		ObjectMeta: edgeMeta(x.App, r.Name),
		Spec:       streamv1.TLSRouteSpec{CommonRouteSpec: streamParents(x, r), Hostnames: hostnames(r)},
	}
	for _, rule := range r.Rules {
		route.Spec.Rules = append(route.Spec.Rules, streamv1.TLSRouteRule{
			Name: optional[gatewayv1.SectionName](rule.Name), BackendRefs: streamBackends(rule)})
	}
	return route
}
