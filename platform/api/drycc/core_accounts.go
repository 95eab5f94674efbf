package drycc

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Logins are logins by way of a browser, and tokens for other proofs.
type Logins interface {
	OpenLogin(remote string) (loginKey string, err error)
	FindLogin(loginKey string) (control.OpenedLogin, error)
	CompleteLogin(ctx context.Context, loginKey, username, password, remote string) (platform.User, error)
	BeginSignOn(ctx context.Context, loginKey, redirect, browser string) (url string, err error)
	FinishSignOn(ctx context.Context, state, code, browser, remote string) (platform.User, error)
	ExchangeToken(ctx context.Context, x control.Exchange, alias, remote string) (key string, t platform.Token, u platform.User, err error)
	RenewTokens(ctx context.Context, who control.Actor, r control.Renewal) (key string, err error)
}

// Users are accounts and who administers the platform.
type Users interface {
	Register(ctx context.Context, who control.Actor, n control.NewUser, remote string) (platform.User, error)
	CancelUser(ctx context.Context, who control.Actor, username string) error
	ChangePassword(ctx context.Context, who control.Actor, ch control.PasswordChange, remote string) error
	ListUsers(ctx context.Context, who control.Actor, p control.Page) ([]platform.User, int, error)
	SetActive(ctx context.Context, who control.Actor, username string, on bool) error
	ListAdmins(ctx context.Context, who control.Actor, p control.Page) ([]platform.User, int, error)
	SetAdmin(ctx context.Context, who control.Actor, username string, on bool) error
}

// Members are who belongs to a workspace, and who is let into one app.
type Members interface {
	CreateWorkspace(ctx context.Context, who control.Actor, id, email string) (platform.Workspace, error)
	UpdateWorkspace(ctx context.Context, who control.Actor, id string, email *string) (platform.Workspace, error)
	DeleteWorkspace(ctx context.Context, who control.Actor, id string) error
	ListMembers(ctx context.Context, who control.Actor, workspace string, p control.Page) ([]platform.WorkspaceMember, int, error)
	FindMember(ctx context.Context, who control.Actor, workspace, username string) (platform.WorkspaceMember, error)
	UpdateMember(ctx context.Context, who control.Actor, workspace, username string, ch control.MemberChange) (platform.WorkspaceMember, error)
	DeleteMember(ctx context.Context, who control.Actor, workspace, username string) error
	Invite(ctx context.Context, who control.Actor, workspace, email, base string) (platform.Invitation, error)
	ListInvitations(ctx context.Context, who control.Actor, workspace string, p control.Page) ([]platform.Invitation, int, error)
	AcceptInvitation(ctx context.Context, workspace, token string) (i platform.Invitation, userExists bool, err error)
	DeleteInvitation(ctx context.Context, who control.Actor, workspace, token string) error
	ListGrants(ctx context.Context, who control.Actor, app string) ([]platform.Grant, error)
	SetGrant(ctx context.Context, who control.Actor, app string, g platform.Grant) error
	DeleteGrant(ctx context.Context, who control.Actor, app, username string) error
}
