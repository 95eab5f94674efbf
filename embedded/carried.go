//go:build payload

package embedded

import (
	_ "embed" // for the two directives below
	"io/fs"
	"os"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

//go:embed payload/manifest.json
var carriedManifest string

// carriedPayload is part of the running program's file: no page of it is in
// memory until it is read.
//
//go:embed payload/payload.tar
var carriedPayload string

func payload() fs.FS { return carriedFS{} }

// release gives the pages that a Stage has read back to the system. They are
// clean copies of the program's file and would come back by themselves.
func release() {
	raw := unsafe.Slice(unsafe.StringData(carriedPayload), len(carriedPayload))
	page := uintptr(os.Getpagesize())
	if skip := -uintptr(unsafe.Pointer(unsafe.SliceData(raw))) % page; skip < uintptr(len(raw)) {
		raw = raw[skip:]
		// Advice only: the worst that can come of an error is memory kept.
		_ = unix.Madvise(raw[:uintptr(len(raw))/page*page], unix.MADV_DONTNEED)
	}
}

// carriedFS shows the two files without copying them.
type carriedFS struct{}

func (carriedFS) Open(name string) (fs.File, error) {
	switch name {
	case ManifestFile:
		return carriedFile{strings.NewReader(carriedManifest), name}, nil
	case PayloadFile:
		return carriedFile{strings.NewReader(carriedPayload), name}, nil
	default:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
}

// carriedFile can seek, so that a tar reader skips members without touching
// them.
type carriedFile struct {
	*strings.Reader
	name string
}

func (f carriedFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f carriedFile) Close() error               { return nil }
func (f carriedFile) Name() string               { return f.name }
func (f carriedFile) Mode() fs.FileMode          { return 0o444 }
func (f carriedFile) ModTime() time.Time         { return time.Time{} }
func (f carriedFile) IsDir() bool                { return false }
func (f carriedFile) Sys() any                   { return nil }
