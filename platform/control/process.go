package control

import (
	"context"
	"maps"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

// Scale records how many replicas process types should have and tells the
// cluster. While a release is being deployed, or the cluster is away, that
// happens afterwards; the call does not wait for it.
func (c *Controller) Scale(ctx context.Context, actor Actor, app string, counts map[string]int) error {
	// Taken before anything is recorded: the queue looks at the app right after
	// that, and would be quicker now and then.
	free, ok := c.changes.tryLock(app)
	if !ok {
		if err := c.recordScale(ctx, actor, app, counts); err != nil {
			return err
		}
		c.queue.add(app)
		return nil
	}
	defer free()
	if err := c.recordScale(ctx, actor, app, counts); err != nil {
		return err
	}
	err := c.scaleNow(ctx, app)
	if err != nil {
		c.queue.add(app)
		if platform.CodeOf(err) == platform.Unavailable {
			c.log.WithField("app", app).WithError(err).Warn("scaling waits for the cluster")
			return nil
		}
	}
	return err
}

func (c *Controller) recordScale(ctx context.Context, actor Actor, app string, counts map[string]int) error {
	a, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return err
	}
	defer unlock()
	if len(counts) == 0 {
		return platform.Errorf(platform.Invalid, "process types and their numbers are required")
	}
	known, err := c.known(ctx, a)
	if err != nil {
		return err
	}
	structure := maps.Clone(a.Structure)
	if structure == nil {
		structure = map[string]int{}
	}
	for _, ptype := range slices.Sorted(maps.Keys(counts)) {
		if !slices.Contains(known, ptype) {
			return platform.Errorf(platform.Invalid, "Process type %s does not exist in application", ptype)
		}
		if err := platform.ValidateScale(ptype, counts[ptype]); err != nil {
			return err
		}
		structure[ptype] = counts[ptype]
	}
	// The work comes first: a kill in between then only repeats the old numbers.
	if _, err := c.store.AddWork(ctx, Work{App: app, Kind: WorkScale}); err != nil {
		return err
	}
	return c.store.SetStructure(ctx, app, structure, c.now())
}

// known lists the process types that an app has or had, and those that its
// latest build will bring.
func (c *Controller) known(ctx context.Context, a platform.App) ([]string, error) {
	known := slices.Sorted(maps.Keys(a.Structure))
	r, err := c.latest(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	ptypes, err := c.ptypesOf(ctx, r.Build)
	return append(known, ptypes...), err
}

// scaleNow brings the cluster in line with the recorded structure. The caller
// holds the app's changes.
func (c *Controller) scaleNow(ctx context.Context, app string) error {
	work, a, err := c.wantedScale(ctx, app)
	if err != nil || work == 0 {
		return err
	}
	// NotFound: a process type that was never deployed; its first deploy will
	// bring the number that is recorded.
	if err := c.cluster.Scale(ctx, app, a.Structure); err != nil && platform.CodeOf(err) != platform.NotFound {
		return err
	}
	return c.store.DoneWork(ctx, work)
}

// wantedScale reads work and structure as one: in between, Scale could record
// new numbers for work that is then taken for done. 0: nothing to do.
func (c *Controller) wantedScale(ctx context.Context, app string) (int64, platform.App, error) {
	unlock, err := c.records.lock(ctx, app)
	if err != nil {
		return 0, platform.App{}, err
	}
	defer unlock()
	w, err := c.openWork(ctx, app, WorkScale)
	if err != nil || w == nil {
		return 0, platform.App{}, err
	}
	a, err := c.store.FindApp(ctx, app)
	return w.ID, a, err
}

// Pods lists the running instances of an app.
func (c *Controller) Pods(ctx context.Context, actor Actor, app string) ([]platform.Pod, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return nil, err
	}
	return c.cluster.Pods(ctx, app)
}

// Restart replaces the pods of ptypes, all when none are given, and returns
// when the cluster has taken that. It waits for a deploy under way.
func (c *Controller) Restart(ctx context.Context, actor Actor, app string, ptypes []string) error {
	a, err := c.appFor(ctx, actor, app, platform.Member)
	if err != nil {
		return err
	}
	known, err := c.known(ctx, a)
	if err != nil {
		return err
	}
	for _, p := range ptypes {
		if !slices.Contains(known, p) {
			return platform.Errorf(platform.Invalid, "process type %s is not included in procfile", p)
		}
	}
	free, err := c.changes.lock(ctx, app)
	if err != nil {
		return err
	}
	defer free()
	return c.cluster.Restart(ctx, app, ptypes)
}
