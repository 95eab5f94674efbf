package platformtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// hookSuite are the tests of keys, builds and the outbox.
func hookSuite() []suiteCase {
	return []suiteCase{
		{"keys", suiteKeys},
		{"app keys", suiteAppKeys},
		{"builds", suiteBuilds},
		{"outbox", suiteOutbox},
		{"outbox opened", suiteOutboxOpened},
	}
}

func (f fixture) key(owner, id, blob string, second int) (platform.Key, error) {
	return f.CreateKey(f.ctx, platform.Key{
		UUID: "uuid-" + owner + id, Owner: owner, ID: id, Public: "ssh-ed25519 " + blob, Fingerprint: "md5 of " + blob,
		SHA256: "SHA256:" + blob, Created: day(second), Updated: day(second),
	})
}

func suiteKeys(t *testing.T, f fixture) {
	alice := f.user("alice")
	f.user("bobby")
	one, err := f.key("alice", "a/b c@d", "one", 2)
	require.NoError(t, err)
	two, err := f.key("alice", "two", "two", 1)
	require.NoError(t, err)
	for _, tc := range []struct{ owner, id, blob, field string }{
		{"bobby", "mine", "one", "public"}, {"alice", "other", "one", "public"}, {"alice", "two", "three", "id"},
	} {
		_, err = f.key(tc.owner, tc.id, tc.blob, 3)
		f.code(platform.Conflict, err)
		var e *platform.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, tc.field, e.Field)
	}
	_, err = f.key("nobody", "x", "four", 3)
	f.code(platform.NotFound, err)
	_, err = f.key("bobby", "two", "three", 3)
	require.NoError(t, err, "an id is the owner's own")

	found, err := f.FindKey(f.ctx, "alice", "a/b c@d")
	require.NoError(t, err)
	require.Equal(t, one, found)
	_, err = f.FindKey(f.ctx, "bobby", "a/b c@d")
	f.code(platform.NotFound, err)
	list, total, err := f.ListKeys(f.ctx, "alice", control.Page{})
	require.NoError(t, err)
	require.Equal(t, 2, total)
	require.Equal(t, []platform.Key{two, one}, list, "oldest first")
	list, total, err = f.ListKeys(f.ctx, "alice", control.Page{Limit: 1, Offset: 1})
	require.NoError(t, err)
	require.Equal(t, 2, total)
	require.Equal(t, []platform.Key{one}, list)
	for _, fingerprint := range []string{"md5 of one", "SHA256:one"} {
		u, err := f.FindKeyOwner(f.ctx, fingerprint)
		require.NoError(t, err)
		require.Equal(t, alice, u)
	}
	_, err = f.FindKeyOwner(f.ctx, "one")
	f.code(platform.NotFound, err)

	f.code(platform.NotFound, f.DeleteKey(f.ctx, "bobby", "a/b c@d"))
	require.NoError(t, f.DeleteKey(f.ctx, "alice", "a/b c@d"))
	f.code(platform.NotFound, f.DeleteKey(f.ctx, "alice", "a/b c@d"))
	_, err = f.FindKeyOwner(f.ctx, "SHA256:one")
	f.code(platform.NotFound, err)
	_, err = f.key("bobby", "mine", "one", 4)
	require.NoError(t, err, "free again")
}

func suiteAppKeys(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	one, err := f.key("userhello", "one", "one", 2)
	require.NoError(t, err)
	two, err := f.key("userother", "two", "two", 1)
	require.NoError(t, err)
	check := func(app, username string, want ...platform.Key) {
		t.Helper()
		list, err := f.ListAppKeys(f.ctx, app, username)
		require.NoError(t, err)
		require.Equal(t, want, list, "%s %s", app, username)
	}
	check("hello", "", one)
	check("hello", "userhello", one)
	check("hello", "userother")
	check("nothere", "")
	require.NoError(t, f.SetGrant(f.ctx, "hello", platform.Grant{Username: "userother", Role: platform.Viewer}, day(3)))
	check("hello", "", one)
	require.NoError(t, f.SetGrant(f.ctx, "hello", platform.Grant{Username: "userother", Role: platform.Member}, day(3)))
	check("hello", "", one, two)
	check("hello", "userother", two)
	check("other", "", two)
	_, err = f.CreateUser(f.ctx, platform.User{Username: "gone", DateJoined: day(0)}, "")
	require.NoError(t, err)
	f.workspace("asleep", "gone")
	_, err = f.key("gone", "three", "three", 1)
	require.NoError(t, err)
	_, err = f.tryApp("third", "asleep")
	require.NoError(t, err)
	check("third", "") // who may not log in may not push
}

func suiteBuilds(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	list, total, err := f.ListBuilds(f.ctx, "hello", control.Page{})
	require.NoError(t, err)
	require.Zero(t, total)
	require.Empty(t, list)
	for _, name := range []string{"x", "c", "b"} {
		f.release("hello", name, "web")
	}
	f.release("other", "else", "web")
	again, err := f.AddRelease(f.ctx, platform.Release{
		UUID: "again", App: "hello", State: platform.ReleasePending, Config: "config-hello", Build: "b-x", Created: day(1), Updated: day(1),
	}, nil, nil)
	require.NoError(t, err)
	list, total, err = f.ListBuilds(f.ctx, "hello", control.Page{Limit: 2})
	require.NoError(t, err)
	require.Equal(t, 3, total)
	require.Len(t, list, 2)
	require.Equal(t, "b-b", list[0].UUID, "newest first; a rollback makes no build new")
	require.Equal(t, "b-c", list[1].UUID)
	one, err := f.FindBuild(f.ctx, "b-b")
	require.NoError(t, err)
	require.Equal(t, one, list[0])

	r, err := f.LatestRelease(f.ctx, "hello", control.ReleaseQuery{Build: "b-c"})
	require.NoError(t, err)
	require.Equal(t, 3, r.Version)
	r, err = f.LatestRelease(f.ctx, "hello", control.ReleaseQuery{Config: "config-hello"})
	require.NoError(t, err)
	require.Equal(t, again.Version, r.Version)
	_, err = f.LatestRelease(f.ctx, "hello", control.ReleaseQuery{Build: "b-else"})
	f.code(platform.NotFound, err)
}

func suiteOutbox(t *testing.T, f fixture) {
	cursor, err := f.DeliveryCursor(f.ctx)
	require.NoError(t, err)
	require.Zero(t, cursor)
	make := func(target string, version int) control.Delivery {
		return control.Delivery{Target: target, App: "hello", Version: version, Query: "app=hello", Created: day(version)}
	}
	require.NoError(t, f.AddDeliveries(f.ctx, 7, []control.Delivery{make("t1", 1), make("t2", 1), make("t1", 2)}))
	require.NoError(t, f.AddDeliveries(f.ctx, 9, nil))
	cursor, err = f.DeliveryCursor(f.ctx)
	require.NoError(t, err)
	require.EqualValues(t, 9, cursor)
	list, err := f.ListDeliveries(f.ctx, "t1", 10)
	require.NoError(t, err)
	require.Len(t, list, 2)
	want := make("t1", 1)
	want.ID = list[0].ID
	require.Equal(t, want, list[0])
	require.Greater(t, list[1].ID, list[0].ID)
	all, err := f.ListDeliveries(f.ctx, "", 2)
	require.NoError(t, err)
	require.Len(t, all, 2)

	require.NoError(t, f.TriedDelivery(f.ctx, want.ID))
	require.NoError(t, f.TriedDelivery(f.ctx, want.ID))
	list, err = f.ListDeliveries(f.ctx, "t1", 1)
	require.NoError(t, err)
	require.Equal(t, 2, list[0].Attempts)
	f.code(platform.NotFound, f.TriedDelivery(f.ctx, 999))

	told := control.Event{App: "hello", Object: "hook", Action: "sent", Data: []byte(`{"version":1}`), Created: day(5)}
	for range 2 { // the second time it is gone, and nothing is told again
		require.NoError(t, f.EndDelivery(f.ctx, want.ID, told))
	}
	list, err = f.ListDeliveries(f.ctx, "t1", 10)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, 2, list[0].Version)
	events, err := f.ListEvents(f.ctx, "hello", 0, 10)
	require.NoError(t, err)
	require.Len(t, events, 1)
	told.ID = events[0].ID
	require.Equal(t, told, events[0])
}

// What happened while nobody was to be told is not told later.
func suiteOutboxOpened(t *testing.T, f fixture) {
	at := func() int64 {
		cursor, err := f.DeliveryCursor(f.ctx)
		require.NoError(t, err)
		return cursor
	}
	f.app("hello") // before the first start of a new store
	require.NoError(t, f.OpenOutbox(f.ctx, []string{"t1", "t2"}, day(9)))
	require.Zero(t, at(), "a new store has no past")
	require.NoError(t, f.AddDeliveries(f.ctx, 1, []control.Delivery{
		{Target: "t1", App: "hello", Version: 1}, {Target: "t2", App: "hello", Version: 1},
	}))
	require.NoError(t, f.OpenOutbox(f.ctx, []string{"t2", "t3"}, day(9)))
	list, err := f.ListDeliveries(f.ctx, "", 10)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "t2", list[0].Target)
	require.EqualValues(t, 1, at(), "a restart loses nothing")

	require.NoError(t, f.OpenOutbox(f.ctx, nil, day(9)))
	list, err = f.ListDeliveries(f.ctx, "", 10)
	require.NoError(t, err)
	require.Empty(t, list)
	id, err := f.AppendEvent(f.ctx, control.Event{App: "hello", Object: "release", Action: "create", Created: day(8)})
	require.NoError(t, err)
	_, err = f.AppendEvent(f.ctx, control.Event{App: "hello", Object: "release", Action: "create", Created: day(9)})
	require.NoError(t, err)
	require.NoError(t, f.OpenOutbox(f.ctx, nil, day(9)))
	require.NoError(t, f.OpenOutbox(f.ctx, []string{"t1"}, day(9)))
	require.Equal(t, id, at(), "what has happened since is told")
}
