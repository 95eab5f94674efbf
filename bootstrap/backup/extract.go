package backup

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Extractor makes the folders of a host from entries, with their owners, modes,
// times, attributes, links and holes. Entries come as a Writer wrote them: a
// folder before what is in it. Nothing is made outside of the folders given.
type Extractor struct {
	// Place says where a section goes; false leaves it out.
	Place func(section string) (path string, ok bool)
	// Counted is told of the bytes written; may be nil.
	Counted func(bytes int64)
	// Warnings are about attributes that this host does not take.
	Warnings []string

	section string
	base    string // the section's folder
	root    *os.Root
	open    []*tar.Header // folders whose modes and times are still to be set
}

// Put makes one entry. It reports false when the entry's section has no place.
func (x *Extractor) Put(e *Entry) (bool, error) {
	ok, err := x.enter(e.Header)
	if err != nil || !ok {
		return false, err
	}
	rel := x.rel(e.Name)
	if err := x.leave(e.Name); err != nil {
		return true, err
	}
	if err := x.make(e, rel); err != nil {
		return true, fmt.Errorf("restore %s: %w", filepath.Join(x.base, rel), err)
	}
	return true, nil
}

// Close finishes the last folder. All of it is on disk then.
func (x *Extractor) Close() error {
	if x.root == nil {
		return nil
	}
	err := x.leave("")
	if f, openErr := x.root.Open("."); openErr == nil {
		err = errors.Join(err, unix.Syncfs(int(f.Fd())), f.Close())
	}
	err = errors.Join(err, x.root.Close())
	x.root, x.section = nil, ""
	if err != nil {
		return fmt.Errorf("restore %s: %w", x.base, err)
	}
	return nil
}

// rel is the path of an entry below its section's folder.
func (x *Extractor) rel(name string) string {
	rel := strings.Trim(strings.TrimPrefix(strings.TrimSuffix(name, "/"), x.section), "/")
	if rel == "" {
		return "."
	}
	return rel
}

// enter opens the folder of an entry's section. A section that is one file is
// made in the folder around it.
func (x *Extractor) enter(h *tar.Header) (bool, error) {
	section := sectionOf(h.Name)
	if x.root != nil && section == x.section {
		return true, nil
	}
	if err := x.Close(); err != nil {
		return false, err
	}
	place, ok := x.Place(section)
	if !ok {
		return false, nil
	}
	if h.Typeflag != tar.TypeDir || strings.TrimSuffix(h.Name, "/") != section {
		return false, fmt.Errorf("restore %s: the section %s does not begin with its folder", place, section)
	}
	if err := os.MkdirAll(place, 0o700); err != nil {
		return false, fmt.Errorf("restore: %w", err)
	}
	root, err := os.OpenRoot(place)
	if err != nil {
		return false, fmt.Errorf("restore: %w", err)
	}
	x.section, x.base, x.root = section, place, root
	return true, nil
}

// leave sets modes and times of the folders that name is not in: making what is
// in them changes their times.
func (x *Extractor) leave(name string) error {
	for len(x.open) > 0 {
		last := x.open[len(x.open)-1]
		if name != "" && strings.HasPrefix(name, last.Name) && name != last.Name {
			return nil
		}
		x.open = x.open[:len(x.open)-1]
		if err := x.finishDir(last); err != nil {
			return err
		}
	}
	return nil
}

func (x *Extractor) finishDir(h *tar.Header) error {
	rel := x.rel(h.Name)
	d, err := x.root.Open(rel)
	if err != nil {
		return err
	}
	return errors.Join(x.dress(d, h), d.Close(), x.root.Chtimes(rel, time.Time{}, h.ModTime))
}

// dress gives an open file its owner, attributes and mode, in this order: a new
// owner takes away bits of the mode and capabilities.
func (x *Extractor) dress(f *os.File, h *tar.Header) error {
	if err := f.Chown(h.Uid, h.Gid); err != nil {
		return err
	}
	for key, value := range h.PAXRecords {
		name, ok := strings.CutPrefix(key, xattrPrefix)
		if !ok {
			continue
		}
		err := unix.Fsetxattr(int(f.Fd()), name, []byte(value), 0)
		if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EPERM) {
			x.warn("%s: this file system does not take the attribute %s", h.Name, name)
			continue
		}
		if err != nil {
			return fmt.Errorf("attribute %s: %w", name, err)
		}
	}
	return unix.Fchmod(int(f.Fd()), uint32(h.Mode&0o7777))
}

func (x *Extractor) warn(format string, args ...any) {
	if len(x.Warnings) < maxNotes {
		x.Warnings = append(x.Warnings, fmt.Sprintf(format, args...))
	}
}

func (x *Extractor) make(e *Entry, rel string) error {
	switch e.Typeflag {
	case tar.TypeDir:
		if err := x.root.Mkdir(rel, 0o700); err != nil && (rel != "." || !errors.Is(err, fs.ErrExist)) {
			return err
		}
		x.open = append(x.open, e.Header)
		return nil
	case tar.TypeReg:
		return x.file(e, rel)
	case tar.TypeSymlink:
		if err := x.root.Symlink(e.Linkname, rel); err != nil {
			return err
		}
		return x.unopened(e.Header, rel, nil)
	case tar.TypeLink:
		if sectionOf(e.Linkname) != x.section {
			return fmt.Errorf("a link to %s, outside of its section", e.Linkname)
		}
		return x.root.Link(x.rel(e.Linkname), rel)
	case tar.TypeFifo, tar.TypeChar, tar.TypeBlock:
		kind := map[byte]uint32{tar.TypeFifo: unix.S_IFIFO, tar.TypeChar: unix.S_IFCHR, tar.TypeBlock: unix.S_IFBLK}[e.Typeflag]
		return x.unopened(e.Header, rel, func(dir int, name string) error {
			return unix.Mknodat(dir, name, kind|0o600, int(unix.Mkdev(uint32(e.Devmajor), uint32(e.Devminor))))
		})
	}
	return fmt.Errorf("an entry of the unknown kind %q", e.Typeflag)
}

// unopened makes what is not opened to be changed, and gives it owner, mode and
// times by its name in its folder.
func (x *Extractor) unopened(h *tar.Header, rel string, node func(dir int, name string) error) error {
	folder, err := x.root.Open(path.Dir(rel))
	if err != nil {
		return err
	}
	defer folder.Close()
	dir, name := int(folder.Fd()), path.Base(rel)
	if node != nil {
		if err := node(dir, name); err != nil {
			return err
		}
	}
	if err := unix.Fchownat(dir, name, h.Uid, h.Gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if node != nil {
		if err := x.root.Chmod(rel, modeOf(h.Mode)); err != nil {
			return err
		}
	}
	at, err := unix.TimeToTimespec(h.ModTime)
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(dir, name, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)
}

// modeOf is Go's form of a mode.
func modeOf(mode int64) fs.FileMode {
	out := fs.FileMode(mode & 0o777)
	for bit, flag := range map[int64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if mode&bit != 0 {
			out |= flag
		}
	}
	return out
}

func (x *Extractor) file(e *Entry, rel string) (err error) {
	pieces, size, err := getExtents(e.Header)
	if err != nil {
		return err
	}
	f, err := x.root.OpenFile(rel, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, p := range pieces {
		n, err := io.Copy(io.NewOffsetWriter(f, p.offset), &countedReader{io.LimitReader(e, p.length), x.Counted})
		if err != nil {
			return err
		}
		if n != p.length {
			return io.ErrUnexpectedEOF
		}
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	if err := x.dress(f, e.Header); err != nil {
		return err
	}
	return x.root.Chtimes(rel, time.Time{}, e.ModTime)
}

// countedReader tells of every byte that goes through.
type countedReader struct {
	io.Reader
	counted func(int64)
}

// Read implements io.Reader.
func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.counted != nil && n > 0 {
		c.counted(int64(n))
	}
	return n, err
}
