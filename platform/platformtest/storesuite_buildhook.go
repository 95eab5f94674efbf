package platformtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

func suiteBuildHooks(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	_, _, err := f.FindBuildHook(f.ctx, "hello")
	f.code(platform.NotFound, err)
	f.code(platform.NotFound, f.DeleteBuildHook(f.ctx, "hello"))
	h := platform.BuildHook{
		UUID: "h1", App: "hello", User: "alice", URL: "https://example.com/a.git", Branch: "main", Username: "bot",
		CA: "-----BEGIN", PublicKey: "ssh-ed25519 A", HostKey: "ssh-ed25519 B", Created: day(1),
	}
	secrets := platform.BuildHookSecrets{Secret: "s", Password: "p", PrivateKey: "k"}
	require.NoError(t, f.PutBuildHook(f.ctx, h, secrets))
	have, proof, err := f.FindBuildHook(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, h, have)
	require.Equal(t, secrets, proof)
	have, proof, err = f.FindBuildHookAt(f.ctx, "h1")
	require.NoError(t, err)
	require.Equal(t, h, have)
	require.Equal(t, secrets, proof)

	again := platform.BuildHook{UUID: "h2", App: "hello", User: "alice", URL: "git@example.com:a.git", Branch: "next", Created: day(2)}
	require.NoError(t, f.PutBuildHook(f.ctx, again, platform.BuildHookSecrets{}))
	_, _, err = f.FindBuildHookAt(f.ctx, "h1")
	f.code(platform.NotFound, err)
	have, _, err = f.FindBuildHook(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, again, have, "an app has one")
	again.App = "other"
	f.code(platform.Conflict, f.PutBuildHook(f.ctx, again, secrets))
	again.App, again.UUID = "nothere", "h3"
	f.code(platform.NotFound, f.PutBuildHook(f.ctx, again, secrets))

	require.NoError(t, f.DeleteBuildHook(f.ctx, "hello"))
	_, _, err = f.FindBuildHookAt(f.ctx, "h2")
	f.code(platform.NotFound, err)
	require.NoError(t, f.PutBuildHook(f.ctx, h, secrets))
	require.NoError(t, f.DeleteApp(f.ctx, "hello"))
	_, _, err = f.FindBuildHookAt(f.ctx, "h1")
	f.code(platform.NotFound, err)
}

func suiteDeliveries(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	for i, uuid := range []string{"r1", "r2", "r3"} {
		r := platform.BuildRun{UUID: uuid, App: "hello", User: "alice", Origin: platform.OriginHook, Created: day(1), Delivery: "sum1"}
		if i == 2 {
			r.Delivery = "sum2"
		}
		require.NoError(t, f.AddBuildRun(f.ctx, r, "here"))
	}
	r, err := f.FindDelivery(f.ctx, "hello", "sum1")
	require.NoError(t, err)
	require.Equal(t, "r2", r.UUID, "the newest")
	_, err = f.FindDelivery(f.ctx, "other", "sum1")
	f.code(platform.NotFound, err)
	_, err = f.FindDelivery(f.ctx, "hello", "sum3")
	f.code(platform.NotFound, err)

	require.NoError(t, f.SetBuildRunSHA(f.ctx, "r1", "060da68f"))
	require.Equal(t, "060da68f", f.findRun("hello", "r1").SHA)
	require.NoError(t, f.StartBuildRun(f.ctx, "r1", day(2)))
	f.code(platform.Conflict, f.SetBuildRunSHA(f.ctx, "r1", "1"))
	f.code(platform.NotFound, f.SetBuildRunSHA(f.ctx, "nothere", "1"))
}
