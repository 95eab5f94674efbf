package control_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// emptyKit is a kit without users.
func emptyKit(t *testing.T, options ...option) *kit {
	t.Helper()
	k := newKit(t, options...)
	for _, name := range []string{"alice", "bobby"} {
		require.NoError(t, k.store.DeleteUser(t.Context(), name, k.clock.Now()))
	}
	return k
}

func TestAlwaysAnAdministrator(t *testing.T) {
	t.Parallel()
	k := accountKit(t)
	root := k.root()
	ctx := t.Context()
	const last = "rooty is the last administrator"
	fails(t, k.SetAdmin(ctx, root, "rooty", false), platform.Conflict, last)
	fails(t, k.SetActive(ctx, root, "rooty", false), platform.Conflict, last)
	fails(t, k.CancelUser(ctx, root, ""), platform.Conflict, last)
	require.NoError(t, k.SetAdmin(ctx, root, "dormant", true))
	fails(t, k.SetAdmin(ctx, root, "rooty", false), platform.Conflict, last) // the other can't log in
	require.NoError(t, k.SetActive(ctx, root, "dormant", true))
	require.NoError(t, k.SetAdmin(ctx, root, "rooty", false))
	for _, who := range []control.Actor{k.alice, {}} {
		fails(t, k.SetAdmin(ctx, who, "alice", true), platform.Forbidden, "permission")
		fails(t, k.SetActive(ctx, who, "bobby", false), platform.Forbidden, "permission")
		fails(t, k.CancelUser(ctx, who, "bobby"), platform.Forbidden, "permission")
		_, _, err := k.ListUsers(ctx, who, control.Page{})
		fails(t, err, platform.Forbidden, "permission")
		_, _, err = k.ListAdmins(ctx, who, control.Page{})
		fails(t, err, platform.Forbidden, "permission")
		_, err = k.RenewTokens(ctx, who, control.Renewal{All: true})
		fails(t, err, platform.Forbidden, "permission")
		_, err = k.RenewTokens(ctx, who, control.Renewal{Username: "bobby"})
		fails(t, err, platform.Forbidden, "permission")
		fails(t, k.ChangePassword(ctx, who, control.PasswordChange{Username: "bobby", New: "x"}, ""), platform.Forbidden, "permission")
	}
}

func TestCancelUser(t *testing.T) {
	t.Parallel()
	k := accountKit(t)
	ctx := t.Context()
	root := k.root()
	k.create(app)
	fails(t, k.CancelUser(ctx, k.alice, ""), platform.Conflict,
		"alice is the only admin of the workspace alice, which has 1 app: destroy the apps or transfer them to another workspace (drycc apps transfer) first.")
	carol := k.invite("alice", "carol", "c@example.test")
	fails(t, k.CancelUser(ctx, root, "alice"), platform.Conflict,
		"which has 1 app and 1 other member: destroy the apps or transfer them to another workspace (drycc apps transfer), or make another member admin (drycc workspaces update) first.")
	require.NoError(t, k.CancelUser(ctx, carol, ""))
	_, _, err := k.store.FindUser(ctx, "carol")
	require.Equal(t, platform.NotFound, platform.CodeOf(err))
	require.NoError(t, k.CancelUser(ctx, root, "bobby"))
	_, err = k.store.FindWorkspace(ctx, "bobby")
	require.Equal(t, platform.NotFound, platform.CodeOf(err), "nobody was left in it")
	fails(t, k.CancelUser(ctx, root, "bobby"), platform.NotFound, "No User matches the given query.")
}

// invite lets a user join a workspace of alice's, by address.
func (k *kit) invite(workspace, name, email string) control.Actor {
	k.t.Helper()
	i, err := k.Invite(k.t.Context(), k.alice, workspace, email, "http://here")
	require.NoError(k.t, err)
	require.True(k.t, i.Accepted)
	u, _, err := k.store.FindUser(k.t.Context(), name)
	require.NoError(k.t, err)
	return control.Actor{User: u}
}

func TestTwoAdminsCanNotBothLeave(t *testing.T) {
	t.Parallel()
	k := accountKit(t)
	ctx := t.Context()
	carol := k.invite("alice", "carol", "c@example.test")
	role := platform.Admin
	_, err := k.UpdateMember(ctx, k.alice, "alice", "carol", control.MemberChange{Role: &role})
	require.NoError(t, err)
	var group sync.WaitGroup
	results := make([]error, 2)
	for n, who := range []control.Actor{k.alice, carol} {
		group.Go(func() { results[n] = k.DeleteMember(ctx, who, "alice", who.User.Username) })
	}
	group.Wait()
	members, admins, err := k.store.CountMembers(ctx, "alice")
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, []int{members, admins})
	require.True(t, (results[0] == nil) != (results[1] == nil), "%v", results)
}

// office is a mail server.
type office struct {
	to, text string
	fail     error
}

func (o *office) Send(_ context.Context, to, _, text string) error {
	o.to, o.text = to, text
	return o.fail
}

func TestInvitationByMail(t *testing.T) {
	t.Parallel()
	mail := &office{}
	k := accountKit(t, func(o *control.Options) { o.Mailer = mail })
	ctx := t.Context()
	i, err := k.Invite(ctx, k.alice, "alice", "c@example.test", "https://drycc.example.test")
	require.NoError(t, err)
	require.False(t, i.Accepted)
	require.Equal(t, "c@example.test", mail.to)
	require.Contains(t, mail.text, "alice invites you")
	require.Contains(t, mail.text, "\nhttps://drycc.example.test/v2/workspaces/alice/invitations/"+i.Token+"\n")
	role, err := k.store.RoleOf(ctx, "alice", "carol")
	require.NoError(t, err)
	require.Equal(t, platform.NoRole, role)
	_, exists, err := k.AcceptInvitation(ctx, "alice", i.Token)
	require.NoError(t, err)
	require.True(t, exists)
	role, err = k.store.RoleOf(ctx, "alice", "carol")
	require.NoError(t, err)
	require.Equal(t, platform.Member, role)

	mail.fail = errors.New("greylisted")
	_, err = k.Invite(ctx, k.alice, "alice", "d@example.test", "")
	fails(t, err, platform.Unavailable, "could not be sent")
	_, total, err := k.ListInvitations(ctx, k.alice, "alice", control.Page{})
	require.NoError(t, err)
	require.Zero(t, total)
	_, _, err = k.AcceptInvitation(ctx, "alice", mail.text[strings.LastIndex(mail.text, "/")+1:])
	require.Error(t, err)

	mail.fail = nil
	for range 98 {
		_, err = k.Invite(ctx, k.alice, "alice", "e@example.test", "")
		require.NoError(t, err)
	}
	_, err = k.Invite(ctx, k.alice, "alice", "e@example.test", "")
	fails(t, err, platform.Throttled, "throttled")
}

// What a grant opens, over every verb of an app, and what it never does.
func TestGrantedRoles(t *testing.T) {
	t.Parallel()
	for _, role := range []platform.Role{platform.Viewer, platform.Member, platform.Admin} {
		for _, v := range verbs() {
			t.Run(role.String()+" "+v.name, func(t *testing.T) {
				t.Parallel()
				k := newKit(t).run()
				k.create(app)
				k.deploy("img:1", "web")
				k.settle()
				k.deploy("img:2", "web")
				k.settle()
				require.NoError(t, k.SetGrant(t.Context(), k.alice, app, platform.Grant{Username: "bobby", Role: role}))
				err := v.do(k, k.bobby, app)
				allowed := role >= v.need && v.name != "DeleteApp"
				require.Equal(t, !allowed, platform.CodeOf(err) == platform.Forbidden, "%v", err)
				require.NotEqual(t, platform.Internal, platform.CodeOf(err))
			})
		}
	}
}

func TestGrantIsNoMoreThanOwn(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	ctx := t.Context()
	k.create(app)
	eve := k.user("eve")
	grant := func(who control.Actor, name string, role platform.Role) error {
		return k.SetGrant(ctx, who, app, platform.Grant{Username: name, Role: role})
	}
	fails(t, grant(k.bobby, "bobby", platform.Viewer), platform.Forbidden, "permission")
	require.NoError(t, grant(k.alice, "bobby", platform.Member))
	fails(t, grant(k.bobby, "bobby", platform.Admin), platform.Forbidden, "permission")
	fails(t, grant(k.bobby, "eve", platform.Admin), platform.Forbidden, "permission")
	require.NoError(t, grant(k.bobby, "eve", platform.Viewer))
	fails(t, grant(eve, "eve", platform.Viewer), platform.Forbidden, "permission")
	fails(t, k.DeleteGrant(ctx, k.bobby, app, "eve"), platform.Forbidden, "permission")
	require.NoError(t, k.DeleteGrant(ctx, eve, app, "eve"))
	fails(t, k.DeleteGrant(ctx, eve, app, "eve"), platform.Forbidden, "permission")
	list, err := k.ListGrants(ctx, k.bobby, app)
	require.NoError(t, err)
	require.Equal(t, []platform.Grant{{Username: "bobby", Role: platform.Member}}, list)
	_, err = k.ListGrants(ctx, eve, app)
	fails(t, err, platform.Forbidden, "permission")
	apps, _, err := k.ListApps(ctx, k.bobby, control.AppFilter{}, control.Page{})
	require.NoError(t, err)
	require.Len(t, apps, 1)
}
