package store_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/store"
)

func TestOnlyTheLeaderWrites(t *testing.T) {
	t.Parallel()
	for name, location := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "slipway.db") },
		"postgres": func(t *testing.T) string { return cluster.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := location(t)
			open := func() *store.Store {
				s, err := store.Open(t.Context(), where, make([]byte, store.KeySize))
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, s.Close()) })
				return s
			}
			write := func(s *store.Store) error {
				_, err := s.AppendEvent(t.Context(), control.Event{Object: "x", Action: "y"})
				return err
			}
			one, two, tool := open(), open(), open()
			require.NoError(t, one.Lead(t.Context(), "host-one"))
			require.NoError(t, write(one))
			require.NoError(t, two.Lead(t.Context(), "host-two"))
			err := write(one)
			require.Equal(t, platform.Unavailable, platform.CodeOf(err))
			require.ErrorContains(t, err, "the controller of host-two has taken over")
			require.NoError(t, write(two))
			require.NoError(t, write(tool))
			require.NoError(t, one.Ping(t.Context()), "reading goes on")
			require.NoError(t, one.Lead(t.Context(), "host-one"))
			require.NoError(t, write(one))
			require.Error(t, write(two))

			events, err := tool.ListEvents(t.Context(), "", 0, 100)
			require.NoError(t, err)
			require.Len(t, events, 4, "what was refused left nothing")
			id, err := one.Identity(t.Context())
			require.NoError(t, err)
			same, err := two.Identity(t.Context())
			require.NoError(t, err)
			require.Equal(t, id, same)
			where = location(t)
			other, err := open().Identity(t.Context())
			require.NoError(t, err)
			require.NotEqual(t, id, other)
		})
	}
}
