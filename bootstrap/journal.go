package bootstrap

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

func isExist(err error) bool { return errors.Is(err, fs.ErrExist) }

// Journal is how a step changes the host: every method records the change with
// its inverse, makes it, and records that it was made. A change that already
// stands as wished is not made again.
type Journal struct {
	host   host.Host
	ledger *Ledger
	step   string
	note   func(string)
}

var _ host.Writer = (*Journal)(nil)

// Host is the machine, for looking at it.
func (j *Journal) Host() host.Host { return j.host }

// Note shows what the step is doing.
func (j *Journal) Note(text string) { j.note(text) }

// WriteFile writes a file as host.Files does, with its folder when that is
// missing.
func (j *Journal) WriteFile(path string, data []byte, perm fs.FileMode) error {
	sum := sha256.Sum256(data)
	return j.putFile(path, hex.EncodeToString(sum[:]), perm, func() error { return j.host.WriteFile(path, data, perm) })
}

// CopyFile copies a file as host.Files does.
func (j *Journal) CopyFile(src, dst string, perm fs.FileMode) error {
	sum, err := j.host.Hash(src)
	if err != nil {
		return fmt.Errorf("copy %s: %w", src, err)
	}
	return j.putFile(dst, sum, perm, func() error { return j.host.CopyFile(src, dst, perm) })
}

func (j *Journal) putFile(path, sum string, perm fs.FileMode, act func() error) error {
	if err := j.Mkdir(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	pending := j.ledger.pending(ChangeFile, path)
	old, err := j.host.Stat(path)
	existed := err == nil
	if err != nil && !isAbsent(err) {
		return err
	}
	if existed && old.Kind != host.KindFile {
		return fmt.Errorf("write %s: it is a %s", path, old.Kind)
	}
	if existed {
		now, err := j.host.Hash(path)
		if err != nil {
			return err
		}
		if now == sum && old.Perm == perm {
			if pending != nil {
				return j.made(pending, sum)
			}
			return nil // as wished: by us before, or by its owner
		}
	}
	if pending == nil {
		if pending, err = j.beginFile(path, sum, existed, old); err != nil {
			return err
		}
	}
	if err := act(); err != nil {
		return err
	}
	return j.made(pending, sum)
}

// beginFile keeps a copy of the file that will be replaced and records the
// change. The copy comes first: a record whose backup is missing would lose the
// file.
func (j *Journal) beginFile(path, sum string, existed bool, old host.FileInfo) (*Change, error) {
	c := Change{Step: j.step, Kind: ChangeFile, Path: path, Sum: sum, Existed: existed}
	if existed {
		c.Backup, c.Perm = j.ledger.backup(j.ledger.next), old.Perm
		if err := j.host.CopyFile(path, c.Backup, 0o600); err != nil {
			return nil, fmt.Errorf("keep a copy of %s: %w", path, err)
		}
	}
	return j.ledger.begin(c)
}

func (j *Journal) made(c *Change, sum string) error {
	return j.ledger.write(record{Event: eventMade, ID: c.ID, Sum: sum})
}

// Mkdir makes a directory and those above it that are missing.
func (j *Journal) Mkdir(path string, perm fs.FileMode) error {
	info, err := j.host.Stat(path)
	if err == nil {
		if info.Kind != host.KindDir && info.Kind != host.KindSymlink {
			return fmt.Errorf("make directory %s: it is a %s", path, info.Kind)
		}
		if c := j.ledger.pending(ChangeDir, path); c != nil {
			return j.made(c, "")
		}
		return nil
	}
	if !isAbsent(err) {
		return err
	}
	if parent := filepath.Dir(path); parent != path {
		if err := j.Mkdir(parent, 0o755); err != nil {
			return err
		}
	}
	if j.ledger.owns(path) { // it goes with the tree it belongs to
		if err := j.host.Mkdir(path, perm); err != nil && !isExist(err) {
			return err
		}
		return nil
	}
	c := j.ledger.pending(ChangeDir, path)
	if c == nil {
		if c, err = j.ledger.begin(Change{Step: j.step, Kind: ChangeDir, Path: path}); err != nil {
			return err
		}
	}
	if err := j.host.Mkdir(path, perm); err != nil && !isExist(err) {
		return err
	}
	return j.made(c, "")
}

// Own records that the engine, or the server, will fill a place, so that it is
// ours to remove. Its parents are made. Of a place that is there already only
// what was not in it before is ours, or what the share's patterns say.
func (j *Journal) Own(s Share) error {
	if c := j.ledger.standing(ChangeTree, s.Path); c != nil {
		if c.Made {
			return nil
		}
		return j.made(c, "")
	}
	if err := j.Mkdir(filepath.Dir(s.Path), 0o755); err != nil {
		return err
	}
	c := Change{Step: j.step, Kind: ChangeTree, Path: s.Path, Ours: s.Ours}
	info, err := j.host.Stat(s.Path)
	if err != nil && !isAbsent(err) {
		return err
	}
	if err == nil {
		c.Existed = true
		if info.Kind == host.KindDir {
			if c.Entries, err = j.host.List(s.Path); err != nil {
				return err
			}
		}
	}
	begun, err := j.ledger.begin(c)
	if err != nil {
		return err
	}
	return j.made(begun, "")
}

// Symlink makes path point at target.
func (j *Journal) Symlink(target, path string) error {
	if err := j.Mkdir(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	pending := j.ledger.pending(ChangeSymlink, path)
	info, err := j.host.Stat(path)
	if err != nil && !isAbsent(err) {
		return err
	}
	if err == nil && info.Kind == host.KindSymlink && info.Target == target {
		if pending != nil {
			return j.made(pending, "")
		}
		return nil
	}
	if pending == nil {
		c := Change{Step: j.step, Kind: ChangeSymlink, Path: path, Existed: err == nil, Target: info.Target}
		if pending, err = j.ledger.begin(c); err != nil {
			return err
		}
	}
	if err := j.host.Symlink(target, path); err != nil {
		return err
	}
	return j.made(pending, "")
}

// Sysctl writes a kernel setting.
func (j *Journal) Sysctl(key, value string) error {
	pending := j.ledger.pending(ChangeSysctl, key)
	old, err := j.host.Sysctl(key)
	if err != nil {
		return err
	}
	if old == value {
		if pending != nil {
			return j.made(pending, "")
		}
		return nil
	}
	if pending == nil {
		if pending, err = j.ledger.begin(Change{Step: j.step, Kind: ChangeSysctl, Path: key, Old: old}); err != nil {
			return err
		}
	}
	if err := j.host.SetSysctl(key, value); err != nil {
		return err
	}
	return j.made(pending, "")
}

// Service records that the named service is handed to its manager, and does it.
func (j *Journal) Service(ctx context.Context, name string, install func(ctx context.Context, w host.Writer) error) error {
	c := j.ledger.standing(ChangeService, name)
	if c == nil {
		var err error
		if c, err = j.ledger.begin(Change{Step: j.step, Kind: ChangeService, Path: name}); err != nil {
			return err
		}
	}
	if err := install(ctx, j); err != nil {
		return err
	}
	if c.Made {
		return nil
	}
	return j.made(c, "")
}

// OpenFirewall adds a rule to the host's firewall, through its own tool. A rule
// that is there already stays its owner's.
func (j *Journal) OpenFirewall(ctx context.Context, o host.Opening) error {
	o, err := o.Resolve(ctx, j.host)
	if err != nil {
		return err
	}
	c := j.ledger.pending(ChangeFirewall, o.String())
	open, err := o.IsOpen(ctx, j.host)
	if err != nil || (open && c == nil) {
		return err
	}
	if c == nil {
		if c, err = j.ledger.begin(Change{Step: j.step, Kind: ChangeFirewall, Path: o.String(), Opening: &o}); err != nil {
			return err
		}
	}
	if err := o.Open(ctx, j.host); err != nil {
		return err
	}
	return j.made(c, "")
}
