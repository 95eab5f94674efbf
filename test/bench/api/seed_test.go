//go:build e2e

package api

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/identity"
	"github.com/slipway-paas/slipway/platform/store"
)

const (
	username = "adalove"
	password = "correct horse battery staple"
)

// seed makes a database with so many apps, all of one user in one workspace,
// and so many releases each, and returns its path and a token's key.
func seed(t *testing.T, apps, releases int) (path, key string) {
	t.Helper()
	ctx := t.Context()
	path = filepath.Join(t.TempDir(), "slipway.db")
	s, err := store.Open(ctx, path, secret())
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	id := identity.New()
	_, err = s.CreateUser(ctx, platform.User{Username: username, Email: "ada@example.com", IsActive: true}, "")
	require.NoError(t, err)
	_, err = s.CreateWorkspace(ctx, platform.Workspace{UUID: "w", ID: username}, username)
	require.NoError(t, err)
	key = id.NewKey()
	_, err = s.CreateToken(ctx, platform.Token{UUID: "t", Owner: username, FuzzyKey: "a...b"}, id.HashKey(key))
	require.NoError(t, err)
	for i := range apps {
		seedApp(ctx, t, s, i, releases)
	}
	return path, key
}

// seedApp makes an app whose releases have run, as after a while of use.
func seedApp(ctx context.Context, t *testing.T, s *store.Store, i, releases int) {
	t.Helper()
	now := time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)
	id, config := appID(i), fmt.Sprintf("config-%d", i)
	_, err := s.CreateApp(ctx,
		platform.App{UUID: fmt.Sprintf("app-%d", i), ID: id, Workspace: username, Structure: map[string]int{"web": 2, "worker": 1}, Created: now, Updated: now},
		platform.Config{UUID: config, Values: values(), Limits: map[string]string{"web": platform.DefaultPlanID}, Created: now, Updated: now},
		platform.Release{UUID: fmt.Sprintf("%d-1", i), Config: config, State: platform.ReleasePending, Summary: "adalove created initial release", Created: now, Updated: now},
		platform.Settings{UUID: fmt.Sprintf("set-%d", i), Routable: true, Autodeploy: true, Autorollback: true, Created: now, Updated: now})
	require.NoError(t, err)
	build := fmt.Sprintf("build-%d", i)
	for n := 2; n <= releases; n++ {
		var b *platform.Build
		if n == 2 {
			b = &platform.Build{UUID: build, Image: "registry.test/hello:1", Stack: "container", Procfile: map[string]string{"web": "serve"}, Created: now, Updated: now}
		}
		r, err := s.AddRelease(ctx, platform.Release{
			UUID: fmt.Sprintf("%d-%d", i, n), App: id, Config: config, Build: build, State: platform.ReleasePending,
			Summary: "adalove deployed registry.test/hello:1", DeployedPtypes: []string{"web"}, Created: now, Updated: now,
		}, b, nil)
		require.NoError(t, err)
		require.NoError(t, s.SetReleaseState(ctx, id, r.Version, platform.Condition{
			State: platform.ReleaseSucceeded, Action: "pipeline", Ptypes: []string{"web"}, Created: now,
		}, nil))
	}
}

func appID(i int) string { return fmt.Sprintf("app-%06d", i) }

func values() []platform.ConfigValue {
	var list []platform.ConfigValue
	for i := range 10 {
		list = append(list, platform.ConfigValue{Name: fmt.Sprintf("KEY_%d", i), Value: "a value of some length", Group: "global"})
	}
	return list
}

func secret() []byte { return make([]byte, store.KeySize) }
