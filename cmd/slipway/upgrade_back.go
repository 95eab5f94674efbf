package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/checkpoint"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
	"github.com/slipway-paas/slipway/charts"
)

// back brings the version before back, starts it and waits until it is well.
func (m *machine) back(ctx context.Context, u *upgrade.Upgrade, reason string) error {
	began := time.Now()
	m.progress.Begin(1, 2, "bring back "+u.From.Slipway)
	release, err := u.Record.Hold()
	if err != nil {
		m.progress.Fail(time.Since(began))
		return err
	}
	err = u.Back(ctx, reason)
	if errors.Is(err, checkpoint.ErrDamaged) && u.State().Phase == upgrade.Stranded {
		// The newer version is all there is.
		err = errors.Join(err, m.service.Start(ctx))
	}
	if err == nil {
		err = errors.Join(m.reloadUnits(ctx), m.service.Start(ctx))
	}
	if err = errors.Join(err, release()); err != nil {
		m.progress.Fail(time.Since(began))
		return err
	}
	m.progress.End(time.Since(began), false)
	return m.awaitOld(ctx, u.From.Slipway)
}

// awaitOld waits for the parts of the version before, which are those that its
// own installation waited for.
func (m *machine) awaitOld(ctx context.Context, name string) error {
	began := time.Now()
	m.progress.Begin(2, 2, name+" is well")
	w := newWatcher(socketFile(m.paths), m.host, m.service)
	err := w.line(lineKubernetes)(ctx, m.progress.Note)
	for _, c := range charts.List() {
		if err == nil {
			err = w.line(c.Name)(ctx, m.progress.Note)
		}
	}
	if err == nil {
		err = m.waitController(w)(ctx, m.progress.Note)
	}
	if err != nil {
		m.progress.Fail(time.Since(began))
		return fmt.Errorf("%s is back and runs, but is not well: %w", name, err)
	}
	m.progress.End(time.Since(began), false)
	return nil
}

// finishCutOff brings an upgrade to its end that was cut off.
func (m *machine) finishCutOff(ctx context.Context, out io.Writer, record upgrade.Record) error {
	verdict, state, err := record.AtBoot(func() (string, error) { return m.host.Hash(m.paths.Binary) }, time.Now())
	if err != nil || verdict == upgrade.Serve {
		return err
	}
	if verdict == upgrade.HoldChanges {
		return upgrade.ErrRunning
	}
	fmt.Fprintf(out, "The upgrade to %s was cut off. Bringing %s back first.\n", state.To.Slipway, state.From.Slipway)
	u := m.upgradeOf(state.From, state.To)
	if _, err := u.Resume(); err != nil {
		return err
	}
	return m.back(ctx, u, upgrade.CutOff)
}

// rollBack takes a committed upgrade back.
func (m *machine) rollBack(ctx context.Context, out io.Writer, yes bool) (err error) {
	free, err := bootstrap.LockHost(m.host, m.paths)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, free()) }()
	record := upgrade.Record{Dir: m.paths.Upgrade}
	if state, err := record.Read(); err == nil && !state.Phase.Ended() {
		return m.finishCutOff(ctx, out, record)
	}
	u := m.upgradeOf(upgrade.Version{}, upgrade.Version{})
	state, err := u.Resume()
	if err != nil {
		return err
	}
	kept, err := checkpoint.Open(state.Checkpoint)
	if state.Phase != upgrade.Committed || errors.Is(err, fs.ErrNotExist) || errors.Is(err, checkpoint.ErrIncomplete) {
		return errNothingKept(state)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, `This brings back %s as it was at %s, with its database: apps, releases,
users and settings that were made or changed since then are lost. Data in
volumes, pushed images and git repositories stay as they are now.
`, state.From.Slipway, kept.Manifest.Taken.Local().Format(time.RFC1123))
	if !yes && !goingBack() {
		return errors.New("nothing was changed; give --yes to go back")
	}
	if err := m.back(context.WithoutCancel(ctx), u, "asked for"); err != nil {
		return fmt.Errorf("%w\nRun \"slipway upgrade --rollback\" again to go on. Log: %s", err, m.service.Logs())
	}
	_, err = fmt.Fprintf(out, "%s runs again, as it was before the upgrade to %s.\n", state.From.Slipway, state.To.Slipway)
	return err
}
