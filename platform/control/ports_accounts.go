package control

import (
	"context"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// AccountStore keeps who may do what. The rules of Store hold.
type AccountStore interface {
	ListUsers(ctx context.Context, f UserFilter, p Page) ([]platform.User, int, error) // by ID
	// CreatePerson adds a user that p vouches for, without a password.
	CreatePerson(ctx context.Context, p platform.Person, at time.Time) (platform.User, error)
	FindPerson(ctx context.Context, origin, subject string) (platform.User, error)
	UpdateUser(ctx context.Context, username string, c platform.UserChange, at time.Time) (platform.User, error)
	// DeleteUser removes a user with tokens, memberships and grants, and the
	// workspaces that had no other member. One of those with apps is a Conflict.
	DeleteUser(ctx context.Context, username string, at time.Time) error
	// ListSole lists the workspaces whose only admin is username, by id.
	ListSole(ctx context.Context, username string) ([]platform.Sole, error)

	// RenewToken gives a token of t.Owner's a new key.
	RenewToken(ctx context.Context, t platform.Token, keySHA256 string) (platform.Token, error)
	// ReplaceTokens deletes all tokens of owner, or of everybody when that is
	// empty, and adds t.
	ReplaceTokens(ctx context.Context, owner string, t platform.Token, keySHA256 string) (platform.Token, error)

	UpdateWorkspace(ctx context.Context, w platform.Workspace) (platform.Workspace, error) // its Email
	// DeleteWorkspace refuses with Conflict while there are apps in it.
	DeleteWorkspace(ctx context.Context, id string, at time.Time) error
	ListMembers(ctx context.Context, workspace string, p Page) ([]platform.WorkspaceMember, int, error) // by ID
	FindMember(ctx context.Context, workspace, username string) (platform.WorkspaceMember, error)
	UpdateMember(ctx context.Context, m platform.WorkspaceMember) error // its Role and Alerts
	DeleteMember(ctx context.Context, workspace, username string, at time.Time) error
	CountMembers(ctx context.Context, workspace string) (members, admins int, err error)

	// SaveInvitation adds i, in place of an earlier one of the same address.
	SaveInvitation(ctx context.Context, i platform.Invitation, tokenSHA256 string) (platform.Invitation, error)
	// ListInvitations lists by ID those that have not become a membership.
	ListInvitations(ctx context.Context, workspace string, p Page) ([]platform.Invitation, int, error)
	DeleteInvitation(ctx context.Context, workspace, tokenSHA256 string, at time.Time) error
	// AcceptInvitation marks it accepted and makes the oldest active user with
	// its address a member. It returns that user's name, empty when there is
	// none yet. Doing it again changes nothing.
	AcceptInvitation(ctx context.Context, workspace, tokenSHA256 string, at time.Time) (platform.Invitation, string, error)
	// JoinInvited makes username a member wherever an accepted invitation of
	// the user's address waits, and returns those workspaces.
	JoinInvited(ctx context.Context, username string, at time.Time) ([]string, error)
	// IsMemberByEmail reports whether a user with that address is a member.
	IsMemberByEmail(ctx context.Context, workspace, email string) (bool, error)

	GrantOf(ctx context.Context, app, username string) (platform.Role, error) // NoRole, nil when there is none
	ListGrants(ctx context.Context, app string) ([]platform.Grant, error)     // by user name
	SetGrant(ctx context.Context, app string, g platform.Grant, at time.Time) error
	DeleteGrant(ctx context.Context, app, username string, at time.Time) error
}

// UserFilter narrows a list of users.
type UserFilter struct {
	Superusers bool // only administrators
	Active     bool // of these only who may log in
}

// Directory checks passwords of users who are kept elsewhere. Safe for
// concurrent use.
type Directory interface {
	// CheckPassword reports whether username and password belong together, and
	// whose they are. It takes as long for names it does not know. A directory
	// that does not answer is Unavailable.
	CheckPassword(ctx context.Context, username, password string) (platform.Person, bool, error)
}

// SignOn sends browsers to an identity provider. Safe for concurrent use. A
// provider that does not answer is Unavailable.
type SignOn interface {
	// Name is what the provider is called on the login page.
	Name() string
	// Begin returns where the browser has to go and a secret to keep until it
	// comes back to redirect with the same state.
	Begin(ctx context.Context, state, redirect string) (url, secret string, err error)
	// Finish turns the code that the browser brought into a person. A code or
	// an answer that does not hold is Unauthenticated.
	Finish(ctx context.Context, code, redirect, secret string) (platform.Person, error)
	// Verify tells whose an ID token is that was made for this platform.
	Verify(ctx context.Context, idToken string) (platform.Person, error)
}

// Mailer sends mail as plain text. Safe for concurrent use; it blocks until the mail server
// has taken the message. An error says why it did not.
type Mailer interface {
	Send(ctx context.Context, to, subject, text string) error
}
