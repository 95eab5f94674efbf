package control

import (
	"context"
	"errors"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

const runPtype = "run"

// CreateApp records an app with its first config and release and makes its
// namespace. A taken name is Invalid for field id, a namespace of that name
// which is not ours a Conflict.
func (c *Controller) CreateApp(ctx context.Context, actor Actor, n NewApp) (platform.App, error) {
	workspace, err := c.workspaceFor(ctx, actor, n.Workspace)
	if err != nil {
		return platform.App{}, err
	}
	id := n.ID
	if id == "" {
		if id, err = platform.NewAppID(c.random); err != nil {
			return platform.App{}, err
		}
	}
	if err := platform.ValidateAppID(id); err != nil {
		return platform.App{}, err
	}
	if err := c.reserved.Check("id", id); err != nil {
		return platform.App{}, err
	}
	// Asked before the locks as well: nobody waits for another's deploy only to
	// hear that the name is taken.
	if err := c.checkFree(ctx, id); err != nil {
		return platform.App{}, err
	}
	unlock, err := c.lockBoth(ctx, id)
	if err != nil {
		return platform.App{}, err
	}
	defer unlock()
	if err := c.checkFree(ctx, id); err != nil {
		return platform.App{}, err
	}
	return c.makeApp(ctx, id, workspace)
}

// lockBoth takes both locks of an app, always in this order.
func (c *Controller) lockBoth(ctx context.Context, id string) (func(), error) {
	free, err := c.changes.lock(ctx, id)
	if err != nil {
		return nil, err
	}
	unlock, err := c.records.lock(ctx, id)
	if err != nil {
		free()
		return nil, err
	}
	return func() { unlock(); free() }, nil
}

// workspaceFor finds the workspace for a new app; the actor has to be a member.
func (c *Controller) workspaceFor(ctx context.Context, actor Actor, id string) (string, error) {
	if id == "" {
		w, err := c.ownWorkspace(ctx, actor.User)
		id = w.ID
		if err != nil {
			return "", err
		}
	}
	if _, err := c.store.FindWorkspace(ctx, id); err != nil {
		if platform.CodeOf(err) == platform.NotFound {
			return "", platform.FieldErrorf("workspace", "Object with id=%s does not exist.", id)
		}
		return "", err
	}
	role, err := c.store.RoleOf(ctx, id, actor.User.Username)
	if err != nil {
		return "", err
	}
	if role < platform.Member {
		return "", denied()
	}
	return id, nil
}

func (c *Controller) checkFree(ctx context.Context, id string) error {
	_, err := c.store.FindApp(ctx, id)
	if err == nil {
		return platform.FieldErrorf("id", "Application with this id already exists.")
	}
	if platform.CodeOf(err) != platform.NotFound {
		return err
	}
	if err := c.checkAddress(ctx, id); err != nil {
		return err
	}
	taken, err := c.cluster.NamespaceExists(ctx, id)
	if err != nil {
		return err
	}
	if taken {
		return platform.Errorf(platform.Conflict, "%s already exists as a namespace in this kuberenetes setup", id)
	}
	return nil
}

// makeApp records first that a namespace is to be made, so that a kill between
// the rows and the namespace is made good by the next Run. When the cluster
// refuses, the app is taken back, by the queue if need be.
func (c *Controller) makeApp(ctx context.Context, id, workspace string) (platform.App, error) {
	work, err := c.store.AddWork(ctx, Work{App: id, Kind: WorkEnsure})
	if err != nil {
		return platform.App{}, err
	}
	a, cfg, r, s := c.firstRecords(id, workspace)
	a, err = c.store.CreateApp(ctx, a, cfg, r, s)
	if unsure(err) {
		return platform.App{}, err // the rows may be there, so the work stays
	}
	if err != nil {
		return platform.App{}, errors.Join(err, c.store.DoneWork(ctx, work.ID))
	}
	if err := c.cluster.EnsureApp(ctx, a); err != nil {
		return platform.App{}, c.takeBack(ctx, id, err)
	}
	if err := c.store.DoneWork(ctx, work.ID); err != nil {
		c.queue.add(id)
		return platform.App{}, err
	}
	return a, nil
}

// takeBack removes an app whose namespace could not be made and returns cause.
func (c *Controller) takeBack(ctx context.Context, id string, cause error) error {
	// The caller may be gone; what was begun has to be undone all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if _, err := c.store.AddWork(ctx, Work{App: id, Kind: WorkDelete}); err != nil {
		return errors.Join(cause, err)
	}
	if err := c.finishDelete(ctx, id); err != nil {
		c.log.WithField("app", id).WithError(err).Warn("taking back an app that could not be made")
		c.queue.add(id)
	}
	return cause
}

func (c *Controller) firstRecords(id, workspace string) (platform.App, platform.Config, platform.Release, platform.Settings) {
	now, plan := c.now(), c.plans.Default().ID
	a := platform.App{UUID: newUUID(), ID: id, Workspace: workspace, Structure: map[string]int{}, Created: now, Updated: now}
	cfg := platform.Config{
		UUID: newUUID(), App: id, Created: now, Updated: now,
		Limits: map[string]string{platform.WebPtype: plan, runPtype: plan},
	}
	r := platform.Release{
		UUID: newUUID(), App: id, State: platform.ReleasePending, Config: cfg.UUID,
		Summary: platform.SummaryInitial(workspace), Created: now, Updated: now,
	}
	s := platform.Settings{
		UUID: newUUID(), App: id, Routable: true, Autodeploy: true, Autorollback: true,
		Created: now, Updated: now,
	}
	return a, cfg, r, s
}

// ListApps lists the apps of the actor's workspaces, ordered by id. An unknown
// workspace in the filter is NotFound, a foreign one Forbidden.
func (c *Controller) ListApps(ctx context.Context, actor Actor, f AppFilter, p Page) ([]platform.App, int, error) {
	f.Username = actor.User.Username
	if f.Workspace != "" {
		if _, err := c.store.FindWorkspace(ctx, f.Workspace); err != nil {
			return nil, 0, err
		}
		role, err := c.store.RoleOf(ctx, f.Workspace, f.Username)
		if err != nil {
			return nil, 0, err
		}
		if role == platform.NoRole {
			return nil, 0, platform.Errorf(platform.Forbidden, "You are not a member of workspace '%s'", f.Workspace)
		}
	}
	return c.store.ListApps(ctx, f, p)
}

// FindApp finds an app of the actor's workspaces.
func (c *Controller) FindApp(ctx context.Context, actor Actor, id string) (platform.App, error) {
	return c.memberApp(ctx, actor, id, platform.Viewer)
}

// DeleteApp removes the app from the cluster, then its records. When the
// cluster is away the error is Unavailable and the removal goes on later;
// until then the app refuses changes.
func (c *Controller) DeleteApp(ctx context.Context, actor Actor, id string) error {
	if err := c.beginDelete(ctx, actor, id); err != nil {
		return err
	}
	c.interrupt(id)
	c.builds.cancelApp(id, errCanceled("The app was deleted."))
	defer c.queue.add(id) // whatever is left; nothing when all went well
	unlock, err := c.lockBoth(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	return c.finishDelete(ctx, id)
}

func (c *Controller) beginDelete(ctx context.Context, actor Actor, id string) error {
	unlock, err := c.records.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := c.memberApp(ctx, actor, id, platform.Admin); err != nil {
		return err
	}
	if err := c.checkNoResources(ctx, id); err != nil {
		return err
	}
	_, err = c.store.AddWork(ctx, Work{App: id, Kind: WorkDelete})
	return err
}

// finishDelete is repeatable: cluster first, then the rows and all open work.
// The caller holds both locks of the app.
func (c *Controller) finishDelete(ctx context.Context, id string) error {
	if _, err := c.store.FindApp(ctx, id); err != nil {
		if platform.CodeOf(err) == platform.NotFound {
			return nil
		}
		return err
	}
	if err := c.cluster.DeleteApp(ctx, id); err != nil {
		return err
	}
	return c.store.DeleteApp(ctx, id)
}
