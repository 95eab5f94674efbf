package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/slipway-paas/slipway/platform/control"
)

// SetWorkspace gives an app to another workspace.
func (s *Store) SetWorkspace(ctx context.Context, app, workspace string, at time.Time) error {
	return s.tx(ctx, "store.SetWorkspace", "App", func(tx *sql.Tx) error {
		var number int64
		if err := tx.QueryRowContext(ctx, `SELECT number FROM workspaces WHERE id = ?`, workspace).Scan(&number); err != nil {
			return err
		}
		if err := one(tx.ExecContext(ctx, `UPDATE apps SET workspace = ?, updated = ? WHERE id = ?`, number, micros(at), app)); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: app, Object: "app", Action: "transfer", Created: at},
			map[string]any{"workspace": workspace})
	})
}
