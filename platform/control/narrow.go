package control

import (
	"context"
	"reflect"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

// changed picks from ptypes those that r would run differently from what runs
// now: another image, command, arguments, configuration. Those that are left
// keep their pods, and with them the number of the release that started them.
// What runs now is looked for among the releases below a version.
func (c *Controller) changed(ctx context.Context, r platform.Release, ptypes []string, below int) ([]string, error) {
	if len(ptypes) == 0 {
		return nil, nil
	}
	next, err := c.prepare(ctx, r, ptypes)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, p := range next.Processes {
		same, err := c.runsAlready(ctx, next, p.Ptype, below)
		if err != nil {
			return nil, err
		}
		if !same {
			out = append(out, p.Ptype)
		}
	}
	return out, nil
}

// runsAlready compares a process type of next with the release that last
// started it.
func (c *Controller) runsAlready(ctx context.Context, next Deployment, ptype string, below int) (bool, error) {
	good, err := c.lastCertain(ctx, next.App.ID, ptype, below)
	if err != nil || good == nil {
		return false, err
	}
	last, err := c.prepare(ctx, *good, []string{ptype})
	if err != nil || len(last.Processes) == 0 {
		return false, err
	}
	was, err := unnumbered(last, ptype)
	if err != nil {
		return false, err
	}
	is, err := unnumbered(next, ptype)
	return reflect.DeepEqual(was, is), err
}

// lastCertain is the release that a process type runs, nil when there is none
// or when that is not certain: a later one that crashed, or was overtaken half
// way, may have left anything.
func (c *Controller) lastCertain(ctx context.Context, app, ptype string, below int) (*platform.Release, error) {
	newest := func(state platform.ReleaseState) (platform.Release, error) {
		r, err := c.store.LatestRelease(ctx, app, ReleaseQuery{Below: below, State: state, Built: true, Ptype: ptype})
		if platform.CodeOf(err) == platform.NotFound {
			return platform.Release{}, nil
		}
		return r, err
	}
	good, err := newest(platform.ReleaseSucceeded)
	if err != nil || good.Version == 0 {
		return nil, err
	}
	for _, state := range []platform.ReleaseState{platform.ReleaseCrashed, platform.ReleaseSuperseded, platform.ReleaseDeploying} {
		other, err := newest(state)
		if err != nil || other.Version > good.Version {
			return nil, err
		}
	}
	return &good, nil
}

// unnumbered is a process type without what tells one release from another.
func unnumbered(d Deployment, ptype string) (Process, error) {
	d.Release = platform.Release{App: d.Release.App}
	return process(d, ptype)
}

// narrow reduces a release that waits to the process types that it changes. A
// release that was asked for by name has been recorded as begun and is not
// narrowed.
func (c *Controller) narrow(ctx context.Context, r platform.Release) ([]string, error) {
	ptypes := r.DeployedPtypes
	if len(ptypes) == 0 {
		var err error
		if ptypes, err = c.ptypesOf(ctx, r.Build); err != nil {
			return nil, err
		}
	}
	return c.changed(ctx, r, ptypes, r.Version)
}

// nothingNew ends a release that changes no process type. It still takes away
// those that it does not have.
func (c *Controller) nothingNew(ctx context.Context, r platform.Release) error {
	d, err := c.prepare(ctx, r, nil)
	if err != nil {
		return err
	}
	d.Processes = nil
	if err := c.prune(ctx, d); err != nil {
		return err
	}
	cond := platform.Condition{State: platform.ReleaseSucceeded, Action: pipeline, Ptypes: []string{}, Created: c.now()}
	return c.record(ctx, r, cond, []string{})
}

// whole reports whether with d all of its release is in effect: what d does
// not name runs already as the release has it.
func (c *Controller) whole(ctx context.Context, d Deployment, ptypes []string) (bool, error) {
	named := ptypesIn(d)
	rest := slices.DeleteFunc(slices.Clone(ptypes), func(p string) bool { return slices.Contains(named, p) })
	if len(rest) == 0 {
		return true, nil
	}
	open, err := c.changed(ctx, d.Release, rest, d.Release.Version)
	return len(open) == 0, err
}

// toDeploy picks what a request without force is to deploy: with autodeploy on
// what r changes, else all that was asked for.
func (c *Controller) toDeploy(ctx context.Context, r platform.Release, ptypes []string) ([]string, error) {
	if len(ptypes) == 0 {
		var err error
		if ptypes, err = c.ptypesOf(ctx, r.Build); err != nil {
			return nil, err
		}
	}
	s, err := c.store.FindSettings(ctx, r.App)
	if err != nil || !s.Autodeploy {
		return ptypes, err
	}
	return c.changed(ctx, r, ptypes, r.Version+1)
}
