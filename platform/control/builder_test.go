package control_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

// A grant for one app lets its user push to it as a membership does.
func TestAppKeysOfGrants(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.create(app)
	key, err := k.AddKey(t.Context(), k.bobby, "laptop", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX bob")
	require.NoError(t, err)
	_, err = k.AppKeys(t.Context(), app, "bobby")
	fails(t, err, platform.Forbidden, "")
	require.NoError(t, k.SetGrant(t.Context(), k.alice, app, platform.Grant{Username: "bobby", Role: platform.Viewer}))
	_, err = k.AppKeys(t.Context(), app, "bobby")
	fails(t, err, platform.Forbidden, "")
	require.NoError(t, k.SetGrant(t.Context(), k.alice, app, platform.Grant{Username: "bobby", Role: platform.Member}))
	for _, username := range []string{"bobby", ""} {
		keys, err := k.AppKeys(t.Context(), app, username)
		require.NoError(t, err)
		require.Equal(t, []platform.Key{key}, keys)
	}
	_, err = k.AppKeys(t.Context(), app, "alice")
	fails(t, err, platform.NotFound, "No Key")
	p, err := k.FindPusher(t.Context(), key.SHA256)
	require.NoError(t, err)
	require.Equal(t, []string{app}, p.Apps)
}
