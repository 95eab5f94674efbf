package kine_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/k3s/kine"
)

func TestCompact(t *testing.T) {
	file, db := datastore(t)
	for _, statement := range []string{
		`WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i+1 FROM n WHERE i < 599) INSERT INTO kine (id, name, prev_revision, value) SELECT i, i, i, zeroblob(4000) FROM n`,
		`DELETE FROM kine WHERE id > 100`, `PRAGMA wal_checkpoint(TRUNCATE)`,
	} {
		_, err := db.Exec(statement)
		require.NoError(t, err)
	}
	before, err := os.Stat(file)
	require.NoError(t, err)

	done, err := kine.Compact(t.Context(), file, 1<<30)
	require.NoError(t, err)
	assert.False(t, done, "too little to be worth it")
	done, err = kine.Compact(t.Context(), file, 1<<20)
	require.NoError(t, err)
	assert.True(t, done)
	after, err := os.Stat(file)
	require.NoError(t, err)
	assert.Less(t, after.Size(), before.Size()/10)
	revision, err := kine.Revision(t.Context(), file)
	require.NoError(t, err)
	assert.Equal(t, int64(100), revision, "nothing else changed")
	done, err = kine.Compact(t.Context(), file, 1<<20)
	require.NoError(t, err)
	assert.False(t, done)

	done, err = kine.Compact(t.Context(), filepath.Join(t.TempDir(), "none"), 1)
	require.NoError(t, err)
	assert.False(t, done)
}
