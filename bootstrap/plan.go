package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Step is one part of a plan.
type Step struct {
	// Name identifies the step in the ledger and on the screen: "node ready".
	Name string
	// Done looks whether the host is already as the step would leave it; it
	// changes nothing. Without it the step always runs.
	Done func(ctx context.Context) (bool, error)
	// Do makes it so, changing the host through the journal only. It may find
	// its work half done by an earlier run.
	Do func(ctx context.Context, j *Journal) error
	// Undo, when set, undoes what the journal does not know of, such as objects
	// in the cluster. It runs when Do failed, before the journal is undone.
	Undo func(ctx context.Context) error
}

// StepError says which step of a plan failed.
type StepError struct {
	Step string
	Err  error // the cause
	Undo error // what could not be undone, nil when all was
}

// Error implements error.
func (e *StepError) Error() string {
	if e.Undo != nil {
		return fmt.Sprintf("%s: %v (undoing it: %v)", e.Step, e.Err, e.Undo)
	}
	return fmt.Sprintf("%s: %v", e.Step, e.Err)
}

// Unwrap returns both causes.
func (e *StepError) Unwrap() []error {
	if e.Undo == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Undo}
}

// Runner carries out plans on a host.
type Runner struct {
	Host     host.Host
	Ledger   *Ledger
	Service  host.Service // to undo a ChangeService
	Progress Progress
	Clock    func() time.Time

	// Before is how many lines of progress came before this plan's, After how
	// many will come after them.
	Before, After int
	// KeepFailed leaves what a failed step did, for a caller who takes back the
	// whole plan.
	KeepFailed bool
}

// undoTime bounds the undoing of a failed step. It has a context of its own:
// the plan's may have been cancelled, which is why the step failed.
const undoTime = 3 * time.Minute

// Run carries out the steps in order and stops at the first that fails, which
// it undoes; finished steps stay. Steps that are done already are skipped, so a
// second Run goes on where the first ended, however it ended.
func (r *Runner) Run(ctx context.Context, steps []Step) error {
	if err := r.Ledger.prepare(); err != nil {
		return err
	}
	for i, s := range steps {
		began := r.Clock()
		r.Progress.Begin(r.Before+i+1, r.Before+len(steps)+r.After, s.Name)
		skipped, err := r.step(ctx, s)
		took := r.Clock().Sub(began)
		if err != nil {
			r.Progress.Fail(took)
			return err
		}
		r.Progress.End(took, skipped)
	}
	return nil
}

func (r *Runner) step(ctx context.Context, s Step) (skipped bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, &StepError{Step: s.Name, Err: err}
	}
	// A step that was cut off runs again even if it looks done: its last
	// changes may not be recorded as made.
	if s.Done != nil && !r.Ledger.interrupted(s.Name) {
		done, err := s.Done(ctx)
		if err != nil {
			return false, &StepError{Step: s.Name, Err: err}
		}
		if done {
			return true, nil
		}
	}
	if err := r.Ledger.write(record{Event: eventStep, Step: s.Name}); err != nil {
		return false, &StepError{Step: s.Name, Err: err}
	}
	j := &Journal{host: r.Host, ledger: r.Ledger, step: s.Name, note: r.Progress.Note}
	err = s.Do(ctx, j)
	if err == nil {
		err = r.finish(s.Name)
	}
	if err != nil && r.KeepFailed {
		return false, &StepError{Step: s.Name, Err: err}
	}
	if err != nil {
		return false, &StepError{Step: s.Name, Err: err, Undo: r.undo(ctx, s)}
	}
	return false, nil
}

func (r *Runner) finish(step string) error {
	if err := r.Ledger.fold(step); err != nil {
		return err
	}
	return r.Ledger.write(record{Event: eventStepDone, Step: step})
}

// undo takes back what a failed step did, the latest first. It goes on past
// failures.
func (r *Runner) undo(ctx context.Context, s Step) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	var errs []error
	if s.Undo != nil {
		errs = append(errs, s.Undo(ctx))
	}
	u := &undoer{host: r.Host, ledger: r.Ledger, service: r.Service}
	for _, c := range r.Ledger.stepChanges(s.Name) {
		errs = append(errs, u.undo(ctx, c))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return r.Ledger.write(record{Event: eventStepFail, Step: s.Name})
}
