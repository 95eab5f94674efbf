package store_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/platformtest"
	"github.com/slipway-paas/slipway/platform/store"
)

// Whatever else the server does with the database that it has open leaves its
// locks.
func TestLocksStay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "slipway.db")
	s := open(t, path)
	fill(t, s)
	held := platformtest.WatchLocks(t, path)
	require.True(t, held())
	for name, do := range map[string]func() error{
		"a second store": func() error {
			again, err := store.Open(t.Context(), path, key(1))
			require.NoError(t, err)
			return again.Close()
		},
		"a snapshot": func() error {
			snapshot, err := store.OpenSnapshot(t.Context(), path)
			require.NoError(t, err)
			_, err = snapshot.Dump(t.Context(), io.Discard)
			require.NoError(t, err)
			return snapshot.Close()
		},
		"pending migrations": func() error {
			_, err := store.Pending(t.Context(), path)
			return err
		},
		"compacting": func() error { return s.Compact(t.Context()) },
		"a copy":     func() error { return s.Backup(t.Context(), filepath.Join(t.TempDir(), "copy.db")) },
	} {
		require.NoError(t, do(), name)
		assert.True(t, held(), name)
	}
	_, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.False(t, held(), "or else nothing is shown by this")
}
