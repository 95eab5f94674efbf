package platformtest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// StoreSuite checks what every store has to do. open makes an empty store for
// one test and closes it at the test's end.
func StoreSuite(t *testing.T, open func(t *testing.T) control.Store) {
	for _, tc := range append([]suiteCase{
		{"users", suiteUsers},
		{"tokens", suiteTokens},
		{"workspaces", suiteWorkspaces},
		{"apps", suiteApps},
		{"app roles", suiteAppRoles},
		{"app lists", suiteAppLists},
		{"settings", suiteSettings},
		{"releases", suiteReleases},
		{"release content", suiteContent},
		{"release queries", suiteQueries},
		{"release states", suiteStates},
		{"supersede", suiteSupersede},
		{"versions at once", suiteVersions},
		{"delete app", suiteDelete},
		{"work", suiteWork},
		{"another cluster", suiteCluster},
		{"another domain", suiteDomain},
		{"volumes", suiteVolumes},
		{"resources", suiteResources},
		{"events", suiteEvents},
		{"transfer", suiteTransfer},
		{"cancelled", suiteCancelled},
		{"domains", suiteDomains},
		{"certificates", suiteCerts},
		{"pairs", suitePairs},
		{"tls", suiteTLS},
		{"routing", suiteRouting},
		{"tries for certificates", suiteCertTries},
		{"holds of accounts", suiteHolds},
		{"accounts", suiteAccounts},
		{"people", suitePeople},
		{"delete user", suiteDeleteUser},
		{"members", suiteMembers},
		{"invitations", suiteInvitations},
		{"accepted invitations", suiteAccepted},
		{"invited twins", suiteInvitedTwins},
		{"grants", suiteGrants},
		{"token renewal", suiteTokenRenewal},
	}, append(hookSuite(), buildSuite()...)...) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.run(t, fixture{Store: open(t), t: t, ctx: t.Context()})
		})
	}
}

// suiteCase is one test of the suite.
type suiteCase struct {
	name string
	run  func(t *testing.T, f fixture)
}

// day is when everything in the suite happens.
func day(n int) time.Time { return time.Date(2026, 3, 1, 12, 0, n, 0, time.UTC) }

type fixture struct {
	control.Store
	t   *testing.T
	ctx context.Context
}

func (f fixture) user(name string) platform.User {
	u, err := f.CreateUser(f.ctx, platform.User{Username: name, Email: name + "@example.test", IsActive: true, DateJoined: day(0)}, "hash of "+name)
	require.NoError(f.t, err)
	return u
}

func (f fixture) workspace(id, admin string) platform.Workspace {
	w, err := f.CreateWorkspace(f.ctx, platform.Workspace{UUID: "uuid-" + id, ID: id, Email: "a@b", Created: day(0), Updated: day(0)}, admin)
	require.NoError(f.t, err)
	return w
}

func (f fixture) tryApp(id, workspace string) (platform.App, error) {
	return f.CreateApp(f.ctx,
		platform.App{UUID: "uuid-" + id, ID: id, Workspace: workspace, Created: day(0), Updated: day(0)},
		platform.Config{UUID: "config-" + id, Created: day(0), Updated: day(0)},
		platform.Release{UUID: "release-" + id, State: platform.ReleasePending, Summary: "first", Config: "config-" + id, Created: day(0), Updated: day(0)},
		platform.Settings{UUID: "settings-" + id, Routable: true, Autodeploy: true, Autorollback: true, Created: day(0), Updated: day(0)})
}

// app makes an app with its user and workspace.
func (f fixture) app(id string) platform.App {
	f.user("user" + id)
	f.workspace("ws"+id, "user"+id)
	a, err := f.tryApp(id, "ws"+id)
	require.NoError(f.t, err)
	return a
}

// release adds a release with a build of its own.
func (f fixture) release(app, name string, ptypes ...string) platform.Release {
	r, err := f.AddRelease(f.ctx, platform.Release{
		UUID: "r-" + name, App: app, State: platform.ReleasePending, Summary: name, Config: "config-" + app,
		Build: "b-" + name, DeployedPtypes: ptypes, Created: day(1), Updated: day(1),
	}, &platform.Build{UUID: "b-" + name, Image: "image:" + name, Stack: "container", Created: day(1), Updated: day(1)}, nil)
	require.NoError(f.t, err)
	return r
}

func (f fixture) end(r platform.Release, state platform.ReleaseState, exception string) {
	require.NoError(f.t, f.SetReleaseState(f.ctx, r.App, r.Version, platform.Condition{
		State: state, Action: "pipeline", Ptypes: r.DeployedPtypes, Exception: exception, Created: day(2),
	}, nil))
}

func (f fixture) code(want platform.Code, err error) {
	f.t.Helper()
	require.Error(f.t, err)
	require.Equal(f.t, want, platform.CodeOf(err), "%v", err)
}

func suiteUsers(t *testing.T, f fixture) {
	u := f.user("alice")
	require.Positive(t, u.ID)
	found, hash, err := f.FindUser(f.ctx, "alice")
	require.NoError(t, err)
	require.Equal(t, u, found)
	require.Equal(t, "hash of alice", hash)
	_, err = f.CreateUser(f.ctx, platform.User{Username: "alice"}, "x")
	f.code(platform.Conflict, err)
	_, _, err = f.FindUser(f.ctx, "bobby")
	f.code(platform.NotFound, err)
	require.NoError(t, f.SetPassword(f.ctx, "alice", "new"))
	require.NoError(t, f.TouchLogin(f.ctx, "alice", day(9)))
	found, hash, err = f.FindUser(f.ctx, "alice")
	require.NoError(t, err)
	require.Equal(t, "new", hash)
	require.Equal(t, day(9), found.LastLogin)
	f.code(platform.NotFound, f.SetPassword(f.ctx, "bobby", "x"))
	f.code(platform.NotFound, f.TouchLogin(f.ctx, "bobby", day(9)))
	require.NoError(t, f.Ping(f.ctx))
}

func suiteTokens(t *testing.T, f fixture) {
	alice := f.user("alice")
	f.user("bobby")
	make := func(uuid, owner, key string) (platform.Token, error) {
		return f.CreateToken(f.ctx, platform.Token{UUID: uuid, Owner: owner, Alias: "cli", FuzzyKey: "a...b", Created: day(1), Updated: day(1)}, key)
	}
	tok, err := make("t1", "alice", "k1")
	require.NoError(t, err)
	_, err = make("t2", "bobby", "k2")
	require.NoError(t, err)
	_, err = make("t3", "bobby", "k1")
	f.code(platform.Conflict, err)
	_, err = make("t4", "nobody", "k4")
	f.code(platform.NotFound, err)
	found, owner, err := f.FindTokenByKey(f.ctx, "k1")
	require.NoError(t, err)
	require.Equal(t, tok, found)
	require.Equal(t, alice, owner)
	_, _, err = f.FindTokenByKey(f.ctx, "k9")
	f.code(platform.NotFound, err)
	found, err = f.FindToken(f.ctx, "alice", "t1")
	require.NoError(t, err)
	require.Equal(t, tok, found)
	_, err = f.FindToken(f.ctx, "alice", "t2")
	f.code(platform.NotFound, err)
	list, total, err := f.ListTokens(f.ctx, "alice", control.Page{})
	require.NoError(t, err)
	require.Equal(t, 1, total)
	require.Equal(t, []platform.Token{tok}, list)
	f.code(platform.NotFound, f.DeleteToken(f.ctx, "alice", "t2"))
	require.NoError(t, f.DeleteToken(f.ctx, "alice", "t1"))
	_, _, err = f.FindTokenByKey(f.ctx, "k1")
	f.code(platform.NotFound, err)
}

func suiteWorkspaces(t *testing.T, f fixture) {
	f.user("alice")
	f.user("bobby")
	w := f.workspace("group", "alice")
	f.workspace("other", "bobby")
	f.workspace("alpha", "alice")
	require.Positive(t, w.Number)
	found, err := f.FindWorkspace(f.ctx, "group")
	require.NoError(t, err)
	require.Equal(t, w, found)
	_, err = f.FindWorkspace(f.ctx, "nothere")
	f.code(platform.NotFound, err)
	_, err = f.CreateWorkspace(f.ctx, platform.Workspace{UUID: "x", ID: "group"}, "alice")
	f.code(platform.Conflict, err)
	_, err = f.CreateWorkspace(f.ctx, platform.Workspace{UUID: "y", ID: "lonely"}, "nobody")
	f.code(platform.NotFound, err)
	_, err = f.FindWorkspace(f.ctx, "lonely")
	f.code(platform.NotFound, err)
	list, total, err := f.ListWorkspaces(f.ctx, "alice", control.Page{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, 2, total)
	require.Len(t, list, 1)
	require.Equal(t, "alpha", list[0].ID)
	role, err := f.RoleOf(f.ctx, "group", "alice")
	require.NoError(t, err)
	require.Equal(t, platform.Admin, role)
	for _, who := range [][2]string{{"group", "bobby"}, {"nothere", "alice"}, {"group", "nobody"}} {
		role, err = f.RoleOf(f.ctx, who[0], who[1])
		require.NoError(t, err)
		require.Equal(t, platform.NoRole, role)
	}
}

func suiteApps(t *testing.T, f fixture) {
	a := f.app("hello")
	require.Positive(t, a.Number)
	found, err := f.FindApp(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, "wshello", found.Workspace)
	require.Equal(t, map[string]int{}, found.Structure)
	require.Equal(t, day(0), found.Created)
	_, err = f.tryApp("hello", "wshello")
	f.code(platform.Conflict, err)
	_, err = f.tryApp("other", "nothere")
	f.code(platform.NotFound, err)
	_, err = f.FindApp(f.ctx, "other")
	f.code(platform.NotFound, err)
	r, err := f.FindRelease(f.ctx, "hello", 0)
	require.NoError(t, err)
	require.Equal(t, 1, r.Version)
	require.Equal(t, platform.ReleasePending, r.State)
	require.Empty(t, r.Build)
	require.NoError(t, f.SetStructure(f.ctx, "hello", map[string]int{"web": 3}, day(3)))
	found, err = f.FindApp(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, map[string]int{"web": 3}, found.Structure)
	require.Equal(t, day(3), found.Updated)
	f.code(platform.NotFound, f.SetStructure(f.ctx, "nothere", nil, day(3)))
}

func suiteAppRoles(t *testing.T, f fixture) {
	f.app("hello")
	f.user("stranger")
	for username, want := range map[string]platform.Role{"userhello": platform.Admin, "stranger": platform.NoRole, "nobody": platform.NoRole} {
		a, role, err := f.FindAppFor(f.ctx, "hello", username)
		require.NoError(t, err)
		require.Equal(t, want, role, username)
		plain, err := f.FindApp(f.ctx, "hello")
		require.NoError(t, err)
		require.Equal(t, plain, a)
	}
	_, _, err := f.FindAppFor(f.ctx, "nothere", "userhello")
	f.code(platform.NotFound, err)
}

func suiteAppLists(t *testing.T, f fixture) {
	f.app("hello-a")
	for _, id := range []string{"hello-b", "hellp", "world"} {
		_, err := f.tryApp(id, "wshello-a")
		require.NoError(t, err)
	}
	f.app("stranger")
	ids := func(filter control.AppFilter, p control.Page) ([]string, int) {
		list, total, err := f.ListApps(f.ctx, filter, p)
		require.NoError(t, err)
		ids := []string{}
		for _, a := range list {
			ids = append(ids, a.ID)
		}
		return ids, total
	}
	for _, tc := range []struct {
		filter control.AppFilter
		page   control.Page
		want   []string
		total  int
	}{
		{control.AppFilter{}, control.Page{}, []string{"hello-a", "hello-b", "hellp", "stranger", "world"}, 5},
		{control.AppFilter{Username: "userhello-a"}, control.Page{}, []string{"hello-a", "hello-b", "hellp", "world"}, 4},
		{control.AppFilter{Username: "nobody"}, control.Page{}, []string{}, 0},
		{control.AppFilter{Workspace: "wsstranger"}, control.Page{}, []string{"stranger"}, 1},
		{control.AppFilter{Username: "userstranger", Workspace: "wshello-a"}, control.Page{}, []string{}, 0},
		{control.AppFilter{Search: "hello"}, control.Page{}, []string{"hello-a", "hello-b"}, 2},
		{control.AppFilter{Search: "%"}, control.Page{}, []string{}, 0},
		{control.AppFilter{}, control.Page{Limit: 2, Offset: 1}, []string{"hello-b", "hellp"}, 5},
		{control.AppFilter{}, control.Page{Limit: -1, Offset: 9}, []string{}, 5},
	} {
		got, total := ids(tc.filter, tc.page)
		require.Equal(t, tc.want, got, "%+v", tc)
		require.Equal(t, tc.total, total, "%+v", tc)
	}
}

func suiteSettings(t *testing.T, f fixture) {
	f.app("hello")
	s, err := f.FindSettings(f.ctx, "hello")
	require.NoError(t, err)
	require.True(t, s.Routable && s.Autodeploy && s.Autorollback)
	require.Equal(t, "settings-hello", s.UUID)
	s.Autodeploy, s.Updated = false, day(5)
	s.Autoscale = map[string]map[string]int{"web": {"min": 1, "max": 2, "cpu_percent": 50}}
	s.Label = map[string]string{"team": "blue"}
	require.NoError(t, f.SaveSettings(f.ctx, s))
	found, err := f.FindSettings(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, s, found)
	_, err = f.FindSettings(f.ctx, "nothere")
	f.code(platform.NotFound, err)
	f.code(platform.NotFound, f.SaveSettings(f.ctx, platform.Settings{App: "nothere"}))
}

func suiteDelete(t *testing.T, f fixture) {
	first := f.app("hello")
	f.app("other")
	f.end(f.release("hello", "two", "web"), platform.ReleaseSucceeded, "")
	f.release("other", "else", "web")
	_, err := f.AddWork(f.ctx, control.Work{App: "hello", Kind: control.WorkDelete})
	require.NoError(t, err)
	a, err := f.FindApp(f.ctx, "hello")
	require.NoError(t, err)
	require.True(t, a.Deleting)
	require.NoError(t, f.DeleteApp(f.ctx, "hello"))
	_, err = f.FindApp(f.ctx, "hello")
	f.code(platform.NotFound, err)
	_, err = f.FindBuild(f.ctx, "b-two")
	f.code(platform.NotFound, err)
	_, err = f.FindConfig(f.ctx, "config-hello")
	f.code(platform.NotFound, err)
	work, err := f.ListWork(f.ctx, "hello")
	require.NoError(t, err)
	require.Empty(t, work)
	f.code(platform.NotFound, f.DeleteApp(f.ctx, "hello"))
	again, err := f.tryApp("hello", "wshello")
	require.NoError(t, err)
	require.Greater(t, again.Number, first.Number, "a number is never given twice")
	r, err := f.FindRelease(f.ctx, "hello", 0)
	require.NoError(t, err)
	require.Equal(t, 1, r.Version)
	r, err = f.FindRelease(f.ctx, "other", 0)
	require.NoError(t, err)
	require.Equal(t, 2, r.Version)
}

func suiteWork(t *testing.T, f fixture) {
	one, err := f.AddWork(f.ctx, control.Work{App: "hello", Kind: control.WorkDeploy, Version: 3, Ptypes: []string{"web"}})
	require.NoError(t, err)
	two, err := f.AddWork(f.ctx, control.Work{App: "hello", Kind: control.WorkScale})
	require.NoError(t, err)
	_, err = f.AddWork(f.ctx, control.Work{App: "other", Kind: control.WorkScale})
	require.NoError(t, err)
	list, err := f.ListWork(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, []control.Work{one, two}, list)
	again, err := f.AddWork(f.ctx, control.Work{App: "hello", Kind: control.WorkDeploy, Version: 4})
	require.NoError(t, err)
	require.Greater(t, again.ID, one.ID)
	require.NoError(t, f.DoneWork(f.ctx, one.ID), "replaced, so not there any more")
	list, err = f.ListWork(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, []control.Work{two, again}, list)
	require.NoError(t, f.DoneWork(f.ctx, again.ID))
	list, err = f.ListWork(f.ctx, "")
	require.NoError(t, err)
	require.Len(t, list, 2)
}
