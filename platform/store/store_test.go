package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
	"github.com/slipway-paas/slipway/platform/platformtest/pgtest"
	"github.com/slipway-paas/slipway/platform/store"
)

func key(b byte) []byte {
	k := make([]byte, store.KeySize)
	k[0] = b
	return k
}

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path, key(1))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// cluster is the PostgreSQL of all tests here.
var cluster pgtest.Cluster

func TestMain(m *testing.M) { os.Exit(cluster.Run(m)) }

// databases are the places where a store can be.
func databases() map[string]func(t *testing.T) string {
	return map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "slipway.db") },
		"postgres": func(t *testing.T) string { return cluster.Database(t) },
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, place := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			platformtest.StoreSuite(t, func(t *testing.T) control.Store { return open(t, place(t)) })
		})
	}
}

// fill makes one app whose config and build hold secrets.
func fill(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	_, err := s.CreateUser(ctx, platform.User{Username: "alice"}, "hash")
	require.NoError(t, err)
	_, err = s.CreateToken(ctx, platform.Token{UUID: "t", Owner: "alice"}, "sha-of-key")
	require.NoError(t, err)
	_, err = s.CreateWorkspace(ctx, platform.Workspace{UUID: "w", ID: "alice"}, "alice")
	require.NoError(t, err)
	_, err = s.CreateApp(ctx, platform.App{UUID: "a", ID: "hello", Workspace: "alice"},
		platform.Config{
			UUID: "c", Values: []platform.ConfigValue{{Name: "KEY_NAME", Value: "swordfish-value", Group: "global"}},
			Registry:    map[string]map[string]string{"web": {"password": "swordfish-registry"}},
			Healthcheck: map[string]map[string]any{"web": {"livenessProbe": map[string]any{"x": "swordfish-probe"}}},
		},
		platform.Release{UUID: "r", Config: "c", State: platform.ReleasePending}, platform.Settings{UUID: "s"})
	require.NoError(t, err)
	_, err = s.AddRelease(ctx, platform.Release{UUID: "r2", App: "hello", Config: "c", Build: "b", State: platform.ReleasePending},
		&platform.Build{UUID: "b", Image: "img", Stack: "container", Dryccfile: []byte(`{"secret":"swordfish-file"}`)}, nil)
	require.NoError(t, err)
}

// The database and what SQLite keeps beside it are for nobody else to read,
// and hold no secret in the clear.
func TestSecretsAtRest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "slipway.db"))
	fill(t, s)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 2)
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		require.NoError(t, err)
		require.NotContains(t, string(data), "swordfish")
		info, err := f.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f.Name())
	}
	c, err := s.FindConfig(t.Context(), "c")
	require.NoError(t, err)
	require.Equal(t, "swordfish-value", c.Values[0].Value)
}

func TestReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a name?with%odd#characters.db")
	s, err := store.Open(t.Context(), path, key(1))
	require.NoError(t, err)
	fill(t, s)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "idempotent")
	_, err = os.Stat(path)
	require.NoError(t, err)

	_, err = store.Open(t.Context(), path, key(2))
	require.ErrorContains(t, err, "the secret key is not the one")
	_, err = store.Open(t.Context(), path, []byte("short"))
	require.ErrorContains(t, err, "5 bytes")

	again := open(t, path)
	c, err := again.FindConfig(t.Context(), "c")
	require.NoError(t, err)
	require.Equal(t, "swordfish-value", c.Values[0].Value)
}

// A key that the database was not made with is refused.
func TestWrongKey(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, place string) {
		fill(t, open(t, place))
		_, err := store.Open(t.Context(), place, key(2))
		require.ErrorContains(t, err, "the secret key is not the one")
		c, err := open(t, place).FindConfig(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, "swordfish-value", c.Values[0].Value)
	})
}

// A dump of PostgreSQL holds no secret in the clear, and neither do its log
// and its data files.
func TestSecretsInPostgres(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	require.NoError(t, server.Create("own", ""))
	s := open(t, server.URL("own", ""))
	fill(t, s)
	dump, err := server.Dump("own")
	require.NoError(t, err)
	require.Contains(t, dump, "hello", "the rows are in it")
	require.NotContains(t, dump, "swordfish")
	require.NoError(t, s.Close())
	require.NoError(t, server.Stop())
	require.NotContains(t, server.Log(), "swordfish")
	read := 0
	require.NoError(t, filepath.WalkDir(server.Data(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		read += bytes.Count(data, []byte("sha-of-key"))
		require.NotContains(t, string(data), "swordfish", path)
		return err
	}))
	require.Positive(t, read, "the rows are in there")
}

// sqlOf is another connection to the database at place.
func sqlOf(t *testing.T, place string) *sql.DB {
	t.Helper()
	if strings.Contains(place, "://") {
		return outside(t, place)
	}
	db, err := sql.Open("sqlite3", place)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// onBoth runs a test for each kind of database.
func onBoth(t *testing.T, run func(t *testing.T, place string)) {
	for name, place := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, place(t))
		})
	}
}

// A ciphertext moved to another row, or changed, does not open.
func TestSealedDataIsBound(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, place string) {
		s := open(t, place)
		fill(t, s)
		db := sqlOf(t, place)
		for _, change := range []string{
			`UPDATE configs SET sealed = (SELECT sealed FROM builds WHERE uuid = 'b')`,
			`UPDATE configs SET sealed = (SELECT sealed FROM seal)`,
		} {
			_, err := db.ExecContext(t.Context(), change)
			require.NoError(t, err)
			_, err = s.FindConfig(t.Context(), "c")
			require.Equal(t, platform.Internal, platform.CodeOf(err))
			require.ErrorContains(t, err, "config c: sealed data")
		}
	})
}

// What is too short to be a ciphertext is an error like any other.
func TestSealedDataIsDamaged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "slipway.db")
	s := open(t, path)
	fill(t, s)
	for _, change := range []string{`UPDATE configs SET sealed = x'0102'`, `UPDATE configs SET sealed = x''`} {
		_, err := sqlOf(t, path).ExecContext(t.Context(), change)
		require.NoError(t, err)
		_, err = s.FindConfig(t.Context(), "c")
		require.ErrorContains(t, err, "config c: sealed data")
	}
}

func TestEventsAreAppendOnly(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, place string) {
		s := open(t, place)
		_, err := s.AppendEvent(t.Context(), control.Event{App: "hello", Object: "app", Action: "create"})
		require.NoError(t, err)
		db := sqlOf(t, place)
		for _, change := range []string{`UPDATE events SET app = 'x'`, `DELETE FROM events`} {
			_, err = db.ExecContext(t.Context(), change)
			require.ErrorContains(t, err, "append-only")
		}
	})
}

func TestBackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "slipway.db"))
	fill(t, s)
	copied := filepath.Join(dir, "copy.db")
	require.NoError(t, s.Backup(t.Context(), copied))
	other := open(t, copied)
	_, err := other.FindApp(t.Context(), "hello")
	require.NoError(t, err)
	require.Error(t, s.Backup(t.Context(), copied), "an existing file is not overwritten")
}

// While another process holds the write lock a change waits and then is
// Unavailable; reads go on.
func TestBusy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "slipway.db")
	s := open(t, path)
	fill(t, s)
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	defer db.Close()
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), `BEGIN IMMEDIATE`)
	require.NoError(t, err)
	_, err = s.FindApp(t.Context(), "hello")
	require.NoError(t, err)
	err = s.SetStructure(t.Context(), "hello", map[string]int{"web": 1}, time.Now())
	require.Equal(t, platform.Unavailable, platform.CodeOf(err))
	var lite sqlite3.Error
	require.True(t, errors.As(err, &lite))
	_, err = conn.ExecContext(t.Context(), `ROLLBACK`)
	require.NoError(t, err)
	require.NoError(t, s.SetStructure(t.Context(), "hello", map[string]int{"web": 1}, time.Now()))
}
