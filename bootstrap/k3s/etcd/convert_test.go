package etcd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/k3s/kine"
)

// stopped is a server's data folder with a SQLite datastore in it.
func stopped(t *testing.T) (*Conversion, *int) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "server", "db"), 0o700))
	require.NoError(t, os.Rename(datastore(t), kine.File(dir)))
	taken := new(int)
	return &Conversion{DataDir: dir, Name: "one", PeerURL: "https://192.0.2.1:2380", Clock: time.Now,
		Checkpoint: func(context.Context) (string, error) { *taken++; return "/checkpoint", nil }}, taken
}

func quiet(string) {}

func is(t *testing.T, c *Conversion, want Kind) string {
	t.Helper()
	kind, reason, err := c.Now()
	require.NoError(t, err)
	require.Equal(t, want, kind)
	return reason
}

func TestConversion(t *testing.T) {
	c, taken := stopped(t)
	require.NoError(t, c.BeforeStart(t.Context(), quiet))
	is(t, c, SQLite)
	require.NoError(t, os.MkdirAll(c.member(), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(c.member(), "name"), []byte("first-1234"), 0o600), "as k3s leaves it beside SQLite")
	require.NoError(t, c.Request())
	require.NoError(t, c.Request(), "asked again")
	is(t, c, Converting)
	require.NoError(t, c.BeforeStart(t.Context(), quiet))
	is(t, c, Converting)
	assert.Equal(t, 1, *taken)
	assert.FileExists(t, kine.File(c.DataDir), "nothing is put aside before it works")
	summary, err := c.Started()
	require.NoError(t, err)
	assert.Equal(t, 451, summary.Keys)
	is(t, c, Etcd)
	assert.NoFileExists(t, kine.File(c.DataDir))
	assert.FileExists(t, kine.File(c.DataDir)+".converted")
	again, err := c.Started()
	require.NoError(t, err)
	assert.Nil(t, again, "it is told once")
	require.NoError(t, c.Request())
	is(t, c, Etcd)
	require.NoError(t, c.BeforeStart(t.Context(), quiet))
}

func TestConversionThatCannotBeDone(t *testing.T) {
	c, _ := stopped(t)
	c.Checkpoint = func(context.Context) (string, error) { return "", errors.New("no room") }
	require.NoError(t, c.Request())
	require.NoError(t, c.BeforeStart(t.Context(), quiet))
	assert.Equal(t, "no room", is(t, c, SQLite))
	assert.NoDirExists(t, c.member())
	c.Checkpoint = func(context.Context) (string, error) { return "/checkpoint", nil }
	require.NoError(t, c.Request(), "it may be asked for again")
	require.NoError(t, c.BeforeStart(t.Context(), quiet))
	is(t, c, Converting)
}

func TestConversionGoesBackWhenEtcdDoesNotComeUp(t *testing.T) {
	c, _ := stopped(t)
	require.NoError(t, c.Request())
	for range tries {
		require.NoError(t, c.BeforeStart(t.Context(), quiet))
		is(t, c, Converting)
	}
	require.NoError(t, c.BeforeStart(t.Context(), quiet))
	assert.Contains(t, is(t, c, SQLite), "did not come up with etcd in 3 starts")
	assert.FileExists(t, kine.File(c.DataDir))
	assert.DirExists(t, c.db("etcd.failed"))
	require.NoError(t, c.BeforeStart(t.Context(), quiet))
	is(t, c, SQLite)
}

// Killed anywhere, the next start goes on: what a kill may leave is put there.
func TestConversionKilled(t *testing.T) {
	for name, leave := range map[string]func(t *testing.T, c *Conversion){
		"while building": func(t *testing.T, c *Conversion) {
			require.NoError(t, os.MkdirAll(filepath.Join(c.db("etcd.new"), "member", "snap"), 0o700))
			require.NoError(t, os.MkdirAll(c.db("etcd.new.work"), 0o700))
		},
		"after the rename": func(t *testing.T, c *Conversion) {
			_, err := Build(t.Context(), Options{SQLite: kine.File(c.DataDir), Dir: c.member(), Name: c.Name, PeerURL: c.PeerURL})
			require.NoError(t, err)
		},
		"between the starts": func(t *testing.T, c *Conversion) { require.NoError(t, c.BeforeStart(t.Context(), quiet)) },
		"by a signal": func(t *testing.T, c *Conversion) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.NoError(t, c.BeforeStart(ctx, quiet))
			is(t, c, Converting)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := stopped(t)
			require.NoError(t, c.Request())
			leave(t, c)
			require.NoError(t, c.BeforeStart(t.Context(), quiet))
			is(t, c, Converting)
			assert.DirExists(t, filepath.Join(c.member(), "member", "wal"))
			_, err := c.Started()
			require.NoError(t, err)
			is(t, c, Etcd)
			left, err := filepath.Glob(c.db(".slipway*"))
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}
