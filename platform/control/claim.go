package control

import (
	"context"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

const pipeline = "pipeline" // the action of every condition

// candidates lists the releases of an app that are to be deployed, by version:
// those once begun, and with autodeploy on those that wait.
func (c *Controller) candidates(ctx context.Context, app string) ([]platform.Release, error) {
	list, err := c.store.ListUnfinished(ctx, app)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	s, err := c.store.FindSettings(ctx, app)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(r platform.Release) bool {
		return r.State == platform.ReleasePending && !s.Autodeploy
	}), nil
}

// claim chooses the release to deploy next and records that it has begun. The
// newest that covers all its process types makes every older one pointless;
// one that covers only some comes after the older ones. Of one that waited only
// what it changes is deployed; it stays pending when that is nothing. Nil:
// nothing to do.
func (c *Controller) claim(ctx context.Context, app string) (*platform.Release, error) {
	unlock, err := c.records.lock(ctx, app)
	if err != nil {
		return nil, err
	}
	defer unlock()
	list, err := c.candidates(ctx, app)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	r, err := c.choose(ctx, list)
	if err != nil {
		return nil, err
	}
	now := c.now()
	if err := c.store.Supersede(ctx, app, r.Version, now); err != nil {
		return nil, err
	}
	if err := c.addSeen(ctx, r); err != nil {
		return nil, err
	}
	if r.State == platform.ReleaseDeploying {
		return &r, nil // taken up again; recorded before
	}
	if r.DeployedPtypes, err = c.narrow(ctx, r); err != nil || len(r.DeployedPtypes) == 0 {
		return &r, err // nothing to begin
	}
	r.State = platform.ReleaseDeploying
	cond := platform.Condition{State: r.State, Action: pipeline, Ptypes: r.DeployedPtypes, Created: now}
	return &r, c.record(ctx, r, cond, r.DeployedPtypes)
}

// choose returns the newest of list that covers all its process types, else
// the oldest.
func (c *Controller) choose(ctx context.Context, list []platform.Release) (platform.Release, error) {
	for _, r := range slices.Backward(list) {
		if whole, err := c.coversAll(ctx, r); whole || err != nil {
			return r, err
		}
	}
	return list[0], nil
}

// record writes the state that a release enters and tells who wants to hear.
func (c *Controller) record(ctx context.Context, r platform.Release, cond platform.Condition, deployed []string) error {
	if err := c.store.SetReleaseState(ctx, r.App, r.Version, cond, deployed); err != nil {
		return err
	}
	c.entered(cond.State)
	return nil
}

func (c *Controller) coversAll(ctx context.Context, r platform.Release) (bool, error) {
	ptypes, err := c.ptypesOf(ctx, r.Build)
	if err != nil {
		return false, err
	}
	for _, p := range ptypes {
		if len(r.DeployedPtypes) > 0 && !slices.Contains(r.DeployedPtypes, p) {
			return false, nil
		}
	}
	return true, nil
}

// addSeen gives process types that are new their first number of replicas.
func (c *Controller) addSeen(ctx context.Context, r platform.Release) error {
	ptypes, err := c.ptypesOf(ctx, r.Build)
	if err != nil {
		return err
	}
	a, err := c.store.FindApp(ctx, r.App)
	if err != nil {
		return err
	}
	structure, changed := platform.Seen(a.Structure, ptypes)
	if !changed {
		return nil
	}
	return c.store.SetStructure(ctx, r.App, structure, c.now())
}

// acceptDeploy turns a request to deploy into a release that has begun. One
// that a newer release has overtaken is dropped.
func (c *Controller) acceptDeploy(ctx context.Context, w Work) error {
	unlock, err := c.records.lock(ctx, w.App)
	if err != nil {
		return err
	}
	defer unlock()
	good, err := c.store.LatestRelease(ctx, w.App, ReleaseQuery{State: platform.ReleaseSucceeded})
	if err != nil && platform.CodeOf(err) != platform.NotFound {
		return err
	}
	if err != nil || good.Version <= w.Version {
		r, err := c.store.FindRelease(ctx, w.App, w.Version)
		if err != nil {
			return err
		}
		ptypes := w.Ptypes
		if len(ptypes) == 0 {
			if ptypes, err = c.ptypesOf(ctx, r.Build); err != nil {
				return err
			}
		}
		cond := platform.Condition{State: platform.ReleaseDeploying, Action: pipeline, Ptypes: ptypes, Created: c.now()}
		if err := c.record(ctx, r, cond, ptypes); err != nil {
			return err
		}
	}
	if err == nil && good.Version > w.Version { // as any that a newer one has overtaken
		if err := c.store.Supersede(ctx, w.App, good.Version, c.now()); err != nil {
			return err
		}
	}
	return c.store.DoneWork(ctx, w.ID)
}
