package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// undoer makes the inverse of recorded changes.
type undoer struct {
	host    host.Host
	ledger  *Ledger
	service host.Service // nil when there is none to take out
	keep    []string     // paths that have to stay with all below them
}

// undo makes the inverse of one change and records it. It copes with a change
// that was begun but not made.
func (u *undoer) undo(ctx context.Context, c Change) error {
	if u.keeps(c.Path) {
		return nil // stays in the ledger, for a later uninstall
	}
	if err := u.inverse(ctx, c); err != nil {
		return fmt.Errorf("undo %s %s: %w", c.Kind, c.Path, err)
	}
	if u.keepsBelow(c.Path) || (c.Kind == ChangeDir && u.exists(c.Path)) {
		return nil // what is left in it keeps it; it is still ours to remove one day
	}
	if err := u.ledger.write(record{Event: eventUndone, ID: c.ID}); err != nil {
		return err
	}
	if c.Backup != "" {
		return u.host.Remove(c.Backup)
	}
	return nil
}

func (u *undoer) inverse(ctx context.Context, c Change) error {
	switch c.Kind {
	case ChangeFile:
		return u.file(c)
	case ChangeDir:
		return u.dir(c)
	case ChangeSymlink:
		return u.symlink(c)
	case ChangeTree:
		return u.tree(c)
	case ChangeSysctl:
		err := u.host.SetSysctl(c.Path, c.Old)
		if isAbsent(err) { // its module is gone, and the value with it
			return nil
		}
		return err
	case ChangeService:
		if u.service == nil {
			return nil
		}
		return u.service.Uninstall(ctx)
	case ChangeFirewall:
		if c.Opening == nil {
			return nil
		}
		return c.Opening.Close(ctx, u.host)
	}
	return fmt.Errorf("unknown kind of change %q", c.Kind)
}

// file restores what was there. A file that its owner changed after we replaced
// it stays as it is: overwriting it would lose that work.
func (u *undoer) file(c Change) error {
	if !c.Existed {
		return u.host.Remove(c.Path)
	}
	if _, err := u.host.Stat(c.Backup); isAbsent(err) {
		return nil // restored already, by an undo that was cut off
	} else if err != nil {
		return err
	}
	now, err := u.host.Hash(c.Path)
	if err != nil && !isAbsent(err) {
		return err
	}
	if err == nil && now != c.Sum {
		before, err := u.host.Hash(c.Backup)
		if err != nil {
			return err
		}
		if now != before {
			return fmt.Errorf("it was changed after the install and is left alone; what it was before is in %s", c.Backup)
		}
	}
	return u.host.CopyFile(c.Backup, c.Path, c.Perm)
}

// dir removes a directory we made once it is empty; what others put there stays,
// and with it the directory.
func (u *undoer) dir(c Change) error {
	names, err := u.host.List(c.Path)
	if isAbsent(err) || len(names) > 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return u.host.Remove(c.Path)
}

func (u *undoer) exists(path string) bool {
	_, err := u.host.Stat(path)
	return err == nil
}

func (u *undoer) symlink(c Change) error {
	info, err := u.host.Stat(c.Path)
	if err != nil && !isAbsent(err) {
		return err
	}
	if err == nil && info.Kind != host.KindSymlink {
		return errors.New("something else is in its place")
	}
	if c.Existed {
		return u.host.Symlink(c.Target, c.Path)
	}
	return u.host.Remove(c.Path)
}

// tree removes what is ours of a place. Kept paths inside it split it up.
func (u *undoer) tree(c Change) error {
	if !c.Existed {
		return u.removeTree(c.Path)
	}
	names, err := u.host.List(c.Path)
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return nil // a single file that was there before is not ours
	}
	if len(c.Ours) > 0 {
		return u.patterns(c.Path, c.Ours)
	}
	before := map[string]bool{}
	for _, n := range c.Entries {
		before[n] = true
	}
	var errs []error
	for _, n := range names {
		if !before[n] {
			errs = append(errs, u.removeTree(filepath.Join(c.Path, n)))
		}
	}
	return errors.Join(errs...)
}

// patterns removes what matches below dir, and the folders that become empty.
func (u *undoer) patterns(dir string, patterns []string) error {
	var errs []error
	for _, p := range patterns {
		first, rest, deeper := cutPath(p)
		names, err := u.host.List(dir)
		if err != nil {
			continue // gone, or no directory
		}
		for _, n := range names {
			ok, err := filepath.Match(first, n)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			path := filepath.Join(dir, n)
			if !deeper {
				errs = append(errs, u.removeTree(path))
				continue
			}
			errs = append(errs, u.patterns(path, []string{rest}))
		}
	}
	return errors.Join(errs...)
}

func cutPath(p string) (first, rest string, deeper bool) {
	for i := range p {
		if p[i] == '/' {
			return p[:i], p[i+1:], true
		}
	}
	return p, "", false
}

// removeTree removes path but for what is kept below it.
func (u *undoer) removeTree(path string) error {
	if u.keeps(path) {
		return nil
	}
	if !u.keepsBelow(path) {
		return u.host.RemoveTree(path)
	}
	names, err := u.host.List(path)
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range names {
		errs = append(errs, u.removeTree(filepath.Join(path, n)))
	}
	return errors.Join(errs...)
}

// keeps reports whether path has to stay.
func (u *undoer) keeps(path string) bool {
	for _, k := range u.keep {
		if host.Below(path, k) {
			return true
		}
	}
	return false
}

// keepsBelow reports whether something below path has to stay and is there.
func (u *undoer) keepsBelow(path string) bool {
	for _, k := range u.keep {
		if !host.Below(k, path) {
			continue
		}
		if _, err := u.host.Stat(k); err == nil {
			return true
		}
	}
	return false
}
