package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"syscall"

	"golang.org/x/net/webdav"
)

// files is the volume as WebDAV sees it. A link that the app has put there
// leads nowhere outside the volume.
type files struct{ root *os.Root }

var _ webdav.FileSystem = (*files)(nil)

func openFiles(dir string) (*files, error) {
	root, err := os.OpenRoot(dir)
	return &files{root: root}, err
}

func (f *files) close() { _ = f.root.Close() }

// local is name below the root: "." for the root itself.
func local(name string) string {
	if name = strings.TrimPrefix(path.Clean("/"+name), "/"); name == "" {
		return "."
	}
	return name
}

// Mkdir makes a directory.
func (f *files) Mkdir(ctx context.Context, name string, perm os.FileMode) error {
	return note(ctx, f.root.Mkdir(local(name), perm.Perm()))
}

// OpenFile opens or makes a file.
func (f *files) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	file, err := f.root.OpenFile(local(name), flag, perm.Perm())
	if err != nil {
		return nil, note(ctx, err)
	}
	return &openFile{File: file, ctx: ctx}, nil
}

// RemoveAll removes a file or a directory with all in it, never the root.
func (f *files) RemoveAll(ctx context.Context, name string) error {
	if local(name) == "." {
		return note(ctx, fs.ErrPermission)
	}
	return note(ctx, f.root.RemoveAll(local(name)))
}

// Rename moves within the volume.
func (f *files) Rename(ctx context.Context, from, to string) error {
	if local(from) == "." || local(to) == "." {
		return note(ctx, fs.ErrPermission)
	}
	return note(ctx, f.root.Rename(local(from), local(to)))
}

// Stat describes a file.
func (f *files) Stat(ctx context.Context, name string) (os.FileInfo, error) {
	info, err := f.root.Stat(local(name))
	return info, note(ctx, err)
}

// openFile notes why writing fails.
type openFile struct {
	*os.File
	ctx context.Context // of the request that opened it
}

// Write writes.
func (f *openFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, note(f.ctx, err)
}

// ReadFrom copies from r.
func (f *openFile) ReadFrom(r io.Reader) (int64, error) {
	n, err := f.File.ReadFrom(r)
	return n, note(f.ctx, err)
}

type faultKey struct{}

// fault remembers what the file system refused during one request: the WebDAV
// handler answers all of it with statuses that say something else.
type fault struct{ status int }

// note remembers err for the answer and returns it.
func note(ctx context.Context, err error) error {
	f, ok := ctx.Value(faultKey{}).(*fault)
	switch {
	case !ok || err == nil:
	case errors.Is(err, fs.ErrPermission):
		f.status = http.StatusForbidden
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		f.status = http.StatusInsufficientStorage
	}
	return err
}
