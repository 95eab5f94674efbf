package control

import (
	"context"
	"fmt"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// ListWorkspaces lists those that the actor is a member of. An actor without
// any gets a personal one first.
func (c *Controller) ListWorkspaces(ctx context.Context, actor Actor, p Page) ([]platform.Workspace, int, error) {
	if _, err := c.ownWorkspace(ctx, actor.User); err != nil {
		return nil, 0, err
	}
	return c.store.ListWorkspaces(ctx, actor.User.Username, p)
}

// FindWorkspace finds a workspace of the actor's; to others it does not exist.
func (c *Controller) FindWorkspace(ctx context.Context, actor Actor, id string) (platform.Workspace, error) {
	w, err := c.store.FindWorkspace(ctx, id)
	if err != nil {
		return platform.Workspace{}, err
	}
	role, err := c.store.RoleOf(ctx, id, actor.User.Username)
	if err != nil {
		return platform.Workspace{}, err
	}
	if role == platform.NoRole {
		return platform.Workspace{}, noMatch("Workspace")
	}
	return w, nil
}

// ownWorkspace returns the workspace that stands for u when none was named:
// the one of the same name, else the first. It makes one for a user without.
func (c *Controller) ownWorkspace(ctx context.Context, u platform.User) (platform.Workspace, error) {
	unlock, err := c.records.lock(ctx, "user\x00"+u.Username)
	if err != nil {
		return platform.Workspace{}, err
	}
	defer unlock()
	list, total, err := c.store.ListWorkspaces(ctx, u.Username, Page{})
	if err != nil {
		return platform.Workspace{}, err
	}
	if total == 0 {
		return c.makeWorkspace(ctx, u)
	}
	for _, w := range list {
		if w.ID == u.Username {
			return w, nil
		}
	}
	return list[0], nil
}

// workspaceTries bounds the search for a free name.
const workspaceTries = 1000

// makeWorkspace makes the personal workspace. Its name is the user's as far as
// workspaces may have it, with a number behind when somebody else has it.
func (c *Controller) makeWorkspace(ctx context.Context, u platform.User) (platform.Workspace, error) {
	base := workspaceName(u.Username)
	now := c.now()
	for n := range workspaceTries {
		id := base
		if n > 0 {
			id = fmt.Sprintf("%s%d", base, n)
		}
		if c.reserved.Check("id", id) != nil || platform.ValidateWorkspaceID(id) != nil {
			continue
		}
		w, err := c.store.CreateWorkspace(ctx, platform.Workspace{
			UUID: newUUID(), ID: id, Email: u.Email, Created: now, Updated: now,
		}, u.Username)
		if platform.CodeOf(err) == platform.Conflict {
			continue
		}
		return w, err
	}
	return platform.Workspace{}, platform.Errorf(platform.Internal, "no free name for the workspace of %s", u.Username)
}

func workspaceName(username string) string {
	name := strings.Map(func(r rune) rune {
		if (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9') {
			return r
		}
		return -1
	}, strings.ToLower(username))
	name = name[:min(len(name), 50)]
	if len(name) < 5 {
		name += "space"
	}
	return name
}
