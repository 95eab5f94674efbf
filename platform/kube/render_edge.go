package kube

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	streamv1 "sigs.k8s.io/gateway-api/apis/v1alpha2"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// The most that one object may hold.
const (
	maxHostnames = 16
	maxListeners = 64
)

// The sections of the platform's one Gateway.
const (
	sectionHTTP  = "http"
	sectionHTTPS = "https"
)

// EdgeObjects are what shows an app to the outside, in the order in which they
// are applied.
//
// Routes of HTTP and gRPC attach to the platform's one Gateway, by the host
// names that are the app's: the gateway program has one set of ports for all.
// Gateways of the app's own carry the certificates of its domains, which have
// to be in its namespace, and the ports on which whole connections are handed
// over: they let in no route of another namespace.
type EdgeObjects struct {
	Services   []*corev1.Service
	Secrets    []*corev1.Secret
	Gateways   []*gatewayv1.Gateway
	HTTPRoutes []*gatewayv1.HTTPRoute
	GRPCRoutes []*gatewayv1.GRPCRoute
	Controller *discoveryv1.EndpointSlice // of the last of Services; nil when no domain is asked back
	TCPRoutes  []*streamv1.TCPRoute
	TLSRoutes  []*streamv1.TLSRoute
}

// RenderEdge turns an exposure into objects. It is pure.
func RenderEdge(x control.Exposure, s Surroundings) EdgeObjects {
	var o EdgeObjects
	for _, v := range x.Services {
		o.Services = append(o.Services, renderService(x.App, v))
	}
	secrets, ofDomains := renderCerts(x)
	o.Secrets = secrets
	o.Gateways = append(renderGateways(x, ofDomains, s), renderPorts(x, s)...)
	service, slice, challenges := renderChallenges(x, s)
	if o.Controller = slice; slice != nil {
		o.Services = append(o.Services, service)
	}
	for _, r := range append(slices.Clone(x.Routes), challenges...) {
		if r.Kind == platform.TCPRoute {
			o.TCPRoutes = append(o.TCPRoutes, renderTCPRoute(x, r))
			continue
		}
		for _, some := range shards(r.Hosts, maxHostnames, func(host string) string { return host }) {
			part := r
			part.Hosts = some.items
			part.Name += some.suffix // names of users have no dots
			switch r.Kind {
			case platform.GRPCRoute:
				o.GRPCRoutes = append(o.GRPCRoutes, renderGRPCRoute(x, part, s))
			case platform.TLSRoute:
				o.TLSRoutes = append(o.TLSRoutes, renderTLSRoute(x, part))
			default:
				o.HTTPRoutes = append(o.HTTPRoutes, renderHTTPRoute(x, part, s))
			}
		}
	}
	return o
}

// edgeMeta is the metadata that these objects share. By the class those that
// are not wanted any more are found.
func edgeMeta(a platform.App, name string, labels ...string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: a.ID,
		Labels:      with(appLabels(a), append([]string{labelClass, classEdge}, labels...)...),
		Annotations: appAnnotations(a),
	}
}

// renderService names the port of the container, where none is given, instead
// of its number: while a release that changes PORT rolls out, old and new pods
// each get their requests where they listen.
func renderService(a platform.App, v control.ExposedService) *corev1.Service {
	s := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: edgeMeta(a, v.Name, labelType, v.Ptype),
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: selectorLabels(a.ID, v.Ptype),
		},
	}
	for _, p := range v.Ports {
		target := intstr.FromString(portName)
		if p.Target > 0 {
			target = intstr.FromInt32(int32(p.Target))
		}
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{
			Name: p.PortName(), Port: int32(p.Port),
			Protocol: corev1.Protocol(p.Protocol), TargetPort: target,
		})
	}
	return s
}

// renderCerts makes one Secret of each certificate, however many domains it
// serves, and tells which domain has which.
func renderCerts(x control.Exposure) ([]*corev1.Secret, map[string]string) {
	var list []*corev1.Secret
	named := map[string]string{}
	for _, p := range x.Certs {
		name := p.Name + "-certificate"
		if p.Name == "" {
			name = "auto-" + digest(p.Domain) + "-tls"
		}
		same := func(s *corev1.Secret) bool { return s.Name == name }
		if i := slices.IndexFunc(list, same); i >= 0 && string(list[i].Data[corev1.TLSCertKey]) != string(p.Chain) {
			name += "-" + digest(string(p.Chain)) // another one of that name
		}
		named[p.Domain] = name
		if slices.ContainsFunc(list, same) {
			continue
		}
		list = append(list, &corev1.Secret{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
			ObjectMeta: edgeMeta(x.App, name),
			Type:       corev1.SecretTypeTLS,
			Data:       map[string][]byte{corev1.TLSCertKey: p.Chain, corev1.TLSPrivateKeyKey: p.Key},
		})
	}
	return list, named
}

// renderGateways makes a listener for each domain with a certificate.
func renderGateways(x control.Exposure, secrets map[string]string, s Surroundings) []*gatewayv1.Gateway {
	var list []*gatewayv1.Gateway
	for _, some := range shards(x.Certs, maxListeners, func(p control.Pair) string { return p.Domain }) {
		g := &gatewayv1.Gateway{
			TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "Gateway"},
			ObjectMeta: edgeMeta(x.App, x.App.ID+some.suffix),
			Spec:       gatewayv1.GatewaySpec{GatewayClassName: gatewayv1.ObjectName(s.GatewayClass)},
		}
		for _, p := range some.items {
			g.Spec.Listeners = append(g.Spec.Listeners, gatewayv1.Listener{
				Name:     listenerName(p.Domain),
				Hostname: ptr(gatewayv1.Hostname(p.Domain)),
				Port:     gatewayv1.PortNumber(x.HTTPSPort),
				Protocol: gatewayv1.HTTPSProtocolType,
				TLS: &gatewayv1.ListenerTLSConfig{
					Mode: ptr(gatewayv1.TLSModeTerminate),
					CertificateRefs: []gatewayv1.SecretObjectReference{{
						Group: ptr(gatewayv1.Group("")), Kind: ptr(gatewayv1.Kind("Secret")),
						Name: gatewayv1.ObjectName(secrets[p.Domain]),
					}},
				},
				AllowedRoutes: &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: ptr(gatewayv1.NamespacesFromSame)}},
			})
		}
		list = append(list, g)
	}
	return list
}

// listenerName is the domain itself, which a listener may be called, unless it
// is a wildcard.
func listenerName(domain string) gatewayv1.SectionName {
	if strings.HasPrefix(domain, "*") {
		return gatewayv1.SectionName("any-" + digest(domain))
	}
	return gatewayv1.SectionName(domain)
}

// parentsOf attaches a route to the sections of the platform's Gateway.
func parentsOf(r control.ExposedRoute, s Surroundings) []gatewayv1.ParentReference {
	var sections []string
	if r.HTTP {
		sections = append(sections, sectionHTTP)
	}
	if r.HTTPS {
		sections = append(sections, sectionHTTPS)
	}
	for _, p := range r.Ports {
		sections = append(sections, sectionOf(p))
	}
	var refs []gatewayv1.ParentReference
	for _, name := range sections {
		refs = append(refs, parentRef(s.GatewayNamespace, s.GatewayName, name))
	}
	return refs
}

func parentRef(namespace, gateway, section string) gatewayv1.ParentReference {
	return gatewayv1.ParentReference{
		Group:       ptr(gatewayv1.Group(gatewayv1.GroupName)),
		Kind:        ptr(gatewayv1.Kind("Gateway")),
		Namespace:   ptr(gatewayv1.Namespace(namespace)),
		Name:        gatewayv1.ObjectName(gateway),
		SectionName: ptr(gatewayv1.SectionName(section)),
	}
}

func hostnames(r control.ExposedRoute) []gatewayv1.Hostname {
	var list []gatewayv1.Hostname
	for _, h := range r.Hosts {
		list = append(list, gatewayv1.Hostname(h))
	}
	return list
}

func renderHTTPRoute(x control.Exposure, r control.ExposedRoute, s Surroundings) *gatewayv1.HTTPRoute {
	route := &gatewayv1.HTTPRoute{
		TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: platform.HTTPRoute},
		ObjectMeta: edgeMeta(x.App, r.Name),
		Spec: gatewayv1.HTTPRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: parentsOf(r, s)},
			Hostnames:       hostnames(r),
		},
	}
	if r.Redirect {
		route.Spec.Rules = []gatewayv1.HTTPRouteRule{redirectRule(x.HTTPSPort)}
	}
	for _, rule := range r.Rules {
		route.Spec.Rules = append(route.Spec.Rules, renderHTTPRule(rule))
	}
	return route
}

// redirectRule sends everything to HTTPS. Clients know its port unless it is
// another one than usual.
func redirectRule(port int) gatewayv1.HTTPRouteRule {
	f := &gatewayv1.HTTPRequestRedirectFilter{Scheme: ptr("https"), StatusCode: ptr(301)}
	if port != 443 {
		f.Port = ptr(gatewayv1.PortNumber(port))
	}
	return gatewayv1.HTTPRouteRule{
		Matches: []gatewayv1.HTTPRouteMatch{anyPath()},
		Filters: []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterRequestRedirect, RequestRedirect: f}},
	}
}

func anyPath() gatewayv1.HTTPRouteMatch {
	return gatewayv1.HTTPRouteMatch{Path: &gatewayv1.HTTPPathMatch{Type: ptr(gatewayv1.PathMatchPathPrefix), Value: ptr("/")}}
}

func renderGRPCRoute(x control.Exposure, r control.ExposedRoute, s Surroundings) *gatewayv1.GRPCRoute {
	route := &gatewayv1.GRPCRoute{
		TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: platform.GRPCRoute},
		ObjectMeta: edgeMeta(x.App, r.Name),
		Spec: gatewayv1.GRPCRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: parentsOf(r, s)},
			Hostnames:       hostnames(r),
		},
	}
	for _, rule := range r.Rules {
		route.Spec.Rules = append(route.Spec.Rules, renderGRPCRule(rule))
	}
	return route
}
