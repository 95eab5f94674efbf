package control

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
)

// Transfer gives an app to another workspace. Who does it has to be an admin
// of the one that has it; an unknown target is NotFound. The cluster follows:
// its walls between workspaces first, then the processes, whose environment
// names the workspace.
func (c *Controller) Transfer(ctx context.Context, actor Actor, app, workspace string) error {
	return c.transfer(ctx, actor, app, func() (platform.Workspace, error) {
		if workspace == "" {
			return platform.Workspace{}, platform.FieldErrorf("workspace", "workspace is required")
		}
		return c.store.FindWorkspace(ctx, workspace)
	})
}

// TransferToUser gives an app to the own workspace of a user, who gets one if
// there is none yet. An unknown user is NotFound.
func (c *Controller) TransferToUser(ctx context.Context, actor Actor, app, username string) (platform.App, error) {
	err := c.transfer(ctx, actor, app, func() (platform.Workspace, error) {
		if username == "" {
			return platform.Workspace{}, platform.FieldErrorf("owner", "This field is required.")
		}
		u, _, err := c.store.FindUser(ctx, username)
		if err != nil {
			return platform.Workspace{}, err
		}
		return c.ownWorkspace(ctx, u)
	})
	if err != nil {
		return platform.App{}, err
	}
	return c.store.FindApp(ctx, app)
}

func (c *Controller) transfer(ctx context.Context, actor Actor, app string, target func() (platform.Workspace, error)) error {
	unlock, err := c.records.lock(ctx, app)
	if err != nil {
		return err
	}
	defer unlock()
	a, err := c.memberApp(ctx, actor, app, platform.Viewer)
	if err != nil {
		return err
	}
	role, err := c.store.RoleOf(ctx, a.Workspace, actor.User.Username)
	if err != nil {
		return err
	}
	if role < platform.Admin {
		return platform.Errorf(platform.Forbidden, "you must be an admin of the current workspace")
	}
	if a.Deleting {
		return platform.Errorf(platform.Conflict, "%s is being deleted", app)
	}
	to, err := target()
	if err != nil || to.ID == a.Workspace {
		return err
	}
	// Both come first: a kill in between then only repeats what is there.
	for _, kind := range []WorkKind{WorkEnsure, WorkApply} {
		if _, err := c.store.AddWork(ctx, Work{App: app, Kind: kind}); err != nil {
			return err
		}
	}
	if err := c.store.SetWorkspace(ctx, app, to.ID, c.now()); err != nil {
		return err
	}
	c.queue.add(app)
	return nil
}
