package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// EdgeOptions say how apps are shown to the outside.
type EdgeOptions struct {
	// Ports are open on the gateway; default 80 (HTTP) and 443 (HTTPS and, by
	// the names of connections, TLS). The first of HTTP and of HTTPS are those
	// that every app has.
	Ports     []platform.GatewayPort
	Addresses func() []platform.Address // of the gateway, for users to see; nil: none
	Certifier Certifier                 // the platform's own authority; nil: there is none
	// Authorities are public; nil: domains get certificates of the own one only.
	Authorities Authorities
	// CertBackoff is the pause after the n-th failure in a row (from 1) to get
	// a certificate from a public authority; default 5 min rising to a day.
	CertBackoff func(n int) time.Duration
	After       func(time.Duration) <-chan time.Time // of the certificates' timer; default time.After
	Diagnoser   Diagnoser                            // nil: domains cannot be checked
	OwnNames    OwnNames                             // nil: the own authority signs the platform's names
}

func (o EdgeOptions) withDefaults() EdgeOptions {
	if len(o.Ports) == 0 {
		o.Ports = DefaultPorts()
	}
	if o.Addresses == nil {
		o.Addresses = func() []platform.Address { return nil }
	}
	if o.CertBackoff == nil {
		o.CertBackoff = CertBackoff
	}
	if o.After == nil {
		o.After = time.After
	}
	return o
}

// DefaultPorts are those that a gateway always has.
func DefaultPorts() []platform.GatewayPort {
	return []platform.GatewayPort{
		{Port: 80, Protocol: platform.ProtocolHTTP}, {Port: 443, Protocol: platform.ProtocolHTTPS}, {Port: 443, Protocol: platform.ProtocolTLS},
	}
}

// port is the first open port of a protocol, 0 when there is none.
func (o EdgeOptions) port(protocol string) int {
	for _, p := range o.Ports {
		if p.Protocol == protocol {
			return p.Port
		}
	}
	return 0
}

const (
	redirectSuffix = "-https-redirect"
	webPort        = 80 // of the Service that web has by default
	fullWeight     = 100
)

// reexpose brings the cluster in line with what the app shows to the outside.
// What the cluster refuses is told in the events and not tried again: the
// records are as users want them, and the next change is another try.
func (c *Controller) reexpose(ctx context.Context, app string) error {
	unlock, err := c.records.lock(ctx, app)
	if err != nil {
		return err
	}
	w, err := c.openWork(ctx, app, WorkEdge)
	unlock()
	if err != nil || w == nil {
		return err
	}
	a, err := c.store.FindApp(ctx, app)
	if err != nil {
		return err
	}
	s, err := c.store.FindSettings(ctx, app)
	if err != nil {
		return err
	}
	served, err := c.servedPtypes(ctx, a)
	if err != nil {
		return err
	}
	x, err := c.exposure(ctx, a, s, served)
	if err != nil {
		return err
	}
	if err := c.cluster.Expose(ctx, x); err != nil {
		if ctx.Err() != nil || platform.CodeOf(err) == platform.Unavailable {
			return fmt.Errorf("app %s: expose: %w", app, err)
		}
		if err := c.tellEdge(ctx, app, "routing", map[string]string{}, err); err != nil {
			return err
		}
	}
	return c.store.DoneWork(ctx, w.ID)
}

// servedPtypes reports which process types run, by what last succeeded.
func (c *Controller) servedPtypes(ctx context.Context, a platform.App) (map[string]bool, error) {
	good, err := c.store.LatestRelease(ctx, a.ID, ReleaseQuery{State: platform.ReleaseSucceeded, Built: true})
	if platform.CodeOf(err) == platform.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	offered, err := c.ptypesOf(ctx, good.Build)
	if err != nil {
		return nil, err
	}
	served := map[string]bool{}
	for ptype, n := range a.Structure {
		served[ptype] = n > 0 // without autodeploy those of the past run on
	}
	for _, ptype := range offered {
		served[ptype] = true
	}
	return served, nil
}

// addExposure adds to a deployment what the app shows once it is rolled out;
// offered are the process types of its build.
func (c *Controller) addExposure(ctx context.Context, d *Deployment, offered []string) error {
	served, err := c.servedPtypes(ctx, d.App)
	if err != nil {
		return err
	}
	if served == nil || d.Settings.Autodeploy && len(d.Processes) == len(offered) {
		served = map[string]bool{} // those of the past go
	}
	for _, p := range d.Processes {
		served[p.Ptype] = true
	}
	d.Exposure, err = c.exposure(ctx, d.App, d.Settings, served)
	for _, s := range d.Exposure.Services {
		for i := range d.Processes {
			d.Processes[i].Served = d.Processes[i].Served || d.Processes[i].Ptype == s.Ptype
		}
	}
	return err
}

// exposure gathers all that the app shows to the outside; served are the
// process types that run.
func (c *Controller) exposure(ctx context.Context, a platform.App, s platform.Settings, served map[string]bool) (Exposure, error) {
	e, err := c.store.FindEdge(ctx, a.ID)
	if err != nil {
		return Exposure{}, err
	}
	if err := c.issueLeaves(ctx, a.ID, e); err != nil {
		return Exposure{}, err
	}
	x := Exposure{App: a, HTTPSPort: c.edge.port(platform.ProtocolHTTPS)}
	services := effectiveServices(a, e, served[platform.WebPtype])
	for _, v := range services {
		x.Services = append(x.Services, ExposedService{Name: v.Name(), Ptype: v.Ptype, Ports: v.Ports})
	}
	x.Challenges = c.challenged(a.ID, e)
	if !s.Routable {
		return x, nil
	}
	pairs, err := c.store.ListPairs(ctx, a.ID)
	if err != nil {
		return Exposure{}, err
	}
	x.Certs = slices.DeleteFunc(pairs, func(p Pair) bool { return p.Name == "" && !e.TLS.Auto() })
	plan := routePlan{c: c, app: a, edge: e, services: services, served: served}
	x.Routes = plan.routes()
	return x, nil
}

// effectiveServices are the recorded services with the one that web has by
// default, by process type.
func effectiveServices(a platform.App, e Edge, web bool) []platform.Service {
	list := slices.Clone(e.Services)
	has := slices.ContainsFunc(list, func(s platform.Service) bool { return s.Ptype == platform.WebPtype })
	if web && !has {
		list = append(list, defaultService(a))
	}
	slices.SortFunc(list, func(a, b platform.Service) int {
		switch { // web first, as lists show it
		case a.Ptype == b.Ptype:
			return 0
		case a.Ptype == platform.WebPtype || b.Ptype != platform.WebPtype && a.Ptype < b.Ptype:
			return -1
		}
		return 1
	})
	return list
}

func defaultService(a platform.App) platform.Service {
	return platform.Service{
		App: a.ID, Ptype: platform.WebPtype, Created: a.Created, Updated: a.Created,
		Ports: []platform.ServicePort{{Port: webPort, Protocol: platform.ProtocolTCP}},
	}
}

// effectiveGateways are the recorded gateways with the app's own in front.
func (c *Controller) effectiveGateways(a platform.App, e Edge) []platform.Gateway {
	own := platform.Gateway{App: a.ID, Name: a.ID, Created: a.Created, Updated: a.Created}
	for _, protocol := range []string{platform.ProtocolHTTP, platform.ProtocolHTTPS} {
		if port := c.edge.port(protocol); port > 0 {
			own.Ports = append(own.Ports, platform.GatewayPort{Port: port, Protocol: protocol})
		}
	}
	list := []platform.Gateway{own}
	for _, g := range e.Gateways {
		if g.Name == a.ID {
			list[0] = g
		} else {
			list = append(list, g)
		}
	}
	return list
}

// effectiveRoutes are the recorded routes after those that services have by
// themselves: web's, and that of every other process type which has a domain
// and a service but no route of a user's.
func (c *Controller) effectiveRoutes(a platform.App, e Edge, services []platform.Service) []platform.Route {
	gateway := c.effectiveGateways(a, e)[0]
	var list []platform.Route
	for _, s := range services {
		own := slices.ContainsFunc(e.Routes, func(r platform.Route) bool { return r.Name == s.Name() })
		taken := slices.ContainsFunc(e.Routes, func(r platform.Route) bool { return refersTo(r, s.Name()) })
		named := slices.ContainsFunc(e.Domains, func(d platform.Domain) bool { return d.Ptype == s.Ptype })
		if own || s.Ptype != platform.WebPtype && (taken || !named) {
			continue
		}
		port, ok := mainPort(s)
		if !ok {
			continue
		}
		r := platform.Route{App: a.ID, Name: s.Name(), Kind: platform.HTTPRoute, Created: s.Created, Updated: s.Updated}
		for _, p := range gateway.Ports {
			if !slices.Contains(platform.RouteProtocols(platform.HTTPRoute), p.Protocol) {
				continue
			}
			r.Parents = append(r.Parents, platform.ParentRef{Name: gateway.Name, Port: p.Port})
		}
		weight := fullWeight
		r.Rules = []platform.RouteRule{{Backends: []platform.Backend{{Service: s.Name(), Port: port, Weight: &weight}}}}
		list = append(list, r)
	}
	return append(list, e.Routes...)
}

// mainPort is the port of a service that a default route leads to.
func mainPort(s platform.Service) (int, bool) {
	if p, ok := s.Find(webPort, platform.ProtocolTCP); ok {
		return p.Port, true
	}
	for _, p := range s.Ports {
		if p.Protocol == platform.ProtocolTCP {
			return p.Port, true
		}
	}
	return 0, false
}

func refersTo(r platform.Route, service string) bool {
	return slices.ContainsFunc(r.Rules, func(rule platform.RouteRule) bool {
		return slices.ContainsFunc(rule.Backends, func(b platform.Backend) bool { return b.Service == service })
	})
}
