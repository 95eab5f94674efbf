package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// path places an absolute path below the root.
func (l *Linux) path(p string) string {
	if l.root == "/" {
		return filepath.Clean(p)
	}
	return filepath.Join(l.root, p)
}

// ReadFile implements Files.
func (l *Linux) ReadFile(path string) ([]byte, error) { return os.ReadFile(l.path(path)) }

// Stat implements Files.
func (l *Linux) Stat(path string) (FileInfo, error) {
	st, err := os.Lstat(l.path(path))
	if err != nil {
		return FileInfo{}, err
	}
	info := FileInfo{Path: path, Perm: st.Mode().Perm(), Size: st.Size(), Kind: kindOf(st.Mode())}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		info.UID, info.GID = int(sys.Uid), int(sys.Gid)
	}
	if info.Kind == KindSymlink {
		if info.Target, err = os.Readlink(l.path(path)); err != nil {
			return FileInfo{}, err
		}
	}
	return info, nil
}

func kindOf(m fs.FileMode) Kind {
	switch {
	case m.IsRegular():
		return KindFile
	case m.IsDir():
		return KindDir
	case m&fs.ModeSymlink != 0:
		return KindSymlink
	}
	return KindOther
}

// ReadStart implements Files.
func (l *Linux) ReadStart(path string, n int) (data []byte, err error) {
	f, err := os.Open(l.path(path))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, int64(n)))
}

// List implements Files.
func (l *Linux) List(path string) ([]string, error) {
	entries, err := os.ReadDir(l.path(path))
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	sort.Strings(names)
	return names, nil
}

// Hash implements Files.
func (l *Linux) Hash(path string) (sum string, err error) {
	f, err := os.Open(l.path(path))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// WriteFile implements Files.
func (l *Linux) WriteFile(path string, data []byte, perm fs.FileMode) error {
	return l.replace(path, strings.NewReader(string(data)), perm)
}

// CopyFile implements Files.
func (l *Linux) CopyFile(src, dst string, perm fs.FileMode) (err error) {
	in, err := os.Open(l.path(src))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return l.replace(dst, in, perm)
}

// unfinished is where the next content of full is written. The name is always
// the same, so that what a killed writer left is found and not added to.
func unfinished(full string) string {
	return filepath.Join(filepath.Dir(full), "."+filepath.Base(full)+".slipway-new")
}

// replace writes r to a temporary file beside path, syncs it and renames it, so
// that a reader, or a machine that loses power, sees the old or the new file.
func (l *Linux) replace(path string, r io.Reader, perm fs.FileMode) (err error) {
	full := l.path(path)
	if err := ignoreAbsent(os.Remove(unfinished(full))); err != nil {
		return err
	}
	tmp, err := os.OpenFile(unfinished(full), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), ignoreAbsent(os.Remove(tmp.Name())))
		}
	}()
	if _, err = io.Copy(tmp, r); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err = tmp.Chmod(perm); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err = tmp.Sync(); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), full); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(full))
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// SyncDir makes renames and creations in a directory survive a loss of power.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, unix.EINVAL) { // some file systems cannot sync a directory
		err = nil
	}
	return errors.Join(err, d.Close())
}

// Append implements Files.
func (l *Linux) Append(path string, data []byte, perm fs.FileMode) (err error) {
	_, absent := os.Stat(l.path(path))
	f, err := os.OpenFile(l.path(path), os.O_WRONLY|os.O_APPEND|os.O_CREATE, perm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err != nil {
		// A full disk may have taken half of it.
		return errors.Join(err, f.Truncate(st.Size()))
	}
	if err = f.Sync(); err != nil || absent == nil {
		return err
	}
	return SyncDir(filepath.Dir(l.path(path)))
}

// Mkdir implements Files.
func (l *Linux) Mkdir(path string, perm fs.FileMode) error {
	full := l.path(path)
	if err := os.Mkdir(full, perm); err != nil {
		return err
	}
	if err := os.Chmod(full, perm); err != nil { // the umask took its share
		return err
	}
	return SyncDir(filepath.Dir(full))
}

// Symlink implements Files.
func (l *Linux) Symlink(target, path string) error {
	full := l.path(path)
	st, err := os.Lstat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.Symlink(target, full); err != nil {
			return err
		}
		return SyncDir(filepath.Dir(full))
	case err != nil:
		return err
	case st.Mode()&fs.ModeSymlink == 0:
		return &fs.PathError{Op: "symlink", Path: path, Err: fs.ErrExist}
	}
	tmp := unfinished(full)
	if err := ignoreAbsent(os.Remove(tmp)); err != nil {
		return err
	}
	if err := os.Symlink(target, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, full); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(full))
}

// Remove implements Files.
func (l *Linux) Remove(path string) error {
	full := l.path(path)
	return errors.Join(ignoreAbsent(os.Remove(unfinished(full))), ignoreAbsent(os.Remove(full)))
}

// RemoveTree implements Files.
func (l *Linux) RemoveTree(path string) error {
	mounts, err := l.Mounts()
	if err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	for _, m := range mounts {
		if Below(m.Point, path) {
			return fmt.Errorf("remove %s: %w: %s", path, ErrMounted, m.Point)
		}
	}
	return os.RemoveAll(l.path(path))
}

// Below reports whether path is dir or lies below it.
func Below(path, dir string) bool {
	path, dir = filepath.Clean(path), filepath.Clean(dir)
	return path == dir || dir == "/" || strings.HasPrefix(path, dir+"/")
}

// Lock implements Files.
func (l *Linux) Lock(path string) (func() error, error) {
	full := l.path(path)
	for {
		f, err := os.OpenFile(full, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			if errors.Is(err, unix.EWOULDBLOCK) {
				err = ErrLocked
			}
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
		}
		// The holder before us may have removed the file between our open and
		// our lock: then ours is a lock on nothing, and we try again.
		same, err := sameFile(f, full)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if same {
			return func() error { return errors.Join(ignoreAbsent(os.Remove(full)), f.Close()) }, nil
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
}

func sameFile(f *os.File, path string) (bool, error) {
	held, err := f.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return os.SameFile(held, named), nil
}

// Disk implements Files.
func (l *Linux) Disk(path string) (Disk, error) {
	for p := filepath.Clean(path); ; p = filepath.Dir(p) {
		var st unix.Statfs_t
		err := unix.Statfs(l.path(p), &st)
		if errors.Is(err, unix.ENOENT) && p != "/" {
			continue
		}
		if err != nil {
			return Disk{}, fmt.Errorf("disk of %s: %w", path, err)
		}
		size := uint64(st.Bsize)
		return Disk{
			Type: fsName(int64(st.Type)), Total: st.Blocks * size, Free: st.Bavail * size,
			Inodes: st.Files, InodesFree: st.Ffree,
		}, nil
	}
}

// fsName names the file systems that matter to containerd.
func fsName(magic int64) string {
	switch magic {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlay"
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.RAMFS_MAGIC:
		return "ramfs"
	case unix.NFS_SUPER_MAGIC:
		return "nfs"
	case 0x2fc12fc1:
		return "zfs"
	}
	return fmt.Sprintf("%#x", magic)
}
