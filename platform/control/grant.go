package control

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
)

// ListGrants lists who is let into an app beside the members of its workspace.
func (c *Controller) ListGrants(ctx context.Context, actor Actor, app string) ([]platform.Grant, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return nil, err
	}
	return c.store.ListGrants(ctx, app)
}

// SetGrant lets a user into one app. Nobody gives more than they have. It is a
// Conflict when the user may already do that.
func (c *Controller) SetGrant(ctx context.Context, actor Actor, app string, g platform.Grant) error {
	if g.Username == "" {
		return platform.FieldErrorf("username", "This field is required.")
	}
	a, release, err := c.hold(ctx, actor, app, max(g.Role, platform.Member))
	if err != nil {
		return err
	}
	defer release()
	if _, _, err := c.store.FindUser(ctx, g.Username); err != nil {
		return err
	}
	member, err := c.store.RoleOf(ctx, a.Workspace, g.Username)
	if err != nil {
		return err
	}
	if member >= g.Role {
		return platform.Errorf(platform.Conflict, "%s may use %s already, as %s of the workspace %s.", g.Username, app, member, a.Workspace)
	}
	granted, err := c.store.GrantOf(ctx, app, g.Username)
	if err != nil {
		return err
	}
	if granted == g.Role {
		return platform.Errorf(platform.Conflict, "%s may use %s already, as %s.", g.Username, app, granted)
	}
	return c.store.SetGrant(ctx, app, g, c.now())
}

// DeleteGrant takes a user's way into an app away. Everybody may give up their
// own.
func (c *Controller) DeleteGrant(ctx context.Context, actor Actor, app, username string) error {
	need := platform.Admin
	if username == actor.User.Username {
		need = platform.Viewer
	}
	_, release, err := c.hold(ctx, actor, app, need)
	if err != nil {
		return err
	}
	defer release()
	return c.store.DeleteGrant(ctx, app, username, c.now())
}
