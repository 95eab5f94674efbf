// Package backuptest makes folders of whatever file systems can hold, and
// describes folders so that two can be compared.
package backuptest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Picture describes all below a folder, a line each: kind, mode, owner, time,
// contents, attributes, links, and whether there are holes.
func Picture(dir string) ([]string, error) {
	var lines []string
	numbers := map[uint64]int{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		line, err := describe(path, numbers)
		lines = append(lines, fmt.Sprintf("%q %s", rel, line))
		return err
	})
	slices.Sort(lines)
	return lines, err
}

func describe(path string, numbers map[uint64]int) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", fmt.Errorf("%s: no owner", path)
	}
	line := fmt.Sprintf("%s %d:%d %d", info.Mode(), st.Uid, st.Gid, info.ModTime().UnixNano())
	switch {
	case info.Mode().IsRegular():
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
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
			return "", err
		}
		line += fmt.Sprintf(" -> %q", target)
	case info.Mode()&fs.ModeDevice != 0:
		line += fmt.Sprintf(" %d", st.Rdev)
	}
	value := make([]byte, 64)
	if n, err := unix.Lgetxattr(path, "user.test", value); err == nil {
		line += fmt.Sprintf(" user.test=%q", value[:n])
	}
	return line, nil
}

// Make fills a folder with odd things: names that are no text, holes, links of
// both kinds, a pipe, special modes, other owners (as root), attributes where
// the file system has them, and times in nanoseconds.
func Make(dir string) error {
	long := string(bytes.Repeat([]byte("long-"), 45))
	steps := []func() error{
		file(dir, "plain", "hello", 0o644),
		file(dir, "empty", "", 0o400),
		file(dir, "set", "x", 0o755|fs.ModeSetuid|fs.ModeSetgid),
		file(dir, "no\xff\xfeutf8", "bytes", 0o640),
		file(dir, "line\nbreak \t\"quote\" ☃", "odd", 0o600),
		file(dir, filepath.Join("deep", long, long), "deep", 0o600),
		file(dir, "manifest.json", "{}", 0o600),
		file(dir, "trailer.json", "{}", 0o600),
		file(dir, "linked", "twice", 0o604),
		file(dir, "attributes", "x", 0o600),
		func() error { return os.Link(filepath.Join(dir, "linked"), filepath.Join(dir, "zz-again")) },
		func() error { return os.Symlink("/etc/passwd", filepath.Join(dir, "absolute")) },
		func() error { return os.Symlink("../../nowhere\xff", filepath.Join(dir, "broken")) },
		func() error { return unix.Mkfifo(filepath.Join(dir, "fifo"), 0o620) },
		func() error { return os.Mkdir(filepath.Join(dir, "sticky"), 0o700) },
		func() error { return os.Chmod(filepath.Join(dir, "sticky"), 0o777|fs.ModeSticky) },
		holes(filepath.Join(dir, "sparse"), 32<<20, 5<<20, 20<<20),
		holes(filepath.Join(dir, "hole"), 8<<20),
		func() error {
			err := unix.Setxattr(filepath.Join(dir, "attributes"), "user.test", []byte("a\x00b"), 0)
			if errors.Is(err, unix.ENOTSUP) {
				return nil
			}
			return err
		},
		func() error { return owners(dir) },
		func() error { return times(dir) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("make an odd folder: %w", err)
		}
	}
	return nil
}

func file(dir, name, text string, mode fs.FileMode) func() error {
	return func() error {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	}
}

// holes makes a file of the size with a few bytes at each of the places.
func holes(path string, size int64, places ...int64) func() error {
	return func() error {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		err = f.Truncate(size)
		for _, at := range places {
			if err == nil {
				_, err = f.WriteAt([]byte("here"), at)
			}
		}
		return errors.Join(err, f.Close())
	}
}

func owners(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return errors.Join(
		os.Lchown(filepath.Join(dir, "absolute"), 1234, 4321),
		os.Chown(filepath.Join(dir, "plain"), 65532, 3_000_000_000))
}

func times(dir string) error {
	for i, name := range []string{"plain", "sticky", "sparse", "fifo", "deep", "."} {
		at := time.Unix(1_000_000_000+int64(i), 123_456_789)
		if err := os.Chtimes(filepath.Join(dir, name), at, at); err != nil {
			return err
		}
	}
	return nil
}
