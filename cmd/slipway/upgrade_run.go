package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
	"github.com/slipway-paas/slipway/charts"
)

// carryOutUpgrade upgrades this machine to the program that runs.
func (m *machine) carryOutUpgrade(ctx context.Context, out io.Writer, force bool) (err error) {
	began := time.Now()
	free, err := bootstrap.LockHost(m.host, m.paths)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, free()) }()
	record := upgrade.Record{Dir: m.paths.Upgrade}
	if err := m.finishCutOff(ctx, out, record); err != nil {
		return err
	}
	m.progress.Begin(1, m.upgradeSteps()+1, "look")
	plan, err := m.planUpgrade(ctx)
	if err != nil {
		m.progress.Fail(time.Since(began))
		return err
	}
	m.progress.End(time.Since(began), false)
	if plan.Same {
		_, err := fmt.Fprintf(out, "This very %s is installed already; nothing to do.\n", plan.To.Slipway)
		return err
	}
	if err := plan.refusal(force); err != nil {
		return err
	}
	ledger, err := bootstrap.OpenLedger(m.host, m.paths.Ledger, time.Now)
	if err != nil {
		return err
	}
	u := m.upgradeOf(plan.From, plan.To)
	if err := m.runUpgrade(ctx, ledger, u, plan); err != nil {
		return m.giveUp(ctx, out, u, err)
	}
	_, err = fmt.Fprintf(out, `
Upgraded from %s to %s in %.0f s.
"slipway upgrade --rollback" brings %[1]s back, with the data of before, for %[4]s days.
`, plan.From.Slipway, plan.To.Slipway, time.Since(began).Seconds(), m.settingOr("SLIPWAY_UPGRADE_KEEP", "7"))
	return err
}

func (m *machine) settingOr(name, otherwise string) string {
	if value := m.settings.ControllerSetting(name); value != "" {
		return value
	}
	return otherwise
}

// upgradeSteps is how many steps runUpgrade has.
func (m *machine) upgradeSteps() int { return len(bootstrap.InstallPlan(m.upgradeDeps("", nil))) + 4 }

// runUpgrade carries out all steps. From the first on the record is held.
func (m *machine) runUpgrade(ctx context.Context, ledger *bootstrap.Ledger, u *upgrade.Upgrade, plan *upgradePlan) (err error) {
	release := func() error { return nil }
	defer func() { err = errors.Join(err, release()) }()
	w := newWatcher(socketFile(m.paths), m.host, m.service)
	w.patience = m.upgradePatience()
	steps := []bootstrap.Step{
		// The ledger has to know of the folders before they are made.
		{Name: "keep what is installed", Do: func(ctx context.Context, j *bootstrap.Journal) error {
			for _, dir := range []string{m.paths.Checkpoints, m.paths.Upgrade} {
				if err := j.Own(bootstrap.Share{Path: dir}); err != nil {
					return err
				}
			}
			held, err := u.Record.Hold()
			if err != nil {
				return err
			}
			release = held
			return u.Prepare(ctx, ledger.Mark())
		}},
		{Name: "keep the state", Do: func(ctx context.Context, _ *bootstrap.Journal) error { return u.Snapshot(ctx) }},
	}
	steps = append(steps, bootstrap.InstallPlan(m.upgradeDeps(plan.executable, w))...)
	steps = append(steps,
		bootstrap.Step{Name: "canary deploy", Do: func(ctx context.Context, j *bootstrap.Journal) error {
			return errors.Join(u.Verify(), m.canary(ctx, j.Note))
		}},
		bootstrap.Step{Name: "commit", Do: func(ctx context.Context, j *bootstrap.Journal) error {
			if err := m.awaitWell(ctx, w.patience, j.Note); err != nil {
				return err
			}
			return u.Commit()
		}})
	r := &bootstrap.Runner{
		Host: m.host, Ledger: ledger, Service: m.service, Progress: m.progress, Clock: time.Now, Before: 1, KeepFailed: true,
	}
	return r.Run(ctx, steps)
}

// upgradeDeps are those of the plan that installs the newer version.
func (m *machine) upgradeDeps(executable string, w *watcher) bootstrap.InstallDeps {
	deps := bootstrap.InstallDeps{
		Host: m.host, Service: m.service, Settings: m.settings, Executable: executable,
		Stage: bootstrap.Part{Name: "stage", Do: m.stage}, EngineFiles: m.engineFiles,
		NodeReady:  bootstrap.Part{Name: "node ready", Do: w.line(lineKubernetes)},
		Controller: &bootstrap.Part{Name: "controller healthy", Do: m.waitController(w)},
	}
	for _, c := range charts.List() {
		deps.Charts = append(deps.Charts, bootstrap.Part{Name: "chart " + c.Name, Do: w.line(c.Name)})
	}
	return deps
}

// upgradePatience is how long each part may take to become well.
func (m *machine) upgradePatience() time.Duration {
	d, err := time.ParseDuration(m.settingOr("SLIPWAY_UPGRADE_PATIENCE", "300") + "s")
	if err != nil { // checked when it was set
		return linePatience
	}
	return d
}

// canary has the server deploy an app of its own.
func (m *machine) canary(ctx context.Context, note func(string)) error {
	note("creating, deploying, asking and removing an app of the platform's own")
	body, err := lifecycle.Ask(ctx, socketFile(m.paths), "/canary")
	if err != nil {
		return err
	}
	text, err := readCanary(body)
	note(strings.TrimSpace(text))
	return err
}

// awaitWell waits until "slipway status" has nothing to complain of but that an
// upgrade is under way.
func (m *machine) awaitWell(ctx context.Context, patience time.Duration, note func(string)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		o, err := lookAround(ctx)
		var left []string
		for _, problem := range o.Problems {
			if !strings.HasPrefix(problem, lineUpgrade+" ") {
				left = append(left, problem)
			}
		}
		if err == nil && len(left) == 0 {
			return nil
		}
		if err == nil {
			err = errors.New(strings.Join(left, "; "))
		}
		note(err.Error())
		if wait := m.host.Wait(ctx, askEvery); wait != nil {
			return err
		}
	}
}

// giveUp goes back to the version before, after cause.
func (m *machine) giveUp(ctx context.Context, out io.Writer, u *upgrade.Upgrade, cause error) error {
	stopped := ctx.Err() != nil
	// What was begun has to be ended, also when the caller wants to leave.
	ctx = context.WithoutCancel(ctx)
	if errors.Is(cause, upgrade.ErrRunning) {
		return cause
	}
	if stopped {
		cause = fmt.Errorf("interrupted: %w", cause)
	}
	if u.State().Phase == upgrade.Committed {
		return fmt.Errorf("%s is installed and kept, but: %w", u.To.Slipway, cause)
	}
	if !u.Changed() {
		err := errors.Join(u.Abandon(cause), m.service.Start(ctx))
		return errors.Join(fmt.Errorf("%w\nNothing was changed; %s runs on", cause, u.From.Slipway), err)
	}
	fmt.Fprintf(out, "\n%s is not well here: %v\nBringing %s back.\n", u.To.Slipway, cause, u.From.Slipway)
	if err := m.back(ctx, u, cause.Error()); err != nil {
		return fmt.Errorf("%w\n%s is not back yet: run \"slipway upgrade\" again to go on, or start the service, which goes on too. Log: %s",
			errors.Join(cause, err), u.From.Slipway, m.service.Logs())
	}
	return fmt.Errorf("the upgrade to %s was taken back; %s runs as before, with its data. The reason: %w", u.To.Slipway, u.From.Slipway, cause)
}
