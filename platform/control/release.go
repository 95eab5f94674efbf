package control

import (
	"context"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

const (
	noBuild      = "there are no builds available for deploy"
	pipelineBusy = "there is an executing pipeline, please wait or force deploy"
)

// ListReleases lists newest first those that deployed all of ptypes.
func (c *Controller) ListReleases(ctx context.Context, actor Actor, app string, ptypes []string, p Page) ([]platform.Release, int, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return nil, 0, err
	}
	return c.store.ListReleases(ctx, app, ptypes, p)
}

// FindRelease finds a release, version 0 being the latest.
func (c *Controller) FindRelease(ctx context.Context, actor Actor, app string, version int) (platform.Release, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return platform.Release{}, err
	}
	return c.release(ctx, app, version)
}

// DeployRelease brings the latest release to the cluster, all of it or only
// ptypes. With autodeploy on, what runs already is left alone unless force is
// given. While a release is being deployed it needs force, and then comes
// after that one.
func (c *Controller) DeployRelease(ctx context.Context, actor Actor, app string, ptypes []string, force bool) error {
	_, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return err
	}
	defer unlock()
	r, err := c.latest(ctx, app)
	if err != nil {
		return err
	}
	if r.Build == "" {
		return platform.Errorf(platform.Invalid, noBuild)
	}
	if err := c.checkOffered(ctx, r.Build, ptypes); err != nil {
		return err
	}
	busy, old, err := c.executing(ctx, app)
	if err != nil {
		return err
	}
	if busy && !force {
		return platform.Errorf(platform.Invalid, pipelineBusy)
	}
	if !force {
		if ptypes, err = c.toDeploy(ctx, r, ptypes); err != nil || len(ptypes) == 0 {
			return err
		}
	}
	// A request that waits for the same release is not lost: both are done at once.
	if old != nil && old.Version == r.Version && len(ptypes) > 0 {
		if len(old.Ptypes) == 0 {
			ptypes = nil
		}
		for _, p := range old.Ptypes {
			if !slices.Contains(ptypes, p) {
				ptypes = append(slices.Clone(ptypes), p)
			}
		}
	}
	if _, err := c.store.AddWork(ctx, Work{App: app, Kind: WorkDeploy, Version: r.Version, Ptypes: ptypes}); err != nil {
		return err
	}
	c.queue.add(app)
	return nil
}

// executing reports whether a release is or soon will be deployed, and the
// request to deploy that waits, if any.
func (c *Controller) executing(ctx context.Context, app string) (bool, *Work, error) {
	w, err := c.openWork(ctx, app, WorkDeploy)
	if err != nil || w != nil {
		return w != nil, w, err
	}
	found, err := c.candidates(ctx, app)
	return len(found) > 0, nil, err
}

// checkOffered checks that a build has all of ptypes.
func (c *Controller) checkOffered(ctx context.Context, build string, ptypes []string) error {
	if len(ptypes) == 0 {
		return nil
	}
	offered, err := c.ptypesOf(ctx, build)
	if err != nil {
		return err
	}
	for _, p := range ptypes {
		if !slices.Contains(offered, p) {
			return platform.Errorf(platform.Invalid, "process type %s is not exists", p)
		}
	}
	return nil
}

// Rollback makes a new release with the build and config of version, 0 being
// the newest good one before the latest, and deploys it whether autodeploy is
// on or not; only ptypes when given.
func (c *Controller) Rollback(ctx context.Context, actor Actor, app string, version int, ptypes []string) (platform.Release, error) {
	_, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return platform.Release{}, err
	}
	defer unlock()
	target, err := c.rollbackTarget(ctx, app, version)
	if err != nil {
		return platform.Release{}, err
	}
	if err := c.checkImageThere(ctx, target); err != nil {
		return platform.Release{}, err
	}
	if err := c.checkOffered(ctx, target.Build, ptypes); err != nil {
		return platform.Release{}, err
	}
	if len(ptypes) == 0 {
		if ptypes, err = c.ptypesOf(ctx, target.Build); err != nil {
			return platform.Release{}, err
		}
	}
	now := c.now()
	r, err := c.store.AddRelease(ctx, platform.Release{
		UUID: newUUID(), App: app, Config: target.Config, Build: target.Build, DeployedPtypes: ptypes,
		// Deploying from the start: this one is deployed even with autodeploy off.
		State:   platform.ReleaseDeploying,
		Summary: platform.SummaryRollback(actor.User.Username, target.Version),
		Created: now, Updated: now,
	}, nil, nil)
	if err != nil {
		return platform.Release{}, err
	}
	c.entered(r.State)
	c.queue.add(app)
	return r, nil
}

func (c *Controller) rollbackTarget(ctx context.Context, app string, version int) (platform.Release, error) {
	initial := platform.Errorf(platform.Invalid, "Cannot roll back to initial release.")
	if version < 0 {
		return platform.Release{}, platform.Errorf(platform.Invalid, "version cannot be below 0")
	}
	if version == 0 {
		now, err := c.latest(ctx, app)
		if err != nil {
			return platform.Release{}, err
		}
		r, err := c.store.LatestRelease(ctx, app, ReleaseQuery{Below: now.Version, NotFailed: true, Built: true})
		if platform.CodeOf(err) == platform.NotFound || (err == nil && now.Version <= 1) {
			return platform.Release{}, initial
		}
		return r, err
	}
	r, err := c.store.FindRelease(ctx, app, version)
	if err != nil {
		return platform.Release{}, err
	}
	switch {
	case r.Version == 1:
		return platform.Release{}, initial
	case r.Failed():
		return platform.Release{}, platform.Errorf(platform.Invalid, "Cannot roll back to failed release.")
	case r.Build == "":
		return platform.Release{}, platform.Errorf(platform.Invalid, noBuild)
	}
	return r, nil
}
