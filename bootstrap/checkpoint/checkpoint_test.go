package checkpoint_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/checkpoint"
)

// now is when the tests' checkpoints are taken.
func now() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

func about() checkpoint.About {
	return checkpoint.About{Reason: "test", Slipway: "v1.0.0", Facts: map[string]string{"a": "b"}}
}

// place is a folder with one of everything, and the items that describe it.
type place struct {
	root  string // of checkpoints
	state string
}

func newPlace(t *testing.T) place {
	t.Helper()
	p := place{root: filepath.Join(t.TempDir(), "checkpoints"), state: filepath.Join(t.TempDir(), "state")}
	p.write(t, "db/state.db", "rows", 0o600)
	p.write(t, "db/state.db-wal", "more rows", 0o600)
	p.write(t, "cache/big", string(make([]byte, 100<<10)), 0o755)
	p.write(t, "cache/small", "noted", 0o644)
	p.write(t, "cache/skipped/file", "x", 0o644)
	require.NoError(t, os.Symlink("big", filepath.Join(p.state, "cache/link")))
	require.NoError(t, os.Mkdir(filepath.Join(p.state, "cache/closed"), 0o500))
	p.write(t, "key", "secret", 0o400)
	return p
}

func (p place) path(name string) string { return filepath.Join(p.state, name) }

func (p place) write(t *testing.T, name, content string, perm fs.FileMode) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(p.path(name)), 0o755))
	require.NoError(t, os.WriteFile(p.path(name), []byte(content), perm))
	require.NoError(t, os.Chtimes(p.path(name), now(), now()))
}

func (p place) items() []checkpoint.Item {
	return []checkpoint.Item{
		{Name: "db", Path: p.path("db")},
		{Name: "cache", Path: p.path("cache"), Link: true, Skip: []string{"skipped"}},
		{Name: "key", Path: p.path("key")},
		{Name: "nothing", Path: p.path("nothing")},
	}
}

func (p place) take(t *testing.T) checkpoint.Checkpoint {
	t.Helper()
	c, err := checkpoint.Take(t.Context(), p.root, about(), now(), p.items()...)
	require.NoError(t, err)
	return c
}

// entry is what picture tells of a path.
type entry struct {
	Mode    fs.FileMode
	Content string
	ModTime time.Time
}

// picture is everything below dir but the names given.
func picture(t *testing.T, dir string, but ...string) map[string]entry {
	t.Helper()
	all := map[string]entry{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		for _, b := range but {
			if name == b {
				return fs.SkipDir
			}
		}
		info, err := d.Info()
		require.NoError(t, err)
		e := entry{Mode: info.Mode()}
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			e.Content, e.ModTime = string(data), info.ModTime()
		case info.Mode()&fs.ModeSymlink != 0:
			e.Content, err = os.Readlink(path)
			require.NoError(t, err)
		}
		all[name] = e
		return nil
	}))
	return all
}

func TestRestoreBringsEverythingBack(t *testing.T) {
	p := newPlace(t)
	before := picture(t, p.state, "cache/skipped")
	c := p.take(t)
	require.NoError(t, c.Verify(t.Context()))

	p.write(t, "db/state.db", "other rows", 0o644)
	require.NoError(t, os.Remove(p.path("db/state.db-wal")))
	p.write(t, "db/new", "x", 0o644)
	require.NoError(t, os.RemoveAll(p.path("cache")))
	require.NoError(t, os.Remove(p.path("key")))
	p.write(t, "nothing/something", "x", 0o644)

	again, err := checkpoint.Open(c.Dir)
	require.NoError(t, err)
	var notes []string
	require.NoError(t, again.Restore(t.Context(), checkpoint.Restoring{Note: func(s string) { notes = append(notes, s) }}))
	require.Equal(t, before, picture(t, p.state))
	require.Equal(t, []string{"bringing back db", "bringing back cache", "bringing back key", "bringing back nothing"}, notes)
	require.NoError(t, again.Verify(t.Context()), "a restore leaves the checkpoint as it is")
	require.NoError(t, again.Restore(t.Context(), checkpoint.Restoring{}), "it can be made again")
	require.Equal(t, before, picture(t, p.state))
}

func TestRestoreAfterOneThatWasKilled(t *testing.T) {
	p := newPlace(t)
	before := picture(t, p.state, "cache/skipped")
	c := p.take(t)
	// Killed while it copied one item, and between the two renames of another.
	p.write(t, "db.slipway-restore/half", "x", 0o600)
	require.NoError(t, os.Rename(p.path("cache"), p.path("cache.slipway-before")))
	require.NoError(t, c.Restore(t.Context(), checkpoint.Restoring{}))
	require.Equal(t, before, picture(t, p.state))
}

func TestRestoreOnly(t *testing.T) {
	p := newPlace(t)
	c := p.take(t)
	p.write(t, "db/state.db", "other", 0o600)
	p.write(t, "cache/small", "other", 0o600)
	require.NoError(t, c.Restore(t.Context(), checkpoint.Restoring{Only: []string{"db"}}))
	now := picture(t, p.state)
	require.Equal(t, "rows", now["db/state.db"].Content)
	require.Equal(t, "other", now["cache/small"].Content)
	require.ErrorContains(t, c.Restore(t.Context(), checkpoint.Restoring{Only: []string{"what"}}), "holds no what")
}

func TestLinkedFilesCostNothing(t *testing.T) {
	p := newPlace(t)
	c := p.take(t)
	require.Equal(t, inode(t, p.path("cache/big")), inode(t, filepath.Join(c.Dir, "cache/big")))
	require.NotEqual(t, inode(t, p.path("cache/small")), inode(t, filepath.Join(c.Dir, "cache/small")))
	require.NotEqual(t, inode(t, p.path("db/state.db")), inode(t, filepath.Join(c.Dir, "db/state.db")))

	need, err := checkpoint.Need(p.root, p.items()...)
	require.NoError(t, err)
	require.Equal(t, int64(len("rows")+len("more rows")+len("noted")+len("secret")), need)
	require.Equal(t, need+100<<10, c.Manifest.Bytes())
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	stat, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	return stat.Ino
}

func TestDatabasesInUse(t *testing.T) {
	p := newPlace(t)
	copied := "a consistent copy"
	var loaded string
	c, err := checkpoint.Take(t.Context(), p.root, about(), now(),
		checkpoint.Item{Name: "db", Path: p.path("db"), Files: map[string]func(context.Context, string) error{
			"state.db": func(_ context.Context, to string) error { return os.WriteFile(to, []byte(copied), 0o644) },
		}},
		checkpoint.Item{Name: "elsewhere", Save: func(_ context.Context, to string) error {
			return os.WriteFile(to, []byte("tables"), 0o600)
		}})
	require.NoError(t, err)
	require.ErrorContains(t, c.Restore(t.Context(), checkpoint.Restoring{}), "nobody can bring back elsewhere")
	require.Equal(t, "rows", picture(t, p.path("db"))["state.db"].Content, "nothing was changed")

	load := map[string]func(context.Context, string) error{"elsewhere": func(_ context.Context, from string) error {
		data, err := os.ReadFile(from)
		loaded = string(data)
		return err
	}}
	require.NoError(t, c.Restore(t.Context(), checkpoint.Restoring{Load: load}))
	after := picture(t, p.path("db"))
	require.Equal(t, copied, after["state.db"].Content)
	require.Equal(t, fs.FileMode(0o600), after["state.db"].Mode, "as the database was")
	require.NotContains(t, after, "state.db-wal", "it would be played into the copy")
	require.Equal(t, "tables", loaded)
}

func TestDamageIsRefusedWhole(t *testing.T) {
	damage := map[string]func(t *testing.T, dir string){
		"another byte":    func(t *testing.T, dir string) { put(t, filepath.Join(dir, "key"), "secreT") },
		"cut short":       func(t *testing.T, dir string) { put(t, filepath.Join(dir, "key"), "sec") },
		"gone":            func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "key"))) },
		"a link for file": func(t *testing.T, dir string) { swapForLink(t, filepath.Join(dir, "key")) },
	}
	for name, do := range damage {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			c := p.take(t)
			p.write(t, "db/state.db", "newer", 0o600)
			do(t, c.Dir)
			require.ErrorIs(t, c.Verify(t.Context()), checkpoint.ErrDamaged)
			require.ErrorIs(t, c.Restore(t.Context(), checkpoint.Restoring{}), checkpoint.ErrDamaged)
			require.Equal(t, "newer", picture(t, p.state)["db/state.db"].Content, "nothing was changed")
		})
	}
}

func put(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o400))
}

func swapForLink(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink("/etc/passwd", path))
}

func TestManifestsThatLeadOutAreRefused(t *testing.T) {
	for _, manifest := range []string{
		`{"format":1,"entries":[{"name":"../x","path":"/x","files":[]}]}`,
		`{"format":1,"entries":[{"name":"x","path":"x","files":[]}]}`,
		`{"format":1,"entries":[{"name":"x","path":"/x","files":[{"path":"../y"}]}]}`,
		`{"format":1,"entr`,
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(manifest), 0o600))
		_, err := checkpoint.Open(dir)
		require.ErrorIs(t, err, checkpoint.ErrDamaged)
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(`{"format":2}`), 0o600))
	_, err := checkpoint.Open(dir)
	require.ErrorContains(t, err, "format is 2, this slipway knows 1")
}

func TestCutOff(t *testing.T) {
	p := newPlace(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := checkpoint.Take(ctx, p.root, about(), now(), p.items()...)
	require.ErrorIs(t, err, context.Canceled)
	left, err := os.ReadDir(p.root)
	require.NoError(t, err)
	require.Empty(t, left)

	// As kill -9 leaves it.
	d, err := checkpoint.Begin(p.root, about(), now())
	require.NoError(t, err)
	require.NoError(t, d.Take(t.Context(), p.items()[0]))
	_, err = checkpoint.Open(d.Dir())
	require.ErrorIs(t, err, checkpoint.ErrIncomplete)
	all, err := checkpoint.List(p.root)
	require.NoError(t, err)
	require.Empty(t, all)
	removed, err := checkpoint.Prune(p.root, "test", 1)
	require.NoError(t, err)
	require.Equal(t, []string{d.Dir()}, removed)
}

// TestRunAgainAtOnce: a command that was killed is run again within the second.
func TestRunAgainAtOnce(t *testing.T) {
	p := newPlace(t)
	first, err := checkpoint.Begin(p.root, about(), now())
	require.NoError(t, err)
	second, err := checkpoint.Take(t.Context(), p.root, about(), now(), p.items()...)
	require.NoError(t, err)
	require.NotEqual(t, first.Dir(), second.Dir)
	all, err := checkpoint.List(p.root)
	require.NoError(t, err)
	require.Len(t, all, 1)
}

func TestPruneKeepsTheNewest(t *testing.T) {
	p := newPlace(t)
	for n, reason := range []string{"test", "other", "test", "test"} {
		a := about()
		a.Reason = reason
		_, err := checkpoint.Take(t.Context(), p.root, a, now().Add(time.Duration(n)*time.Second), p.items()...)
		require.NoError(t, err)
	}
	removed, err := checkpoint.Prune(p.root, "test", 1)
	require.NoError(t, err)
	require.Len(t, removed, 2)
	all, err := checkpoint.List(p.root)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "test", all[0].Manifest.Reason)
	require.Equal(t, now().Add(3*time.Second), all[0].Manifest.Taken)
	require.Equal(t, "other", all[1].Manifest.Reason)
	require.NoError(t, all[0].Remove())
	require.NoDirExists(t, all[0].Dir)
}

func TestWrongItems(t *testing.T) {
	p := newPlace(t)
	save := func(context.Context, string) error { return errors.New("the database is away") }
	tests := map[string]struct {
		items []checkpoint.Item
		want  string
	}{
		"name":     {[]checkpoint.Item{{Name: "A/b", Path: "/x"}}, "lower-case"},
		"relative": {[]checkpoint.Item{{Name: "a", Path: "x"}}, "absolute path"},
		"neither":  {[]checkpoint.Item{{Name: "a"}}, "absolute path or a function"},
		"both":     {[]checkpoint.Item{{Name: "a", Path: "/x", Save: save}}, "absolute path or a function"},
		"twice":    {[]checkpoint.Item{{Name: "a", Path: p.path("key")}, {Name: "a", Path: p.path("key")}}, "twice"},
		"away":     {[]checkpoint.Item{{Name: "a", Save: save}}, "checkpoint of a: the database is away"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := checkpoint.Take(t.Context(), p.root, about(), now(), tt.items...)
			require.ErrorContains(t, err, tt.want)
			left, err := os.ReadDir(p.root)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
	_, err := checkpoint.Begin(p.root, checkpoint.About{Reason: "a b"}, now())
	require.ErrorContains(t, err, "reason")
}

func TestSocketsAreLeftOut(t *testing.T) {
	dir := t.TempDir()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	defer listener.Close()
	c, err := checkpoint.Take(t.Context(), filepath.Join(t.TempDir(), "c"), about(), now(), checkpoint.Item{Name: "a", Path: dir})
	require.NoError(t, err)
	require.Len(t, c.Manifest.Entries[0].Files, 1)
}
