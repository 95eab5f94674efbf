package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// UndoSince takes back the changes recorded since Ledger.Mark said mark, the
// latest first, but nothing at or below the places to keep. It goes on past
// failures and returns them joined. What the changes of a finished step did to
// files that were ours before is not known to the ledger any more: who calls
// this brings those back.
func UndoSince(ctx context.Context, h host.Host, s host.Service, dir string, mark int, keep []string, clock func() time.Time) error {
	ledger, err := OpenLedger(h, dir, clock)
	if err != nil {
		return err
	}
	u := &undoer{host: h, ledger: ledger, service: s, keep: keep}
	var errs []error
	changes := ledger.Changes()
	for i := len(changes) - 1; i >= 0 && changes[i].ID >= mark; i-- {
		if err := ctx.Err(); err != nil {
			return errors.Join(append(errs, err)...)
		}
		if err := u.undo(ctx, changes[i]); err != nil {
			errs = append(errs, fmt.Errorf("ledger entry %d: %w", changes[i].ID, err))
		}
	}
	return errors.Join(errs...)
}
