package control

import (
	"context"
	"fmt"

	"github.com/slipway-paas/slipway/platform"
)

// inviteAllowance is how many invitations one user may send in an hour before
// it gets slow: they go to anybody's mailbox.
const inviteAllowance = 100

// Invite asks the owner of a mail address into a workspace, for its admins.
// With a mail server they are sent a link below base; without one they count
// as asked, and become a member now or when they first log in.
func (c *Controller) Invite(ctx context.Context, actor Actor, workspace, email, base string) (platform.Invitation, error) {
	none := platform.Invitation{}
	_, role, release, err := c.holdWorkspace(ctx, actor, workspace)
	if err != nil {
		return none, err
	}
	defer release()
	if role < platform.Admin {
		return none, denied()
	}
	if email == "" {
		return none, platform.FieldErrorf("email", "This field is required.")
	}
	if err := platform.ValidateEmail("email", email); err != nil {
		return none, err
	}
	member, err := c.store.IsMemberByEmail(ctx, workspace, email)
	if err != nil {
		return none, err
	}
	if member {
		return none, platform.Errorf(platform.Invalid, "User is already a member of the workspace")
	}
	if err := c.throttle.attempt(counter{"mail\x00" + actor.User.Username, inviteAllowance}); err != nil {
		return none, err
	}
	token := c.identity.NewKey()
	hash := c.identity.HashKey(token)
	i, err := c.store.SaveInvitation(ctx, platform.Invitation{
		Workspace: workspace, Email: email, Token: token, Inviter: actor.User.Username, Created: c.now(),
	}, hash)
	if err != nil {
		return none, err
	}
	if c.accounts.mailer == nil {
		i, _, err = c.store.AcceptInvitation(ctx, workspace, hash, c.now())
		return i, err
	}
	return i, c.sendInvitation(ctx, i, hash, base)
}

// sendInvitation takes the invitation back when it can't be sent. A crash in
// between leaves one that nobody was told of: admins see it, and may invite
// again.
func (c *Controller) sendInvitation(ctx context.Context, i platform.Invitation, hash, base string) error {
	link := InvitationPath(base, i.Workspace, i.Token)
	text := fmt.Sprintf("%s invites you to the workspace %s on %s.\n\nTo accept, open\n\n%s\n\n"+
		"If you do not know what this is about, do nothing.\n", i.Inviter, i.Workspace, c.domain, link)
	cause := c.accounts.mailer.Send(ctx, i.Email, "Invitation to the workspace "+i.Workspace, text)
	if cause == nil {
		return nil
	}
	if err := c.store.DeleteInvitation(context.WithoutCancel(ctx), i.Workspace, hash, c.now()); err != nil {
		c.log.WithError(err).Warn("taking back an invitation that could not be sent")
	}
	return &platform.Error{Code: platform.Unavailable, Op: "control.Invite", Err: cause,
		Message: "The invitation could not be sent: the mail server did not take it. Ask an administrator to check the SMTP settings."}
}

// InvitationPath is where an invitation is accepted.
func InvitationPath(base, workspace, token string) string {
	return base + "/v2/workspaces/" + workspace + "/invitations/" + token
}

// ListInvitations lists those that wait, for members.
func (c *Controller) ListInvitations(ctx context.Context, actor Actor, workspace string, p Page) ([]platform.Invitation, int, error) {
	if _, err := c.FindWorkspace(ctx, actor, workspace); err != nil {
		return nil, 0, err
	}
	return c.store.ListInvitations(ctx, workspace, p)
}

// AcceptInvitation accepts in the name of the invited address, for whoever has
// the token. It reports whether there is a user of that address, who then is a
// member; if not, the first login makes them one.
func (c *Controller) AcceptInvitation(ctx context.Context, workspace, token string) (platform.Invitation, bool, error) {
	i, username, err := c.store.AcceptInvitation(ctx, workspace, c.identity.HashKey(token), c.now())
	return i, username != "", err
}

// DeleteInvitation takes an invitation back, for admins of the workspace.
func (c *Controller) DeleteInvitation(ctx context.Context, actor Actor, workspace, token string) error {
	_, role, release, err := c.holdWorkspace(ctx, actor, workspace)
	if err != nil {
		return err
	}
	defer release()
	if role < platform.Admin {
		return denied()
	}
	return c.store.DeleteInvitation(ctx, workspace, c.identity.HashKey(token), c.now())
}
