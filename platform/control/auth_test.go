package control_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// fakeIdentity hashes without effort: logins by the hundred stay quick.
type fakeIdentity struct{}

func (fakeIdentity) HashPassword(_ context.Context, password string) (string, error) {
	return "hash:" + password, nil
}

func (fakeIdentity) VerifyPassword(_ context.Context, hash, password string) (bool, error) {
	return hash == "hash:"+password, nil
}
func (fakeIdentity) NewKey() string {
	return strings.Repeat("k", 64) + time.Now().String() + strings.Repeat("z", 64)
}
func (fakeIdentity) HashKey(key string) string { return "sha:" + key }

// authKit has a user carol with password "secret" and no workspace.
func authKit(t *testing.T) *kit {
	k := newKit(t, func(o *control.Options) { o.Identity = fakeIdentity{} })
	_, err := k.store.CreateUser(t.Context(), platform.User{Username: "carol", Email: "c@example.test", IsActive: true}, "hash:secret")
	require.NoError(t, err)
	_, err = k.store.CreateUser(t.Context(), platform.User{Username: "dormant", IsActive: false}, "hash:secret")
	require.NoError(t, err)
	return k
}

func TestLogin(t *testing.T) {
	t.Parallel()
	k := authKit(t)
	key, tok, u, err := k.Login(t.Context(), "carol", "secret", "cli", "1.2.3.4")
	require.NoError(t, err)
	require.Equal(t, "carol", u.Username)
	require.Equal(t, k.clock.Now(), u.LastLogin)
	require.Equal(t, "cli", tok.Alias)
	require.Equal(t, key[:14]+"..."+key[len(key)-14:], tok.FuzzyKey)
	actor, err := k.Authenticate(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, "carol", actor.User.Username)
	require.Equal(t, tok.UUID, actor.TokenUUID)
	list, total, err := k.ListTokens(t.Context(), actor, control.Page{})
	require.NoError(t, err)
	require.Equal(t, 1, total)
	require.Equal(t, tok, list[0])
	_, err = k.FindToken(t.Context(), k.alice, tok.UUID)
	fails(t, err, platform.NotFound, "No Token matches the given query.")
	fails(t, k.DeleteToken(t.Context(), k.alice, tok.UUID), platform.NotFound, "No Token")
	got, err := k.FindToken(t.Context(), actor, tok.UUID)
	require.NoError(t, err)
	require.Equal(t, tok, got)
	require.NoError(t, k.DeleteToken(t.Context(), actor, tok.UUID))
	_, err = k.Authenticate(t.Context(), key)
	fails(t, err, platform.Unauthenticated, "Invalid token.")
	_, err = k.Authenticate(t.Context(), "")
	fails(t, err, platform.Unauthenticated, "Authentication credentials were not provided.")
	ws, err := k.FindWorkspace(t.Context(), actor, "carol")
	require.NoError(t, err, "the first login made a workspace")
	require.Equal(t, "c@example.test", ws.Email)
}

func TestLoginRefused(t *testing.T) {
	t.Parallel()
	k := authKit(t)
	for _, tc := range []struct{ name, password, message string }{
		{"carol", "wrong", "Invalid credentials given."}, {"carol", "", "Invalid credentials given."}, {"", "secret", "Invalid credentials given."},
		{"nobody", "secret", "Invalid credentials given."}, {"nobody", "", "Invalid credentials given."},
		{"carol", strings.Repeat("x", 600), "Invalid credentials given."}, {"dormant", "secret", "User inactive or deleted."},
		{"dormant", "wrong", "Invalid credentials given."},
	} {
		_, _, _, err := k.Login(t.Context(), tc.name, tc.password, "", "1.2.3.4")
		fails(t, err, platform.Unauthenticated, tc.message)
		_, err = k.BeginLogin(t.Context(), tc.name, tc.password, "1.2.3.4")
		fails(t, err, platform.Unauthenticated, tc.message)
	}
	_, _, _, err := k.Login(t.Context(), "carol", "secret", strings.Repeat("x", 65), "1.2.3.4")
	fails(t, err, platform.Invalid, "no more than 64")
}

func TestLoginInTwoSteps(t *testing.T) {
	t.Parallel()
	k := authKit(t)
	first, err := k.BeginLogin(t.Context(), "carol", "secret", "1.2.3.4")
	require.NoError(t, err)
	require.Regexp(t, `^[0-9a-f]{32}$`, first)
	second, err := k.BeginLogin(t.Context(), "carol", "secret", "1.2.3.4")
	require.NoError(t, err)
	key, _, u, err := k.FinishLogin(t.Context(), first, "cli")
	require.NoError(t, err)
	require.Equal(t, "carol", u.Username)
	_, err = k.Authenticate(t.Context(), key)
	require.NoError(t, err)
	for name, loginKey := range map[string]string{"used": first, "unknown": strings.Repeat("0", 32), "empty": ""} {
		_, _, _, err = k.FinishLogin(t.Context(), loginKey, "cli")
		fails(t, err, platform.NotFound, "No Token")
		require.Error(t, err, name)
	}
	k.clock.pass(31 * time.Minute)
	_, _, _, err = k.FinishLogin(t.Context(), second, "cli")
	fails(t, err, platform.NotFound, "No Token")
}

func TestLoginThrottle(t *testing.T) {
	t.Parallel()
	k := authKit(t)
	try := func(name, password, remote string) error {
		_, err := k.BeginLogin(t.Context(), name, password, remote)
		return err
	}
	for range 10 {
		fails(t, try("carol", "guess", "6.6.6.6"), platform.Unauthenticated, "Invalid credentials")
	}
	fails(t, try("carol", "secret", "6.6.6.6"), platform.Throttled, "Request was throttled. Expected available in 2 seconds.")
	require.NoError(t, try("carol", "secret", "1.2.3.4"), "carol herself is elsewhere")
	fails(t, try("nobody", "guess", "6.6.6.6"), platform.Unauthenticated, "Invalid credentials")
	k.clock.pass(2 * time.Second)
	fails(t, try("carol", "guess", "6.6.6.6"), platform.Unauthenticated, "Invalid credentials")
	k.clock.pass(time.Second)
	fails(t, try("carol", "guess", "6.6.6.6"), platform.Throttled, "2 seconds")
	k.clock.pass(time.Hour)
	require.NoError(t, try("carol", "secret", "6.6.6.6"))
	for range 9 {
		fails(t, try("carol", "guess", "6.6.6.6"), platform.Unauthenticated, "Invalid credentials")
	}
	require.NoError(t, try("carol", "secret", "6.6.6.6"), "a success starts the count anew")
}

func TestWorkspaces(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	for name, want := range map[string]string{"bob": "bobspace", "a.b-c_d@e.f": "abcdef", "personal": "personal1", "x": "xspace", "alice.": "alice1"} {
		who := k.user(name)
		list, total, err := k.ListWorkspaces(t.Context(), who, control.Page{})
		require.NoError(t, err)
		require.Equal(t, 1, total)
		require.Equal(t, want, list[0].ID, name)
	}
	_, err := k.FindWorkspace(t.Context(), k.bobby, "alice")
	fails(t, err, platform.NotFound, "No Workspace matches the given query.")
	_, err = k.FindWorkspace(t.Context(), k.bobby, "nothere")
	fails(t, err, platform.NotFound, "No Workspace matches the given query.")
}
