package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

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
			if apps, err = addForAll(ctx, tx, control.WorkEnsure, control.WorkApply); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO cluster (id, uid) VALUES (1, ?)
			ON CONFLICT (id) DO UPDATE SET uid = excluded.uid`, uid)
		return err
	})
	return apps, err
}

// addForAll adds work of the given kinds for every app.
func addForAll(ctx context.Context, tx *sql.Tx, kinds ...control.WorkKind) (apps int, err error) {
	for _, kind := range kinds {
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

// domainItem is the shelf's place of the domain below which the apps are.
const domainItem = "platform/domain"

// AdoptDomain records the domain below which the apps are. When another was
// recorded before it adds the work of showing every app to the outside, all in
// one transaction, and returns how many apps there are.
func (s *Store) AdoptDomain(ctx context.Context, domain string) (apps int, err error) {
	err = s.tx(ctx, "store.AdoptDomain", "Domain", func(tx *sql.Tx) error {
		var sealed, known []byte
		err := tx.QueryRowContext(ctx, `SELECT sealed FROM shelf WHERE name = ?`, domainItem).Scan(&sealed)
		if err == nil {
			known, err = s.seal.open(shelfPlace(domainItem), sealed)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) || string(known) == domain {
			return err
		}
		if len(known) > 0 {
			if apps, err = addForAll(ctx, tx, control.WorkEdge); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO shelf (name, sealed, size, modified) VALUES (?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, size = excluded.size, modified = excluded.modified`,
			domainItem, s.seal.seal(shelfPlace(domainItem), []byte(domain)), len(domain), micros(time.Now()))
		return err
	})
	return apps, err
}
