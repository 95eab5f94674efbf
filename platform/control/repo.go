package control

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
)

// KeyOwner is the name of the user whose SSH key has this fingerprint, MD5 or
// "SHA256:…". An unknown key, and that of a user who may not log in, is
// NotFound.
func (c *Controller) KeyOwner(ctx context.Context, fingerprint string) (string, error) {
	u, err := c.store.FindKeyOwner(ctx, fingerprint)
	if err != nil {
		return "", err
	}
	if !u.IsActive {
		return "", noMatch("Key")
	}
	return u.Username, nil
}

// RepoAccess finds an app by its id for a user who comes to its repository,
// and what they may do there: a Viewer fetches, a Member pushes. An app that
// is not there, is being deleted or is none of theirs is NotFound, always in
// the same words, so that nobody learns of other people's apps.
func (c *Controller) RepoAccess(ctx context.Context, username, app string) (platform.App, platform.Role, error) {
	none := func(err error) (platform.App, platform.Role, error) {
		return platform.App{}, platform.NoRole, err
	}
	actor, err := c.pusher(ctx, username)
	if err != nil {
		return none(err)
	}
	a, role, err := c.store.FindAppFor(ctx, app, username)
	if platform.CodeOf(err) == platform.NotFound {
		return none(noMatch("App"))
	}
	if err != nil {
		return none(err)
	}
	if actor.User.IsSuperuser || actor.User.IsStaff {
		role = platform.Admin
	}
	if role, err = c.roleIn(ctx, a, username, role, platform.Member); err != nil {
		return none(err)
	}
	if role == platform.NoRole || a.Deleting {
		return none(noMatch("App"))
	}
	return a, role, nil
}

// AppUUID is the UUID of an app, with which its repository is told from that
// of an earlier app of the same name. NotFound when there is none.
func (c *Controller) AppUUID(ctx context.Context, app string) (string, error) {
	a, err := c.store.FindApp(ctx, app)
	return a.UUID, err
}
