package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Uninstall takes the platform off a host.
type Uninstall struct {
	Host     host.Host
	Service  host.Service
	Settings Settings
	Progress Progress
	Clock    func() time.Time
	KeepData bool
}

// Result is what an uninstall left different from the time before the install.
type Result struct {
	Nothing bool         // there was nothing to uninstall
	Diff    []Difference // empty when nothing is left
	Kept    []string     // paths kept on demand
}

// keep lists what --keep-data keeps: the settings, the controller's database and
// key, the repositories and the keys they are known by, the volumes, and the ledger that still owns them.
func (u *Uninstall) keep() []string {
	if !u.KeepData {
		return nil
	}
	p := NewPaths(u.Settings)
	return []string{p.Etc, p.Controller, p.Git, p.GitKeys, p.SecretKey, p.CA, p.Volumes, p.Ledger}
}

// removeEmpty removes the ledger's folders of an install that was killed before
// its first record.
func (u *Uninstall) removeEmpty(p Paths) error {
	for _, dir := range []string{filepath.Join(p.Ledger, "backup"), p.Ledger, p.Lib} {
		names, err := u.Host.List(dir)
		if isAbsent(err) {
			continue
		}
		if err != nil {
			return err
		}
		if len(names) > 0 {
			return nil
		}
		if err := u.Host.Remove(dir); err != nil {
			return err
		}
	}
	return nil
}

// removal is an uninstall under way.
type removal struct {
	*Uninstall
	paths  Paths
	ledger *Ledger
	before *Snapshot // nil when there is none
	rules  []host.RuleDump
	failed bool
}

// cleanup is one step of an uninstall. Unlike an install, a failing step stops
// nothing: the later ones still run, and all failures are reported together.
type cleanup struct {
	name string
	run  func(r *removal, ctx context.Context) error
}

func cleanups() []cleanup {
	return []cleanup{
		{"service", (*removal).stopService},
		{"pods and processes", (*removal).killProcesses},
		{"mounts", (*removal).unmountAll},
		{"network", (*removal).removeNetwork},
		{"firewall rules", (*removal).removeRules},
		{"control groups", (*removal).removeCgroups},
		{"kernel settings", (*removal).restoreSysctls},
		{"files", (*removal).undoLedger},
	}
}

// Run removes everything the ledger and the engine's names say is ours, then
// compares the host with the snapshot of before. A second Run goes on where a
// failed one ended. The error joins all failures; without one the host is as
// the result says.
func (u *Uninstall) Run(ctx context.Context) (res Result, err error) {
	p := NewPaths(u.Settings)
	release, err := lock(u.Host, p)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, release()) }()
	r, err := u.open(p)
	if errors.Is(err, errNoLedger) {
		return Result{Nothing: true}, u.removeEmpty(p)
	}
	if err != nil {
		return Result{}, err
	}
	var errs []error
	steps := cleanups()
	for i, c := range steps {
		began := u.Clock()
		u.Progress.Begin(i+1, len(steps), c.name)
		if err := c.run(r, ctx); err != nil {
			r.failed = true
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
			u.Progress.Fail(u.Clock().Sub(began))
			continue
		}
		u.Progress.End(u.Clock().Sub(began), false)
	}
	res, err = r.verify(ctx)
	return res, errors.Join(append(errs, err)...)
}

func (u *Uninstall) open(p Paths) (*removal, error) {
	ledger, err := OpenLedger(u.Host, p.Ledger, u.Clock)
	if err != nil {
		return nil, err
	}
	before, err := LoadSnapshot(u.Host, p)
	if err != nil {
		return nil, err
	}
	if ledger.Empty() && before == nil {
		return nil, errNoLedger
	}
	return &removal{Uninstall: u, paths: p, ledger: ledger, before: before}, nil
}

func (r *removal) stopService(ctx context.Context) error { return r.Service.Stop(ctx) }

// undoLedger walks the ledger backwards. When something failed before, the
// program stays, so that the uninstall can be repeated.
func (r *removal) undoLedger(ctx context.Context) error {
	if err := r.removeSockets(); err != nil {
		return err
	}
	u := &undoer{host: r.Host, ledger: r.ledger, service: r.Service, keep: r.keep()}
	changes := r.ledger.Changes()
	var errs []error
	for i := len(changes) - 1; i >= 0; i-- {
		c := changes[i]
		if (r.failed || len(errs) > 0) && r.needed(c) {
			continue
		}
		if err := u.undo(ctx, c); err != nil {
			errs = append(errs, err)
		}
	}
	if r.failed || len(errs) > 0 {
		errs = append(errs, fmt.Errorf("%s and %s stay, so that the uninstall can be repeated", r.paths.Binary, r.paths.Ledger))
		return errors.Join(errs...)
	}
	return r.closeLedger()
}

// needed reports whether a change has to stand for the uninstall to be
// repeated: the program and what it reads.
func (r *removal) needed(c Change) bool {
	for _, path := range []string{r.paths.Binary, r.paths.Bin, r.paths.Config} {
		if host.Below(path, c.Path) {
			return true
		}
	}
	return false
}

// closeLedger removes the ledger itself, the last thing that is ours; or, when
// data was kept, notes in the snapshot that its time is over.
func (r *removal) closeLedger() error {
	if r.KeepData {
		if r.before == nil {
			return nil
		}
		ended := *r.before
		ended.Ended = true
		return ended.save(r.Host, r.paths)
	}
	if err := r.Host.RemoveTree(r.paths.Ledger); err != nil {
		return err
	}
	names, err := r.Host.List(r.paths.Lib)
	if isAbsent(err) || len(names) > 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return r.Host.Remove(r.paths.Lib)
}

// verify compares the host with the snapshot of before.
func (r *removal) verify(ctx context.Context) (Result, error) {
	res := Result{Kept: r.keep()}
	if r.before == nil {
		return res, errors.New("verify: there is no snapshot of before the install to compare with")
	}
	after, err := TakeSnapshot(ctx, r.Host, r.paths, r.Service.Files(), r.Clock())
	if err != nil {
		return res, fmt.Errorf("verify: %w", err)
	}
	if len(after.RuleText) == 0 && len(r.rules) > 0 {
		// The tool that could list them was ours and is gone: what it listed
		// last, after the rules were removed, is the state.
		after.setRules(r.rules)
	}
	res.Diff = r.before.Diff(after, r.paths, r.keep())
	return res, nil
}
