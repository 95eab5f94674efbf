package kine_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/k3s/kine"
)

// datastore is a file with kine's table and one row.
func datastore(t *testing.T) (string, *sql.DB) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "state.db")
	db, err := sql.Open("sqlite3", file)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	for _, statement := range []string{
		`PRAGMA journal_mode = WAL`,
		`CREATE TABLE kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER, deleted INTEGER,
			create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB)`,
		`CREATE UNIQUE INDEX u ON kine (name, prev_revision)`,
		`INSERT INTO kine (id, name, created, deleted) VALUES (41, '/registry/health', 1, 0)`,
	} {
		_, err := db.Exec(statement)
		require.NoError(t, err)
	}
	return file, db
}

func TestAdvance(t *testing.T) {
	file, db := datastore(t)
	revision, err := kine.Revision(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, int64(41), revision)

	require.NoError(t, kine.Advance(t.Context(), file, 5000))
	revision, err = kine.Revision(t.Context(), file)
	require.NoError(t, err)
	require.Greater(t, revision, int64(5000))
	var name string
	require.NoError(t, db.QueryRow(`SELECT name FROM kine WHERE id = ? AND deleted = 1`, revision).Scan(&name))
	require.Contains(t, name, "gap-", "kine tells nobody of such rows")
	result, err := db.Exec(`INSERT INTO kine (name, created, deleted) VALUES ('/registry/next', 1, 0)`)
	require.NoError(t, err)
	next, err := result.LastInsertId()
	require.NoError(t, err)
	require.Equal(t, revision+1, next)

	require.NoError(t, kine.Advance(t.Context(), file, 5000), "again")
	again, err := kine.Revision(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, next, again)
}

func TestAbsent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	revision, err := kine.Revision(t.Context(), file)
	require.NoError(t, err)
	require.Zero(t, revision, "etcd, or a database elsewhere")
	require.Error(t, kine.Advance(t.Context(), file, 1))
	require.NoFileExists(t, file)
	require.Equal(t, "/d/server/db/state.db", kine.File("/d"))
}
