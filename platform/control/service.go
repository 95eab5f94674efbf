package control

import (
	"context"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

// ListServices lists the services of an app: web's in front, once the app has
// been deployed, then the others by process type. Targets are numbers.
func (c *Controller) ListServices(ctx context.Context, actor Actor, app string) ([]platform.Service, error) {
	a, err := c.appFor(ctx, actor, app, platform.Viewer)
	if err != nil {
		return nil, err
	}
	list, err := c.servicesOf(ctx, a)
	if err != nil {
		return nil, err
	}
	r, err := c.latest(ctx, app)
	if err != nil {
		return nil, err
	}
	cfg, err := c.store.FindConfig(ctx, r.Config)
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		for i := range s.Ports {
			if s.Ports[i].Target == 0 {
				s.Ports[i].Target = cfg.Port(s.Ptype)
			}
		}
	}
	return list, nil
}

// servicesOf are the services as users see them.
func (c *Controller) servicesOf(ctx context.Context, a platform.App) ([]platform.Service, error) {
	e, err := c.store.FindEdge(ctx, a.ID)
	return effectiveServices(a, e, hasWeb(a)), err
}

// hasWeb reports whether a build of the app ever had a web process.
func hasWeb(a platform.App) bool {
	_, ok := a.Structure[platform.WebPtype]
	return ok
}

// AddServicePort opens a port of a process type inside the cluster and reports
// whether that made its service. An open one is Invalid.
func (c *Controller) AddServicePort(ctx context.Context, actor Actor, app, ptype string, port platform.ServicePort) (made bool, err error) {
	if err := c.checkPtype("ptype", ptype); err != nil {
		return false, err
	}
	if err := platform.ValidateServicePort(port); err != nil {
		return false, err
	}
	a, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return false, err
	}
	defer unlock()
	s, found, err := c.serviceOf(ctx, a, ptype)
	if err != nil {
		return false, err
	}
	if _, open := s.Find(port.Port, port.Protocol); open {
		return false, platform.Errorf(platform.Invalid, "port is occupied")
	}
	const most = 64
	if len(s.Ports) >= most {
		return false, platform.Errorf(platform.Invalid, "a service has at most %d ports", most)
	}
	s.Ports = append(slices.Clone(s.Ports), port)
	s.Updated = c.now()
	return !found, c.changeEdge(ctx, app, func() error { return c.store.SaveService(ctx, s) })
}

// serviceOf finds the service of a process type, or begins a new one.
func (c *Controller) serviceOf(ctx context.Context, a platform.App, ptype string) (platform.Service, bool, error) {
	list, err := c.servicesOf(ctx, a)
	if err != nil {
		return platform.Service{}, false, err
	}
	for _, s := range list {
		if s.Ptype == ptype {
			return s, true, nil
		}
	}
	return platform.Service{App: a.ID, Ptype: ptype, Created: c.now()}, false, nil
}

// RemoveServicePort closes a port. The service goes with its last one, but for
// web's, which is the way to the app.
func (c *Controller) RemoveServicePort(ctx context.Context, actor Actor, app, ptype string, port int, protocol string) error {
	a, unlock, err := c.hold(ctx, actor, app, platform.Admin)
	if err != nil {
		return err
	}
	defer unlock()
	s, found, err := c.serviceOf(ctx, a, ptype)
	if err != nil {
		return err
	}
	if _, open := s.Find(port, protocol); !found || !open {
		return noMatch("Service")
	}
	if ptype == platform.WebPtype && len(s.Ports) == 1 {
		return platform.Errorf(platform.Invalid, "the last port of web stays; to take the app off the network outside, disable its routing")
	}
	s.Ports = slices.DeleteFunc(slices.Clone(s.Ports), func(p platform.ServicePort) bool { return p.Port == port && p.Protocol == protocol })
	s.Updated = c.now()
	return c.changeEdge(ctx, app, func() error { return c.store.SaveService(ctx, s) })
}
