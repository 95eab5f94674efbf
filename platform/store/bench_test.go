package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/store"
)

// BenchmarkReads shows that a page costs the same with many apps as with few.
func BenchmarkReads(b *testing.B) {
	for _, apps := range []int{100, 3000} {
		s := crowd(b, apps)
		b.Run(fmt.Sprintf("apps=%d/list", apps), func(b *testing.B) {
			for b.Loop() {
				list, total, err := s.ListApps(b.Context(), control.AppFilter{Username: "alice"}, control.Page{})
				require.NoError(b, err)
				require.Equal(b, apps, total)
				require.Len(b, list, 100)
			}
		})
		b.Run(fmt.Sprintf("apps=%d/token", apps), func(b *testing.B) {
			for b.Loop() {
				_, _, err := s.FindTokenByKey(b.Context(), "sha")
				require.NoError(b, err)
			}
		})
		b.Run(fmt.Sprintf("apps=%d/release", apps), func(b *testing.B) {
			for b.Loop() {
				_, err := s.AddRelease(b.Context(), platform.Release{
					UUID: fmt.Sprint(b.N, "-", b.Elapsed()), App: "app-000001", Config: "c1", State: platform.ReleasePending,
				}, nil, nil)
				require.NoError(b, err)
			}
		})
	}
}

func crowd(b *testing.B, apps int) *store.Store {
	b.Helper()
	s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "slipway.db"), key(1))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	_, err = s.CreateUser(b.Context(), platform.User{Username: "alice"}, "hash")
	require.NoError(b, err)
	_, err = s.CreateToken(b.Context(), platform.Token{UUID: "t", Owner: "alice"}, "sha")
	require.NoError(b, err)
	_, err = s.CreateWorkspace(b.Context(), platform.Workspace{UUID: "w", ID: "alice"}, "alice")
	require.NoError(b, err)
	for i := range apps {
		n := fmt.Sprint(i)
		_, err := s.CreateApp(b.Context(), platform.App{UUID: "a" + n, ID: fmt.Sprintf("app-%06d", i), Workspace: "alice"},
			platform.Config{UUID: "c" + n}, platform.Release{UUID: "r" + n, Config: "c" + n}, platform.Settings{UUID: "s" + n})
		require.NoError(b, err)
	}
	return s
}
