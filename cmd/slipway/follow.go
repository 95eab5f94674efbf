package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/follow"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/spf13/cobra"
)

// newFollowCmd is what an agent starts of its server's program. People have no
// need to.
func newFollowCmd() *cobra.Command {
	return &cobra.Command{
		Use:    "follow",
		Short:  "Take the place of this agent's program, when it is the server's",
		Hidden: true,
		Args:   noArgs,
		RunE:   func(c *cobra.Command, _ []string) error { return followServer(c.Context()) },
	}
}

// followServer installs this program on an agent, and goes back when the node
// is not well with it.
func followServer(ctx context.Context) (err error) {
	if !embedded.Available() {
		return embedded.ErrNoPayload
	}
	m, err := openMachine(nil, nil)
	if err != nil {
		return err
	}
	if m.settings.Role != bootstrap.RoleAgent {
		return errors.New("only agents follow a server: \"slipway upgrade\" brings a server to another version")
	}
	client, err := dialCluster(ctx, m.settings)
	if err != nil {
		return err
	}
	offer, err := m.askCluster(ctx, client)
	if err != nil {
		return err
	}
	to, executable, err := m.ownVersion()
	if err != nil {
		return err
	}
	if offer.Unsettled || offer.Binary.SHA256 != to.SHA256 {
		return fmt.Errorf("the server of this agent does not run this %s, or not for good yet: the agent asks it again by itself", to.Slipway)
	}
	if m, err = m.adopt(offer, nil); err != nil {
		return err
	}
	from, err := m.installed(ctx)
	if err != nil {
		return err
	}
	if from.SHA256 == to.SHA256 {
		return m.join(ctx, client) // it is in its place already and was not started
	}
	free, err := bootstrap.LockHost(m.host, m.paths)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, free()) }()
	ledger, err := bootstrap.OpenLedger(m.host, m.paths.Ledger, time.Now)
	if err != nil {
		return err
	}
	if !ledger.Installed() {
		return errors.New("slipway was uninstalled here meanwhile: nothing was changed")
	}
	change := &follow.Change{
		Upgrade: m.upgradeOf(from, to), Mark: ledger.Mark(),
		Check: func(ctx context.Context) error { return m.canCarry(ctx, executable) },
		Apply: func(ctx context.Context) error { return m.takePlace(ctx, ledger, executable) },
		Well:  m.nodeWell,
		Restart: func(ctx context.Context) error {
			return errors.Join(m.reloadUnits(ctx), m.service.Start(ctx))
		},
	}
	return change.Run(ctx)
}

// canCarry looks whether this host can carry this program.
func (m *machine) canCarry(ctx context.Context, executable string) error {
	need, free, err := m.diskFor(executable)
	if err != nil {
		return err
	}
	if free < need {
		return errDisk(m.paths.Lib, need, free)
	}
	return m.preflight(ctx, true)
}

// takePlace installs this program as a join does, and restarts the agent.
func (m *machine) takePlace(ctx context.Context, ledger *bootstrap.Ledger, executable string) error {
	w := m.nodeWatcher()
	r := &bootstrap.Runner{Host: m.host, Ledger: ledger, Service: m.service, Progress: m.progress, Clock: time.Now, KeepFailed: true}
	return r.Run(ctx, bootstrap.InstallPlan(m.joinDeps(executable, w)))
}

// nodeWatcher waits for the agent that is installed, and not for one that was
// started before its file was replaced.
func (m *machine) nodeWatcher() *watcher {
	w := newWatcher(socketFile(m.paths), m.host, m.service)
	w.patience = m.upgradePatience()
	w.fits = func(r lifecycle.Report) bool {
		p, err := m.process(r.PID)
		return err == nil && p.PID != 0 && !p.Deleted
	}
	return w
}

// steady is how long a node has to stay ready without a restart to be well.
const steady = 10 * time.Second

// nodeWell waits until this node is ready with the installed agent and stays so.
func (m *machine) nodeWell(ctx context.Context) error {
	w := m.nodeWatcher()
	ctx, cancel := context.WithTimeout(ctx, w.patience)
	defer cancel()
	for {
		if err := w.line(lineKubernetes)(ctx, m.progress.Note); err != nil {
			return err
		}
		before, err := m.readyPID(ctx)
		if err == nil {
			err = m.host.Wait(ctx, steady)
		}
		after, again := m.readyPID(ctx)
		if err = errors.Join(err, again); err == nil && before != 0 && before == after {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the node does not stay ready: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// readyPID is the process of the agent on whose board the node is ready; 0 when
// it is not.
func (m *machine) readyPID(ctx context.Context) (pid int, err error) {
	err = lifecycle.ReadReports(ctx, socketFile(m.paths), false, func(r lifecycle.Report) bool {
		for _, p := range r.Parts {
			if p.Name == lineKubernetes && p.State == lifecycle.Ready {
				pid = r.PID
			}
		}
		return true
	})
	return pid, err
}
