package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// linkFrom is the size in bytes from which files of linked items are linked.
// Small ones are copied: among them are notes that programs write in place.
const linkFrom = 64 << 10

// stamp is the time in a folder's name.
const stamp = "20060102T150405Z"

// Draft is a checkpoint that is being taken. What stands still anyway can be
// taken before the rest is stopped.
type Draft struct {
	dir      string
	manifest Manifest
}

// Begin makes the folder of a new checkpoint below root.
func Begin(root string, about About, now time.Time) (*Draft, error) {
	if !itemName.MatchString(about.Reason) {
		return nil, fmt.Errorf("checkpoint: reason %q: lower-case letters, digits and dashes", about.Reason)
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	dir, err := makeFolder(root, about.Reason, now)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return &Draft{dir: dir, manifest: Manifest{
		Format: Format, Reason: about.Reason, Taken: now.UTC(), Slipway: about.Slipway,
		Kubernetes: about.Kubernetes, Note: about.Note, Facts: about.Facts,
	}}, nil
}

// makeFolder makes one that is named for now, or for the first second after it
// that has none yet: what was cut off may be run again at once.
func makeFolder(root, reason string, now time.Time) (string, error) {
	for {
		dir := filepath.Join(root, now.UTC().Format(stamp)+"-"+reason)
		if err := os.Mkdir(dir, 0o700); !errors.Is(err, fs.ErrExist) {
			return dir, err
		}
		now = now.Add(time.Second)
	}
}

// Take is Begin, Take and Complete in one. When it fails, or ctx ends, nothing
// is left.
func Take(ctx context.Context, root string, about About, now time.Time, items ...Item) (Checkpoint, error) {
	d, err := Begin(root, about, now)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := d.Take(ctx, items...); err != nil {
		return Checkpoint{}, errors.Join(err, d.Discard())
	}
	c, err := d.Complete()
	if err != nil {
		return Checkpoint{}, errors.Join(err, d.Discard())
	}
	return c, nil
}

// Dir is the checkpoint's folder.
func (d *Draft) Dir() string { return d.dir }

// Take adds items. Nobody else may change their files meanwhile, but those that
// a function writes.
func (d *Draft) Take(ctx context.Context, items ...Item) error {
	for _, item := range items {
		if err := d.accepts(item); err != nil {
			return err
		}
		t := &taker{ctx: ctx, item: item, to: filepath.Join(d.dir, item.Name),
			entry: Entry{Name: item.Name, Path: item.Path, Link: item.Link}}
		if err := t.take(); err != nil {
			return fmt.Errorf("checkpoint of %s: %w", item.Name, err)
		}
		d.manifest.Entries = append(d.manifest.Entries, t.entry)
	}
	return nil
}

func (d *Draft) accepts(item Item) error {
	if !itemName.MatchString(item.Name) {
		return fmt.Errorf("checkpoint: item %q: lower-case letters, digits and dashes", item.Name)
	}
	if (item.Save == nil) != (item.Path != "") || (item.Path != "" && !filepath.IsAbs(item.Path)) {
		return fmt.Errorf("checkpoint: item %s: either an absolute path or a function", item.Name)
	}
	for _, e := range d.manifest.Entries {
		if e.Name == item.Name {
			return fmt.Errorf("checkpoint: item %s is there twice", item.Name)
		}
	}
	return nil
}

// Complete writes the manifest, after which the checkpoint counts.
func (d *Draft) Complete() (Checkpoint, error) {
	data, err := json.MarshalIndent(d.manifest, "", " ")
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	if err := syncFS(d.dir); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	name := filepath.Join(d.dir, manifestName)
	if err := writeSynced(name+".new", data); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	if err := errors.Join(host.SyncDir(d.dir), host.SyncDir(filepath.Dir(d.dir))); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	return Checkpoint{Dir: d.dir, Manifest: d.manifest}, nil
}

// Discard removes what was taken so far.
func (d *Draft) Discard() error { return remove(d.dir) }

// Need is how many bytes a checkpoint of the items would take on the disk that
// root is on. What functions write is not counted.
func Need(root string, items ...Item) (int64, error) {
	var sum int64
	for _, item := range items {
		if item.Path == "" {
			continue
		}
		t := &taker{item: item}
		linked := item.Link && sameDevice(root, item.Path)
		err := t.walk(func(_ string, info fs.FileInfo) error {
			if info.Mode().IsRegular() && (!linked || info.Size() < linkFrom) {
				sum += info.Size()
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("checkpoint of %s: %w", item.Name, err)
		}
	}
	return sum, nil
}

// sameDevice reports whether links can lead from one path to the other. root
// need not exist yet.
func sameDevice(root, path string) bool {
	var a, b unix.Stat_t
	for unix.Stat(root, &a) != nil {
		if root == filepath.Dir(root) {
			return false
		}
		root = filepath.Dir(root)
	}
	return unix.Lstat(path, &b) == nil && a.Dev == b.Dev
}

// taker takes one item.
type taker struct {
	ctx   context.Context
	item  Item
	to    string
	entry Entry
}

func (t *taker) take() error {
	if t.item.Save != nil {
		if err := t.item.Save(t.ctx, t.to); err != nil {
			return err
		}
		return t.record(".", t.to, nil)
	}
	_, err := os.Lstat(t.item.Path)
	if errors.Is(err, fs.ErrNotExist) {
		t.entry.Absent = true
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.walk(t.add); err != nil {
		return err
	}
	return t.finishFolders()
}

// walk calls f with each file, folder and symlink of the item that is to be
// taken, folders before what they hold.
func (t *taker) walk(f func(relative string, info fs.FileInfo) error) error {
	return filepath.WalkDir(t.item.Path, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(t.item.Path, path)
		if err != nil {
			return err
		}
		skip, err := t.skips(relative)
		if err != nil {
			return err
		}
		if skip && d.IsDir() {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		kind := info.Mode().Type()
		if skip || kind&^(fs.ModeDir|fs.ModeSymlink) != 0 {
			return nil
		}
		return f(relative, info)
	})
}

func (t *taker) skips(relative string) (bool, error) {
	if besideSQLite(relative, t.item.Files) {
		return true, nil
	}
	for _, pattern := range t.item.Skip {
		if match, err := filepath.Match(pattern, relative); err != nil || match {
			return match, err
		}
	}
	return false, nil
}

// add takes one file, folder or symlink.
func (t *taker) add(relative string, info fs.FileInfo) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	from, to := filepath.Join(t.item.Path, relative), filepath.Join(t.to, relative)
	switch {
	case info.IsDir():
		// Its own mode comes last: it may forbid writing.
		if err := os.Mkdir(to, 0o700); err != nil {
			return err
		}
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		if err := os.Symlink(target, to); err != nil {
			return err
		}
	case t.item.Files[relative] != nil:
		if err := t.item.Files[relative](t.ctx, to); err != nil {
			return err
		}
	default:
		if err := linkOrCopy(t.ctx, from, to, t.item.Link && info.Size() >= linkFrom); err != nil {
			return err
		}
	}
	return t.record(relative, to, info)
}

// record describes what was written to path. Mode, owner and times are those of
// the original, when there is one.
func (t *taker) record(relative, path string, original fs.FileInfo) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if original == nil {
		original = info
	}
	f := File{Path: relative, Mode: original.Mode(), ModTime: original.ModTime()}
	f.UID, f.GID = owner(original)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		if f.Target, err = os.Readlink(path); err != nil {
			return err
		}
	case info.Mode().IsRegular():
		f.Size = info.Size()
		if f.SHA256, err = hashFile(path); err != nil {
			return err
		}
	}
	t.entry.Files = append(t.entry.Files, f)
	if info.IsDir() {
		return nil // see finishFolders
	}
	return adopt(path, f)
}

// finishFolders gives the folders their modes and times, the innermost first.
func (t *taker) finishFolders() error { return adoptFolders(t.to, t.entry.Files) }
