package control

import (
	"maps"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

// routePlan works out host names and ports of an app's routes. It is pure.
type routePlan struct {
	c        *Controller
	app      platform.App
	edge     Edge
	services []platform.Service
	served   map[string]bool
}

func (p routePlan) routes() []ExposedRoute {
	var list []ExposedRoute
	all := map[string]bool{}
	routes := p.c.effectiveRoutes(p.app, p.edge, p.services)
	for _, r := range routes {
		x, ok := p.route(r)
		if !ok {
			continue
		}
		for _, h := range x.Hosts {
			all[h] = all[h] || !platform.Streams(r.Kind)
		}
		list = append(list, x)
	}
	maps.DeleteFunc(all, func(_ string, http bool) bool { return !http })
	if p.edge.TLS.Enforced() && len(all) > 0 {
		list = append(list, ExposedRoute{
			Name: p.app.ID + redirectSuffix, Kind: platform.HTTPRoute, Hosts: slices.Sorted(maps.Keys(all)),
			HTTP: true, Ports: p.plainPorts(routes), Redirect: true,
		})
	}
	return list
}

// route is false for a route that nothing can arrive at or that leads nowhere.
func (p routePlan) route(r platform.Route) (ExposedRoute, bool) {
	x := ExposedRoute{Name: r.Name, Kind: r.Kind}
	p.attach(&x, r)
	var web bool
	x.Hosts, web = p.hosts(ptypesOf(r, p.services))
	switch r.Kind {
	case platform.TCPRoute:
		x.Hosts, web = nil, true
	case platform.TLSRoute:
		if !web && slices.ContainsFunc(x.Ports, func(port platform.GatewayPort) bool { return port.Port == p.c.edge.port(platform.ProtocolHTTPS) }) {
			return x, false // it would take web's name
		}
		web = true
	}
	for _, rule := range r.Rules {
		if rule, ok := p.rule(rule, web || r.Name == p.app.ID); ok {
			x.Rules = append(x.Rules, rule)
		}
	}
	named := len(x.Hosts) > 0 || r.Kind == platform.TCPRoute
	return x, (x.HTTP || x.HTTPS || len(x.Ports) > 0) && named && len(x.Rules) > 0
}

// ptypesOf are the process types whose services a route refers to.
func ptypesOf(r platform.Route, services []platform.Service) (ptypes []string) {
	for _, s := range services {
		if refersTo(r, s.Name()) {
			ptypes = append(ptypes, s.Ptype)
		}
	}
	return ptypes
}

// attach says on which ports the route takes requests. Where HTTPS is enforced
// a plain port leads to the redirect.
func (p routePlan) attach(x *ExposedRoute, r platform.Route) {
	for _, port := range p.ports(r) {
		switch {
		case port.Protocol == platform.ProtocolHTTP && p.edge.TLS.Enforced():
			x.HTTPS = true
		case port == p.standard(platform.ProtocolHTTP):
			x.HTTP = true
		case port == p.standard(platform.ProtocolHTTPS):
			x.HTTPS = true
		default:
			x.Ports = append(x.Ports, port)
		}
	}
}

func (p routePlan) standard(protocol string) platform.GatewayPort {
	return platform.GatewayPort{Port: p.c.edge.port(protocol), Protocol: protocol}
}

// ports are those that the route names and that speak its protocol, as long as
// the platform has them open.
func (p routePlan) ports(r platform.Route) (ports []platform.GatewayPort) {
	for _, g := range p.c.effectiveGateways(p.app, p.edge) {
		for _, port := range g.Ports {
			if slices.Contains(r.Parents, platform.ParentRef{Name: g.Name, Port: port.Port}) && !slices.Contains(ports, port) &&
				slices.Contains(platform.RouteProtocols(r.Kind), port.Protocol) && slices.Contains(p.c.edge.Ports, port) {
				ports = append(ports, port)
			}
		}
	}
	return ports
}

// plainPorts are the ports beside the usual one on which routes of the app
// would answer without TLS.
func (p routePlan) plainPorts(routes []platform.Route) (plain []platform.GatewayPort) {
	for _, r := range routes {
		for _, port := range p.ports(r) {
			if port.Protocol == platform.ProtocolHTTP && port != p.standard(platform.ProtocolHTTP) && !slices.Contains(plain, port) {
				plain = append(plain, port)
			}
		}
	}
	return plain
}

// hosts are the names that a route to the process types answers to: their
// domains, and the app's own for web. Without any it is the app's own, which
// is then shared with web: web is false.
func (p routePlan) hosts(ptypes []string) (hosts []string, web bool) {
	own := p.c.Host(p.app.ID)
	if slices.Contains(ptypes, platform.WebPtype) || len(ptypes) == 0 {
		hosts, web = append(hosts, own), len(ptypes) > 0
	}
	for _, d := range p.edge.Domains {
		if slices.Contains(ptypes, d.Ptype) {
			hosts = append(hosts, d.Name)
		}
	}
	if len(hosts) == 0 {
		return []string{own}, false
	}
	if hosts[0] != own {
		web = true // names of its own
	}
	return hosts, web
}

// rule drops backends that do not run and, unless all is the route's to have,
// a rule for every path: on the app's own name that is web's.
func (p routePlan) rule(rule platform.RouteRule, all bool) (platform.RouteRule, bool) {
	if !all && catchesAll(rule) && p.served[platform.WebPtype] {
		return rule, false
	}
	if len(rule.Backends) == 0 {
		return rule, true
	}
	var live []platform.Backend
	for _, b := range rule.Backends {
		for _, s := range p.services {
			if _, ok := s.Find(b.Port, platform.ProtocolTCP); ok && s.Name() == b.Service && p.served[s.Ptype] {
				live = append(live, b)
			}
		}
	}
	rule.Backends = live
	return rule, len(live) > 0
}

// catchesAll reports a rule that fits every request.
func catchesAll(rule platform.RouteRule) bool {
	for _, m := range rule.Matches {
		any := m.Path == nil || m.Path.Value == "/" && m.Path.Type != "Exact" && m.Path.Type != "RegularExpression"
		if any && m.Method == "" && m.Call == nil && len(m.Headers)+len(m.Query) == 0 {
			return true
		}
	}
	return len(rule.Matches) == 0
}
