package control

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
)

// FindConfig returns the config of a release, version 0 being the latest.
func (c *Controller) FindConfig(ctx context.Context, actor Actor, app string, version int) (platform.Config, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return platform.Config{}, err
	}
	r, err := c.release(ctx, app, version)
	if err != nil {
		return platform.Config{}, err
	}
	return c.store.FindConfig(ctx, r.Config)
}

// ChangeConfig makes a new config and a release of it. With merge false the
// values of every process type and group that the change names are dropped
// first. A change without effect is a Conflict; taking away what is not there
// is Unprocessable.
func (c *Controller) ChangeConfig(ctx context.Context, actor Actor, app string, ch ConfigChange, merge bool) (platform.Config, error) {
	return c.reconfigure(ctx, actor, app, platform.Member, func(a platform.App, old platform.Config) (platform.Config, []platform.FieldChange, error) {
		cfg, changes, err := c.mergeConfig(a, old, ch, merge)
		if err != nil {
			return cfg, nil, err
		}
		return cfg, changes, c.checkTags(ctx, old, cfg)
	})
}

// DetachConfig takes groups away from process types and makes a release of it.
func (c *Controller) DetachConfig(ctx context.Context, actor Actor, app string, refs map[string][]string) error {
	empty := len(refs) == 0
	for ptype, groups := range refs {
		empty = empty || ptype == "" || len(groups) == 0
	}
	if empty {
		return platform.Errorf(platform.Invalid, "ptype or groups is required")
	}
	_, err := c.reconfigure(ctx, actor, app, platform.Admin, func(_ platform.App, old platform.Config) (platform.Config, []platform.FieldChange, error) {
		m := merger{out: cloneConfig(old)}
		err := m.detach(refs)
		return m.out, m.changes, err
	})
	return err
}

type configEdit func(a platform.App, old platform.Config) (platform.Config, []platform.FieldChange, error)

// reconfigure holds the app's records from reading the latest config to
// writing the release, so that changes made at the same time all count.
func (c *Controller) reconfigure(ctx context.Context, actor Actor, app string, need platform.Role, edit configEdit) (platform.Config, error) {
	a, unlock, err := c.hold(ctx, actor, app, need)
	if err != nil {
		return platform.Config{}, err
	}
	defer unlock()
	return c.reconfigureHeld(ctx, a, edit)
}

// reconfigureHeld is reconfigure for who holds the app's records.
func (c *Controller) reconfigureHeld(ctx context.Context, a platform.App, edit configEdit) (platform.Config, error) {
	app := a.ID
	base, err := c.latest(ctx, app)
	if err != nil {
		return platform.Config{}, err
	}
	old, err := c.store.FindConfig(ctx, base.Config)
	if err != nil {
		return platform.Config{}, err
	}
	cfg, changes, err := edit(a, old)
	if err != nil {
		return platform.Config{}, err
	}
	if len(changes) == 0 {
		return platform.Config{}, platform.Errorf(platform.Conflict, "%s changed nothing - release stopped", a.Workspace)
	}
	if err := checkSize(cfg); err != nil {
		return platform.Config{}, err
	}
	now := c.now()
	cfg.UUID, cfg.App, cfg.Created, cfg.Updated = newUUID(), app, now, now
	r := platform.Release{
		UUID: newUUID(), App: app, State: platform.ReleasePending, Summary: platform.SummaryConfig(a.Workspace, changes),
		Config: cfg.UUID, Build: base.Build, Created: now, Updated: now,
	}
	if r.DeployedPtypes, err = c.ptypesOf(ctx, base.Build); err != nil {
		return platform.Config{}, err
	}
	if _, err := c.store.AddRelease(ctx, r, nil, &cfg); err != nil {
		return platform.Config{}, err
	}
	c.entered(r.State)
	c.queue.add(app)
	return cfg, nil
}

// ptypesOf lists the process types of a build, none without one.
func (c *Controller) ptypesOf(ctx context.Context, build string) ([]string, error) {
	if build == "" {
		return nil, nil
	}
	b, err := c.store.FindBuild(ctx, build)
	if err != nil {
		return nil, err
	}
	return b.Ptypes()
}

// checkSize keeps a config small enough for the cluster to hold.
func checkSize(cfg platform.Config) error {
	total := 0
	for _, v := range cfg.Values {
		total += len(v.Name) + len(v.Value)
	}
	if total > platform.MaxConfigBytes {
		return platform.FieldErrorf("values", "All values together are longer than %d bytes.", platform.MaxConfigBytes)
	}
	return nil
}
