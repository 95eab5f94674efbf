package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const recordFile = ".slipway-stage.json"

// BusyError says that another process is staging to Dir.
type BusyError struct{ Dir string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("another slipway is writing to %s: wait until it ends", e.Dir)
}

// room is one destination folder, locked, with the record of what is in it.
type room struct {
	dir    string
	lock   *os.File
	record map[string]entry
	wanted map[string]bool
}

// entry is what the record says about one item. Stamp is the cheap sign that
// the item is still as it was written.
type entry struct {
	SHA256 string `json:"sha256"`
	Stamp  string `json:"stamp"`
}

// openRoom makes dir, takes its lock, clears what a killed run left and reads
// the record. The lock is on the folder itself and ends with the process.
func openRoom(dir string) (_ *room, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Close())
		}
	}()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &BusyError{Dir: dir}
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, tempPrefix+"*"))
	if err != nil {
		return nil, err
	}
	for _, name := range left {
		if err := os.RemoveAll(name); err != nil {
			return nil, err
		}
	}
	r := &room{dir: dir, lock: lock, wanted: map[string]bool{}, record: map[string]entry{}}
	return r, r.readRecord()
}

func (r *room) close() error { return r.lock.Close() }

// readRecord takes an unreadable record for none: the files are hashed then.
func (r *room) readRecord() error {
	raw, err := os.ReadFile(filepath.Join(r.dir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	record := map[string]entry{}
	if json.Unmarshal(raw, &record) == nil && record != nil {
		r.record = record
	}
	return nil
}

// has tells whether the item is in its place with the right content, by its
// stamp if the record knows it, else by its sum.
func (r *room) has(it item) (bool, error) {
	name := filepath.Join(r.dir, it.name)
	stamp, err := stampOf(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if known, ok := r.record[it.name]; ok && known.Stamp == stamp {
		return known.SHA256 == it.sha256, nil
	}
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() || it.tree {
		return false, err
	}
	sum, err := sumFile(name)
	if err != nil || sum != it.sha256 {
		return false, err
	}
	if err := os.Chmod(name, it.mode); err != nil {
		return false, err
	}
	return true, r.remember(it)
}

// remember records the item as it now is.
func (r *room) remember(it item) error {
	stamp, err := stampOf(filepath.Join(r.dir, it.name))
	if err != nil {
		return err
	}
	r.record[it.name] = entry{SHA256: it.sha256, Stamp: stamp}
	return r.writeRecord()
}

// link makes name lead to target. The record holds it with an empty sum.
func (r *room) link(name, target string) error {
	r.wanted[name] = true
	path := filepath.Join(r.dir, name)
	if now, err := os.Readlink(path); err == nil && now == target {
		if _, known := r.record[name]; known {
			return nil
		}
	} else {
		temp := filepath.Join(r.dir, tempPrefix+"link")
		if err := os.Symlink(target, temp); err != nil {
			return r.explain(err, 0)
		}
		if err := replace(temp, path); err != nil {
			return errors.Join(err, os.Remove(temp))
		}
	}
	return r.remember(item{name: name})
}

func (r *room) writeRecord() error {
	raw, err := json.MarshalIndent(r.record, "", "  ")
	if err != nil {
		return err
	}
	temp := filepath.Join(r.dir, tempPrefix+"record")
	if err := os.WriteFile(temp, append(raw, '\n'), 0o644); err != nil {
		return r.explain(err, int64(len(raw)))
	}
	return os.Rename(temp, filepath.Join(r.dir, recordFile))
}

// finish removes what an earlier payload left and makes the renames last.
func (r *room) finish() error {
	for name := range r.record {
		if r.wanted[name] || filepath.Base(name) != name {
			continue
		}
		if err := os.RemoveAll(filepath.Join(r.dir, name)); err != nil {
			return err
		}
		delete(r.record, name)
		if err := r.writeRecord(); err != nil {
			return err
		}
	}
	return r.lock.Sync()
}

// temp makes an empty file or directory to fill.
func (r *room) temp(tree bool) (string, error) {
	if tree {
		name, err := os.MkdirTemp(r.dir, tempPrefix)
		if err != nil {
			return "", r.explain(err, 0)
		}
		return name, os.Chmod(name, 0o755)
	}
	file, err := os.CreateTemp(r.dir, tempPrefix)
	if err != nil {
		return "", r.explain(err, 0)
	}
	return file.Name(), file.Close()
}

// replace moves temp to name. A directory cannot be renamed over one with
// content, so those two change places and the old one goes.
func replace(temp, name string) error {
	err := os.Rename(temp, name)
	if err == nil || !(errors.Is(err, unix.EEXIST) || errors.Is(err, unix.ENOTEMPTY) ||
		errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EISDIR)) {
		return err
	}
	if unix.Renameat2(unix.AT_FDCWD, temp, unix.AT_FDCWD, name, unix.RENAME_EXCHANGE) == nil {
		return os.RemoveAll(temp)
	}
	if err := os.RemoveAll(name); err != nil {
		return err
	}
	return os.Rename(temp, name)
}

// stampOf describes a file, or all files of a tree, by size, mode and time of
// change.
func stampOf(name string) (string, error) {
	var lines strings.Builder
	err := filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%s %d %s %d\n", strings.TrimPrefix(path, name), info.Size(), info.Mode(), info.ModTime().UnixNano())
		return nil
	})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(lines.String()))
	return hex.EncodeToString(sum[:16]), nil
}

func sumFile(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
