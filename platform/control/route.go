package control

import (
	"context"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

// ListRoutes lists the routes of an app: those that its services have by
// themselves, then users'.
func (c *Controller) ListRoutes(ctx context.Context, actor Actor, app string, p Page) ([]platform.Route, int, error) {
	a, err := c.appFor(ctx, actor, app, platform.Viewer)
	if err != nil {
		return nil, 0, err
	}
	all, _, err := c.routesOf(ctx, a)
	return paged(all, p), len(all), err
}

func (c *Controller) routesOf(ctx context.Context, a platform.App) ([]platform.Route, Edge, error) {
	e, err := c.store.FindEdge(ctx, a.ID)
	return c.effectiveRoutes(a, e, effectiveServices(a, e, hasWeb(a))), e, err
}

// FindRoute finds a route by name.
func (c *Controller) FindRoute(ctx context.Context, actor Actor, app, name string) (platform.Route, error) {
	a, err := c.appFor(ctx, actor, app, platform.Viewer)
	if err != nil {
		return platform.Route{}, err
	}
	all, _, err := c.routesOf(ctx, a)
	if err != nil {
		return platform.Route{}, err
	}
	i := slices.IndexFunc(all, func(r platform.Route) bool { return r.Name == name })
	if i < 0 {
		return platform.Route{}, noMatch("Route")
	}
	return all[i], nil
}

// NewRoute is what SaveRoute needs. Backends may name a service or the process
// type that has it.
type NewRoute struct {
	Name    string
	Kind    string
	Parents []platform.ParentRef
	Rules   []platform.RouteRule
}

// SaveRoute makes a route or replaces one, and reports whether it is new;
// without rules it is deleted.
// Backends that the app does not have are left out.
func (c *Controller) SaveRoute(ctx context.Context, actor Actor, app string, n NewRoute) (platform.Route, bool, error) {
	a, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return platform.Route{}, false, err
	}
	defer unlock()
	if err := c.checkEdgeName(app, n.Name); err != nil {
		return platform.Route{}, false, err
	}
	all, e, err := c.routesOf(ctx, a)
	if err != nil {
		return platform.Route{}, false, err
	}
	now := c.now()
	r := platform.Route{App: app, Name: n.Name, Kind: n.Kind, Parents: n.Parents, Rules: n.Rules, Created: now, Updated: now}
	i := slices.IndexFunc(all, func(r platform.Route) bool { return r.Name == n.Name })
	if i >= 0 {
		r.ID, r.Created = all[i].ID, all[i].Created
		if r.Kind != all[i].Kind {
			return r, false, platform.FieldErrorf("kind", "%s is a %s, which cannot be changed: remove it first.", r.Name, all[i].Kind)
		}
	}
	if len(r.Rules) == 0 {
		return r, false, c.dropRoute(ctx, all, e, app, n.Name)
	}
	if err := platform.ValidateRoute(r, c.edge.Ports); err != nil {
		return r, false, err
	}
	if r.Rules, err = knownBackends(a, e, r); err != nil {
		return r, false, err
	}
	if err := c.checkParents(a, e, r); err != nil {
		return r, false, err
	}
	if err := checkCount(len(e.Routes), i >= 0, "routes"); err != nil {
		return r, false, err
	}
	err = c.changeEdge(ctx, app, func() (err error) { r, err = c.store.SaveRoute(ctx, r); return err })
	return r, i < 0, err
}

// checkParents checks that the gateways of a route are there, speak its
// protocol, and are free for it.
func (c *Controller) checkParents(a platform.App, e Edge, r platform.Route) error {
	for _, p := range r.Parents {
		g, ok := c.gateway(a, e, p.Name)
		if !ok {
			return platform.Errorf(platform.Invalid, "this gateway %s does not exist", clipName(p.Name))
		}
		if !slices.ContainsFunc(g.Ports, func(have platform.GatewayPort) bool {
			return have.Port == p.Port && slices.Contains(platform.RouteProtocols(r.Kind), have.Protocol)
		}) {
			return platform.Errorf(platform.Invalid, "listener does not exist, please add gateway listener first.")
		}
		if err := c.checkStream(a, e, r, p.Port); err != nil {
			return err
		}
	}
	return nil
}

// checkStream checks that a port can tell the connections of a route: by the
// port itself, which is then for one route, or by host names, which have to be
// others than web's where web answers too.
func (c *Controller) checkStream(a platform.App, e Edge, r platform.Route, port int) error {
	switch r.Kind {
	case platform.TCPRoute:
		if slices.ContainsFunc(e.Routes, func(other platform.Route) bool {
			return other.Name != r.Name && other.Kind == r.Kind &&
				slices.ContainsFunc(other.Parents, func(p platform.ParentRef) bool { return p.Port == port })
		}) {
			return platform.Errorf(platform.Invalid, "this listener has already been referenced")
		}
	case platform.TLSRoute:
		plan := routePlan{c: c, app: a, edge: e, services: effectiveServices(a, e, true)}
		if _, own := plan.hosts(ptypesOf(r, plan.services)); !own && port == c.edge.port(platform.ProtocolHTTPS) {
			return platform.FieldErrorf("parent_refs", "On port %d a TLSRoute needs host names of its own: add a domain to its process type first.", port)
		}
	}
	return nil
}

// clipName keeps a name that a user made up short enough for a message.
func clipName(name string) string { return name[:min(len(name), 63)] }

// knownBackends returns the rules with the backends that the app has, by the
// names of their services. A rule that loses all is refused.
func knownBackends(a platform.App, e Edge, r platform.Route) ([]platform.RouteRule, error) {
	services := effectiveServices(a, e, true)
	var rules []platform.RouteRule
	for _, rule := range r.Rules {
		var known []platform.Backend
		for _, b := range rule.Backends {
			i := slices.IndexFunc(services, func(s platform.Service) bool { return s.Name() == b.Service })
			if i < 0 {
				i = slices.IndexFunc(services, func(s platform.Service) bool { return s.Ptype == b.Service })
			}
			if i < 0 {
				continue
			}
			if _, ok := services[i].Find(b.Port, platform.ProtocolTCP); ok {
				b.Service = services[i].Name()
				known = append(known, b)
			}
		}
		if len(known) == 0 && len(rule.Backends) > 0 {
			return nil, platform.Errorf(platform.Invalid, "route %s no available backend", r.Name)
		}
		rule.Backends = known
		rules = append(rules, rule)
	}
	return rules, nil
}

// DeleteRoute removes a route. What a service has by itself stays; one that
// was changed goes back to that.
func (c *Controller) DeleteRoute(ctx context.Context, actor Actor, app, name string) error {
	a, unlock, err := c.hold(ctx, actor, app, platform.Admin)
	if err != nil {
		return err
	}
	defer unlock()
	all, e, err := c.routesOf(ctx, a)
	if err != nil {
		return err
	}
	return c.dropRoute(ctx, all, e, app, name)
}

func (c *Controller) dropRoute(ctx context.Context, all []platform.Route, e Edge, app, name string) error {
	named := func(r platform.Route) bool { return r.Name == name }
	switch {
	case slices.ContainsFunc(e.Routes, named):
		return c.changeEdge(ctx, app, func() error { return c.store.DeleteRoute(ctx, app, name, c.now()) })
	case slices.ContainsFunc(all, named):
		return platform.Errorf(platform.Invalid, "%s is the route that its service has by itself: it stays; to take the app off the network outside, disable its routing", name)
	}
	return noMatch("Route")
}

// AttachRoute lets a route take requests at one more port of a gateway.
func (c *Controller) AttachRoute(ctx context.Context, actor Actor, app, name string, parent platform.ParentRef) error {
	return c.changeParents(ctx, actor, app, name, platform.Member, func(r platform.Route) ([]platform.ParentRef, error) {
		if slices.Contains(r.Parents, parent) {
			return nil, platform.Errorf(platform.Conflict, "%s is attached to %s:%d already", name, parent.Name, parent.Port)
		}
		return append(slices.Clone(r.Parents), parent), nil
	})
}

// DetachRoute ends that a route takes requests at a port of a gateway. It has
// to keep one.
func (c *Controller) DetachRoute(ctx context.Context, actor Actor, app, name string, parent platform.ParentRef) error {
	return c.changeParents(ctx, actor, app, name, platform.Member, func(r platform.Route) ([]platform.ParentRef, error) {
		if !slices.Contains(r.Parents, parent) {
			return nil, noMatch("Gateway")
		}
		return slices.DeleteFunc(slices.Clone(r.Parents), func(p platform.ParentRef) bool { return p == parent }), nil
	})
}

func (c *Controller) changeParents(ctx context.Context, actor Actor, app, name string, need platform.Role,
	change func(platform.Route) ([]platform.ParentRef, error)) error {
	a, unlock, err := c.hold(ctx, actor, app, need)
	if err != nil {
		return err
	}
	defer unlock()
	all, e, err := c.routesOf(ctx, a)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(r platform.Route) bool { return r.Name == name })
	if i < 0 {
		return noMatch("Route")
	}
	r := all[i]
	if r.Parents, err = change(r); err != nil {
		return err
	}
	if err := platform.ValidateRoute(r, c.edge.Ports); err != nil {
		return err
	}
	if err := c.checkParents(a, e, r); err != nil {
		return err
	}
	r.Updated = c.now()
	return c.changeEdge(ctx, app, func() error { _, err := c.store.SaveRoute(ctx, r); return err })
}
