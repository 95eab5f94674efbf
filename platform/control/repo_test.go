package control_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func TestKeyOwner(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	key, err := k.AddKey(t.Context(), k.alice, "laptop", line(t, ed))
	require.NoError(t, err)
	for _, f := range []string{key.Fingerprint, key.SHA256} {
		name, err := k.KeyOwner(t.Context(), f)
		require.NoError(t, err)
		require.Equal(t, "alice", name)
	}
	_, err = k.KeyOwner(t.Context(), "SHA256:unknown")
	require.Equal(t, platform.NotFound, platform.CodeOf(err))
	require.NoError(t, k.DeleteKey(t.Context(), k.alice, "laptop"))
	_, err = k.KeyOwner(t.Context(), key.SHA256)
	require.Equal(t, platform.NotFound, platform.CodeOf(err))

	u, err := k.store.CreateUser(t.Context(), platform.User{Username: "gone"}, "") // not active
	require.NoError(t, err)
	key, err = k.AddKey(t.Context(), control.Actor{User: u}, "x", line(t, ed))
	require.NoError(t, err)
	_, err = k.KeyOwner(t.Context(), key.SHA256)
	fails(t, err, platform.NotFound, "No Key")
	_, _, err = k.RepoAccess(t.Context(), "gone", app)
	fails(t, err, platform.Forbidden, "permission")
}

func TestRepoAccess(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.create(app)
	ctx := t.Context()
	a, role, err := k.RepoAccess(ctx, "alice", app)
	require.NoError(t, err)
	require.Equal(t, platform.Admin, role)
	uuid, err := k.AppUUID(ctx, app)
	require.NoError(t, err)
	require.Equal(t, a.UUID, uuid)

	// What is not theirs and what is not there look the same.
	_, _, err = k.RepoAccess(ctx, "bobby", app)
	_, _, absent := k.RepoAccess(ctx, "bobby", "absent")
	require.Equal(t, absent, err)
	fails(t, err, platform.NotFound, "No App matches the given query.")
	_, err = k.AppUUID(ctx, "absent")
	require.Equal(t, platform.NotFound, platform.CodeOf(err))
	for _, want := range []platform.Role{platform.Viewer, platform.Member} {
		require.NoError(t, k.SetGrant(ctx, k.alice, app, platform.Grant{Username: "bobby", Role: want}))
		_, role, err = k.RepoAccess(ctx, "bobby", app)
		require.NoError(t, err)
		require.Equal(t, want, role)
	}
	_, err = k.store.CreateUser(ctx, platform.User{Username: "staff", IsActive: true, IsStaff: true}, "")
	require.NoError(t, err)
	_, role, err = k.RepoAccess(ctx, "staff", app)
	require.NoError(t, err)
	require.Equal(t, platform.Admin, role)

	require.NoError(t, k.DeleteApp(ctx, k.alice, app)) // nobody works on the queue: it stays half gone
	_, _, err = k.RepoAccess(ctx, "alice", app)
	fails(t, err, platform.NotFound, "No App")
}
