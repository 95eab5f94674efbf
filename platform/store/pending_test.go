package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/store"
)

func TestPending(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slipway.db")
	names, err := store.Pending(t.Context(), path)
	require.NoError(t, err)
	require.Empty(t, names)
	require.NoFileExists(t, path, "looking makes nothing")

	s, err := store.Open(t.Context(), path, make([]byte, store.KeySize))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	names, err = store.Pending(t.Context(), path)
	require.NoError(t, err)
	require.Empty(t, names)

	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	defer db.Close()
	last := ""
	require.NoError(t, db.QueryRow(`SELECT MAX(name) FROM schema_migrations`).Scan(&last))
	_, err = db.Exec(`DELETE FROM schema_migrations WHERE name = ?`, last)
	require.NoError(t, err)
	names, err = store.Pending(t.Context(), path)
	require.NoError(t, err)
	require.Equal(t, []string{last}, names)

	_, err = db.Exec(`INSERT INTO schema_migrations (name, checksum, applied) VALUES ('9999_future.sql', '', 0)`)
	require.NoError(t, err)
	_, err = store.Pending(t.Context(), path)
	require.ErrorContains(t, err, "migration")
	_, err = os.Stat(path)
	require.NoError(t, err)
}
