package backup

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Tree is a folder of the host and what its entries are called.
type Tree struct {
	Name string // section in the backup: "git", "volumes/hello_data"
	Path string // on the host
	// Include picks the paths below Path, written with slashes; nil is all. A
	// folder that is not picked is not looked into.
	Include func(rel string) bool
}

type inode struct{ dev, ino uint64 }

// Measure counts the bytes that Tree would write; a tree that is not there has
// none. What vanishes meanwhile is not counted.
func (t Tree) Measure(ctx context.Context) (bytes int64, err error) {
	err = filepath.WalkDir(t.Path, func(at string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(t.Path, at)
		if err != nil {
			return err
		}
		if t.Include != nil && rel != "." && !t.Include(rel) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			bytes += min(info.Size(), statOf(info).Blocks*512) // holes are not written
		}
		return nil
	})
	if err != nil {
		return bytes, fmt.Errorf("look through %s: %w", t.Path, err)
	}
	return bytes, nil
}

// Tree writes a folder with all below it, in the order of names. One that is
// not there writes nothing and reports false. Files may
// change meanwhile: each is written as long as it was when it was opened. It is
// safe against programs that swap files for links to lead out of the folder.
func (w *Writer) Tree(ctx context.Context, t Tree) (found bool, err error) {
	root, err := os.OpenRoot(t.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("back up %s: %w", t.Path, err)
	}
	defer root.Close()
	walk := &walker{ctx: ctx, out: w, root: root, tree: t}
	if err := walk.visit("."); err != nil {
		return true, fmt.Errorf("back up %s: %w", t.Path, err)
	}
	return true, nil
}

// walker writes one tree.
type walker struct {
	ctx  context.Context
	out  *Writer
	root *os.Root
	tree Tree
}

func (v *walker) name(rel string) string {
	if rel == "." {
		return v.tree.Name
	}
	return v.tree.Name + "/" + rel
}

func (v *walker) visit(rel string) error {
	if err := v.ctx.Err(); err != nil {
		return err
	}
	if v.tree.Include != nil && rel != "." && !v.tree.Include(rel) {
		return nil
	}
	info, err := v.root.Lstat(rel)
	if errors.Is(err, fs.ErrNotExist) {
		v.out.note("%s went while it was read", v.name(rel))
		return nil
	}
	if err != nil {
		return err
	}
	switch info.Mode().Type() {
	case 0, fs.ModeDir:
		return v.opened(rel, info)
	case fs.ModeSymlink:
		target, err := v.root.Readlink(rel)
		if errors.Is(err, fs.ErrNotExist) {
			v.out.note("%s went while it was read", v.name(rel))
			return nil
		}
		if err != nil {
			return err
		}
		return v.out.entry(v.header(rel, tar.TypeSymlink, info, func(h *tar.Header) { h.Linkname = target }), nil)
	case fs.ModeNamedPipe:
		return v.out.entry(v.header(rel, tar.TypeFifo, info, nil), nil)
	case fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice:
		return v.out.entry(v.device(rel, info), nil)
	}
	// A socket is made anew by who listens on it.
	return nil
}

func (v *walker) device(rel string, info fs.FileInfo) *tar.Header {
	kind := byte(tar.TypeBlock)
	if info.Mode()&fs.ModeCharDevice != 0 {
		kind = tar.TypeChar
	}
	return v.header(rel, kind, info, func(h *tar.Header) {
		number := statOf(info).Rdev
		h.Devmajor, h.Devminor = int64(unix.Major(number)), int64(unix.Minor(number))
	})
}

// opened writes a file or folder. What is opened may be something else than
// what was looked at: it is looked at again.
func (v *walker) opened(rel string, was fs.FileInfo) (err error) {
	f, err := v.root.OpenFile(rel, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ELOOP) {
		v.out.note("%s went while it was read", v.name(rel))
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Type() != was.Mode().Type() {
		v.out.note("%s became something else while it was read", v.name(rel))
		return nil
	}
	if info.IsDir() {
		return v.dir(rel, f, info)
	}
	return v.file(rel, f, info)
}

func (v *walker) dir(rel string, f *os.File, info fs.FileInfo) error {
	records, err := attributes(f)
	if err != nil {
		return err
	}
	h := v.header(rel, tar.TypeDir, info, func(h *tar.Header) { h.Name += "/"; h.PAXRecords = records })
	if err := v.out.entry(h, nil); err != nil {
		return err
	}
	names, err := f.Readdirnames(-1)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if err := v.visit(path.Join(rel, name)); err != nil {
			return err
		}
	}
	return nil
}

func (v *walker) file(rel string, f *os.File, info fs.FileInfo) error {
	st := statOf(info)
	if st.Nlink > 1 {
		id := inode{st.Dev, st.Ino}
		if first, known := v.out.links[id]; known {
			return v.out.entry(v.header(rel, tar.TypeLink, info, func(h *tar.Header) { h.Linkname = first }), nil)
		}
		v.out.links[id] = v.name(rel)
	}
	records, err := attributes(f)
	if err != nil {
		return err
	}
	h := v.header(rel, tar.TypeReg, info, func(h *tar.Header) { h.Size, h.PAXRecords = info.Size(), records })
	if st.Blocks*512 >= info.Size() {
		return v.out.entry(h, f)
	}
	pieces, err := extents(f, info.Size())
	if err != nil {
		return err
	}
	if len(pieces) == 1 && pieces[0] == (extent{0, info.Size()}) {
		return v.out.entry(h, f)
	}
	h.Size = setExtents(h, pieces, info.Size())
	var parts []io.Reader
	for _, p := range pieces {
		parts = append(parts, padded(io.NewSectionReader(f, p.offset, p.length), p.length))
	}
	return v.out.entry(h, io.MultiReader(parts...))
}

// padded reads exactly length bytes: what is missing of r is zeros.
func padded(r io.Reader, length int64) io.Reader {
	return io.LimitReader(io.MultiReader(r, zeros{}), length)
}

// header describes a path; links of a folder have no modes of their own.
func (v *walker) header(rel string, kind byte, info fs.FileInfo, more func(*tar.Header)) *tar.Header {
	st := statOf(info)
	h := &tar.Header{
		Typeflag: kind, Name: v.name(rel), Mode: int64(st.Mode & 0o7777), Uid: int(st.Uid), Gid: int(st.Gid),
		ModTime: info.ModTime(),
	}
	if more != nil {
		more(h)
	}
	return h
}

// attributes are the extended attributes of an open file, as PAX records.
func attributes(f *os.File) (map[string]string, error) {
	names, err := grown(func(b []byte) (int, error) { return unix.Flistxattr(int(f.Fd()), b) })
	if errors.Is(err, unix.ENOTSUP) || len(names) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("attributes of %s: %w", f.Name(), err)
	}
	records := map[string]string{}
	for _, name := range strings.Split(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		value, err := grown(func(b []byte) (int, error) { return unix.Fgetxattr(int(f.Fd()), name, b) })
		if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
			continue // gone meanwhile, or shown by a file system that does not give it
		}
		if err != nil {
			return nil, fmt.Errorf("attribute %s of %s: %w", name, f.Name(), err)
		}
		records[xattrPrefix+name] = string(value)
	}
	return records, nil
}

// grown calls f with a larger buffer until it is large enough.
func grown(f func([]byte) (int, error)) ([]byte, error) {
	for size := 1 << 10; ; size *= 4 {
		b := make([]byte, size)
		n, err := f(b)
		if errors.Is(err, unix.ERANGE) && size < 1<<20 {
			continue
		}
		return b[:max(n, 0)], err
	}
}
