package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// linkOrCopy makes to a second name of from, when that is wanted and can be, or
// a copy with mode 0600.
func linkOrCopy(ctx context.Context, from, to string, link bool) error {
	if link && os.Link(from, to) == nil {
		return nil
	}
	return copyFile(ctx, from, to)
}

// copyFile copies the content of from. When ctx ends it stops early and leaves
// a part.
func copyFile(ctx context.Context, from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if _, err := io.Copy(target, untilDone{ctx, source}); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return nil
}

// untilDone reads until its context ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

func owner(info fs.FileInfo) (uid, gid int) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid), int(stat.Gid)
	}
	return os.Getuid(), os.Getgid()
}

// adopt gives path the owner, mode and time of f. A linked file has them.
func adopt(path string, f File) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if uid, gid := owner(info); uid != f.UID || gid != f.GID {
		if err := os.Lchown(path, f.UID, f.GID); err != nil {
			return err
		}
	}
	if f.Mode&fs.ModeSymlink == 0 && info.Mode() != f.Mode {
		if err := os.Chmod(path, f.Mode); err != nil {
			return err
		}
	}
	if info.ModTime().Equal(f.ModTime) {
		return nil
	}
	times := []unix.Timespec{unix.NsecToTimespec(f.ModTime.UnixNano()), unix.NsecToTimespec(f.ModTime.UnixNano())}
	return unix.UtimesNanoAt(unix.AT_FDCWD, path, times, unix.AT_SYMLINK_NOFOLLOW)
}

func writeSynced(path string, data []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// syncFS writes everything of the file system that path is on to the disk: for
// thousands of small files much quicker than one after the other.
func syncFS(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = unix.Syncfs(int(d.Fd()))
	if err != nil {
		err = fmt.Errorf("sync %s: %w", path, err)
	}
	return errors.Join(err, d.Close())
}
