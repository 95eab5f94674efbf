package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Restoring says what is brought back, and how.
type Restoring struct {
	// Only names the items to bring back, in this order; empty: all, in the
	// order they were taken.
	Only []string
	// Load brings back what a Save function wrote, by the item's name.
	Load map[string]func(ctx context.Context, from string) error
	// Note, when set, is told what is brought back.
	Note func(text string)
}

// Names of what a restore has beside a place while it works.
const (
	comingEnd = ".slipway-restore"
	goneEnd   = ".slipway-before"
)

// Restore verifies the checkpoint and brings it back. Nobody may use the places
// meanwhile. When it is refused as damaged nothing was changed; after another
// error, or when it was killed, some items are as they were taken and others as
// they were before: call it again.
func (c Checkpoint) Restore(ctx context.Context, r Restoring) error {
	entries, err := c.pick(r)
	if err != nil {
		return err
	}
	if err := c.Verify(ctx); err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.Note != nil {
			r.Note("bringing back " + e.Name)
		}
		from := filepath.Join(c.Dir, e.Name)
		if e.Path == "" {
			err = r.Load[e.Name](ctx, from)
		} else {
			err = replace(ctx, e, from)
		}
		if err != nil {
			return fmt.Errorf("bringing back %s from checkpoint %s: %w", e.Name, c.Dir, err)
		}
	}
	return nil
}

// pick lists what is to be brought back, and refuses what can't be.
func (c Checkpoint) pick(r Restoring) ([]Entry, error) {
	byName := map[string]Entry{}
	names := make([]string, 0, len(c.Manifest.Entries))
	for _, e := range c.Manifest.Entries {
		byName[e.Name] = e
		names = append(names, e.Name)
	}
	if len(r.Only) > 0 {
		names = r.Only
	}
	var list []Entry
	for _, name := range names {
		e, ok := byName[name]
		if !ok {
			return nil, fmt.Errorf("checkpoint %s holds no %s", c.Dir, name)
		}
		if e.Path == "" && r.Load[name] == nil {
			return nil, fmt.Errorf("checkpoint %s: nobody can bring back %s", c.Dir, name)
		}
		list = append(list, e)
	}
	return list, nil
}

// replace exchanges what is at the entry's path for what was taken.
func replace(ctx context.Context, e Entry, from string) error {
	coming, gone := e.Path+comingEnd, e.Path+goneEnd
	// Left by a restore that was killed.
	if err := errors.Join(os.RemoveAll(coming), os.RemoveAll(gone)); err != nil {
		return err
	}
	if e.Absent {
		return removeAside(e.Path, gone)
	}
	if err := os.MkdirAll(filepath.Dir(e.Path), 0o755); err != nil {
		return err
	}
	for _, f := range e.Files {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, os.RemoveAll(coming))
		}
		if err := bring(ctx, e, f, from, coming); err != nil {
			return errors.Join(err, os.RemoveAll(coming))
		}
	}
	if err := adoptFolders(coming, e.Files); err != nil {
		return err
	}
	if err := syncFS(filepath.Dir(e.Path)); err != nil {
		return err
	}
	return exchange(coming, e.Path, gone)
}

// bring writes one file of an entry below the folder coming.
func bring(ctx context.Context, e Entry, f File, from, coming string) error {
	source, to := filepath.Join(from, f.Path), filepath.Join(coming, f.Path)
	switch {
	case f.Mode.IsDir():
		return os.Mkdir(to, 0o700) // its own mode comes last
	case f.Mode&fs.ModeSymlink != 0:
		if err := os.Symlink(f.Target, to); err != nil {
			return err
		}
	default:
		if err := linkOrCopy(ctx, source, to, e.Link && f.Size >= linkFrom); err != nil {
			return err
		}
	}
	return adopt(to, f)
}

// exchange puts coming in the place of path and removes what was there.
func exchange(coming, path, gone string) error {
	parent := filepath.Dir(path)
	err := unix.Renameat2(unix.AT_FDCWD, coming, unix.AT_FDCWD, path, unix.RENAME_EXCHANGE)
	if err == nil {
		return errors.Join(host.SyncDir(parent), os.RemoveAll(coming))
	}
	// Nothing is there, or the file system can't exchange two names. Killed in
	// between, the path is absent and the next restore fills it.
	if err := rename(path, gone); err != nil {
		return err
	}
	if err := os.Rename(coming, path); err != nil {
		return err
	}
	return errors.Join(host.SyncDir(parent), os.RemoveAll(gone))
}

// removeAside makes path absent at once and then removes what it held.
func removeAside(path, gone string) error {
	if err := rename(path, gone); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(host.SyncDir(filepath.Dir(path)), os.RemoveAll(gone))
}

// rename renames what may be absent.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// adoptFolders gives the folders below root their modes, owners and times, the
// innermost first.
func adoptFolders(root string, files []File) error {
	for _, f := range slices.Backward(files) {
		if !f.Mode.IsDir() {
			continue
		}
		if err := adopt(filepath.Join(root, f.Path), f); err != nil {
			return err
		}
	}
	return nil
}
