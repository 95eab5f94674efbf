package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform/control"
)

// OpenOutbox forgets what waits for other targets, and what happened before
// since while there was none. It writes only what has to change.
func (s *Store) OpenOutbox(ctx context.Context, targets []string, since time.Time) error {
	return s.tx(ctx, "store.OpenOutbox", "Delivery", func(tx *sql.Tx) error {
		where, args := ``, []any(nil)
		if len(targets) > 0 {
			where = ` WHERE target NOT IN (?` + strings.Repeat(`, ?`, len(targets)-1) + `)`
		}
		for _, t := range targets {
			args = append(args, t)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM deliveries`+where, args...); err != nil {
			return err
		}
		if len(targets) == 0 {
			_, err := tx.ExecContext(ctx, `UPDATE delivery_cursor SET active = FALSE WHERE id = 1 AND active`)
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE delivery_cursor SET active = TRUE, event = COALESCE(
			(SELECT id FROM events WHERE created < ? ORDER BY id DESC LIMIT 1), 0) WHERE id = 1 AND NOT active`, micros(since))
		return err
	})
}

// DeliveryCursor is the ID of the last event that was read for deploy hooks.
func (s *Store) DeliveryCursor(ctx context.Context) (cursor int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT event FROM delivery_cursor WHERE id = 1`).Scan(&cursor)
	return cursor, fault("store.DeliveryCursor", "Delivery", err)
}

// AddDeliveries adds list and moves the cursor, both or none.
func (s *Store) AddDeliveries(ctx context.Context, cursor int64, list []control.Delivery) error {
	return s.tx(ctx, "store.AddDeliveries", "Delivery", func(tx *sql.Tx) error {
		for _, d := range list {
			_, err := tx.ExecContext(ctx, `INSERT INTO deliveries (target, app, version, query, created) VALUES (?, ?, ?, ?, ?)`,
				d.Target, d.App, d.Version, d.Query, micros(d.Created))
			if err != nil {
				return err
			}
		}
		return one(tx.ExecContext(ctx, `UPDATE delivery_cursor SET event = ? WHERE id = 1`, cursor))
	})
}

// ListDeliveries lists the oldest deliveries of a target or of all.
func (s *Store) ListDeliveries(ctx context.Context, target string, limit int) ([]control.Delivery, error) {
	limit, _ = page(control.Page{Limit: limit})
	where, args := ``, []any(nil)
	if target != "" {
		where, args = ` WHERE target = ?`, []any{target}
	}
	rows, err := s.read.QueryContext(ctx, `SELECT id, target, app, version, query, attempts, created FROM deliveries`+where+` ORDER BY id LIMIT ?`,
		append(args, limit)...)
	list, err := collect(rows, err, func(row rowScanner) (d control.Delivery, err error) {
		var created int64
		err = row.Scan(&d.ID, &d.Target, &d.App, &d.Version, &d.Query, &d.Attempts, &created)
		d.Created = fromMicros(created)
		return d, err
	})
	return list, fault("store.ListDeliveries", "Delivery", err)
}

// TriedDelivery records one more attempt.
func (s *Store) TriedDelivery(ctx context.Context, id int64) error {
	return s.tx(ctx, "store.TriedDelivery", "Delivery", func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `UPDATE deliveries SET attempts = attempts + 1 WHERE id = ?`, id))
	})
}

// EndDelivery removes a delivery and appends the event that tells how it ended.
func (s *Store) EndDelivery(ctx context.Context, id int64, e control.Event) error {
	return s.tx(ctx, "store.EndDelivery", "Delivery", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `DELETE FROM deliveries WHERE id = ?`, id))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = insertEvent(ctx, tx, e)
		return err
	})
}
