package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/slipway-paas/slipway/bootstrap/checkpoint"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/gitssh"
)

// lineUpgrade is on the board only while an upgrade looks at the server.
const lineUpgrade = "upgrade"

// upgradeLook is how often the server looks how the upgrade goes on.
const upgradeLook = time.Second

// heldBack is what users are told whose changes are not taken.
const heldBack = "The platform is being upgraded: apps serve on, changes are taken again in a moment. Try again soon."

// unfinishedUpgrade decides, before anything else of this version runs, what
// becomes of an upgrade that is not finished. It brings the version before back
// when the upgrade was cut off; then the error says so, and the service manager
// starts that version. The version that looks at this server is returned, empty
// when none does.
func unfinishedUpgrade(ctx context.Context, log *logrus.Logger) (looking string, err error) {
	m, err := openMachine(nil, nil)
	if err != nil {
		return "", err
	}
	record := upgrade.Record{Dir: m.paths.Upgrade}
	verdict, state, err := record.AtBoot(func() (string, error) { return m.host.Hash(m.paths.Binary) }, time.Now())
	if err != nil {
		return "", err
	}
	switch verdict {
	case upgrade.HoldChanges:
		return state.To.Slipway, nil
	case upgrade.GoBack:
		log.WithField("to", state.To.Slipway).Warn("an upgrade was cut off: bringing back " + state.From.Slipway)
		return "", m.bringBack(ctx, log)
	}
	return "", nil
}

// holdChanges takes no changes while an upgrade to a version looks at the server.
func (s *server) holdChanges(looking string) {
	if looking == "" {
		return
	}
	s.upgrading.Store(true)
	s.board.Set(lineUpgrade, lifecycle.Working, "to "+looking+": changes are held back until it is known to be well")
}

// bringBack rolls an upgrade back from inside the service.
func (m *machine) bringBack(ctx context.Context, log *logrus.Logger) error {
	release, err := upgrade.Record{Dir: m.paths.Upgrade}.Hold()
	if err != nil {
		return err
	}
	defer func() { _ = release() }() // the process ends, and the hold with it
	u := m.upgradeOf(upgrade.Version{}, upgrade.Version{})
	u.Platform.Stop = nil // this is the server
	u.Note = func(text string) { log.Info("upgrade: " + text) }
	state, err := u.Resume()
	if err != nil {
		return err
	}
	err = u.Back(ctx, upgrade.CutOff)
	if errors.Is(err, checkpoint.ErrDamaged) && u.State().Phase == upgrade.Stranded {
		log.WithError(err).Errorf("%s can't be brought back; %s goes on", state.From.Slipway, state.To.Slipway)
		return nil
	}
	if err != nil {
		return fmt.Errorf("bring back %s: %w", state.From.Slipway, err)
	}
	if err := m.reloadUnits(ctx); err != nil {
		log.WithError(err).Warn("the service manager may use the newer unit until the next boot")
	}
	return fmt.Errorf("the upgrade to %s was cut off; %s is back and is started now", state.To.Slipway, state.From.Slipway)
}

// reloadUnits has systemd read a unit file that was put back.
func (m *machine) reloadUnits(ctx context.Context) error {
	if m.service.Manager() != host.ManagerSystemd {
		return nil
	}
	_, err := m.host.Run(ctx, host.Command{Name: "systemctl", Args: []string{"daemon-reload"}})
	return err
}

// watchUpgrade takes changes again once the upgrade is committed. When the
// upgrade's program is gone the error ends the server: the next one brings the
// version before back.
func (s *server) watchUpgrade(ctx context.Context) error {
	if !s.upgrading.Load() {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(upgradeLook)
	defer tick.Stop()
	err := upgrade.Record{Dir: s.paths.Upgrade}.Watch(ctx, tick.C)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	s.upgrading.Store(false)
	s.board.Set(lineUpgrade, lifecycle.Ready, "")
	s.log.Info("the upgrade is committed: changes are taken again")
	<-ctx.Done()
	return nil
}

// held is why changes are not taken just now; empty when they are.
func (s *server) held() string {
	if s.upgrading.Load() {
		return heldBack
	}
	return ""
}

// heldPushes refuses pushes while changes are held back.
type heldPushes struct {
	gitssh.Control
	held func() string
}

// PushSource implements gitssh.Control.
func (h heldPushes) PushSource(ctx context.Context, username, app string, s control.Source, log io.Writer) (platform.Release, error) {
	if why := h.held(); why != "" {
		return platform.Release{}, platform.Errorf(platform.Unavailable, "%s", why)
	}
	return h.Control.PushSource(ctx, username, app, s, log)
}

// pruneCheckpoints removes what an upgrade kept, once nobody goes back any more.
func (s *server) pruneCheckpoints(ctx context.Context) error {
	const every = time.Hour
	keep := time.Duration(s.number("SLIPWAY_UPGRADE_KEEP", 7)) * 24 * time.Hour
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := s.pruneOld(time.Now().Add(-keep)); err != nil {
			s.log.WithError(err).Warn("old checkpoints")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *server) pruneOld(before time.Time) error {
	state, err := upgrade.Record{Dir: s.paths.Upgrade}.Read()
	if err != nil || !state.Phase.Ended() {
		return err
	}
	all, err := checkpoint.List(s.paths.Checkpoints)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, c := range all {
		if c.Manifest.Reason == upgrade.Reason && c.Manifest.Taken.Before(before) {
			err = errors.Join(err, c.Remove())
		}
	}
	return err
}
