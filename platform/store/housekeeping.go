package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// Compact gives back the room that deleted rows have left in an SQLite file,
// and empties its log. Writes wait meanwhile. A PostgreSQL database does this by
// itself; asking for it here is Unprocessable.
func (s *Store) Compact(ctx context.Context) (err error) {
	if s.path == "" {
		return platform.Errorf(platform.Unprocessable, "The database is PostgreSQL, which compacts itself (autovacuum).")
	}
	// A connection of its own: VACUUM holds the writers' one for too long to be
	// taken from it, and the busy timeout lets them wait.
	db, err := sql.Open("sqlite3", liteDSN(s.path, false))
	if err != nil {
		return fault("store.Compact", "", err)
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range []string{`VACUUM`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fault("store.Compact", "", err)
		}
	}
	return nil
}

// expiringMost bounds a list for people.
const expiringMost = 100

// ExpiringCerts lists uploaded certificates that end before a time, the first
// to end first; at most 100.
func (s *Store) ExpiringCerts(ctx context.Context, before time.Time) (list []platform.Cert, err error) {
	err = s.view(ctx, "store.ExpiringCerts", "Certificate", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+certColumns+certFrom+` WHERE c.expires < ? ORDER BY c.expires, c.id LIMIT ?`, micros(before), expiringMost)
		if list, err = collect(rows, err, scanCert); err != nil {
			return err
		}
		return addCertDomains(ctx, tx, list)
	})
	return list, err
}
