package control

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
)

const notWorkspaceAdmin = "Only workspace admins can update workspaces"

// CreateWorkspace makes a workspace; the actor becomes its admin. Without
// email it has the actor's.
func (c *Controller) CreateWorkspace(ctx context.Context, actor Actor, id, email string) (platform.Workspace, error) {
	if id == "" {
		return platform.Workspace{}, platform.FieldErrorf("id", "This field is required.")
	}
	if err := platform.ValidateWorkspaceID(id); err != nil {
		return platform.Workspace{}, err
	}
	if err := c.reserved.Check("id", id); err != nil {
		return platform.Workspace{}, err
	}
	if email == "" {
		email = actor.User.Email
	} else if err := platform.ValidateEmail("email", email); err != nil {
		return platform.Workspace{}, err
	}
	now := c.now()
	w, err := c.store.CreateWorkspace(ctx, platform.Workspace{UUID: newUUID(), ID: id, Email: email, Created: now, Updated: now}, actor.User.Username)
	if platform.CodeOf(err) == platform.Conflict {
		return platform.Workspace{}, platform.FieldErrorf("id", "Workspace with this id already exists.")
	}
	if err != nil {
		return platform.Workspace{}, err
	}
	return w, c.logAccount(ctx, "workspace", "create", map[string]any{"workspace": id, "by": actor.User.Username})
}

// holdWorkspace finds a workspace of the actor's and holds its records: what
// is asked about its members then stays true until the release.
func (c *Controller) holdWorkspace(ctx context.Context, actor Actor, id string) (platform.Workspace, platform.Role, func(), error) {
	release, err := c.records.lock(ctx, "workspace\x00"+id)
	if err != nil {
		return platform.Workspace{}, platform.NoRole, nil, err
	}
	w, err := c.FindWorkspace(ctx, actor, id)
	var role platform.Role
	if err == nil {
		role, err = c.store.RoleOf(ctx, id, actor.User.Username)
	}
	if err != nil {
		release()
		return platform.Workspace{}, platform.NoRole, nil, err
	}
	return w, role, release, nil
}

// UpdateWorkspace changes the mail address, for admins of the workspace. Nil
// changes nothing.
func (c *Controller) UpdateWorkspace(ctx context.Context, actor Actor, id string, email *string) (platform.Workspace, error) {
	w, role, release, err := c.holdWorkspace(ctx, actor, id)
	if err != nil {
		return platform.Workspace{}, err
	}
	defer release()
	if role < platform.Admin {
		return platform.Workspace{}, platform.Errorf(platform.Forbidden, notWorkspaceAdmin)
	}
	if email == nil {
		return w, nil
	}
	if err := platform.ValidateEmail("email", *email); err != nil {
		return platform.Workspace{}, err
	}
	w.Email, w.Updated = *email, c.now()
	return c.store.UpdateWorkspace(ctx, w)
}

// DeleteWorkspace removes a workspace that has no apps and no other member.
func (c *Controller) DeleteWorkspace(ctx context.Context, actor Actor, id string) error {
	_, role, release, err := c.holdWorkspace(ctx, actor, id)
	if err != nil {
		return err
	}
	defer release()
	if role < platform.Admin {
		return denied()
	}
	members, _, err := c.store.CountMembers(ctx, id)
	if err != nil {
		return err
	}
	if members > 1 {
		return platform.Errorf(platform.Forbidden, "Cannot delete workspace with more than one member")
	}
	return c.store.DeleteWorkspace(ctx, id, c.now())
}

// ListMembers lists the members of a workspace; strangers see none.
func (c *Controller) ListMembers(ctx context.Context, actor Actor, workspace string, p Page) ([]platform.WorkspaceMember, int, error) {
	role, err := c.store.RoleOf(ctx, workspace, actor.User.Username)
	if err != nil || role == platform.NoRole {
		return nil, 0, err
	}
	return c.store.ListMembers(ctx, workspace, p)
}

// FindMember finds a member of a workspace of the actor's.
func (c *Controller) FindMember(ctx context.Context, actor Actor, workspace, username string) (platform.WorkspaceMember, error) {
	if _, err := c.FindWorkspace(ctx, actor, workspace); err != nil {
		return platform.WorkspaceMember{}, err
	}
	return c.store.FindMember(ctx, workspace, username)
}

// MemberChange holds what to change; nil fields stay.
type MemberChange struct {
	Role   *platform.Role
	Alerts *bool
}

// UpdateMember changes a member: admins anybody, others their own alerts. A
// workspace always keeps an admin.
func (c *Controller) UpdateMember(ctx context.Context, actor Actor, workspace, username string, ch MemberChange) (platform.WorkspaceMember, error) {
	none := platform.WorkspaceMember{}
	_, role, release, err := c.holdWorkspace(ctx, actor, workspace)
	if err != nil {
		return none, err
	}
	defer release()
	m, err := c.store.FindMember(ctx, workspace, username)
	if err != nil {
		return none, err
	}
	if role < platform.Admin && (username != actor.User.Username || ch.Role != nil) {
		return none, denied()
	}
	if ch.Role != nil && *ch.Role != m.Role {
		if err := c.keepWorkspaceAdmin(ctx, m, "change the role of"); err != nil {
			return none, err
		}
		m.Role = *ch.Role
	}
	if ch.Alerts != nil {
		m.Alerts = *ch.Alerts
	}
	m.Updated = c.now()
	return m, c.store.UpdateMember(ctx, m)
}

// DeleteMember takes a member out: admins anybody, others themselves.
func (c *Controller) DeleteMember(ctx context.Context, actor Actor, workspace, username string) error {
	_, role, release, err := c.holdWorkspace(ctx, actor, workspace)
	if err != nil {
		return err
	}
	defer release()
	m, err := c.store.FindMember(ctx, workspace, username)
	if err != nil {
		return err
	}
	if role < platform.Admin && username != actor.User.Username {
		return denied()
	}
	if err := c.keepWorkspaceAdmin(ctx, m, "remove"); err != nil {
		return err
	}
	return c.store.DeleteMember(ctx, workspace, username, c.now())
}

// keepWorkspaceAdmin refuses to take away the last member or the last admin.
// The caller holds the workspace.
func (c *Controller) keepWorkspaceAdmin(ctx context.Context, m platform.WorkspaceMember, verb string) error {
	members, admins, err := c.store.CountMembers(ctx, m.Workspace)
	if err != nil {
		return err
	}
	if members == 1 {
		return platform.Errorf(platform.Forbidden, "Cannot %s the only member of the workspace", verb)
	}
	if m.Role == platform.Admin && admins == 1 {
		return platform.Errorf(platform.Forbidden, "Cannot %s the only admin of the workspace: make another member admin first", verb)
	}
	return nil
}
