package etcd

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"go.uber.org/zap"
)

// datastore is a stopped k3s's, with keys of every kind.
func datastore(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "state.db")
	db, err := sql.Open("sqlite3", file)
	require.NoError(t, err)
	all, err := db.Begin()
	require.NoError(t, err)
	run := func(statement string, args ...any) {
		_, err := all.Exec(statement, args...)
		require.NoError(t, err)
	}
	run(`CREATE TABLE kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER, deleted INTEGER,
		create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB)`)
	put := func(name string, deleted, lease int, value []byte) {
		run(`INSERT INTO kine (name, created, deleted, create_revision, prev_revision, lease, value) VALUES (?, 0, ?, 0, 0, ?, ?)`, name, deleted, lease, value)
	}
	put("compact_rev_key", 0, 0, nil)
	for i := range 450 {
		put(fmt.Sprintf("/registry/configmaps/default/c%03d", i), 0, 0, []byte("old"))
	}
	put("/registry/secrets/default/gone", 0, 0, []byte("x"))
	put("/registry/secrets/default/gone", 1, 0, []byte("x"))
	put("/registry/events/default/e", 0, 3600, []byte("event"))
	put("gap-500", 1, 0, nil)
	put("/registry/configmaps/default/c000", 0, 0, []byte("new"))
	put("/registry/pods/default/big", 0, 0, bytes.Repeat([]byte("pod "), 100_000))
	require.NoError(t, all.Commit())
	require.NoError(t, db.Close())
	return file
}

func TestBuild(t *testing.T) {
	file := datastore(t)
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "etcd")
	o := Options{SQLite: file, Dir: dir, Name: "one", PeerURL: "https://192.0.2.1:2380"}
	got, err := Build(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, 451, got.Keys)
	assert.EqualValues(t, 457, got.Revision)
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(before, after), "the old datastore is only read")
	name, err := os.ReadFile(filepath.Join(dir, "name"))
	require.NoError(t, err)
	assert.Equal(t, "one", string(name))
	assert.DirExists(t, filepath.Join(dir, "member", "wal"), "k3s takes this for a member")
	assert.NoDirExists(t, dir+".work")

	be := backend.NewDefaultBackend(zap.NewNop(), filepath.Join(dir, "member", "snap", "db"))
	store := mvcc.NewStore(zap.NewNop(), be, &lease.FakeLessor{}, mvcc.StoreConfig{})
	for key, want := range map[string]string{
		"/registry/configmaps/default/c000": "new", "/registry/configmaps/default/c449": "old",
		"/registry/secrets/default/gone": "", "/registry/events/default/e": "", "compact_rev_key": "",
	} {
		r, err := store.Range(t.Context(), []byte(key), nil, mvcc.RangeOptions{})
		require.NoError(t, err)
		if want == "" {
			assert.Empty(t, r.KVs, key)
			continue
		}
		require.Len(t, r.KVs, 1, key)
		assert.Equal(t, want, string(r.KVs[0].Value))
	}
	assert.Greater(t, store.Rev(), got.Revision, "revisions go on")
	_, err = store.Range(t.Context(), []byte("/registry/"), nil, mvcc.RangeOptions{Rev: got.Revision})
	assert.ErrorIs(t, err, mvcc.ErrCompacted, "who has seen an old revision reads everything anew")
	require.NoError(t, store.Close())
	require.NoError(t, be.Close())

	_, err = Build(t.Context(), o)
	require.Error(t, err, "a member is never overwritten")
}

func TestBuildOfNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "etcd")
	_, err := Build(t.Context(), Options{SQLite: filepath.Join(t.TempDir(), "absent"), Dir: dir, Name: "one", PeerURL: "https://192.0.2.1:2380"})
	require.Error(t, err)
	assert.NoDirExists(t, dir)
}
