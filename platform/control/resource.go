package control

import (
	"context"
	"maps"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

// maxResources bounds the resources of one app; they are all looked at when
// one changes.
const maxResources = 100

// ListCatalogServices lists what the catalog offers.
func (c *Controller) ListCatalogServices(ctx context.Context, p Page) ([]platform.ResourceService, int, error) {
	all, err := c.catalog.Services(ctx)
	return cut(all, p), len(all), err
}

// ListPlans lists the plans of a service, which is given by name or id.
func (c *Controller) ListPlans(ctx context.Context, service string, p Page) ([]platform.ResourcePlan, int, error) {
	all, err := c.catalog.Plans(ctx, service)
	return cut(all, p), len(all), err
}

// cut is one page of a list.
func cut[T any](all []T, p Page) []T {
	limit := p.Limit
	if limit <= 0 {
		limit = 100
	}
	from := min(max(p.Offset, 0), len(all))
	return all[from:min(from+limit, len(all))]
}

// ListResources lists an app's resources by name.
func (c *Controller) ListResources(ctx context.Context, actor Actor, app string, p Page) ([]platform.Resource, int, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return nil, 0, err
	}
	return c.store.ListResources(ctx, app, p)
}

// FindResource finds a resource of an app.
func (c *Controller) FindResource(ctx context.Context, actor Actor, app, name string) (platform.Resource, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return platform.Resource{}, err
	}
	return c.store.FindResource(ctx, app, name)
}

// CreateResource records a resource; the queue has the catalog make it.
func (c *Controller) CreateResource(ctx context.Context, actor Actor, app string, n NewResource) (platform.Resource, error) {
	if err := c.checkResource(n); err != nil {
		return platform.Resource{}, err
	}
	_, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return platform.Resource{}, err
	}
	defer unlock()
	if _, err := c.offered(ctx, n.Plan); err != nil {
		return platform.Resource{}, err
	}
	have, total, err := c.store.ListResources(ctx, app, Page{Limit: maxResources})
	switch {
	case err != nil:
		return platform.Resource{}, err
	case total >= maxResources:
		return platform.Resource{}, platform.Errorf(platform.Invalid, "an app has at most %d resources", maxResources)
	case slices.ContainsFunc(have, func(r platform.Resource) bool { return r.Name == n.Name }):
		return platform.Resource{}, platform.FieldErrorf("name", "Resource with this name already exists.")
	}
	now := c.now()
	r := platform.Resource{
		UUID: newUUID(), App: app, Owner: actor.User.Username, Name: n.Name, Plan: n.Plan, Options: n.Options,
		Status: platform.ResourceProvisioning, Created: now, Updated: now,
	}
	if _, err := c.store.AddWork(ctx, Work{App: app, Kind: WorkResources}); err != nil {
		return platform.Resource{}, err
	}
	if err := c.store.CreateResource(ctx, r); err != nil {
		return platform.Resource{}, err
	}
	c.queue.add(app)
	return r, nil
}

func (c *Controller) checkResource(n NewResource) error {
	if err := platform.ValidateResourceName(n.Name); err != nil {
		return err
	}
	if err := c.reserved.Check("name", n.Name); err != nil {
		return err
	}
	if _, _, err := platform.SplitPlan(n.Plan); err != nil {
		return err
	}
	return platform.ValidateOptions(n.Options)
}

// offered finds the service of a plan that the catalog has.
func (c *Controller) offered(ctx context.Context, plan string) (platform.ResourceService, error) {
	name, want, err := platform.SplitPlan(plan)
	if err != nil {
		return platform.ResourceService{}, err
	}
	services, err := c.catalog.Services(ctx)
	if err != nil {
		return platform.ResourceService{}, err
	}
	i := slices.IndexFunc(services, func(s platform.ResourceService) bool { return s.Name == name })
	if i < 0 {
		return platform.ResourceService{}, platform.FieldErrorf("plan", "The service %s is not offered here; /v2/resources/services/ lists what is.", name)
	}
	plans, err := c.catalog.Plans(ctx, name)
	if err != nil {
		return platform.ResourceService{}, err
	}
	if !slices.ContainsFunc(plans, func(p platform.ResourcePlan) bool { return p.Name == want }) {
		return platform.ResourceService{}, platform.FieldErrorf("plan", "The service %s has no plan %s; /v2/resources/services/%s/plans/ lists what it has.", name, want, name)
	}
	return services[i], nil
}

// changeResource holds the app while change edits one of its resources, which
// nothing else may be doing, and hands it to the queue.
func (c *Controller) changeResource(ctx context.Context, actor Actor, app, name, action string, need platform.Role,
	change func(a platform.App, r *platform.Resource) error,
) (platform.Resource, error) {
	a, unlock, err := c.hold(ctx, actor, app, need)
	if err != nil {
		return platform.Resource{}, err
	}
	defer unlock()
	r, err := c.store.FindResource(ctx, app, name)
	if err != nil {
		return platform.Resource{}, err
	}
	if r.Busy() {
		return platform.Resource{}, platform.Errorf(platform.Conflict, "resource %s is not done with the last change; try again in a moment", name)
	}
	if err := change(a, &r); err != nil {
		return platform.Resource{}, err
	}
	if _, err := c.store.AddWork(ctx, Work{App: app, Kind: WorkResources}); err != nil {
		return platform.Resource{}, err
	}
	r.Message, r.Updated = "", c.now()
	if err := c.store.SaveResource(ctx, r, action); err != nil {
		return platform.Resource{}, err
	}
	c.queue.add(app)
	return r, nil
}

// UpdateResource records another plan, or other options; the queue has the
// catalog change it.
func (c *Controller) UpdateResource(ctx context.Context, actor Actor, app, name string, ch ResourceChange) (platform.Resource, error) {
	if err := platform.ValidateOptions(ch.Options); err != nil {
		return platform.Resource{}, err
	}
	return c.changeResource(ctx, actor, app, name, "update", platform.Member, func(a platform.App, r *platform.Resource) error {
		return c.replan(ctx, a, r, ch)
	})
}

func (c *Controller) replan(ctx context.Context, a platform.App, r *platform.Resource, ch ResourceChange) error {
	if ch.Plan == "" {
		ch.Plan = r.Plan
	}
	if ch.Options == nil {
		ch.Options = r.Options
	}
	if ch.Plan == r.Plan && maps.Equal(ch.Options, r.Options) && r.Status == platform.ResourceReady {
		return platform.Errorf(platform.Conflict, "%s changed nothing", a.Workspace)
	}
	service, err := c.offered(ctx, ch.Plan)
	if err != nil {
		return err
	}
	was, _, err := platform.SplitPlan(r.Plan)
	switch {
	case err != nil:
		return err
	case was != service.Name:
		return platform.FieldErrorf("plan", "A resource can't become another service: %s is a %s.", r.Name, was)
	case !service.Updateable:
		return platform.FieldErrorf("plan", "The service %s can't change the plan of a resource; make another one.", was)
	}
	r.Plan, r.Options, r.Status = ch.Plan, ch.Options, platform.ResourceUpdating
	return nil
}

// PutResource creates the resource name, or changes the one of that name; the
// second result tells which. Another name in n is Invalid.
func (c *Controller) PutResource(ctx context.Context, actor Actor, app, name string, n NewResource) (platform.Resource, bool, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Member); err != nil {
		return platform.Resource{}, false, err
	}
	if n.Name != "" && n.Name != name {
		return platform.Resource{}, false, platform.FieldErrorf("name", "The name of an addon can't be changed.")
	}
	n.Name = name
	switch _, err := c.FindResource(ctx, actor, app, n.Name); {
	case err == nil:
		r, err := c.UpdateResource(ctx, actor, app, n.Name, ResourceChange{Plan: n.Plan, Options: n.Options})
		return r, false, err
	case platform.CodeOf(err) != platform.NotFound:
		return platform.Resource{}, false, err
	}
	r, err := c.CreateResource(ctx, actor, app, n)
	return r, true, err
}

// BindResource has the catalog make credentials, which go into the config of
// the app and with it into a new release.
func (c *Controller) BindResource(ctx context.Context, actor Actor, app, name string) (platform.Resource, error) {
	return c.changeResource(ctx, actor, app, name, "bind", platform.Member, func(_ platform.App, r *platform.Resource) error {
		switch {
		case r.Binding == platform.ResourceReady:
			return platform.Errorf(platform.Conflict, "resource %s is bound already", name)
		case r.Status != platform.ResourceReady:
			return platform.Errorf(platform.Invalid, "resource %s can't be bound: it is %s", name, r.Status)
		}
		r.Binding = platform.ResourceBinding
		return nil
	})
}

// UnbindResource takes the credentials out of the config again, which makes a
// release, and has the catalog make them worthless.
func (c *Controller) UnbindResource(ctx context.Context, actor Actor, app, name string) (platform.Resource, error) {
	return c.changeResource(ctx, actor, app, name, "unbind", platform.Member, func(_ platform.App, r *platform.Resource) error {
		if r.Binding == "" {
			return platform.Errorf(platform.Invalid, "resource %s is not bound", name)
		}
		r.Binding = platform.ResourceUnbinding
		return nil
	})
}

// DestroyResource records that a resource goes with its data; the queue has
// the catalog remove it. A bound one is Invalid.
func (c *Controller) DestroyResource(ctx context.Context, actor Actor, app, name string) error {
	_, err := c.changeResource(ctx, actor, app, name, "destroy", platform.Admin, func(_ platform.App, r *platform.Resource) error {
		if r.Binding != "" {
			return platform.Errorf(platform.Invalid, "resource %s is bound; unbind it first", name)
		}
		r.Status = platform.ResourceDeleting
		return nil
	})
	return err
}

// checkNoResources keeps an app from being deleted while it has resources:
// they hold data, and the catalog would keep them for nobody.
func (c *Controller) checkNoResources(ctx context.Context, app string) error {
	list, _, err := c.store.ListResources(ctx, app, Page{Limit: 1})
	if err != nil {
		return err
	}
	if len(list) > 0 {
		return platform.Errorf(platform.Invalid, "%s has resources, such as %s; unbind and destroy them first", app, list[0].Name)
	}
	return nil
}
