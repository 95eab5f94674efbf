package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// opLead is the one write that needs no turn: it takes it.
const opLead = "store.Lead"

// Lead takes the turn to write for this Store: from now on the writes of every
// other Store on the same database that has called Lead are refused as
// Unavailable, also those of a server that stood still and does not know yet.
// holder is a name for people. A Store that has never called Lead writes
// unchecked: maintenance commands do, while no server runs.
func (s *Store) Lead(ctx context.Context, holder string) error {
	var turn int64
	err := s.tx(ctx, opLead, "leader", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `INSERT INTO leader (id, turn, holder, since) VALUES (1, 1, ?, ?)
			ON CONFLICT (id) DO UPDATE SET turn = leader.turn + 1, holder = excluded.holder, since = excluded.since
			RETURNING turn`, holder, micros(time.Now())).Scan(&turn)
	})
	if err == nil {
		s.turn.Store(turn)
	}
	return err
}

// checkTurn refuses a write transaction of a server whose turn is over. It reads
// under the writers' lock, so the answer holds until the transaction ends.
func (s *Store) checkTurn(ctx context.Context, tx *sql.Tx) error {
	mine := s.turn.Load()
	if mine == 0 {
		return nil
	}
	var turn int64
	var holder string
	err := tx.QueryRowContext(ctx, `SELECT turn, holder FROM leader WHERE id = 1`).Scan(&turn, &holder)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if turn == mine {
		return nil
	}
	return platform.Errorf(platform.Unavailable, "the controller of %s has taken over; try again in a moment", holder)
}

// Identity tells this database from others: it stays when the database is moved
// or restored, and no two that were made apart have the same. It tells nothing
// of what is inside.
func (s *Store) Identity(ctx context.Context) (string, error) {
	var sealed []byte
	err := s.read.QueryRowContext(ctx, `SELECT sealed FROM seal WHERE id = 1`).Scan(&sealed)
	if err != nil {
		return "", fault("store.Identity", "seal", err)
	}
	sum := sha256.Sum256(sealed)
	return hex.EncodeToString(sum[:8]), nil
}
