package control

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

// serveResources does for every resource of an app what is under way. Rows are
// written when the catalog has answered; a kill in between asks it again.
func (c *Controller) serveResources(ctx context.Context, a platform.App) error {
	work, list, err := c.wantedResources(ctx, a.ID)
	if err != nil || work == 0 {
		return err
	}
	var later error
	for _, r := range list {
		if !r.Busy() {
			continue
		}
		err := c.serveResource(ctx, a, r)
		if err != nil && platform.CodeOf(err) == platform.Unavailable && ctx.Err() == nil {
			later = err // the others need not wait for this one
			continue
		}
		if err != nil {
			return err
		}
	}
	if later != nil {
		return later
	}
	return c.store.DoneWork(ctx, work)
}

// wantedResources reads work and resources as one, for the reason of wantedScale.
func (c *Controller) wantedResources(ctx context.Context, app string) (int64, []platform.Resource, error) {
	unlock, err := c.records.lock(ctx, app)
	if err != nil {
		return 0, nil, err
	}
	defer unlock()
	w, err := c.openWork(ctx, app, WorkResources)
	if err != nil || w == nil {
		return 0, nil, err
	}
	list, _, err := c.store.ListResources(ctx, app, Page{Limit: maxResources})
	return w.ID, list, err
}

func (c *Controller) serveResource(ctx context.Context, a platform.App, r platform.Resource) error {
	service, plan, err := platform.SplitPlan(r.Plan)
	if err != nil {
		return err
	}
	o := ResourceOrder{ID: r.UUID, App: a, Name: r.Name, Service: service, Plan: plan, Options: r.Options}
	state, action := &r.Status, "ready"
	switch {
	case r.Status == platform.ResourceDeleting:
		if err = c.catalog.Deprovision(ctx, o); err == nil {
			return c.store.DeleteResource(ctx, r.UUID)
		}
	case r.Status != platform.ResourceReady && r.Status != platform.ResourceFailed:
		if err = c.catalog.Provision(ctx, o); err == nil {
			r.Status = platform.ResourceReady
		}
	case r.Binding == platform.ResourceBinding:
		state, action = &r.Binding, "bound"
		err = c.bind(ctx, a, &r, o)
	default:
		state, action = &r.Binding, "unbound"
		err = c.unbind(ctx, a, &r, o)
	}
	if err != nil {
		if ctx.Err() != nil || platform.CodeOf(err) == platform.Unavailable {
			return err
		}
		c.log.WithField("app", r.App).WithField("resource", r.Name).WithError(err).Warn("a resource failed")
		*state, r.Message, action = platform.ResourceFailed, failureOf(err), "failed"
	}
	r.Updated = c.now()
	return c.store.SaveResource(ctx, r, action)
}

// failureOf is what of a catalog's error is fit for users.
func failureOf(err error) string {
	var e *platform.Error
	if errors.As(err, &e) && e.Code != platform.Internal {
		return e.Message
	}
	return "the service answered in a way that was not expected; the controller's log says how"
}

// bind gets credentials and puts them into the config. They are recorded
// before that, so that a repetition knows them for its own.
func (c *Controller) bind(ctx context.Context, a platform.App, r *platform.Resource, o ResourceOrder) error {
	data, err := c.catalog.Bind(ctx, o)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if err := platform.ValidateConfigKey(name); err != nil {
			return err
		}
		if err := platform.ValidateConfigValue(name, data[name]); err != nil {
			return err
		}
	}
	unlock, err := c.records.lock(ctx, a.ID)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := c.latestConfig(ctx, a.ID)
	if err != nil {
		return err
	}
	var ch ConfigChange
	have := globals(old)
	for _, name := range slices.Sorted(maps.Keys(data)) {
		was, taken := have[name]
		if known, ours := r.Data[name]; taken && (!ours || was != known) {
			return platform.Errorf(platform.Invalid, "the variable %s is set already; unset it, then unbind and bind the resource again", name)
		}
		value := data[name]
		ch.Values = append(ch.Values, ValueChange{Name: name, Value: &value, Group: platform.GlobalGroup})
	}
	r.Data, r.Updated = data, c.now()
	if err := c.store.SaveResource(ctx, *r, "credentials"); err != nil {
		return err
	}
	if err := c.mergeHeld(ctx, a, ch); err != nil {
		return err
	}
	r.Binding = platform.ResourceReady
	return nil
}

// unbind takes out of the config what bind has put there and nobody has
// changed since, then drops the credentials.
func (c *Controller) unbind(ctx context.Context, a platform.App, r *platform.Resource, o ResourceOrder) error {
	if err := c.takeOut(ctx, a, r.Data); err != nil {
		return err
	}
	if err := c.catalog.Unbind(ctx, o); err != nil {
		return err
	}
	r.Data, r.Binding = nil, ""
	return nil
}

func (c *Controller) takeOut(ctx context.Context, a platform.App, data map[string]string) error {
	unlock, err := c.records.lock(ctx, a.ID)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := c.latestConfig(ctx, a.ID)
	if err != nil {
		return err
	}
	var ch ConfigChange
	have := globals(old)
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if was, there := have[name]; there && was == data[name] {
			ch.Values = append(ch.Values, ValueChange{Name: name, Group: platform.GlobalGroup})
		}
	}
	return c.mergeHeld(ctx, a, ch)
}

// mergeHeld makes a release of a change, none when it changes nothing. The
// caller holds the app's records.
func (c *Controller) mergeHeld(ctx context.Context, a platform.App, ch ConfigChange) error {
	_, err := c.reconfigureHeld(ctx, a, func(a platform.App, old platform.Config) (platform.Config, []platform.FieldChange, error) {
		return c.mergeConfig(a, old, ch, true)
	})
	if platform.CodeOf(err) == platform.Conflict {
		return nil
	}
	return err
}

func (c *Controller) latestConfig(ctx context.Context, app string) (platform.Config, error) {
	r, err := c.latest(ctx, app)
	if err != nil {
		return platform.Config{}, err
	}
	return c.store.FindConfig(ctx, r.Config)
}

// globals are the variables that every process type has.
func globals(cfg platform.Config) map[string]string {
	out := map[string]string{}
	for _, v := range cfg.Values {
		if v.Group == platform.GlobalGroup {
			out[v.Name] = v.Value
		}
	}
	return out
}
