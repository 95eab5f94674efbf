package store

import (
	"context"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func openTest(t *testing.T) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "slipway.db")
	s, err := Open(t.Context(), path, make([]byte, KeySize))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, path
}

// Every connection of both pools has the pragmas, not only the first.
func TestPragmas(t *testing.T) {
	t.Parallel()
	s, _ := openTest(t)
	for _, pool := range []struct {
		db    *sql.DB
		size  int
		query int
	}{{s.write, 1, 0}, {s.read, liteReaders, 1}} {
		var held []*sql.Conn
		for range pool.size {
			conn, err := pool.db.Conn(t.Context())
			require.NoError(t, err)
			held = append(held, conn)
			for pragma, want := range map[string]any{
				"foreign_keys": int64(1), "journal_mode": "wal", "busy_timeout": busyTimeout.Milliseconds(),
				"synchronous": int64(2), "query_only": int64(pool.query),
			} {
				var got any
				require.NoError(t, conn.QueryRowContext(t.Context(), `PRAGMA `+pragma).Scan(&got))
				require.Equal(t, want, got, pragma)
			}
		}
		for _, conn := range held {
			require.NoError(t, conn.Close())
		}
	}
	_, err := s.write.ExecContext(t.Context(), `INSERT INTO tokens (uuid, user_id, key_sha256, fuzzy_key, created, updated) VALUES ('x', 99, 'k', 'f', 0, 0)`)
	require.ErrorContains(t, err, "FOREIGN KEY")
	_, err = s.read.ExecContext(t.Context(), `DELETE FROM users`)
	require.Error(t, err, "readers can't write")
}

func TestIntegrity(t *testing.T) {
	t.Parallel()
	s, _ := openTest(t)
	var result string
	require.NoError(t, s.read.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&result))
	require.Equal(t, "ok", result)
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	one := &fstest.MapFile{Data: []byte(`CREATE TABLE one (id INTEGER); INSERT INTO one VALUES (7);`)}
	two := &fstest.MapFile{Data: []byte(`ALTER TABLE one ADD COLUMN name TEXT NOT NULL DEFAULT 'x';`)}
	edited := &fstest.MapFile{Data: []byte(`CREATE TABLE one (id BIGINT);`)}
	broken := &fstest.MapFile{Data: []byte(`CREATE TABLE half (id INTEGER); NONSENSE;`)}
	for _, tc := range []struct {
		name  string
		files []fstest.MapFS
		want  string
	}{
		{"one after the other", []fstest.MapFS{{"0001_one.sql": one}, {"0001_one.sql": one, "0002_two.sql": two}}, ""},
		{"both at once", []fstest.MapFS{{"0001_one.sql": one, "0002_two.sql": two}}, ""},
		{"edited", []fstest.MapFS{{"0001_one.sql": one}, {"0001_one.sql": edited, "0002_two.sql": two}}, "migration 0001_one.sql was edited after it had been applied"},
		{"newer", []fstest.MapFS{{"0001_one.sql": one, "0002_two.sql": two}, {"0001_one.sql": one}}, "written by a newer version of slipway (migration 0002_two.sql is unknown here)"},
		{"renamed", []fstest.MapFS{{"0001_one.sql": one}, {"0001_two.sql": one}}, "migration 0001_one.sql was applied"},
		{"gap", []fstest.MapFS{{"0001_one.sql": one, "0003_two.sql": two}}, "expected number 0002"},
		{"broken", []fstest.MapFS{{"0001_one.sql": one, "0002_two.sql": broken}}, "migration 0002_two.sql"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "slipway.db")
			require.NoError(t, makeFile(path))
			db, err := sql.Open("sqlite3", liteDSN(path, false))
			require.NoError(t, err)
			defer db.Close()
			for _, files := range tc.files {
				err = migrateFiles(t, db, path, files)
			}
			if tc.want != "" {
				require.ErrorContains(t, err, tc.want)
				requireNoTable(t, db, "half")
				return
			}
			require.NoError(t, err)
			require.NoError(t, migrateFiles(t, db, path, tc.files[len(tc.files)-1]), "again changes nothing")
			var name string
			require.NoError(t, db.QueryRowContext(t.Context(), `SELECT name FROM one WHERE id = 7`).Scan(&name))
			_, err = os.Stat(path + ".before-0002_two.sql")
			require.Equal(t, len(tc.files) == 2, err == nil, "only a database with rows is copied first")
		})
	}
}

func migrateFiles(t *testing.T, db *sql.DB, path string, files fs.FS) error {
	list, err := loadMigrations(files)
	if err != nil {
		return err
	}
	return migrateLite(t.Context(), db, path, list)
}

func requireNoTable(t *testing.T, db *sql.DB, name string) {
	t.Helper()
	var n int
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM sqlite_master WHERE name = ?`, name).Scan(&n))
	require.Zero(t, n)
}

func TestEmbeddedMigrationsLoad(t *testing.T) {
	t.Parallel()
	list, err := embeddedMigrations()
	require.NoError(t, err)
	require.NotEmpty(t, list)
}

func TestFaultKeepsContextErrors(t *testing.T) {
	t.Parallel()
	require.NoError(t, fault("op", "App", nil))
	require.Equal(t, context.Canceled, fault("op", "App", context.Canceled))
}
