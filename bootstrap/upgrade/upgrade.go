package upgrade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/checkpoint"
)

// Reason is the checkpoints' reason.
const Reason = "upgrade"

// BinaryItem is the name of the item that holds the installed binary; it has to
// be among Fixed.
const BinaryItem = "binary"

// Platform is what is upgraded, as far as this package acts on it.
type Platform struct {
	// Stop ends the server; apps serve on. Nil inside a server that is only
	// just starting, and on an agent, which writes nothing that is kept.
	Stop func(ctx context.Context) error
	// Undo takes back the ledger's changes from mark on. What can't be undone is
	// told and is no reason to stop: the checkpoint brings back the rest.
	Undo func(ctx context.Context, mark int) error
	// Revision is how far Kubernetes' datastore has come; 0 when it is not
	// brought back by the checkpoint.
	Revision func(ctx context.Context) (int64, error)
	// Advance moves the datastore, just brought back, past a revision: who
	// watches it has seen that one and would not hear of anything older.
	Advance func(ctx context.Context, revision int64) error
	// Load brings back what items with a Save function hold.
	Load map[string]func(ctx context.Context, from string) error
}

// Upgrade is one of them, from the first record to the last.
type Upgrade struct {
	Record      Record
	Checkpoints string // folder
	From, To    Version
	// Fixed are files that are replaced and never written in place: binary and
	// payload. They are taken while the server still runs.
	Fixed []checkpoint.Item
	// Live is what the server writes; it is taken when it has stopped.
	Live     []checkpoint.Item
	Platform Platform
	Clock    func() time.Time
	Note     func(text string) // may be nil

	state State
	draft *checkpoint.Draft
}

// Prepare begins the record and takes what stands still. The server runs on.
func (u *Upgrade) Prepare(ctx context.Context, mark int) error {
	u.state = State{Phase: Preparing, From: u.From, To: u.To, Mark: mark, Began: u.Clock().UTC()}
	if err := u.Record.Write(u.state); err != nil {
		return err
	}
	if _, err := checkpoint.Prune(u.Checkpoints, Reason, 1); err != nil {
		return err
	}
	about := checkpoint.About{
		Reason: Reason, Slipway: u.From.Slipway, Kubernetes: u.From.Kubernetes,
		Note: fmt.Sprintf("before the upgrade from %s to %s", u.From.Slipway, u.To.Slipway),
	}
	var err error
	if u.draft, err = checkpoint.Begin(u.Checkpoints, about, u.Clock()); err != nil {
		return err
	}
	u.note("keeping the installed version")
	return u.draft.Take(ctx, u.Fixed...)
}

// Snapshot stops the server and takes the rest. When it returns well, the new
// version may be installed.
func (u *Upgrade) Snapshot(ctx context.Context) error {
	u.state.Phase = Stopping
	if err := u.Record.Write(u.state); err != nil {
		return err
	}
	if err := u.stop(ctx); err != nil {
		return err
	}
	u.note("keeping the platform's state")
	if err := u.draft.Take(ctx, u.Live...); err != nil {
		return err
	}
	c, err := u.draft.Complete()
	if err != nil {
		return err
	}
	u.state.Phase, u.state.Checkpoint = Applying, c.Dir
	return u.Record.Write(u.state)
}

func (u *Upgrade) stop(ctx context.Context) error {
	if u.Platform.Stop == nil {
		return nil
	}
	u.note("stopping the server; apps serve on")
	if err := u.Platform.Stop(ctx); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	return nil
}

// Verify records that the new version is installed and is being looked at.
func (u *Upgrade) Verify() error {
	u.state.Phase = Verifying
	return u.Record.Write(u.state)
}

// Commit ends the upgrade well. From here on it is kept whatever happens.
func (u *Upgrade) Commit() error {
	u.state.Phase, u.state.Ended = Committed, u.Clock().UTC()
	return u.Record.Write(u.state)
}

// Changed reports whether the installed binary may have been replaced, so that
// giving up means going back.
func (u *Upgrade) Changed() bool { return u.state.Phase == Applying || u.state.Phase == Verifying }

// Abandon ends an upgrade that has changed nothing. Starting the server again is
// the caller's. One that was not begun leaves the record, which is of the last.
func (u *Upgrade) Abandon(reason error) error {
	if u.state.Phase == "" {
		return nil
	}
	u.state.Phase, u.state.Ended, u.state.Reason = RolledBack, u.Clock().UTC(), reason.Error()
	err := u.Record.Write(u.state)
	if u.draft != nil {
		err = errors.Join(err, u.draft.Discard())
	}
	return err
}

// Resume takes over the upgrade of the record: one that was cut off, or, to
// take it back after all, one that was committed.
func (u *Upgrade) Resume() (State, error) {
	var err error
	if u.state, err = u.Record.Read(); err == nil {
		u.From, u.To = u.state.From, u.state.To
	}
	return u.state, err
}

// Back brings the version before back, with its data. Called again after it was
// killed anywhere, it ends the same. Starting the server is the caller's. When
// the checkpoint is damaged nothing is changed, the new version stays, and the
// error is checkpoint.ErrDamaged.
func (u *Upgrade) Back(ctx context.Context, reason string) error {
	first := u.state.Phase != RollingBack
	if first && u.state.Checkpoint == "" {
		return errors.New("there is no checkpoint to go back to")
	}
	if err := u.stop(ctx); err != nil {
		return err
	}
	c, err := checkpoint.Open(u.state.Checkpoint)
	if err == nil {
		err = c.Verify(ctx)
	}
	if err != nil {
		return u.strand(first, err)
	}
	if first {
		if err := u.beginBack(ctx, reason); err != nil {
			return err
		}
	}
	if err := u.restore(ctx, c); err != nil {
		return err
	}
	u.state.Phase, u.state.Ended = RolledBack, u.Clock().UTC()
	return u.Record.Write(u.state)
}

// beginBack records that the way back has begun, with what only the data of
// before can tell.
func (u *Upgrade) beginBack(ctx context.Context, reason string) error {
	revision, err := u.Platform.Revision(ctx)
	if err != nil {
		u.note("the datastore of the new version can't be read: " + err.Error())
	}
	u.state.Phase, u.state.Reason, u.state.Revision = RollingBack, reason, revision
	return u.Record.Write(u.state)
}

// strand keeps the new version when there is nothing to go back to. On a way
// back that had begun, the damage is for people to mend.
func (u *Upgrade) strand(first bool, cause error) error {
	if !first || !(errors.Is(cause, checkpoint.ErrDamaged) || errors.Is(cause, os.ErrNotExist)) {
		return cause
	}
	u.state.Phase, u.state.Ended, u.state.Reason = Stranded, u.Clock().UTC(), cause.Error()
	return errors.Join(cause, u.Record.Write(u.state))
}

// restore brings everything back, the binary last.
func (u *Upgrade) restore(ctx context.Context, c checkpoint.Checkpoint) error {
	if err := u.Platform.Undo(ctx, u.state.Mark); err != nil {
		u.note("not undone: " + err.Error())
	}
	var data []string
	for _, e := range c.Manifest.Entries {
		if e.Name != BinaryItem {
			data = append(data, e.Name)
		}
	}
	if err := c.Restore(ctx, checkpoint.Restoring{Only: data, Load: u.Platform.Load, Note: u.Note}); err != nil {
		return err
	}
	if u.state.Revision > 0 {
		if err := u.Platform.Advance(ctx, u.state.Revision); err != nil {
			return err
		}
	}
	return c.Restore(ctx, checkpoint.Restoring{Only: []string{BinaryItem}, Note: u.Note})
}

// State is the record as this program last wrote it.
func (u *Upgrade) State() State { return u.state }

func (u *Upgrade) note(text string) {
	if u.Note != nil {
		u.Note(text)
	}
}
