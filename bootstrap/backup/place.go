package backup

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Place keeps backups: a folder, or what has a prefix in a bucket.
type Place interface {
	// Create begins a file of the name in the place. It is there as a whole
	// after Commit, and not at all otherwise. about is its size, roughly.
	Create(ctx context.Context, name string, about int64) (Sink, error)
	// Open reads one from its beginning. Absent is fs.ErrNotExist.
	Open(ctx context.Context, name string) (io.ReadCloser, int64, error)
	// List returns the names of everything in the place with its size.
	List(ctx context.Context) ([]Object, error)
	// Remove deletes one.
	Remove(ctx context.Context, name string) error
	// Sweep removes what runs that were killed left of this installation's
	// backups, and nothing that is being written.
	Sweep(ctx context.Context, platform string) error
	// String is the place for messages, without secrets.
	String() string
}

// Object is a file in a place.
type Object struct {
	Name string
	Size int64
}

// Sink is a backup that is being written.
type Sink interface {
	io.Writer
	// Commit makes it last. Without it Abort leaves nothing.
	Commit() error
	// Abort drops what was written. After Commit it does nothing.
	Abort() error
}

// Kept is a backup in a place.
type Kept struct {
	Object
	Header Header
}

// ListKept reads the headers of what is in a place and returns the backups
// among it, the newest first. What is something else, or can't be read, is left
// out: names tell nothing.
func ListKept(ctx context.Context, p Place) ([]Kept, error) {
	all, err := p.List(ctx)
	if err != nil {
		return nil, err
	}
	var list []Kept
	for _, o := range all {
		h, err := peek(ctx, p, o.Name)
		if errors.Is(err, ErrNotBackup) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s in %s: %w", o.Name, p, err)
		}
		list = append(list, Kept{Object: o, Header: h})
	}
	slices.SortStableFunc(list, func(a, b Kept) int {
		return cmp.Or(b.Header.Created.Compare(a.Header.Created), cmp.Compare(a.Name, b.Name))
	})
	return list, nil
}

func peek(ctx context.Context, p Place, name string) (Header, error) {
	r, _, err := p.Open(ctx, name)
	if err != nil {
		return Header{}, err
	}
	defer r.Close()
	return ReadHeader(bufio.NewReaderSize(r, maxHeader))
}

// Prune removes those backups of one installation that are not to be kept, and
// returns their names. Those of others, and other files, stay. What killed runs
// have left goes too.
func Prune(ctx context.Context, p Place, platform string, k Keep) (removed []string, err error) {
	if err := p.Sweep(ctx, platform); err != nil {
		return nil, err
	}
	all, err := ListKept(ctx, p)
	if err != nil {
		return nil, err
	}
	var own []Kept
	var times []time.Time
	for _, b := range all {
		if b.Header.Platform == platform {
			own, times = append(own, b), append(times, b.Header.Created)
		}
	}
	for _, i := range k.Expired(times) {
		if err := p.Remove(ctx, own[i].Name); err != nil {
			return removed, fmt.Errorf("remove the old backup %s of %s: %w", own[i].Name, p, err)
		}
		removed = append(removed, own[i].Name)
	}
	return removed, nil
}

// FileName is the name that a backup gets where none was given.
func FileName(h Header) string {
	return fmt.Sprintf("slipway-%s-%.8s.backup", h.Created.UTC().Format("20060102-150405"), h.ID)
}

// madeUp matches what FileName makes.
//
//lint:global compiled once
var madeUp = regexp.MustCompile(`^slipway-\d{8}-\d{6}-[0-9a-f]{8}\.backup$`)

// Folder keeps backups in a directory.
type Folder struct{ Path string }

// partSuffix is of files that are being written.
const partSuffix = ".part"

// String implements Place.
func (f Folder) String() string { return f.Path }

// Create implements Place.
func (f Folder) Create(_ context.Context, name string, _ int64) (Sink, error) {
	path := filepath.Join(f.Path, name)
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("write the backup: %s is there already; nothing is overwritten", path)
	}
	if err := os.MkdirAll(f.Path, 0o700); err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	file, err := os.OpenFile(path+partSuffix, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	// The lock tells a part that is being written from one that a killed run
	// left, which is ours to replace.
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = errors.New("another run writes it just now")
		}
		return nil, errors.Join(fmt.Errorf("write the backup %s: %w", path, err), file.Close())
	}
	if err := file.Truncate(0); err != nil {
		return nil, errors.Join(fmt.Errorf("write the backup: %w", err), file.Close())
	}
	return &fileSink{File: file, path: path}, nil
}

// Sweep implements Place.
func (f Folder) Sweep(_ context.Context, platform string) error {
	parts, err := filepath.Glob(filepath.Join(f.Path, "*"+partSuffix))
	if err != nil {
		return fmt.Errorf("look for unfinished backups: %w", err)
	}
	for _, part := range parts {
		if err := sweepPart(part, platform); err != nil {
			return fmt.Errorf("remove an unfinished backup: %w", err)
		}
	}
	return nil
}

func sweepPart(path, platform string) (err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	h, err := ReadHeader(bufio.NewReaderSize(file, maxHeader))
	if err != nil || h.Platform != platform {
		return nil // not ours, or not known to be
	}
	if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return nil // being written
	}
	return os.Remove(path)
}

type fileSink struct {
	*os.File
	path string
	done bool
}

// Commit implements Sink.
func (s *fileSink) Commit() error {
	s.done = true
	err := errors.Join(s.Sync(), s.File.Close())
	if err == nil {
		err = giveName(s.Name(), s.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the backup: %w", err), os.Remove(s.Name()))
	}
	return syncDir(filepath.Dir(s.path))
}

// syncDir makes what was named in a folder survive a loss of power.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, unix.EINVAL) { // some file systems cannot sync a folder
		err = nil
	}
	return errors.Join(err, dir.Close())
}

// giveName renames a file and never takes another one's place. NFS can do this
// only by a link, and disks of other systems (FAT, CIFS) have no links.
func giveName(part, path string) error {
	err := unix.Renameat2(unix.AT_FDCWD, part, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		if err := os.Link(part, path); err != nil {
			return err
		}
		return errors.Join(syncDir(filepath.Dir(path)), os.Remove(part))
	}
	if err != nil {
		return &fs.PathError{Op: "rename to", Path: path, Err: err}
	}
	return nil
}

// Abort implements Sink.
func (s *fileSink) Abort() error {
	if s.done {
		return nil
	}
	s.done = true
	return errors.Join(s.File.Close(), os.Remove(s.Name()))
}

// Open implements Place.
func (f Folder) Open(_ context.Context, name string) (io.ReadCloser, int64, error) {
	file, err := os.Open(filepath.Join(f.Path, name))
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// List implements Place.
func (f Folder) List(context.Context) ([]Object, error) {
	entries, err := os.ReadDir(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list backups: %w", err)
	}
	var list []Object
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || strings.HasSuffix(e.Name(), partSuffix) {
			continue
		}
		list = append(list, Object{e.Name(), info.Size()})
	}
	return list, nil
}

// Remove implements Place.
func (f Folder) Remove(_ context.Context, name string) error {
	return os.Remove(filepath.Join(f.Path, name))
}
