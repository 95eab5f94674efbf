package embedded

import (
	"archive/tar"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func newDest(t *testing.T) Dest {
	t.Helper()
	dir := t.TempDir()
	return Dest{Bin: filepath.Join(dir, "bin"), Images: filepath.Join(dir, "images")}
}

// shown lists the files below dir that are not the record.
func shown(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != recordFile {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	}))
	return names
}

// requireStaged checks that dest holds exactly the parts.
func requireStaged(t *testing.T, p parts, dest Dest) {
	t.Helper()
	content := func(want, name string, mode os.FileMode) {
		raw, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, sumOf([]byte(want)), sumOf(raw), name)
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), name)
	}
	images, binaries := []string{}, []string{"iptables/lib/ld.so", "iptables/lib/libc.so.6"}
	for name, want := range p.images {
		images = append(images, "slipway-"+name+".tar")
		content(want, filepath.Join(dest.Images, "slipway-"+name+".tar"), 0o644)
	}
	for name, want := range p.binaries {
		binaries = append(binaries, name)
		content(want, filepath.Join(dest.Bin, name), 0o755)
	}
	for target, names := range p.links {
		for _, name := range names {
			binaries = append(binaries, name)
			leads, err := os.Readlink(filepath.Join(dest.Bin, name))
			require.NoError(t, err)
			require.Equal(t, target, leads)
		}
	}
	content("xxxxxx", filepath.Join(dest.Bin, "iptables/lib/ld.so"), 0o755)
	require.ElementsMatch(t, images, shown(t, dest.Images))
	require.ElementsMatch(t, binaries, shown(t, dest.Bin))
}

func TestStageWritesEverythingOnce(t *testing.T) {
	p, dest := smallParts(), newDest(t)
	fsys := p.build(t)
	var seen []Progress
	require.NoError(t, StageFS(t.Context(), fsys, dest, func(at Progress) { seen = append(seen, at) }))
	requireStaged(t, p, dest)

	require.NotEmpty(t, seen)
	assert.True(t, slices.IsSortedFunc(seen, func(a, b Progress) int { return int(a.Done - b.Done) }))
	last := seen[len(seen)-1]
	assert.Equal(t, last.Total, last.Done)
	assert.Greater(t, last.Total, int64(2_400_000))

	var read int64
	again := func(Progress) { t.Error("a second Stage wrote something") }
	require.NoError(t, StageFS(t.Context(), countingFS{fsys, &read}, dest, again))
	assert.Zero(t, read, "a second Stage read the payload")
}

func TestStageHalves(t *testing.T) {
	p, dest := smallParts(), newDest(t)
	require.NoError(t, StageFS(t.Context(), p.build(t), Dest{Bin: dest.Bin}, nil))
	assert.NoDirExists(t, dest.Images)
	require.NoError(t, StageFS(t.Context(), p.build(t), Dest{Images: dest.Images}, nil))
	requireStaged(t, p, dest)
}

func TestStageRepairs(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, dest Dest)
	}{
		{"file gone", func(t *testing.T, d Dest) { require.NoError(t, os.Remove(filepath.Join(d.Bin, "runc"))) }},
		{"file changed", func(t *testing.T, d Dest) {
			require.NoError(t, os.WriteFile(filepath.Join(d.Images, "slipway-pause.tar"), []byte("yyy"), 0o644))
		}},
		{"mode changed", func(t *testing.T, d Dest) { require.NoError(t, os.Chmod(filepath.Join(d.Bin, "cni"), 0o600)) }},
		{"link gone", func(t *testing.T, d Dest) { require.NoError(t, os.Remove(filepath.Join(d.Bin, "bridge"))) }},
		{"link leads elsewhere", func(t *testing.T, d Dest) {
			require.NoError(t, os.Remove(filepath.Join(d.Bin, "bridge")))
			require.NoError(t, os.Symlink("runc", filepath.Join(d.Bin, "bridge")))
		}},
		{"link where a file belongs", func(t *testing.T, d Dest) {
			require.NoError(t, os.Remove(filepath.Join(d.Bin, "runc")))
			require.NoError(t, os.Symlink("cni", filepath.Join(d.Bin, "runc")))
		}},
		{"file of a tree gone", func(t *testing.T, d Dest) {
			require.NoError(t, os.Remove(filepath.Join(d.Bin, "iptables/lib/ld.so")))
		}},
		{"file more in a tree", func(t *testing.T, d Dest) {
			require.NoError(t, os.WriteFile(filepath.Join(d.Bin, "iptables/stray"), nil, 0o644))
		}},
		{"record gone", func(t *testing.T, d Dest) { require.NoError(t, os.Remove(filepath.Join(d.Bin, recordFile))) }},
		{"record unreadable", func(t *testing.T, d Dest) {
			require.NoError(t, os.WriteFile(filepath.Join(d.Bin, recordFile), []byte("null"), 0o644))
		}},
		{"file where a tree belongs", func(t *testing.T, d Dest) {
			require.NoError(t, os.RemoveAll(filepath.Join(d.Bin, "iptables")))
			require.NoError(t, os.WriteFile(filepath.Join(d.Bin, "iptables"), []byte("no"), 0o644))
		}},
		{"what a killed run left", func(t *testing.T, d Dest) {
			require.NoError(t, os.WriteFile(filepath.Join(d.Images, tempPrefix+"123"), []byte("half"), 0o600))
			require.NoError(t, os.MkdirAll(filepath.Join(d.Bin, tempPrefix+"456", "lib"), 0o755))
		}},
	}
	p := smallParts()
	fsys := p.build(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dest := newDest(t)
			require.NoError(t, StageFS(t.Context(), fsys, dest, nil))
			test.damage(t, dest)
			require.NoError(t, StageFS(t.Context(), fsys, dest, nil))
			requireStaged(t, p, dest)
		})
	}
}

func TestStageUpgrade(t *testing.T) {
	dest := newDest(t)
	require.NoError(t, StageFS(t.Context(), smallParts().build(t), dest, nil))
	own := filepath.Join(dest.Images, "operator.tar")
	require.NoError(t, os.WriteFile(own, []byte("mine"), 0o644))

	next := smallParts()
	next.binaries["runc"] = "a newer one"
	next.links["cni"] = []string{"bridge"}
	next.binaries["portmap"] = "was a link"
	next.binaries["firewall"] = "new"
	delete(next.images, "pause")
	require.NoError(t, StageFS(t.Context(), next.build(t), dest, nil))
	require.FileExists(t, own, "a file that is not ours was removed")
	require.NoError(t, os.Remove(own))
	requireStaged(t, next, dest)
}

// A kill at any moment leaves whole files only, and the next run completes.
func TestStageKilledAnywhere(t *testing.T) {
	p := smallParts()
	fsys := p.build(t)
	steps := 0
	require.NoError(t, StageFS(t.Context(), fsys, newDest(t), func(Progress) { steps++ }))
	require.Greater(t, steps, 8)
	for kill := range steps {
		dest := newDest(t)
		at := 0
		func() {
			defer func() { require.Equal(t, errKilled, recover()) }()
			_ = StageFS(t.Context(), fsys, dest, func(Progress) {
				if at++; at > kill {
					panic(errKilled)
				}
			})
		}()
		for name, want := range p.binaries {
			if raw, err := os.ReadFile(filepath.Join(dest.Bin, name)); err == nil {
				require.Equal(t, sumOf([]byte(want)), sumOf(raw), "half a file after step %d", kill)
			}
		}
		require.NoError(t, StageFS(t.Context(), fsys, dest, nil))
		requireStaged(t, p, dest)
	}
}

var errKilled = errors.New("killed")

func TestStageCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, dest := smallParts(), newDest(t)
	calls := 0
	err := StageFS(ctx, p.build(t), dest, func(Progress) {
		if calls++; calls == 4 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrCorrupt)
	for _, name := range append(shown(t, dest.Bin), shown(t, dest.Images)...) {
		require.False(t, strings.HasPrefix(name, tempPrefix), name)
	}
	require.NoError(t, StageFS(t.Context(), p.build(t), dest, nil))
	requireStaged(t, p, dest)
}

func TestStageRefusesDamage(t *testing.T) {
	flip := func(member string, offset int) func(*testing.T, fstest.MapFS) fstest.MapFS {
		return func(t *testing.T, fsys fstest.MapFS) fstest.MapFS {
			raw := slices.Clone(fsys[PayloadFile].Data)
			at := strings.Index(string(raw), member)
			require.Positive(t, at+1)
			raw[at+512+offset] ^= 0x40
			return fstest.MapFS{ManifestFile: fsys[ManifestFile], PayloadFile: {Data: raw}}
		}
	}
	tests := map[string]func(*testing.T, fstest.MapFS) fstest.MapFS{
		"image":  flip("images/coredns.tar", 1000),
		"binary": flip("bin/runc.zst", 20),
		"tree":   flip("bin/iptables.tar.zst", 30),
		"end cut off": func(_ *testing.T, fsys fstest.MapFS) fstest.MapFS {
			raw := fsys[PayloadFile].Data
			return fstest.MapFS{ManifestFile: fsys[ManifestFile], PayloadFile: {Data: raw[:1000]}}
		},
		"members gone": func(t *testing.T, fsys fstest.MapFS) fstest.MapFS {
			return fstest.MapFS{ManifestFile: fsys[ManifestFile], PayloadFile: {Data: tarOf(t, nil)}}
		},
		"manifest": func(_ *testing.T, fsys fstest.MapFS) fstest.MapFS {
			return fstest.MapFS{ManifestFile: {Data: []byte("{")}, PayloadFile: fsys[PayloadFile]}
		},
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			p, dest := smallParts(), newDest(t)
			fsys := p.build(t)
			require.ErrorIs(t, StageFS(t.Context(), damage(t, fsys), dest, nil), ErrCorrupt)
			require.NoError(t, StageFS(t.Context(), fsys, dest, nil))
			requireStaged(t, p, dest)
		})
	}
}

func TestStageRefusesWrongContent(t *testing.T) {
	for _, name := range []string{"runc", "iptables"} {
		p, dest := smallParts(), newDest(t)
		fsys := edit(t, p.build(t), func(m *Manifest) {
			for i := range m.Binaries {
				if m.Binaries[i].Name == name {
					m.Binaries[i].SHA256 = sumOf(nil)
				}
			}
		})
		require.ErrorIs(t, StageFS(t.Context(), fsys, dest, nil), ErrCorrupt)
		require.NoFileExists(t, filepath.Join(dest.Bin, name))
	}
}

func TestStageRefusesTreesThatLeaveTheirFolder(t *testing.T) {
	tests := map[string]tar.Header{
		"up":        {Name: "../out", Typeflag: tar.TypeReg, Mode: 0o644, Size: 1},
		"absolute":  {Name: "/tmp/out", Typeflag: tar.TypeReg, Mode: 0o644, Size: 1},
		"link":      {Name: "a", Typeflag: tar.TypeSymlink, Linkname: "../../etc"},
		"root link": {Name: "a", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		"device":    {Name: "null", Typeflag: tar.TypeChar, Mode: 0o666, Devmajor: 1, Devminor: 3},
	}
	for name, header := range tests {
		t.Run(name, func(t *testing.T) {
			p, dest := smallParts(), newDest(t)
			p.trees["iptables"] = []tar.Header{header}
			require.ErrorIs(t, StageFS(t.Context(), p.build(t), dest, nil), ErrCorrupt)
			require.NoDirExists(t, filepath.Join(dest.Bin, "iptables"))
			require.NoFileExists(t, filepath.Join(dest.Bin, "out"))
		})
	}
}

func TestStageRefusesWhileAnotherRuns(t *testing.T) {
	p, dest := smallParts(), newDest(t)
	require.NoError(t, os.MkdirAll(dest.Images, 0o755))
	other, err := os.Open(dest.Images)
	require.NoError(t, err)
	require.NoError(t, unix.Flock(int(other.Fd()), unix.LOCK_EX))
	var busy *BusyError
	require.ErrorAs(t, StageFS(t.Context(), p.build(t), dest, nil), &busy)
	require.Equal(t, dest.Images, busy.Dir)
	require.NoError(t, other.Close())
	require.NoError(t, StageFS(t.Context(), p.build(t), dest, nil))
}

func TestStageSaysWhichDiskIsFull(t *testing.T) {
	p, dest := smallParts(), newDest(t)
	fsys := edit(t, p.build(t), func(m *Manifest) {
		for i := range m.Binaries {
			m.Binaries[i].Size = 1 << 60
		}
	})
	err := StageFS(t.Context(), fsys, dest, nil)
	var full *DiskFullError
	require.ErrorAs(t, err, &full)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Contains(t, []string{dest.Bin, dest.Images}, full.Dir)
	require.Contains(t, err.Error(), full.Dir)
	require.Contains(t, err.Error(), "MB are free")
	require.Empty(t, append(shown(t, dest.Bin), shown(t, dest.Images)...), "something was written")

	r := &room{dir: t.TempDir()}
	require.ErrorAs(t, r.explain(&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, 5), &full)
	require.Equal(t, r.dir, full.Dir)
	require.Equal(t, os.ErrExist, r.explain(os.ErrExist, 5))
}

func TestStageReportsAFolderItCannotMake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	err := StageFS(t.Context(), smallParts().build(t), Dest{Bin: filepath.Join(file, "bin")}, nil)
	require.ErrorIs(t, err, syscall.ENOTDIR)
	require.Contains(t, err.Error(), file)
}

func TestPartsCoverEveryKind(t *testing.T) {
	p := smallParts()
	m, err := LoadFS(p.build(t))
	require.NoError(t, err)
	require.Len(t, m.Images, len(p.images))
	require.Len(t, m.Binaries, len(slices.Collect(maps.Keys(p.binaries)))+len(p.trees))
}
