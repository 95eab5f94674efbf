package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Install carries out the plan install on a host.
type Install struct {
	Deps     InstallDeps
	Progress Progress
	Clock    func() time.Time
	// Preflight looks whether the host can carry the platform, before anything
	// is changed. own tells that the ledger knows of an earlier install.
	Preflight func(ctx context.Context, own bool) error
}

// Run installs, or brings an earlier install to the present settings and binary.
// Nothing is changed when preflight fails or another install runs.
func (in Install) Run(ctx context.Context) (err error) {
	d := in.Deps
	p := d.paths()
	began := in.Clock()
	steps := InstallPlan(d)
	in.Progress.Begin(1, len(steps)+1, "preflight")
	ledger, err := in.check(ctx, p)
	if err != nil {
		in.Progress.Fail(in.Clock().Sub(began))
		return err
	}
	in.Progress.End(in.Clock().Sub(began), false)
	release, err := lock(d.Host, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := in.snapshot(ctx, ledger, p); err != nil {
		return err
	}
	r := &Runner{Host: d.Host, Ledger: ledger, Service: d.Service, Progress: in.Progress, Clock: in.Clock, Before: 1}
	return r.Run(ctx, steps)
}

// asRoot adds the cure to an error of missing rights.
func asRoot(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: run it as root (sudo)", err)
	}
	return err
}

func (in Install) check(ctx context.Context, p Paths) (*Ledger, error) {
	ledger, err := OpenLedger(in.Deps.Host, p.Ledger, in.Clock)
	if err != nil || in.Preflight == nil {
		return ledger, asRoot(err)
	}
	return ledger, in.Preflight(ctx, ledger.Installed())
}

// LockHost keeps installs, upgrades and uninstalls from running at once. Calling
// release gives the host free again.
func LockHost(h host.Host, p Paths) (release func() error, err error) { return lock(h, p) }

// lock keeps two installs or uninstalls from running at once.
func lock(h host.Host, p Paths) (func() error, error) {
	release, err := h.Lock(p.Lock)
	if errors.Is(err, host.ErrLocked) {
		return nil, fmt.Errorf("another install, upgrade or uninstall is running: %w", err)
	}
	return release, asRoot(err)
}

func (p Paths) snapshotFile() string { return filepath.Join(p.Ledger, "snapshot.json") }

// snapshot describes the host before the first change. After an uninstall that
// kept data, the host is described anew, but for the paths, which hold what was
// kept.
func (in Install) snapshot(ctx context.Context, ledger *Ledger, p Paths) error {
	old, err := LoadSnapshot(in.Deps.Host, p)
	if err != nil {
		return err
	}
	if old != nil && !old.Ended {
		return nil
	}
	now, err := TakeSnapshot(ctx, in.Deps.Host, p, in.Deps.Service.Files(), in.Clock())
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if old != nil {
		now.Paths, now.Trees = old.Paths, old.Trees
	}
	if err := ledger.prepare(); err != nil {
		return err
	}
	return now.save(in.Deps.Host, p)
}

// LoadSnapshot reads the snapshot of before the install; nil when there is none.
func LoadSnapshot(h host.Files, p Paths) (*Snapshot, error) {
	data, err := h.ReadFile(p.snapshotFile())
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	var s Snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", p.snapshotFile(), err)
	}
	return &s, nil
}

func (s *Snapshot) save(h host.Files, p Paths) error {
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if err := h.WriteFile(p.snapshotFile(), data, 0o600); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	return nil
}
