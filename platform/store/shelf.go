package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// What an ACME client remembers: platform/edge.Shelf. All values are sealed,
// since keys are among them.

func shelfPlace(name string) string { return "shelf/" + name }

// PutItem keeps a value under a name, in place of what was there.
func (s *Store) PutItem(ctx context.Context, name string, value []byte, at time.Time) error {
	return s.tx(ctx, "store.PutItem", "Item", func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `INSERT INTO shelf (name, sealed, size, modified) VALUES (?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, size = excluded.size, modified = excluded.modified`,
			name, s.seal.seal(shelfPlace(name), value), len(value), micros(at)))
	})
}

// FindItem returns a value and when it was put.
func (s *Store) FindItem(ctx context.Context, name string) (value []byte, at time.Time, err error) {
	var sealed []byte
	var modified int64
	err = s.read.QueryRowContext(ctx, `SELECT sealed, modified FROM shelf WHERE name = ?`, name).Scan(&sealed, &modified)
	if err == nil {
		value, err = s.seal.open(shelfPlace(name), sealed)
	}
	return value, fromMicros(modified), fault("store.FindItem", "Item", err)
}

// ListItems lists the names below a name, in order.
func (s *Store) ListItems(ctx context.Context, below string) ([]string, error) {
	from, to := below+"/", below+"0" // the character after a slash
	rows, err := s.read.QueryContext(ctx, `SELECT name FROM shelf WHERE name >= ? AND name < ? ORDER BY name`, from, to)
	list, err := collect(rows, err, func(row rowScanner) (name string, err error) { err = row.Scan(&name); return name, err })
	return list, fault("store.ListItems", "Item", err)
}

// DeleteItems removes a name and all below it; none is no error.
func (s *Store) DeleteItems(ctx context.Context, name string) error {
	return s.tx(ctx, "store.DeleteItems", "Item", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM shelf WHERE name = ?`, name)
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM shelf WHERE name >= ? AND name < ?`, name+"/", name+"0")
		}
		return err
	})
}

// TakeLock gives owner the lock until some time, or more time when it has the
// lock. False when somebody else has it and its time is not over.
func (s *Store) TakeLock(ctx context.Context, name, owner string, now, until time.Time) (taken bool, err error) {
	err = s.tx(ctx, "store.TakeLock", "Lock", func(tx *sql.Tx) error {
		var has string
		var expires int64
		err := tx.QueryRowContext(ctx, `SELECT owner, expires FROM shelf_locks WHERE name = ?`, name).Scan(&has, &expires)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil && has != owner && micros(now) < expires {
			return nil
		}
		taken = true
		return one(tx.ExecContext(ctx, `INSERT INTO shelf_locks (name, owner, expires) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires = excluded.expires`, name, owner, micros(until)))
	})
	return taken && err == nil, err
}

// FreeLock gives a lock back; one that is somebody else's by now stays.
func (s *Store) FreeLock(ctx context.Context, name, owner string) error {
	return s.tx(ctx, "store.FreeLock", "Lock", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM shelf_locks WHERE name = ? AND owner = ?`, name, owner)
		return err
	})
}
