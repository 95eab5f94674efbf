package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	gofs "io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

// tree is a source tree that stays in its tar file: nothing of it is ever
// unpacked outside of a build, so no name in it can reach anything.
type tree struct {
	file    *os.File
	entries []entry // parents before children, in BuildKit's order
	index   map[string]int
}

// entry is a member of the tar.
type entry struct {
	stat   *types.Stat
	offset int64 // of its content
}

// readTree indexes a tar. Members that are no file, folder or link, or have
// names that lead out of the tree, are an error.
func readTree(f *os.File) (*tree, error) {
	t := &tree{file: f, index: map[string]int{}}
	found := map[string]entry{}
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the source tree: %w", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		name := path.Clean(h.Name)
		if name == "." {
			continue
		}
		if !gofs.ValidPath(name) {
			return nil, fmt.Errorf("the source tree has a member with the bad name %q", h.Name)
		}
		mode, err := modeOf(h)
		if err != nil {
			return nil, err
		}
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		found[name] = entry{offset: at, stat: &types.Stat{
			Path: name, Mode: uint32(mode), Size: h.Size, ModTime: h.ModTime.UnixNano(), Linkname: h.Linkname,
		}}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, ok := found[dir]; !ok {
				found[dir] = entry{stat: &types.Stat{Path: dir, Mode: uint32(gofs.ModeDir | 0o755), ModTime: h.ModTime.UnixNano()}}
			}
		}
	}
	for _, e := range found {
		t.entries = append(t.entries, e)
	}
	slices.SortFunc(t.entries, func(a, b entry) int { return compare(a.stat.Path, b.stat.Path) })
	for i, e := range t.entries {
		t.index[e.stat.Path] = i
	}
	return t, nil
}

// compare sorts paths as BuildKit walks them: a folder's content directly
// after it.
func compare(a, b string) int {
	return strings.Compare(strings.ReplaceAll(a, "/", "\x00"), strings.ReplaceAll(b, "/", "\x00"))
}

func modeOf(h *tar.Header) (gofs.FileMode, error) {
	mode := h.FileInfo().Mode() & (gofs.ModePerm | gofs.ModeSetuid | gofs.ModeSetgid | gofs.ModeSticky)
	switch h.Typeflag {
	case tar.TypeReg:
		return mode, nil
	case tar.TypeDir:
		return mode | gofs.ModeDir, nil
	case tar.TypeSymlink:
		return mode | gofs.ModeSymlink, nil
	}
	return 0, fmt.Errorf("the source tree has %q, which is no file, folder or link", h.Name)
}

// Walk visits target and all below it.
func (t *tree) Walk(ctx context.Context, target string, fn gofs.WalkDirFunc) error {
	target = strings.Trim(path.Clean("/"+target), "/")
	skip := ""
	for i := range t.entries {
		stat := t.entries[i].stat
		if target != "" && stat.Path != target && !strings.HasPrefix(stat.Path, target+"/") {
			continue
		}
		if skip != "" && strings.HasPrefix(stat.Path, skip) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		err := fn(stat.Path, &fsutil.DirEntryInfo{Stat: stat.Clone()}, nil)
		switch {
		case errors.Is(err, gofs.SkipAll):
			return nil
		case errors.Is(err, gofs.SkipDir):
			skip = stat.Path + "/"
			if !gofs.FileMode(stat.Mode).IsDir() {
				skip = path.Dir(stat.Path) + "/"
			}
		case err != nil:
			return err
		}
	}
	return nil
}

// Open reads a file.
func (t *tree) Open(name string) (io.ReadCloser, error) {
	i, ok := t.index[strings.Trim(path.Clean("/"+name), "/")]
	if !ok || !gofs.FileMode(t.entries[i].stat.Mode).IsRegular() {
		return nil, &gofs.PathError{Op: "open", Path: name, Err: gofs.ErrNotExist}
	}
	return io.NopCloser(io.NewSectionReader(t.file, t.entries[i].offset, t.entries[i].stat.Size)), nil
}
