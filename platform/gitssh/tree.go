package gitssh

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// tree is the content of a commit, written down for a build.
type tree struct {
	file       string // a tar file, in the scratch folder
	files      int    // with links
	submodules []string
	pointers   []string // files whose content Git LFS has elsewhere
}

// errTree is a tree that can't be built; the message is for the pusher.
type errTree string

func (e errTree) Error() string { return string(e) }

const (
	lfsPointer    = "version https://git-lfs.github.com/spec/"
	maxPointer    = 1 << 10
	mentioned     = 3        // names in a warning
	maxListing    = 64 << 20 // bytes of the names in a tree; git archive has them all in memory
	roomInterval  = 64 << 20 // bytes between two looks at the room on the disk
	treePatience  = 10 * time.Minute
	submoduleMode = "160000"
)

// archiver writes down trees of commits.
type archiver struct {
	git     Git
	config  string // path of the file that git reads
	scratch string // folder of the files that it writes
	limits  Limits
	free    func() (int64, error) // bytes that the disk has left
}

// write writes the tree of a commit to a new file. The objects may be in
// quarantine still, for which env is.
func (a archiver) write(ctx context.Context, repo string, env []string, commit string) (t tree, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, treePatience, errTree("Writing down the tree takes too long."))
	defer cancel()
	file, err := os.CreateTemp(a.scratch, "*.tar") // 0600
	if err != nil {
		return tree{}, err
	}
	t.file = file.Name()
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, os.Remove(t.file))
		}
	}()
	bounded, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// First of all, as it costs nothing: a few objects can stand for billions
	// of files.
	if t.submodules, err = a.list(ctx, repo, env, commit); err != nil {
		return t, err
	}
	out := &bucket{to: file, left: a.limits.Tree, floor: a.limits.Free, free: a.free, stop: stop}
	complaint := &capped{limit: 4 << 10}
	err = a.git.run(bounded, a.config, task{
		args:   []string{"-C", repo, "archive", "--format=tar", commit},
		env:    env,
		stdout: out, stderr: complaint,
	})
	if err != nil {
		return t, fmt.Errorf("git archive: %w%s", err, indent(complaint.String()))
	}
	if _, err = file.Seek(0, io.SeekStart); err != nil {
		return t, err
	}
	return t, t.inspect(file)
}

func indent(s string) string {
	if s = strings.TrimSpace(s); s != "" {
		return ": " + s
	}
	return ""
}

// inspect reads the headers of a tar file.
func (t *tree) inspect(file io.ReadSeeker) error {
	archive := tar.NewReader(file)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the tree: %w", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		if !filepath.IsLocal(h.Name) {
			return errTree(fmt.Sprintf("The tree has the name %q, which leads out of it.", h.Name))
		}
		if h.Typeflag == tar.TypeDir {
			continue
		}
		t.files++
		if h.Size > maxPointer || h.Size < int64(len(lfsPointer)) || len(t.pointers) > mentioned {
			continue
		}
		start := make([]byte, len(lfsPointer))
		if _, err := io.ReadFull(archive, start); err == nil && bytes.Equal(start, []byte(lfsPointer)) {
			t.pointers = append(t.pointers, h.Name)
		}
	}
}

// list looks through the names in a commit and refuses too many. It gives the
// first few submodules; git archive leaves empty folders for them.
func (a archiver) list(ctx context.Context, repo string, env []string, commit string) (submodules []string, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	reader, writer := io.Pipe()
	complaint := &capped{limit: 4 << 10}
	done := make(chan error, 1)
	go func() {
		err := a.git.run(ctx, a.config, task{
			args: []string{"-C", repo, "ls-tree", "-r", "-z", "--full-tree", commit},
			env:  env, stdout: writer, stderr: complaint,
		})
		_ = writer.CloseWithError(err) // never errs
		done <- err
	}()
	submodules, err = readListing(reader, a.limits.Files)
	if err != nil {
		stop()
	}
	_ = reader.CloseWithError(err) // never errs
	if gitErr := <-done; err == nil && gitErr != nil {
		err = fmt.Errorf("git ls-tree: %w%s", gitErr, indent(complaint.String()))
	}
	return submodules, err
}

// readListing reads what git ls-tree -r -z prints.
func readListing(r io.Reader, most int) (submodules []string, err error) {
	const long = errTree("The names of the files in the tree are longer than this platform builds.")
	scanner := bufio.NewScanner(io.LimitReader(r, maxListing))
	scanner.Split(splitZero)
	read := 0
	for files := 1; scanner.Scan(); files++ {
		read += len(scanner.Bytes()) + 1
		if files > most {
			return nil, errTree(fmt.Sprintf("The tree has more than %d files (SLIPWAY_BUILD_SOURCE_FILES). Keep what is made by tools out of the repository.", most))
		}
		mode, rest, _ := strings.Cut(scanner.Text(), " ")
		if _, name, ok := strings.Cut(rest, "\t"); ok && mode == submoduleMode && len(submodules) <= mentioned {
			submodules = append(submodules, name)
		}
	}
	// Names longer than the scanner takes, or the listing longer than is read.
	if errors.Is(scanner.Err(), bufio.ErrTooLong) || scanner.Err() == nil && maxListing-read < bufio.MaxScanTokenSize {
		return nil, long
	}
	return submodules, scanner.Err()
}

// splitZero is a bufio.SplitFunc for what ends in a zero byte.
func splitZero(data []byte, _ bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return i + 1, data[:i], nil
	}
	return 0, nil, nil
}

// warnings are for the pusher.
func (t *tree) warnings() []string {
	var list []string
	if len(t.submodules) > 0 {
		list = append(list, fmt.Sprintf("Warning: submodules are not built: %s. Their folders are empty; commit the files themselves, or fetch them in the build.",
			strings.Join(few(t.submodules), ", ")))
	}
	if len(t.pointers) > 0 {
		list = append(list, fmt.Sprintf("Warning: %s: only a pointer of Git LFS, not the file. Git LFS is not offered here.",
			strings.Join(few(t.pointers), ", ")))
	}
	return list
}

func few(list []string) []string {
	if len(list) > mentioned {
		return append(append([]string{}, list[:mentioned]...), "…")
	}
	return list
}

// bucket takes a tree while there is room for it.
type bucket struct {
	to    io.Writer
	left  int64 // bytes that the tree may still have
	floor int64 // bytes that stay free
	free  func() (int64, error)
	stop  context.CancelCauseFunc // ends what writes here

	unlooked int64 // bytes since the room was looked at
}

// Write refuses what does not fit.
func (b *bucket) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, b.refuse(errTree("The tree is larger than this platform builds (SLIPWAY_BUILD_SOURCE_LIMIT). Keep large files out of the repository."))
	}
	if b.unlooked -= int64(len(p)); b.unlooked < 0 {
		b.unlooked = roomInterval
		free, err := b.free()
		if err != nil {
			return 0, b.refuse(err)
		}
		if free < b.floor {
			return 0, b.refuse(errTree(diskFull))
		}
	}
	return b.to.Write(p)
}

func (b *bucket) refuse(err error) error {
	b.stop(err)
	return err
}
