package control

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
)

// Actor is who asks for something.
type Actor struct {
	User      platform.User
	TokenUUID string
}

const deniedMessage = "You do not have permission to perform this action."

func denied() error { return platform.Errorf(platform.Forbidden, deniedMessage) }

func noMatch(what string) error {
	return platform.Errorf(platform.NotFound, "No %s matches the given query.", what)
}

// appFor finds an app that the actor wants to use as need. Like every route
// below an app it looks among all apps first: a stranger is Forbidden, while
// superusers and staff always pass.
func (c *Controller) appFor(ctx context.Context, actor Actor, id string, need platform.Role) (platform.App, error) {
	a, role, err := c.store.FindAppFor(ctx, id, actor.User.Username)
	if err != nil {
		return platform.App{}, err
	}
	if actor.User.IsSuperuser || actor.User.IsStaff {
		return a, nil
	}
	if role, err = c.roleIn(ctx, a, actor.User.Username, role, need); err != nil {
		return platform.App{}, err
	}
	if role < need {
		return platform.App{}, denied()
	}
	return a, nil
}

// roleIn is what a user may do in an app: the stronger of the role in its
// workspace and the grant for this app. The grant is only looked up when the
// role does not do.
func (c *Controller) roleIn(ctx context.Context, a platform.App, username string, role, need platform.Role) (platform.Role, error) {
	if role >= need {
		return role, nil
	}
	grant, err := c.store.GrantOf(ctx, a.ID, username)
	return max(role, grant), err
}

// memberApp finds an app among those of the actor's workspaces and those that
// were granted: for everybody else, superusers too, it does not exist. Being
// an admin takes the workspace's role: a grant never lets somebody delete the
// app or give it away.
func (c *Controller) memberApp(ctx context.Context, actor Actor, id string, need platform.Role) (platform.App, error) {
	a, own, err := c.store.FindAppFor(ctx, id, actor.User.Username)
	if err != nil {
		return platform.App{}, err
	}
	role, err := c.roleIn(ctx, a, actor.User.Username, own, min(need, platform.Member))
	if err != nil {
		return platform.App{}, err
	}
	if role == platform.NoRole {
		return platform.App{}, noMatch("App")
	}
	if role < need || need == platform.Admin && own < platform.Admin {
		return platform.App{}, denied()
	}
	return a, nil
}

// hold is appFor for a verb that changes the app: it also holds the app's
// records, so that nothing comes between reading and writing, and refuses an
// app that is being deleted. The caller releases with the function returned.
func (c *Controller) hold(ctx context.Context, actor Actor, id string, need platform.Role) (platform.App, func(), error) {
	release, err := c.records.lock(ctx, id)
	if err != nil {
		return platform.App{}, nil, err
	}
	a, err := c.appFor(ctx, actor, id, need)
	if err == nil && a.Deleting {
		err = platform.Errorf(platform.Conflict, "%s is being deleted", id)
	}
	if err != nil {
		release()
		return platform.App{}, nil, err
	}
	return a, release, nil
}
