package control

import (
	"context"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

// Addresses are where the gateway takes requests from outside.
func (c *Controller) Addresses() []platform.Address { return c.edge.Addresses() }

// ListGateways lists the gateways of an app, its own in front.
func (c *Controller) ListGateways(ctx context.Context, actor Actor, app string, p Page) ([]platform.Gateway, int, error) {
	a, err := c.appFor(ctx, actor, app, platform.Viewer)
	if err != nil {
		return nil, 0, err
	}
	e, err := c.store.FindEdge(ctx, app)
	if err != nil {
		return nil, 0, err
	}
	all := c.effectiveGateways(a, e)
	return paged(all, p), len(all), nil
}

// FindGateway finds a gateway by name.
func (c *Controller) FindGateway(ctx context.Context, actor Actor, app, name string) (platform.Gateway, error) {
	a, err := c.appFor(ctx, actor, app, platform.Viewer)
	if err != nil {
		return platform.Gateway{}, err
	}
	e, err := c.store.FindEdge(ctx, app)
	if err != nil {
		return platform.Gateway{}, err
	}
	g, ok := c.gateway(a, e, name)
	if !ok {
		return g, noMatch("Gateway")
	}
	return g, nil
}

func (c *Controller) gateway(a platform.App, e Edge, name string) (platform.Gateway, bool) {
	list := c.effectiveGateways(a, e)
	i := slices.IndexFunc(list, func(g platform.Gateway) bool { return g.Name == name })
	if i < 0 {
		return platform.Gateway{}, false
	}
	return list[i], true
}

// checkEdgeName checks the name of a gateway or route, which may be that of
// something that the app has by itself.
func (c *Controller) checkEdgeName(app, name string) error {
	if name == app {
		return nil
	}
	if err := platform.ValidateEdgeName(name); err != nil {
		return err
	}
	return c.reserved.Check("name", name)
}

// SaveGateway makes a gateway or gives it other ports, and reports whether it
// is new; without ports it is deleted. Ports that the platform does not have
// open are Invalid.
func (c *Controller) SaveGateway(ctx context.Context, actor Actor, app, name string, ports []platform.GatewayPort) (platform.Gateway, bool, error) {
	return c.changeGateway(ctx, actor, app, name, func(platform.Gateway) []platform.GatewayPort { return ports })
}

// AddGatewayPort opens one more port of a gateway, which is made if need be.
func (c *Controller) AddGatewayPort(ctx context.Context, actor Actor, app, name string, port platform.GatewayPort) (platform.Gateway, bool, error) {
	return c.changeGateway(ctx, actor, app, name, func(g platform.Gateway) []platform.GatewayPort {
		return append(slices.Clone(g.Ports), port)
	})
}

func (c *Controller) changeGateway(ctx context.Context, actor Actor, app, name string, ports func(platform.Gateway) []platform.GatewayPort) (platform.Gateway, bool, error) {
	a, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return platform.Gateway{}, false, err
	}
	defer unlock()
	if err := c.checkEdgeName(app, name); err != nil {
		return platform.Gateway{}, false, err
	}
	e, err := c.store.FindEdge(ctx, app)
	if err != nil {
		return platform.Gateway{}, false, err
	}
	g, found := c.gateway(a, e, name)
	now := c.now()
	if !found {
		g = platform.Gateway{App: app, Name: name, Created: now}
	}
	if g.Ports = ports(g); len(g.Ports) == 0 {
		return g, false, c.dropGateway(ctx, e, app, name)
	}
	if err := platform.ValidateGatewayPorts(g.Ports, c.edge.Ports); err != nil {
		return g, false, err
	}
	if err := checkCount(len(e.Gateways), found, "gateways"); err != nil {
		return g, false, err
	}
	g.Updated = now
	err = c.changeEdge(ctx, app, func() (err error) { g, err = c.store.SaveGateway(ctx, g); return err })
	return g, !found, err
}

// checkCount bounds how many of a kind an app may have.
func checkCount(have int, found bool, what string) error {
	const most = 100
	if !found && have >= most {
		return platform.Errorf(platform.Invalid, "an app has at most %d %s", most, what)
	}
	return nil
}

// DeleteGateway removes a gateway. Routes lose it; the app's own goes back to
// the ports that it has by itself.
func (c *Controller) DeleteGateway(ctx context.Context, actor Actor, app, name string) error {
	_, unlock, err := c.hold(ctx, actor, app, platform.Admin)
	if err != nil {
		return err
	}
	defer unlock()
	e, err := c.store.FindEdge(ctx, app)
	if err != nil {
		return err
	}
	return c.dropGateway(ctx, e, app, name)
}

func (c *Controller) dropGateway(ctx context.Context, e Edge, app, name string) error {
	if !slices.ContainsFunc(e.Gateways, func(g platform.Gateway) bool { return g.Name == name }) {
		if name == app {
			return platform.Errorf(platform.Invalid, "the app's own gateway stays; to take the app off the network outside, disable its routing")
		}
		return noMatch("Gateway")
	}
	return c.changeEdge(ctx, app, func() error { return c.store.DeleteGateway(ctx, app, name, c.now()) })
}

// RemoveGatewayPort closes one port of a gateway, which goes with its last one.
func (c *Controller) RemoveGatewayPort(ctx context.Context, actor Actor, app, name string, port platform.GatewayPort) error {
	a, unlock, err := c.hold(ctx, actor, app, platform.Admin)
	if err != nil {
		return err
	}
	defer unlock()
	e, err := c.store.FindEdge(ctx, app)
	if err != nil {
		return err
	}
	g, found := c.gateway(a, e, name)
	if !found || !slices.Contains(g.Ports, port) {
		return noMatch("Gateway")
	}
	g.Ports = slices.DeleteFunc(slices.Clone(g.Ports), func(p platform.GatewayPort) bool { return p == port })
	g.Updated = c.now()
	switch {
	case len(g.Ports) > 0:
		return c.changeEdge(ctx, app, func() error { _, err := c.store.SaveGateway(ctx, g); return err })
	case name == app:
		return platform.Errorf(platform.Invalid, "the last port of the app's own gateway stays; to take the app off the network outside, disable its routing")
	}
	return c.changeEdge(ctx, app, func() error { return c.store.DeleteGateway(ctx, app, name, c.now()) })
}
