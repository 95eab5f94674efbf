package platformtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func suiteAccounts(t *testing.T, f fixture) {
	alice := f.user("alice")
	f.user("bobby")
	on, off, mail, name := true, false, "new@example.test", "Al"
	u, err := f.UpdateUser(f.ctx, "alice", platform.UserChange{IsSuperuser: &on, Email: &mail, FirstName: &name, LastName: &name}, day(3))
	require.NoError(t, err)
	want := alice
	want.IsSuperuser, want.IsStaff, want.Email, want.FirstName, want.LastName = true, true, mail, name, name
	require.Equal(t, want, u)
	found, hash, err := f.FindUser(f.ctx, "alice")
	require.NoError(t, err)
	require.Equal(t, want, found)
	require.Equal(t, "hash of alice", hash)
	same, err := f.UpdateUser(f.ctx, "alice", platform.UserChange{}, day(4))
	require.NoError(t, err)
	require.Equal(t, want, same)
	_, err = f.UpdateUser(f.ctx, "nobody", platform.UserChange{IsActive: &off}, day(3))
	f.code(platform.NotFound, err)
	names := func(filter control.UserFilter, p control.Page) (out []string, total int) {
		list, total, err := f.ListUsers(f.ctx, filter, p)
		require.NoError(t, err)
		for _, u := range list {
			out = append(out, u.Username)
		}
		return out, total
	}
	check := func(filter control.UserFilter, p control.Page, total int, want ...string) {
		t.Helper()
		got, n := names(filter, p)
		require.Equal(t, want, got)
		require.Equal(t, total, n)
	}
	check(control.UserFilter{}, control.Page{}, 2, "alice", "bobby")
	check(control.UserFilter{}, control.Page{Limit: 1, Offset: 1}, 2, "bobby")
	check(control.UserFilter{Superusers: true}, control.Page{}, 1, "alice")
	_, err = f.UpdateUser(f.ctx, "alice", platform.UserChange{IsActive: &off}, day(3))
	require.NoError(t, err)
	check(control.UserFilter{Superusers: true, Active: true}, control.Page{}, 0)
}

func suitePeople(t *testing.T, f fixture) {
	p := platform.Person{Origin: platform.OriginLDAP, Subject: "alice", Username: "alice", Email: "a@b.test", FirstName: "A", LastName: "B", Groups: []string{"x", "y z"}}
	u, err := f.CreatePerson(f.ctx, p, day(1))
	require.NoError(t, err)
	require.Equal(t, platform.User{ID: u.ID, Username: "alice", Email: "a@b.test", FirstName: "A", LastName: "B",
		IsActive: true, Origin: platform.OriginLDAP, Groups: []string{"x", "y z"}, DateJoined: day(1)}, u)
	found, err := f.FindPerson(f.ctx, platform.OriginLDAP, "alice")
	require.NoError(t, err)
	require.Equal(t, u, found)
	_, hash, err := f.FindUser(f.ctx, "alice")
	require.NoError(t, err)
	require.Empty(t, hash)
	for _, who := range [][2]string{{platform.OriginOIDC, "alice"}, {platform.OriginLDAP, "bobby"}, {platform.OriginLocal, ""}} {
		f.user("u" + who[0] + who[1])
		_, err = f.FindPerson(f.ctx, who[0], who[1])
		f.code(platform.NotFound, err)
	}
	again := p
	again.Username = "another"
	_, err = f.CreatePerson(f.ctx, again, day(1))
	f.code(platform.Conflict, err)
	again = p
	again.Subject = "another"
	_, err = f.CreatePerson(f.ctx, again, day(1))
	f.code(platform.Conflict, err)
	groups := []string{}
	u, err = f.UpdateUser(f.ctx, "alice", platform.UserChange{Groups: &groups}, day(2))
	require.NoError(t, err)
	require.Empty(t, u.Groups)
}

func suiteDeleteUser(t *testing.T, f fixture) {
	f.app("hello") // of userhello in wshello
	f.user("alice")
	f.workspace("alone", "alice")
	f.workspace("together", "alice")
	f.join("together", "bobby", platform.Member)
	soles, err := f.ListSole(f.ctx, "alice")
	require.NoError(t, err)
	require.Equal(t, []platform.Sole{{Workspace: "alone", Members: 1}, {Workspace: "together", Members: 2}}, soles)
	soles, err = f.ListSole(f.ctx, "userhello")
	require.NoError(t, err)
	require.Equal(t, []platform.Sole{{Workspace: "wshello", Members: 1, Apps: 1}}, soles)
	soles, err = f.ListSole(f.ctx, "bobby")
	require.NoError(t, err)
	require.Empty(t, soles)
	_, err = f.CreateToken(f.ctx, platform.Token{UUID: "t1", Owner: "alice"}, "k1")
	require.NoError(t, err)
	require.NoError(t, f.SetGrant(f.ctx, "hello", platform.Grant{Username: "alice", Role: platform.Member}, day(3)))

	f.code(platform.Conflict, f.DeleteUser(f.ctx, "userhello", day(4)))
	_, _, err = f.FindUser(f.ctx, "userhello")
	require.NoError(t, err)
	f.code(platform.NotFound, f.DeleteUser(f.ctx, "nobody", day(4)))
	require.NoError(t, f.DeleteUser(f.ctx, "alice", day(4)))
	_, _, err = f.FindTokenByKey(f.ctx, "k1")
	f.code(platform.NotFound, err)
	_, err = f.FindWorkspace(f.ctx, "alone")
	f.code(platform.NotFound, err)
	members, admins, err := f.CountMembers(f.ctx, "together")
	require.NoError(t, err)
	require.Equal(t, []int{1, 0}, []int{members, admins})
	grants, err := f.ListGrants(f.ctx, "hello")
	require.NoError(t, err)
	require.Empty(t, grants)
}

// join makes a new user a member, the only way that there is.
func (f fixture) join(workspace, name string, role platform.Role) {
	f.t.Helper()
	f.user(name)
	_, err := f.SaveInvitation(f.ctx, platform.Invitation{Workspace: workspace, Email: name + "@example.test", Token: name, Inviter: "x", Created: day(1)}, "hash "+workspace+name)
	require.NoError(f.t, err)
	_, who, err := f.AcceptInvitation(f.ctx, workspace, "hash "+workspace+name, day(2))
	require.NoError(f.t, err)
	require.Equal(f.t, name, who)
	m, err := f.FindMember(f.ctx, workspace, name)
	require.NoError(f.t, err)
	m.Role, m.Updated = role, day(2)
	require.NoError(f.t, f.UpdateMember(f.ctx, m))
}

func suiteMembers(t *testing.T, f fixture) {
	f.user("alice")
	w := f.workspace("group", "alice")
	f.join("group", "bobby", platform.Viewer)
	list, total, err := f.ListMembers(f.ctx, "group", control.Page{})
	require.NoError(t, err)
	require.Equal(t, 2, total)
	require.Equal(t, platform.WorkspaceMember{ID: list[0].ID, Workspace: "group", Username: "alice", Email: "alice@example.test",
		Role: platform.Admin, Created: day(0), Updated: day(0)}, list[0])
	require.Equal(t, platform.WorkspaceMember{ID: list[1].ID, Workspace: "group", Username: "bobby", Email: "bobby@example.test",
		Role: platform.Viewer, Created: day(2), Updated: day(2)}, list[1])
	second, total, err := f.ListMembers(f.ctx, "group", control.Page{Limit: 1, Offset: 1})
	require.NoError(t, err)
	require.Equal(t, 2, total)
	require.Equal(t, list[1:], second)
	m := list[1]
	m.Alerts, m.Role, m.Updated = true, platform.Admin, day(5)
	require.NoError(t, f.UpdateMember(f.ctx, m))
	found, err := f.FindMember(f.ctx, "group", "bobby")
	require.NoError(t, err)
	require.Equal(t, m, found)
	members, admins, err := f.CountMembers(f.ctx, "group")
	require.NoError(t, err)
	require.Equal(t, []int{2, 2}, []int{members, admins})
	is, err := f.IsMemberByEmail(f.ctx, "group", "BOBBY@example.test")
	require.NoError(t, err)
	require.True(t, is)
	is, err = f.IsMemberByEmail(f.ctx, "group", "carol@example.test")
	require.NoError(t, err)
	require.False(t, is)
	require.NoError(t, f.DeleteMember(f.ctx, "group", "bobby", day(6)))
	f.code(platform.NotFound, f.DeleteMember(f.ctx, "group", "bobby", day(6)))
	f.code(platform.NotFound, f.UpdateMember(f.ctx, m))
	_, err = f.FindMember(f.ctx, "group", "bobby")
	f.code(platform.NotFound, err)

	w.Email, w.Updated = "new@example.test", day(7)
	changed, err := f.UpdateWorkspace(f.ctx, w)
	require.NoError(t, err)
	require.Equal(t, w, changed)
	_, err = f.UpdateWorkspace(f.ctx, platform.Workspace{ID: "nothere"})
	f.code(platform.NotFound, err)
	_, err = f.tryApp("hello", "group")
	require.NoError(t, err)
	f.code(platform.Conflict, f.DeleteWorkspace(f.ctx, "group", day(8)))
	require.NoError(t, f.DeleteApp(f.ctx, "hello"))
	require.NoError(t, f.DeleteWorkspace(f.ctx, "group", day(8)))
	f.code(platform.NotFound, f.DeleteWorkspace(f.ctx, "group", day(8)))
	_, total, err = f.ListMembers(f.ctx, "group", control.Page{})
	require.NoError(t, err)
	require.Zero(t, total)
}

func suiteInvitations(t *testing.T, f fixture) {
	f.user("alice")
	f.workspace("group", "alice")
	f.workspace("other", "alice")
	save := func(workspace, email, token string) platform.Invitation {
		i, err := f.SaveInvitation(f.ctx, platform.Invitation{Workspace: workspace, Email: email, Token: token, Inviter: "alice", Created: day(1)}, "hash "+token)
		require.NoError(t, err)
		return i
	}
	list := func() (tokens []string) {
		all, total, err := f.ListInvitations(f.ctx, "group", control.Page{})
		require.NoError(t, err)
		require.Len(t, all, total)
		for _, i := range all {
			tokens = append(tokens, i.Token)
		}
		return tokens
	}
	first := save("group", "bobby@example.test", "t1")
	require.Positive(t, first.ID)
	all, _, err := f.ListInvitations(f.ctx, "group", control.Page{})
	require.NoError(t, err)
	require.Equal(t, []platform.Invitation{first}, all)
	save("group", "Bobby@Example.test", "t2")
	save("group", "carol@example.test", "t3")
	save("other", "bobby@example.test", "t4")
	require.Equal(t, []string{"t2", "t3"}, list(), "one for each address")
	_, err = f.SaveInvitation(f.ctx, platform.Invitation{Workspace: "nothere", Email: "x@y.test"}, "hash x")
	f.code(platform.NotFound, err)
	_, _, err = f.AcceptInvitation(f.ctx, "group", "hash t1", day(2))
	f.code(platform.NotFound, err)
	_, _, err = f.AcceptInvitation(f.ctx, "other", "hash t2", day(2))
	f.code(platform.NotFound, err)

	require.NoError(t, f.DeleteInvitation(f.ctx, "group", "hash t3", day(6)))
	f.code(platform.NotFound, f.DeleteInvitation(f.ctx, "group", "hash t3", day(6)))
	f.code(platform.NotFound, f.DeleteInvitation(f.ctx, "other", "hash t2", day(6)))
	require.Equal(t, []string{"t2"}, list())
}

func suiteAccepted(t *testing.T, f fixture) {
	f.user("alice")
	f.workspace("group", "alice")
	f.workspace("other", "alice")
	for _, workspace := range []string{"group", "other"} {
		_, err := f.SaveInvitation(f.ctx, platform.Invitation{Workspace: workspace, Email: "Bobby@example.test", Token: workspace, Created: day(1)}, "hash "+workspace)
		require.NoError(t, err)
	}
	waiting := func() int {
		_, total, err := f.ListInvitations(f.ctx, "group", control.Page{})
		require.NoError(t, err)
		return total
	}
	i, who, err := f.AcceptInvitation(f.ctx, "group", "hash group", day(2))
	require.NoError(t, err)
	require.Empty(t, who)
	require.True(t, i.Accepted)
	require.False(t, i.Joined)
	require.Equal(t, 1, waiting())
	f.user("bobby") // whose address is the invited one
	joined, err := f.JoinInvited(f.ctx, "bobby", day(3))
	require.NoError(t, err)
	require.Equal(t, []string{"group"}, joined, "the other was not accepted")
	role, err := f.RoleOf(f.ctx, "group", "bobby")
	require.NoError(t, err)
	require.Equal(t, platform.Member, role)
	joined, err = f.JoinInvited(f.ctx, "bobby", day(3))
	require.NoError(t, err)
	require.Empty(t, joined)
	require.Zero(t, waiting())
	f.code(platform.NotFound, f.DeleteInvitation(f.ctx, "group", "hash group", day(6)))

	require.NoError(t, f.DeleteMember(f.ctx, "group", "bobby", day(4)))
	_, who, err = f.AcceptInvitation(f.ctx, "group", "hash group", day(5))
	require.NoError(t, err)
	require.Equal(t, "bobby", who)
	role, err = f.RoleOf(f.ctx, "group", "bobby")
	require.NoError(t, err)
	require.Equal(t, platform.NoRole, role, "an old link does not bring anybody back")
}

// Of several users with one address the first has it; one that is shut out
// has none.
func suiteInvitedTwins(t *testing.T, f fixture) {
	f.user("alice")
	f.workspace("group", "alice")
	off, mail := false, "bobby@example.test"
	for _, name := range []string{"bobby", "bobby2", "bobby3"} {
		f.user(name)
		_, err := f.UpdateUser(f.ctx, name, platform.UserChange{Email: &mail}, day(1))
		require.NoError(t, err)
	}
	_, err := f.UpdateUser(f.ctx, "bobby", platform.UserChange{IsActive: &off}, day(1))
	require.NoError(t, err)
	_, err = f.SaveInvitation(f.ctx, platform.Invitation{Workspace: "group", Email: mail, Token: "t", Created: day(1)}, "hash t")
	require.NoError(t, err)
	i, who, err := f.AcceptInvitation(f.ctx, "group", "hash t", day(2))
	require.NoError(t, err)
	require.Equal(t, "bobby2", who)
	require.True(t, i.Joined)
	joined, err := f.JoinInvited(f.ctx, "bobby3", day(3))
	require.NoError(t, err)
	require.Empty(t, joined)
}

func suiteGrants(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	f.user("alice")
	f.user("bobby")
	set := func(app, name string, role platform.Role) error {
		return f.SetGrant(f.ctx, app, platform.Grant{Username: name, Role: role}, day(3))
	}
	require.NoError(t, set("hello", "bobby", platform.Member))
	require.NoError(t, set("hello", "alice", platform.Viewer))
	require.NoError(t, set("hello", "alice", platform.Admin))
	f.code(platform.NotFound, set("hello", "nobody", platform.Member))
	f.code(platform.NotFound, set("nothere", "alice", platform.Member))
	list, err := f.ListGrants(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, []platform.Grant{{Username: "alice", Role: platform.Admin}, {Username: "bobby", Role: platform.Member}}, list)
	for _, tc := range []struct {
		app, name string
		want      platform.Role
	}{{"hello", "alice", platform.Admin}, {"other", "alice", platform.NoRole}, {"hello", "userhello", platform.NoRole}, {"nothere", "alice", platform.NoRole}} {
		role, err := f.GrantOf(f.ctx, tc.app, tc.name)
		require.NoError(t, err)
		require.Equal(t, tc.want, role)
	}
	apps := func(name string) (ids []string) {
		list, total, err := f.ListApps(f.ctx, control.AppFilter{Username: name}, control.Page{})
		require.NoError(t, err)
		require.Len(t, list, total)
		for _, a := range list {
			ids = append(ids, a.ID)
		}
		return ids
	}
	require.Equal(t, []string{"hello"}, apps("bobby"))
	require.Equal(t, []string{"other"}, apps("userother"))
	require.NoError(t, set("hello", "userother", platform.Viewer))
	require.Equal(t, []string{"hello", "other"}, apps("userother"))
	require.NoError(t, f.DeleteGrant(f.ctx, "hello", "bobby", day(4)))
	f.code(platform.NotFound, f.DeleteGrant(f.ctx, "hello", "bobby", day(4)))
	require.Empty(t, apps("bobby"))
	require.NoError(t, f.DeleteApp(f.ctx, "hello"))
	require.Equal(t, []string{"other"}, apps("userother"))
}

func suiteTokenRenewal(t *testing.T, f fixture) {
	f.user("alice")
	f.user("bobby")
	for _, owner := range []string{"alice", "bobby"} {
		for _, n := range []string{"1", "2"} {
			_, err := f.CreateToken(f.ctx, platform.Token{UUID: owner + n, Owner: owner, Alias: "cli", FuzzyKey: "f", Created: day(1), Updated: day(1)}, "key "+owner+n)
			require.NoError(t, err)
		}
	}
	good := func() (keys []string) {
		for _, key := range []string{"key alice1", "key alice2", "key bobby1", "key bobby2", "renewed", "new", "last"} {
			if _, _, err := f.FindTokenByKey(f.ctx, key); err == nil {
				keys = append(keys, key)
			}
		}
		return keys
	}
	renewed, err := f.RenewToken(f.ctx, platform.Token{UUID: "alice1", Owner: "alice", FuzzyKey: "g", Updated: day(2)}, "renewed")
	require.NoError(t, err)
	require.Equal(t, platform.Token{UUID: "alice1", Owner: "alice", Alias: "cli", FuzzyKey: "g", Created: day(1), Updated: day(2)}, renewed)
	_, err = f.RenewToken(f.ctx, platform.Token{UUID: "alice1", Owner: "bobby"}, "stolen")
	f.code(platform.NotFound, err)
	require.Equal(t, []string{"key alice2", "key bobby1", "key bobby2", "renewed"}, good())
	_, err = f.ReplaceTokens(f.ctx, "alice", platform.Token{UUID: "n", Owner: "alice", Created: day(3), Updated: day(3)}, "new")
	require.NoError(t, err)
	require.Equal(t, []string{"key bobby1", "key bobby2", "new"}, good())
	_, err = f.ReplaceTokens(f.ctx, "", platform.Token{UUID: "o", Owner: "nobody"}, "last")
	f.code(platform.NotFound, err)
	require.Equal(t, []string{"key bobby1", "key bobby2", "new"}, good(), "nothing happened")
	_, err = f.ReplaceTokens(f.ctx, "", platform.Token{UUID: "o", Owner: "bobby", Created: day(3), Updated: day(3)}, "last")
	require.NoError(t, err)
	require.Equal(t, []string{"last"}, good())
}
