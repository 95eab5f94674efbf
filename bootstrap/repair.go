package bootstrap

import (
	"context"
	"errors"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Repair carries out fixes of the doctor: each is a step, so that what it
// changes on the host is in the ledger and taken back by an uninstall.
type Repair struct {
	Host     host.Host
	Service  host.Service
	Settings Settings
	Progress Progress
	Clock    func() time.Time
}

// Run runs the steps; no install, uninstall or other repair can run meanwhile.
// On a host without an install it first takes the picture that an uninstall
// compares with. A step that fails is undone and stops nothing: the later ones
// still run, and all failures are reported together.
func (r Repair) Run(ctx context.Context, steps []Step) (err error) {
	p := NewPaths(r.Settings)
	release, err := lock(r.Host, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	ledger, err := OpenLedger(r.Host, p.Ledger, r.Clock)
	if err != nil {
		return asRoot(err)
	}
	in := Install{Deps: InstallDeps{Host: r.Host, Service: r.Service, Settings: r.Settings}, Clock: r.Clock}
	if err := in.snapshot(ctx, ledger, p); err != nil {
		return err
	}
	var errs []error
	for i, s := range steps {
		runner := &Runner{Host: r.Host, Ledger: ledger, Service: r.Service, Progress: r.Progress, Clock: r.Clock, Before: i, After: len(steps) - i - 1}
		errs = append(errs, runner.Run(ctx, []Step{s}))
	}
	return errors.Join(errs...)
}
