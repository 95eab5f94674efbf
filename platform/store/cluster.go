package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/slipway-paas/slipway/platform/control"
)

// AdoptCluster records uid as the cluster that the apps run on. When another
// was recorded before, every app gets the work of being made and applied on
// this one, in the same transaction; it returns how many apps those are.
func (s *Store) AdoptCluster(ctx context.Context, uid string) (apps int, err error) {
	err = s.tx(ctx, "store.AdoptCluster", "Cluster", func(tx *sql.Tx) error {
		var known string
		err := tx.QueryRowContext(ctx, `SELECT uid FROM cluster WHERE id = 1`).Scan(&known)
		if err != nil && !errors.Is(err, sql.ErrNoRows) || known == uid {
			return err
		}
		if known != "" {
			if apps, err = bringAll(ctx, tx); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO cluster (id, uid) VALUES (1, ?)
			ON CONFLICT (id) DO UPDATE SET uid = excluded.uid`, uid)
		return err
	})
	return apps, err
}

// bringAll adds the work of making and applying every app.
func bringAll(ctx context.Context, tx *sql.Tx) (apps int, err error) {
	for _, kind := range []control.WorkKind{control.WorkEnsure, control.WorkApply} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM work WHERE kind = ?`, string(kind)); err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO work (app, kind) SELECT id, ? FROM apps`, string(kind)); err != nil {
			return 0, err
		}
	}
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM apps`).Scan(&apps)
	return apps, err
}
