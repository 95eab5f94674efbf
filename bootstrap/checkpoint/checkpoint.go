// Package checkpoint keeps the state of a platform as it was at one moment, in
// a folder on the same host, and brings it back. It knows nothing of what the
// state means: who asks lists the files and folders.
//
//	/var/lib/slipway/checkpoints/20261122T231536Z-upgrade/
//	    manifest.json   what is here, with sums; written last, so a folder
//	                    without it is a checkpoint that was cut off
//	    kubernetes/     one entry per item, as it was
//	    controller/
//	    database        what a Save function wrote
//
// Taking one changes nothing outside its folder. Restoring first makes sure
// that every sum holds, then makes a complete copy beside each place and
// exchanges the two by one rename: a place has its old content or its new one,
// never a part. A restore that was killed is simply made again: the checkpoint
// itself is never changed.
//
// Folders are 0700 and files 0600 where the checkpoint makes them itself;
// copies keep mode, owner and times of what they are copies of, behind the
// folder's 0700. Sockets, pipes and devices are left out, extended attributes
// too.
package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Format is the number of the manifest's layout; another is refused.
const Format = 1

const manifestName = "manifest.json"

// Item is one piece of state to take.
type Item struct {
	// Name is its place in the checkpoint: lower-case letters, digits, dashes.
	Name string
	// Path is the file or folder, absolute. One that does not exist is recorded
	// as absent, and restoring removes what is there then.
	Path string
	// Link says that files of the item are replaced and never written in place,
	// so that those of some size are linked and cost no space. A file system
	// that can't link gets a copy.
	Link bool
	// Skip leaves out entries by shell patterns relative to Path. They are gone
	// after a restore.
	Skip []string
	// Files are written by a function instead of copied, by their names relative
	// to Path: databases that are in use. What SQLite keeps beside such a file
	// (-wal, -shm, -journal) is left out.
	Files map[string]func(ctx context.Context, to string) error
	// Save writes a file in place of everything else above but Name: for state
	// that is not on this host. It is brought back by the Load of the same name.
	Save func(ctx context.Context, to string) error
}

// About says what a checkpoint is of.
type About struct {
	Reason     string // "upgrade"; part of the folder's name, so letters, digits, dashes
	Slipway    string // version that wrote the state
	Kubernetes string
	Note       string            // for people: "before the upgrade to v0.3.0"
	Facts      map[string]string // for who takes it
}

// Manifest describes a checkpoint; the file manifest.json.
type Manifest struct {
	Format     int               `json:"format"`
	Reason     string            `json:"reason"`
	Taken      time.Time         `json:"taken"`
	Slipway    string            `json:"slipway"`
	Kubernetes string            `json:"kubernetes,omitempty"`
	Note       string            `json:"note,omitempty"`
	Facts      map[string]string `json:"facts,omitempty"`
	Entries    []Entry           `json:"entries"`
}

// Bytes is how much the files of the checkpoint hold, linked ones included.
func (m Manifest) Bytes() (sum int64) {
	for _, e := range m.Entries {
		for _, f := range e.Files {
			sum += f.Size
		}
	}
	return sum
}

// Entry is one item as it was taken.
type Entry struct {
	Name   string `json:"name"`
	Path   string `json:"path,omitempty"` // empty for what Save wrote
	Absent bool   `json:"absent,omitempty"`
	Link   bool   `json:"link,omitempty"`
	Files  []File `json:"files"` // a folder's own entry first, as "."
}

// File is one file, folder or symlink of an entry.
type File struct {
	Path    string      `json:"path"` // relative to the entry; "." is the entry itself
	Mode    fs.FileMode `json:"mode"` // with the type bits
	UID     int         `json:"uid"`
	GID     int         `json:"gid"`
	ModTime time.Time   `json:"modTime"`
	Size    int64       `json:"size,omitempty"`
	SHA256  string      `json:"sha256,omitempty"` // of regular files, hex
	Target  string      `json:"target,omitempty"` // of symlinks
}

// Checkpoint is a complete one.
type Checkpoint struct {
	Dir      string
	Manifest Manifest
}

// ErrIncomplete says that a checkpoint was cut off while it was taken.
var ErrIncomplete = errors.New("the checkpoint was cut off while it was taken")

// ErrDamaged says that a checkpoint is not as it was taken.
var ErrDamaged = errors.New("the checkpoint is damaged")

// Open reads the manifest of the checkpoint in dir. It looks at no file; Verify
// does.
func Open(dir string) (Checkpoint, error) {
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		if _, stat := os.Stat(dir); stat == nil {
			return Checkpoint{}, fmt.Errorf("checkpoint %s: %w", dir, ErrIncomplete)
		}
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint %s: %w", dir, err)
	}
	c := Checkpoint{Dir: dir}
	if err := json.Unmarshal(data, &c.Manifest); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint %s: %w: %w", dir, ErrDamaged, err)
	}
	if c.Manifest.Format != Format {
		return Checkpoint{}, fmt.Errorf("checkpoint %s: its format is %d, this slipway knows %d", dir, c.Manifest.Format, Format)
	}
	return c, c.Manifest.check()
}

// check refuses names that would lead out of the checkpoint or of a place.
func (m Manifest) check() error {
	for _, e := range m.Entries {
		if !itemName.MatchString(e.Name) || (e.Path != "" && !filepath.IsAbs(e.Path)) {
			return fmt.Errorf("%w: entry %q for %q", ErrDamaged, e.Name, e.Path)
		}
		for _, f := range e.Files {
			if !filepath.IsLocal(f.Path) {
				return fmt.Errorf("%w: entry %q holds %q", ErrDamaged, e.Name, f.Path)
			}
		}
	}
	return nil
}

// List returns the complete checkpoints below root, the newest first.
func List(root string) ([]Checkpoint, error) {
	all, _, err := scan(root)
	return all, err
}

// scan returns the complete checkpoints below root, the newest first, and the
// folders of those that were cut off.
func scan(root string) (complete []Checkpoint, cutOff []string, err error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("checkpoints: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || !folderName.MatchString(e.Name()) {
			continue
		}
		dir := filepath.Join(root, e.Name())
		c, err := Open(dir)
		if errors.Is(err, ErrIncomplete) {
			cutOff = append(cutOff, dir)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		complete = append(complete, c)
	}
	slices.SortStableFunc(complete, func(a, b Checkpoint) int { return b.Manifest.Taken.Compare(a.Manifest.Taken) })
	return complete, cutOff, nil
}

// Prune removes the checkpoints below root that were cut off and, of those with
// the reason, all but the newest keep. It returns the folders it removed. Nobody
// may be taking one meanwhile.
func Prune(root, reason string, keep int) ([]string, error) {
	complete, doomed, err := scan(root)
	if err != nil {
		return nil, err
	}
	for _, c := range complete {
		if c.Manifest.Reason != reason {
			continue
		}
		if keep--; keep < 0 {
			doomed = append(doomed, c.Dir)
		}
	}
	for _, dir := range doomed {
		if err := remove(dir); err != nil {
			return nil, err
		}
	}
	return doomed, nil
}

// Remove deletes the checkpoint.
func (c Checkpoint) Remove() error { return remove(c.Dir) }

// remove takes the manifest first: what is left of a removal that was cut off
// is a checkpoint that was cut off.
func remove(dir string) error {
	err := os.Remove(filepath.Join(dir, manifestName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove checkpoint: %w", err)
	}
	if err := errors.Join(host.SyncDir(dir), os.RemoveAll(dir)); err != nil {
		return fmt.Errorf("remove checkpoint: %w", err)
	}
	return nil
}

//lint:global compiled once
var (
	itemName   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	folderName = regexp.MustCompile(`^\d{8}T\d{6}Z-[a-z0-9-]+$`)
)

// Verify reads every file and compares sizes and sums. An error names the first
// file that is not as it was, and is ErrDamaged.
func (c Checkpoint) Verify(ctx context.Context) error {
	for _, e := range c.Manifest.Entries {
		for _, f := range e.Files {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := verifyFile(filepath.Join(c.Dir, e.Name, f.Path), f); err != nil {
				return fmt.Errorf("checkpoint %s: %w: %w", c.Dir, ErrDamaged, err)
			}
		}
	}
	return nil
}

func verifyFile(path string, f File) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != f.Mode.Type() {
		return fmt.Errorf("%s is of another kind", path)
	}
	if f.Mode&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		if err == nil && target != f.Target {
			err = fmt.Errorf("%s leads to another place", path)
		}
		return err
	}
	if !f.Mode.IsRegular() {
		return nil
	}
	sum, err := hashFile(path)
	if err != nil {
		return err
	}
	if info.Size() != f.Size || sum != f.SHA256 {
		return fmt.Errorf("%s has another content", path)
	}
	return nil
}

// besideSQLite reports whether name is what SQLite keeps beside a database that
// is written by a function.
func besideSQLite(name string, databases map[string]func(context.Context, string) error) bool {
	for _, end := range []string{"-wal", "-shm", "-journal"} {
		if database, ok := strings.CutSuffix(name, end); ok && databases[database] != nil {
			return true
		}
	}
	return false
}
