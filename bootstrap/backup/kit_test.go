package backup_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/slipway-paas/slipway/bootstrap/backup"
)

// testHeader is of no real installation.
func testHeader() backup.Header {
	return backup.Header{ID: "0123456789abcdef", Platform: "p1", Version: "v0.0.0-test",
		Created: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func testManifest() backup.Manifest {
	return backup.Manifest{Header: testHeader(), Domain: "old.example.test", Node: "a", Database: "sqlite", Apps: []string{"hello"}}
}

func newKey(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	return id
}

// write makes a backup of trees with some documents before them.
func write(t *testing.T, to age.Recipient, trees ...backup.Tree) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := backup.NewWriter(&out, backup.WriterOptions{Manifest: testManifest(), Recipients: []age.Recipient{to}})
	require.NoError(t, err)
	require.NoError(t, w.Bytes("settings/config.yaml", []byte("domain: old.example.test\n")))
	s := w.Stream("database")
	_, err = s.Write(bytes.Repeat([]byte("0123456789abcdef"), 600<<10))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	for _, tree := range trees {
		_, err := w.Tree(t.Context(), tree)
		require.NoError(t, err)
	}
	_, err = w.Close()
	require.NoError(t, err)
	return out.Bytes()
}

// readAll reads a backup to its end, as verifying does.
func readAll(data io.Reader, ids ...age.Identity) (*backup.Reader, error) {
	r, err := backup.NewReader(data, ids...)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return r, nil
		} else if err != nil {
			return r, err
		}
	}
}

// extract makes the sections below dir, each under its own name.
func extract(t *testing.T, data []byte, id age.Identity, dir string) []string {
	t.Helper()
	r, err := backup.NewReader(bytes.NewReader(data), id)
	require.NoError(t, err)
	defer r.Close()
	x := &backup.Extractor{Place: func(section string) (string, bool) {
		return filepath.Join(dir, section), section != "settings" && section != "database"
	}}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		_, err = x.Put(e)
		require.NoError(t, err)
	}
	require.NoError(t, x.Close())
	return x.Warnings
}

// picture describes all below a folder: kinds, modes, owners, times, contents,
// attributes, links and space on disk.
func picture(t *testing.T, dir string) []string {
	t.Helper()
	var lines []string
	numbers := map[uint64]int{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		line := fmt.Sprintf("%q %s %d:%d %d", rel, info.Mode(), st.Uid, st.Gid, info.ModTime().UnixNano())
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if numbers[st.Ino] == 0 {
				numbers[st.Ino] = len(numbers) + 1
			}
			line += fmt.Sprintf(" %d %x links %d of %d", info.Size(), sha256.Sum256(data), st.Nlink, numbers[st.Ino])
			if st.Blocks*512 < info.Size()/2 {
				line += " with holes"
			}
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" -> %q", target)
		case info.Mode()&fs.ModeDevice != 0:
			line += fmt.Sprintf(" %d", st.Rdev)
		}
		value := make([]byte, 64)
		if n, err := unix.Lgetxattr(path, "user.test", value); err == nil {
			line += fmt.Sprintf(" user.test=%q", value[:n])
		}
		lines = append(lines, line)
		return nil
	}))
	sort.Strings(lines)
	return lines
}

// oddTree makes a folder of whatever file systems can hold.
func oddTree(t *testing.T, dir string) {
	t.Helper()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	file("plain", "hello", 0o644)
	file("empty", "", 0o400)
	file("set", "x", 0o755|fs.ModeSetuid|fs.ModeSetgid)
	file("no\xff\xfeutf8", "bytes", 0o640)
	file("line\nbreak \t\"quote\" ☃", "odd", 0o600)
	file("deep/"+string(bytes.Repeat([]byte("long-"), 45))+"/"+string(bytes.Repeat([]byte("name-"), 45)), "deep", 0o600)
	file("manifest.json", "{}", 0o600)
	file("trailer.json", "{}", 0o600)
	linked := file("linked", "twice", 0o604)
	require.NoError(t, os.Link(linked, filepath.Join(dir, "zz-again")))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "absolute")))
	require.NoError(t, os.Symlink("../../nowhere\xff", filepath.Join(dir, "broken")))
	require.NoError(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o620))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sticky"), 0o700))
	require.NoError(t, os.Chmod(filepath.Join(dir, "sticky"), 0o777|fs.ModeSticky))
	sparse(t, filepath.Join(dir, "sparse"), 32<<20, 5<<20, 20<<20)
	sparse(t, filepath.Join(dir, "hole"), 8<<20)
	if unix.Setxattr(file("attributes", "x", 0o600), "user.test", []byte("a\x00b"), 0) != nil {
		t.Log("no attributes on this file system")
	}
	if os.Geteuid() == 0 {
		require.NoError(t, os.Lchown(filepath.Join(dir, "absolute"), 1234, 4321))
		require.NoError(t, os.Chown(filepath.Join(dir, "plain"), 65532, 3000000000))
	}
	for i, name := range []string{"plain", "sticky", "sparse", "fifo", "deep", "."} {
		at := time.Unix(1_000_000_000+int64(i), 123_456_789)
		require.NoError(t, os.Chtimes(filepath.Join(dir, name), at, at))
	}
}

// sparse makes a file of holes with a few bytes at each of the places.
func sparse(t *testing.T, path string, size int64, places ...int64) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(size))
	for _, at := range places {
		_, err := f.WriteAt([]byte("here"), at)
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
}
