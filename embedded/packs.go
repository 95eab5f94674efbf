package embedded

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// Packs shows the OCI layout with the images for buildpacks: index.json and
// blobs/sha256/<digest>. It is read where it lies, in this program's file. Its
// error is ErrNoPayload, or wraps ErrCorrupt.
func Packs() (fs.FS, error) {
	fsys := payload()
	if fsys == nil {
		return nil, ErrNoPayload
	}
	return PacksFS(fsys)
}

// PacksFS is Packs from the payload in fsys, whose files can be read at any
// offset.
func PacksFS(fsys fs.FS) (fs.FS, error) {
	file, err := fsys.Open(PayloadFile)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	defer file.Close()
	whole, ok := file.(seekable)
	if !ok {
		return nil, errNotSeekable
	}
	found := packsFS{fsys, map[string]member{}}
	archive := tar.NewReader(whole)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("payload: %w: %w", ErrCorrupt, err)
		}
		name, ok := strings.CutPrefix(header.Name, PacksDir+"/")
		if !ok {
			continue
		}
		// The reader stands where the member's content begins.
		at, err := whole.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, fmt.Errorf("payload: %w", err)
		}
		found.members[name] = member{at, header.Size}
	}
}

// seekable is a file that can be read at any offset.
type seekable interface {
	io.ReaderAt
	io.ReadSeeker
}

var errNotSeekable = errors.New("payload: it can only be read from the start") //lint:global sentinel

// member is where a file lies in the payload.
type member struct{ at, size int64 }

// packsFS are the files of the layout by name. It has no folders to list.
type packsFS struct {
	payload fs.FS
	members map[string]member
}

func (p packsFS) Open(name string) (fs.File, error) {
	m, ok := p.members[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	file, err := p.payload.Open(PayloadFile)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	whole, ok := file.(seekable)
	if !ok {
		return nil, errors.Join(errNotSeekable, file.Close())
	}
	return &packsFile{SectionReader: io.NewSectionReader(whole, m.at, m.size), name: name, file: file}, nil
}

type packsFile struct {
	*io.SectionReader
	name string
	file fs.File
}

func (f *packsFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *packsFile) Close() error               { return f.file.Close() }
func (f *packsFile) Name() string               { return f.name[strings.LastIndexByte(f.name, '/')+1:] }
func (f *packsFile) Mode() fs.FileMode          { return 0o444 }
func (f *packsFile) ModTime() time.Time         { return time.Time{} }
func (f *packsFile) IsDir() bool                { return false }
func (f *packsFile) Sys() any                   { return nil }
