package embedded

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	imagePrefix = "slipway-"        // of an image's file name, to tell ours from the operator's
	tempPrefix  = ".slipway-stage-" // of what is being written; containerd imports no such file
)

// Dest is where a payload goes. An empty field leaves that half out.
type Dest struct {
	Bin    string // node binaries, each 0755
	Images string // image tars: k3s's <data-dir>/agent/images
}

// Progress is how far a Stage is. Bytes count what is written to the disk.
type Progress struct {
	File        string // the member that is being written
	Done, Total int64
}

// Stage writes the payload this binary carries to dest. Files already there
// with the right content are kept, so a second call costs a few stats and
// reads nothing of the payload. Each file appears complete or not at all: it
// is safe to kill at any moment and to call again. Files that an earlier Stage
// wrote and this payload no longer has are removed. progress may be nil.
//
// Errors: ErrNoPayload; *DiskFullError; *BusyError when another Stage writes
// to dest; one that wraps ErrCorrupt; the context's.
func Stage(ctx context.Context, dest Dest, progress func(Progress)) error {
	fsys := payload()
	if fsys == nil {
		return ErrNoPayload
	}
	defer release()
	return StageFS(ctx, fsys, dest, progress)
}

// StageFS is Stage from the payload in fsys.
func StageFS(ctx context.Context, fsys fs.FS, dest Dest, progress func(Progress)) (err error) {
	manifest, err := LoadFS(fsys)
	if err != nil {
		return err
	}
	s := &stager{dest: dest, progress: progress}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(); err != nil {
		return err
	}
	if err := s.plan(manifest); err != nil {
		return err
	}
	if err := s.space(); err != nil {
		return err
	}
	if len(s.todo) > 0 {
		if err := s.writeAll(ctx, fsys); err != nil {
			return err
		}
	}
	return s.finish()
}

// item is one file or tree that a payload puts on the host.
type item struct {
	room   *room  // where it goes
	name   string // its name there
	member Member // what it comes from
	sha256 string // of what is written
	size   int64
	mode   os.FileMode
	packed bool // whether the member is zstd
	tree   bool
}

// link is one more name of an item.
type link struct {
	room         *room
	name, target string
}

type stager struct {
	dest        Dest
	progress    func(Progress)
	rooms       []*room
	todo        map[string]item // by member
	links       []link
	done, total int64
}

// open prepares the destination folders and takes their locks.
func (s *stager) open() error {
	for _, dir := range []string{s.dest.Bin, s.dest.Images} {
		if dir == "" {
			continue
		}
		r, err := openRoom(dir)
		if err != nil {
			return fmt.Errorf("stage: %w", err)
		}
		s.rooms = append(s.rooms, r)
	}
	return nil
}

func (s *stager) close() error {
	var errs []error
	for _, r := range s.rooms {
		errs = append(errs, r.close())
	}
	return errors.Join(errs...)
}

func (s *stager) room(dir string) *room {
	for _, r := range s.rooms {
		if r.dir == dir {
			return r
		}
	}
	return nil
}

// plan finds which items are missing or differ.
func (s *stager) plan(m Manifest) error {
	members := map[string]Member{}
	for _, member := range m.Members {
		members[member.File] = member
	}
	var items []item
	if s.dest.Images != "" {
		for _, image := range m.Images {
			member := members[ImageMember(image.Name)]
			items = append(items, item{room: s.room(s.dest.Images), name: imagePrefix + image.Name + ".tar",
				member: member, sha256: member.SHA256, size: member.Size, mode: 0o644})
		}
	}
	if s.dest.Bin != "" {
		for _, b := range m.Binaries {
			items = append(items, item{room: s.room(s.dest.Bin), name: b.Name, member: members[b.File],
				sha256: b.SHA256, size: b.Size, mode: 0o755, packed: true, tree: b.Tree})
			for _, name := range b.Links {
				s.links = append(s.links, link{room: s.room(s.dest.Bin), name: name, target: b.Name})
			}
		}
	}
	s.todo = map[string]item{}
	for _, it := range items {
		it.room.wanted[it.name] = true
		present, err := it.room.has(it)
		if err != nil {
			return fmt.Errorf("stage %s: %w", it.name, err)
		}
		if !present {
			s.todo[it.member.File] = it
			s.total += it.size
		}
	}
	return nil
}

// space refuses before the first byte when a disk cannot hold what is missing.
func (s *stager) space() error {
	need := map[*room]int64{}
	for _, it := range s.todo {
		need[it.room] += it.size
	}
	return checkSpace(need)
}

// writeAll goes through the payload once and writes the items that are due.
func (s *stager) writeAll(ctx context.Context, fsys fs.FS) error {
	file, err := fsys.Open(PayloadFile)
	if err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	defer file.Close()
	left := len(s.todo)
	for archive := tar.NewReader(file); left > 0; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("payload: %d of its members are missing: %w", left, ErrCorrupt)
		}
		if err != nil {
			return fmt.Errorf("payload: %w: %w", ErrCorrupt, err)
		}
		it, due := s.todo[header.Name]
		if !due {
			continue
		}
		if err := s.write(ctx, it, archive); err != nil {
			return fmt.Errorf("stage %s: %w", header.Name, err)
		}
		left--
	}
	return nil
}

// write puts one item in its place: a temporary name first, checked against
// both sums, then renamed.
func (s *stager) write(ctx context.Context, it item, member io.Reader) error {
	temp, err := it.room.temp(it.tree)
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	report := func(n int64) error {
		s.done += n
		if s.progress != nil {
			s.progress(Progress{File: it.member.File, Done: s.done, Total: s.total})
		}
		return ctx.Err()
	}
	if err := report(0); err != nil {
		return err
	}
	if err := unpack(it, member, temp, report); err != nil {
		return it.room.explain(err, it.size)
	}
	if err := replace(temp, filepath.Join(it.room.dir, it.name)); err != nil {
		return err
	}
	return it.room.remember(it)
}

// finish makes the links, which need their targets first, and tidies up.
func (s *stager) finish() error {
	for _, l := range s.links {
		if err := l.room.link(l.name, l.target); err != nil {
			return fmt.Errorf("stage %s: %w", l.name, err)
		}
	}
	for _, r := range s.rooms {
		if err := r.finish(); err != nil {
			return fmt.Errorf("stage: %w", err)
		}
	}
	return nil
}
