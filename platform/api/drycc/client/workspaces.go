package client

import (
	"context"
	"net/http"
)

// Workspaces lists the workspaces that the caller is in.
func (c *Client) Workspaces(ctx context.Context, limit int) (Page[Workspace], error) {
	return list[Workspace](ctx, c, "/v2/workspaces", nil, limit)
}

// Workspace returns one workspace.
func (c *Client) Workspace(ctx context.Context, id string) (Workspace, error) {
	return get[Workspace](ctx, c, join("v2", "workspaces", id), nil)
}

// CreateWorkspace makes a workspace with the caller as its admin.
func (c *Client) CreateWorkspace(ctx context.Context, id, email string) (Workspace, error) {
	return send[Workspace](ctx, c, http.MethodPost, "/v2/workspaces", map[string]string{"id": id, "email": email})
}

// DeleteWorkspace deletes a workspace.
func (c *Client) DeleteWorkspace(ctx context.Context, id string) error {
	return c.exec(ctx, http.MethodDelete, join("v2", "workspaces", id), nil)
}

// UpdateWorkspace changes a workspace's address for mail.
func (c *Client) UpdateWorkspace(ctx context.Context, id, email string) (Workspace, error) {
	return send[Workspace](ctx, c, http.MethodPatch, join("v2", "workspaces", id), map[string]string{"email": email})
}

// Members lists a workspace's members.
func (c *Client) Members(ctx context.Context, workspace string, limit int) (Page[Member], error) {
	return list[Member](ctx, c, join("v2", "workspaces", workspace, "members"), nil, limit)
}

// MemberChange is what can change of a member; nil leaves it.
type MemberChange struct {
	Role   *string `json:"role,omitempty"`
	Alerts *bool   `json:"alerts,omitempty"`
}

// UpdateMember changes a member.
func (c *Client) UpdateMember(ctx context.Context, workspace, username string, change MemberChange) (Member, error) {
	return send[Member](ctx, c, http.MethodPatch, join("v2", "workspaces", workspace, "members", username), change)
}

// RemoveMember removes a member.
func (c *Client) RemoveMember(ctx context.Context, workspace, username string) error {
	return c.exec(ctx, http.MethodDelete, join("v2", "workspaces", workspace, "members", username), nil)
}

// Invitations lists the open invitations.
func (c *Client) Invitations(ctx context.Context, workspace string, limit int) (Page[Invitation], error) {
	return list[Invitation](ctx, c, join("v2", "workspaces", workspace, "invitations"), nil, limit)
}

// Invite asks somebody into a workspace.
func (c *Client) Invite(ctx context.Context, workspace, email string) (Invitation, error) {
	return send[Invitation](ctx, c, http.MethodPost, join("v2", "workspaces", workspace, "invitations"), map[string]string{"email": email})
}

// Specs lists the machines on offer; every keyword has to match.
func (c *Client) Specs(ctx context.Context, keywords string, limit int) (Page[Spec], error) {
	return list[Spec](ctx, c, "/v2/limits/specs/", query("keywords", keywords), limit)
}

// Plans lists the plans on offer; what is empty does not matter.
func (c *Client) Plans(ctx context.Context, spec, cpu, memory string, limit int) (Page[Plan], error) {
	return list[Plan](ctx, c, "/v2/limits/plans/", query("spec-id", spec, "cpu", cpu, "memory", memory), limit)
}

// Plan returns one plan.
func (c *Client) Plan(ctx context.Context, id string) (Plan, error) {
	return get[Plan](ctx, c, join("v2", "limits", "plans", id)+"/", nil)
}
