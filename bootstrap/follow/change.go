package follow

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-paas/slipway/bootstrap/upgrade"
)

// Change is the side of the server's program: it takes the place of the
// installed one, for good only when the node is well with it.
type Change struct {
	Upgrade *upgrade.Upgrade
	Mark    int // first ledger entry of what is changed
	// Check looks whether the host can carry this program, before anything is
	// changed.
	Check func(ctx context.Context) error
	// Apply installs this program and restarts the agent.
	Apply func(ctx context.Context) error
	// Well waits until the node is well with what is installed.
	Well func(ctx context.Context) error
	// Restart starts the agent that is installed.
	Restart func(ctx context.Context) error
}

// Run does it. An error says what runs now, and why.
func (c *Change) Run(ctx context.Context) (err error) {
	release, err := c.Upgrade.Record.Hold()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := c.forward(ctx); err != nil {
		// What was begun is ended, also when this program is asked to end.
		return c.giveUp(context.WithoutCancel(ctx), err)
	}
	return c.Upgrade.Commit()
}

func (c *Change) forward(ctx context.Context) error {
	if err := c.Upgrade.Prepare(ctx, c.Mark); err != nil {
		return err
	}
	if err := c.Check(ctx); err != nil {
		return err
	}
	if err := c.Upgrade.Snapshot(ctx); err != nil {
		return err
	}
	if err := c.Apply(ctx); err != nil {
		return err
	}
	if err := c.Upgrade.Verify(); err != nil {
		return err
	}
	return c.Well(ctx)
}

// giveUp leaves the program before in its place, or brings it back.
func (c *Change) giveUp(ctx context.Context, cause error) error {
	was := c.Upgrade.From.Slipway
	if !c.Upgrade.Changed() {
		return errors.Join(fmt.Errorf("%w (nothing was changed; %s runs on)", cause, was), c.Upgrade.Abandon(cause))
	}
	if err := c.Upgrade.Back(ctx, cause.Error()); err != nil {
		// The agent that starts goes on with it.
		return errors.Join(cause, fmt.Errorf("%s is not back yet: %w", was, err), c.Restart(ctx))
	}
	if err := c.Restart(ctx); err != nil {
		return errors.Join(cause, fmt.Errorf("%s is back and can't be started: %w", was, err))
	}
	if err := c.Well(ctx); err != nil {
		return errors.Join(cause, fmt.Errorf("%s is back and not well either: %w", was, err))
	}
	return fmt.Errorf("%s runs again, because of: %w", was, cause)
}
