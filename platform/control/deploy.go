package control

import (
	"cmp"
	"context"

	"github.com/slipway-paas/slipway/platform"
)

const (
	maxStack      = 32
	maxSHA        = 64
	maxProcfile   = 256 << 10 // bytes of all commands
	maxDryccfile  = 1 << 20
	maxDockerfile = 1 << 20
)

// Deploy records a build and a release of it, which the queue then brings to
// the cluster; it returns before that. Bad input is Invalid; an image that
// does not exist shows on the release.
func (c *Controller) Deploy(ctx context.Context, actor Actor, app string, n NewBuild) (platform.Build, error) {
	d, err := c.checkBuild(n)
	if err != nil {
		return platform.Build{}, err
	}
	a, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return platform.Build{}, err
	}
	defer unlock()
	base, err := c.latest(ctx, app)
	if err != nil {
		return platform.Build{}, err
	}
	if n.Procfile, err = c.procfile(ctx, base, n); err != nil {
		return platform.Build{}, err
	}
	now := c.now()
	b := platform.Build{
		UUID: cmp.Or(n.run, newUUID()), App: app, Image: n.Image, Stack: n.Stack, SHA: n.SHA, Procfile: n.Procfile,
		Dockerfile: n.Dockerfile, Dryccfile: n.Dryccfile, Created: now, Updated: now,
	}
	r := platform.Release{
		UUID: newUUID(), App: app, State: platform.ReleasePending, Summary: platform.SummaryBuild(a.Workspace, b),
		Config: base.Config, Build: b.UUID, Created: now, Updated: now,
	}
	if r.DeployedPtypes, err = b.Ptypes(); err != nil {
		return platform.Build{}, err
	}
	cfg, err := c.settle(ctx, d, base.Config)
	if err != nil {
		return platform.Build{}, err
	}
	if cfg != nil {
		cfg.App, cfg.Created, cfg.Updated = app, now, now
		r.Config = cfg.UUID
	}
	if _, err := c.store.AddRelease(ctx, r, &b, cfg); err != nil {
		return platform.Build{}, err
	}
	c.entered(r.State)
	c.queue.add(app)
	return b, nil
}

// settle makes the config that a build's own description replaces the old one
// with; nil when the build describes none.
func (c *Controller) settle(ctx context.Context, d *platform.Dryccfile, base string) (*platform.Config, error) {
	if d == nil {
		return nil, nil
	}
	old, err := c.store.FindConfig(ctx, base)
	if err != nil {
		return nil, err
	}
	cfg := d.Settle(old)
	cfg.UUID = newUUID()
	return &cfg, checkSize(cfg)
}

func (c *Controller) checkBuild(n NewBuild) (*platform.Dryccfile, error) {
	if n.Stack == "" {
		return nil, platform.FieldErrorf("stack", "This field may not be blank.")
	}
	for _, f := range []struct {
		name string
		size int
		max  int
	}{
		{"stack", len(n.Stack), maxStack}, {"sha", len(n.SHA), maxSHA},
		{"dockerfile", len(n.Dockerfile), maxDockerfile}, {"dryccfile", len(n.Dryccfile), maxDryccfile},
	} {
		if f.size > f.max {
			return nil, platform.FieldErrorf(f.name, "Ensure this field has no more than %d characters.", f.max)
		}
	}
	if err := c.checkImage(n, n.Image); err != nil {
		return nil, err
	}
	if err := platform.ValidateProcfile(n.Procfile); err != nil {
		return nil, err
	}
	total := 0
	for ptype, command := range n.Procfile {
		if err := c.reserved.Check("procfile", ptype); err != nil {
			return nil, err
		}
		total += len(ptype) + len(command)
	}
	if total > maxProcfile {
		return nil, platform.FieldErrorf("procfile", "Ensure this field has no more than %d characters.", maxProcfile)
	}
	return c.checkDryccfile(n)
}

func (c *Controller) checkDryccfile(n NewBuild) (*platform.Dryccfile, error) {
	d, err := platform.ParseDryccfile(n.Dryccfile)
	if d == nil || err != nil {
		return nil, err
	}
	for _, p := range d.Pipelines {
		if err := c.reserved.Check("dryccfile", p.Ptype); err != nil {
			return nil, err
		}
		b := platform.Build{Image: n.Image, Dryccfile: n.Dryccfile}
		l, err := b.Launch(p.Ptype)
		if err != nil {
			return nil, err
		}
		if err := c.checkImage(n, l.Image); err != nil {
			return nil, err
		}
		step, err := b.RunStep(p.Ptype)
		if err != nil {
			return nil, err
		}
		if step == nil {
			continue
		}
		if err := c.checkImage(n, step.Image); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// FindBuild returns the build of a release, version 0 being the latest. A
// release without build gives an empty Build.
func (c *Controller) FindBuild(ctx context.Context, actor Actor, app string, version int) (platform.Build, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return platform.Build{}, err
	}
	r, err := c.release(ctx, app, version)
	if err != nil || r.Build == "" {
		return platform.Build{}, err
	}
	return c.store.FindBuild(ctx, r.Build)
}

// latest is the release that changes start from: the newest that did not fail,
// or simply the newest when autorollback is off.
func (c *Controller) latest(ctx context.Context, app string) (platform.Release, error) {
	s, err := c.store.FindSettings(ctx, app)
	if err != nil {
		return platform.Release{}, err
	}
	return c.store.LatestRelease(ctx, app, ReleaseQuery{NotFailed: s.Autorollback})
}

// release finds by version, 0 being the latest.
func (c *Controller) release(ctx context.Context, app string, version int) (platform.Release, error) {
	if version == 0 {
		return c.latest(ctx, app)
	}
	return c.store.FindRelease(ctx, app, version)
}
