package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sirupsen/logrus"

	"github.com/slipway-paas/slipway/platform"
)

// rollOut brings a claimed release to the cluster and records how that ended.
// An error means that the cluster or the store was away; the release then
// stays as it is and is taken up again.
func (c *Controller) rollOut(ctx context.Context, r platform.Release) error {
	d, err := c.prepare(ctx, r, r.DeployedPtypes)
	if err != nil {
		return err
	}
	log := c.log.WithField("app", r.App).WithField("release", r.Version)
	log.Info("deploying release")
	err = c.runSteps(ctx, d)
	if err == nil {
		err = c.cluster.Apply(ctx, d)
	}
	if err != nil {
		if ctx.Err() != nil || platform.CodeOf(err) == platform.Unavailable {
			return fmt.Errorf("release %s v%d: apply: %w", r.App, r.Version, err)
		}
		logCrash(log, err)
		if err := c.crashed(ctx, d, err); err != nil {
			return err
		}
		c.endSteps(ctx, d)
		return nil
	}
	if err := c.prune(ctx, d); err != nil {
		return err
	}
	cond := platform.Condition{State: platform.ReleaseSucceeded, Action: pipeline, Ptypes: ptypesIn(d), Created: c.now()}
	if err := c.record(ctx, r, cond, nil); err != nil {
		return err
	}
	c.endSteps(ctx, d)
	log.Info("release deployed")
	return nil
}

// logCrash leaves out what the app itself has written, which may hold
// anything; users find it on the release.
func logCrash(log *logrus.Entry, err error) {
	var rollout *RolloutError
	if errors.As(err, &rollout) {
		log.WithField("kind", rollout.Kind).WithField("ptype", rollout.Ptype).Warn("release crashed")
		return
	}
	log.WithError(err).Warn("release crashed")
}

func ptypesIn(d Deployment) []string {
	ptypes := make([]string, len(d.Processes))
	for i, p := range d.Processes {
		ptypes[i] = p.Ptype
	}
	return ptypes
}

// crashed records a failure and, with autorollback on, has the queue put back
// what ran before. That is recorded first: a kill in between repeats the
// attempt rather than leaving the cluster half changed.
func (c *Controller) crashed(ctx context.Context, d Deployment, cause error) error {
	kind, reason, restored := explain(cause)
	text := kind + ": " + reason
	if d.Settings.Autorollback {
		good, err := c.store.LatestRelease(ctx, d.App.ID, ReleaseQuery{
			Below: d.Release.Version, State: platform.ReleaseSucceeded, Built: true,
		})
		if err != nil && platform.CodeOf(err) != platform.NotFound {
			return err
		}
		if err == nil {
			text = fmt.Sprintf("%s: There was a problem deploying v%d. Rolling back to release v%d. %s",
				kind, d.Release.Version, good.Version, reason)
			if !restored {
				if _, err := c.store.AddWork(ctx, Work{App: d.App.ID, Kind: WorkApply}); err != nil {
					return err
				}
			}
		}
	}
	cond := platform.Condition{
		State: platform.ReleaseCrashed, Action: pipeline, Ptypes: ptypesIn(d), Exception: text, Created: c.now(),
	}
	return c.record(ctx, d.Release, cond, nil)
}

// explain turns a failed Apply into words for the user. What is not meant for
// users goes to the log only.
func explain(err error) (kind, reason string, restored bool) {
	var rollout *RolloutError
	if errors.As(err, &rollout) {
		return rollout.Kind, "process type " + rollout.Ptype + ": " + rollout.Reason, rollout.Restored
	}
	var e *platform.Error
	if errors.As(err, &e) && e.Code != platform.Internal {
		return "DeployError", e.Message, false
	}
	return "InternalError", "the cluster did not take the release; the controller's log says why", false
}

// reapply puts back what last succeeded, with today's settings and structure.
// Process types may come from different releases when a deploy named only some.
func (c *Controller) reapply(ctx context.Context, app string) error {
	work, settings, err := c.wantedApply(ctx, app)
	if err != nil || work == 0 {
		return err
	}
	newest, err := c.store.LatestRelease(ctx, app, ReleaseQuery{State: platform.ReleaseSucceeded, Built: true})
	if platform.CodeOf(err) == platform.NotFound {
		return c.store.DoneWork(ctx, work) // nothing ever ran
	}
	if err != nil {
		return err
	}
	ptypes, err := c.ptypesOf(ctx, newest.Build)
	if err != nil {
		return err
	}
	parts, err := c.lastGood(ctx, app, ptypes)
	if err != nil {
		return err
	}
	for _, part := range parts {
		d, err := c.prepare(ctx, part.release, part.ptypes)
		if err != nil {
			return err
		}
		d.Settings = settings
		if err := c.cluster.Apply(ctx, d); err != nil {
			if ctx.Err() != nil || platform.CodeOf(err) == platform.Unavailable {
				return fmt.Errorf("release %s v%d: apply again: %w", app, part.release.Version, err)
			}
			// It ran before and its state stays; trying for ever helps nobody.
			c.log.WithField("app", app).WithField("release", part.release.Version).WithError(err).
				Error("putting back a good release")
			err := c.tell(ctx, app, "release", "reapply-failed", map[string]any{"version": part.release.Version, "reason": reasonOf(err)})
			if err != nil {
				return err
			}
		}
	}
	if settings.Autodeploy {
		if err := c.removeGone(ctx, app, ptypes); err != nil {
			return err
		}
	}
	return c.store.DoneWork(ctx, work)
}

// wantedApply reads work and settings as one, for the reason of wantedScale.
func (c *Controller) wantedApply(ctx context.Context, app string) (int64, platform.Settings, error) {
	unlock, err := c.records.lock(ctx, app)
	if err != nil {
		return 0, platform.Settings{}, err
	}
	defer unlock()
	w, err := c.openWork(ctx, app, WorkApply)
	if err != nil || w == nil {
		return 0, platform.Settings{}, err
	}
	s, err := c.store.FindSettings(ctx, app)
	return w.ID, s, err
}

// part is the process types whose last good release is the same.
type part struct {
	release platform.Release
	ptypes  []string
}

// lastGood finds for each process type the newest release that succeeded with
// it, oldest release first.
func (c *Controller) lastGood(ctx context.Context, app string, ptypes []string) ([]part, error) {
	var parts []part
	for _, p := range ptypes {
		r, err := c.store.LatestRelease(ctx, app, ReleaseQuery{State: platform.ReleaseSucceeded, Built: true, Ptype: p})
		if platform.CodeOf(err) == platform.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(parts, func(have part) bool { return have.release.Version == r.Version })
		if i < 0 {
			parts = append(parts, part{release: r})
			i = len(parts) - 1
		}
		parts[i].ptypes = append(parts[i].ptypes, p)
	}
	slices.SortFunc(parts, func(a, b part) int { return a.release.Version - b.release.Version })
	return parts, nil
}

// prune removes the process types that a release no longer has, when all of it
// is in effect and autodeploy is on. Without autodeploy they stay until
// somebody cleans them up.
func (c *Controller) prune(ctx context.Context, d Deployment) error {
	ptypes, err := d.Build.Ptypes()
	if err != nil {
		return err
	}
	if !d.Settings.Autodeploy {
		return nil
	}
	if whole, err := c.whole(ctx, d, ptypes); err != nil || !whole {
		return err
	}
	return c.removeGone(ctx, d.App.ID, ptypes)
}

func (c *Controller) removeGone(ctx context.Context, app string, ptypes []string) error {
	gone, err := c.zeroGone(ctx, app, ptypes)
	if err != nil || len(gone) == 0 {
		return err
	}
	err = c.cluster.Remove(ctx, app, gone)
	if err == nil || ctx.Err() != nil || platform.CodeOf(err) == platform.Unavailable {
		return err
	}
	// The release itself is fine; the next one tries again.
	c.log.WithField("app", app).WithField("ptypes", gone).WithError(err).Error("removing process types of the past")
	return nil
}

// zeroGone records no replicas for process types of the past and lists them.
func (c *Controller) zeroGone(ctx context.Context, app string, ptypes []string) ([]string, error) {
	unlock, err := c.records.lock(ctx, app)
	if err != nil {
		return nil, err
	}
	defer unlock()
	a, err := c.store.FindApp(ctx, app)
	if err != nil {
		return nil, err
	}
	var gone []string
	structure, changed := cloneMap(a.Structure), false
	for p, n := range a.Structure {
		if slices.Contains(ptypes, p) {
			continue
		}
		gone = append(gone, p)
		changed = changed || n != 0
		structure[p] = 0
	}
	slices.Sort(gone)
	if !changed {
		return gone, nil
	}
	return gone, c.store.SetStructure(ctx, app, structure, c.now())
}

// prepare gathers all that the cluster needs for a release; ptypes narrows it
// to some process types unless empty.
func (c *Controller) prepare(ctx context.Context, r platform.Release, ptypes []string) (Deployment, error) {
	d := Deployment{Release: r, tuning: c.tuning, plans: c.plans}
	var err error
	if d.App, err = c.store.FindApp(ctx, r.App); err != nil {
		return d, err
	}
	if d.Settings, err = c.store.FindSettings(ctx, r.App); err != nil {
		return d, err
	}
	if d.Build, err = c.store.FindBuild(ctx, r.Build); err != nil {
		return d, err
	}
	if d.Config, err = c.store.FindConfig(ctx, r.Config); err != nil {
		return d, err
	}
	if d.Settings.Routable {
		d.Host = c.Host(r.App)
	}
	offered, err := d.Build.Ptypes()
	if err != nil {
		return d, err
	}
	if d.Volumes, err = c.mountedBy(ctx, r.App, offered); err != nil {
		return d, err
	}
	for _, p := range offered {
		if len(ptypes) > 0 && !slices.Contains(ptypes, p) {
			continue
		}
		proc, err := process(d, p)
		if err != nil {
			return d, err
		}
		d.Processes = append(d.Processes, proc)
	}
	return d, c.addExposure(ctx, &d, offered)
}

// process works out one process type of a deployment. It is pure.
func process(d Deployment, ptype string) (Process, error) {
	launch, err := d.Build.Launch(ptype)
	if err != nil {
		return Process{}, err
	}
	port := d.Config.Port(ptype)
	env := platform.Environment(d.App, d.Release, d.Build, d.Config, ptype)
	plan := d.limit(d.Config.Limits[ptype])
	p := Process{
		Ptype: ptype, Replicas: d.App.Structure[ptype],
		Image: launch.Image, Command: launch.Command, Args: launch.Args,
		Env: env, Port: port, Routed: ptype == platform.WebPtype && d.Settings.Routable,
		Plan: toPlan(plan), Grace: d.tuning.grace(d.Config, ptype),
		Timeout:     d.tuning.timeout(env, d.Config.Healthcheck[ptype]),
		Batches:     d.tuning.number(env, tuneBatches, 0),
		History:     d.tuning.history(env),
		Healthcheck: d.Config.Healthcheck[ptype], Lifecycle: d.Config.Lifecycle[ptype],
		NodeSelector: d.tuning.selector(plan, d.Config.Tags[ptype]), PullPolicy: d.tuning.pull(env),
	}
	if rule, ok := d.Settings.Autoscale[ptype]; ok {
		p.Autoscale = &Autoscale{Min: rule["min"], Max: rule["max"], CPUPercent: rule["cpu_percent"]}
	}
	p.Mounts = platform.MountsOf(d.Volumes, ptype)
	if reg := d.Config.Registry[ptype]; reg["username"] != "" {
		p.PullSecret = &PullSecret{Hostname: reg["hostname"], Username: reg["username"], Password: reg["password"]}
	}
	return p, nil
}

// limit finds a plan. One that is not on offer any more is the default, so
// that no app is left without bounds.
func (d Deployment) limit(id string) platform.LimitPlan {
	catalog := d.plans
	if catalog.Default().ID == "" {
		catalog = platform.DefaultCatalog()
	}
	p, err := catalog.FindPlan(id)
	if err != nil {
		return catalog.Default()
	}
	return p
}

func toPlan(lp platform.LimitPlan) Plan {
	p := Plan{ID: lp.ID}
	p.CPULimit, p.CPURequest = lp.CPUMillis()
	p.MemoryLimit, p.MemoryRequest = lp.MemoryBytes()
	p.EphemeralLimit, p.EphemeralRequest = lp.EphemeralBytes()
	return p
}

const (
	defaultRollout = 120 // seconds a batch
	maxRollout     = 60 * 60
)

func positive(s string, otherwise int) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxRollout {
		return otherwise
	}
	return n
}

func pullPolicy(s string) string {
	for _, known := range []string{"Always", "IfNotPresent", "Never"} {
		if strings.EqualFold(s, known) {
			return known
		}
	}
	return ""
}
