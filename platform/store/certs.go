package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// findLeaves reads the certificates that the domains of an app got by
// themselves, and the last tries to get some.
func findLeaves(ctx context.Context, tx *sql.Tx, number int64) (leaves []control.Leaf, tries []control.CertAttempt, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT l.domain, l.starts, l.expires, l.issuer FROM leaves l
		JOIN domains d ON d.name = l.domain WHERE d.app = ? ORDER BY l.domain`, number)
	leaves, err = collect(rows, err, func(row rowScanner) (l control.Leaf, err error) {
		var starts, expires int64
		err = row.Scan(&l.Domain, &starts, &expires, &l.Issuer)
		l.Starts, l.Expires = fromMicros(starts), fromMicros(expires)
		return l, err
	})
	if err != nil {
		return nil, nil, err
	}
	rows, err = tx.QueryContext(ctx, `SELECT t.domain, t.issuer, t.account, t.last_try, t.next_try, t.failures, t.problem, t.message
		FROM cert_attempts t JOIN domains d ON d.name = t.domain WHERE d.app = ? ORDER BY t.domain`, number)
	tries, err = collect(rows, err, func(row rowScanner) (a control.CertAttempt, err error) {
		var last, next int64
		err = row.Scan(&a.Domain, &a.Issuer, &a.Account, &last, &next, &a.Failures, &a.Problem, &a.Message)
		a.LastTry, a.NextTry = fromMicros(last), fromMicros(next)
		return a, err
	})
	return leaves, tries, err
}

// BeginCert records that a try begins, unless one began after seen.
func (s *Store) BeginCert(ctx context.Context, a control.CertAttempt, seen time.Time) error {
	return s.tx(ctx, "store.BeginCert", "Domain", func(tx *sql.Tx) error {
		var last int64
		err := tx.QueryRowContext(ctx, `SELECT last_try FROM cert_attempts WHERE domain = ?`, a.Domain).Scan(&last)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if last != micros(seen) {
			return platform.Errorf(platform.Conflict, "a try for %s has begun elsewhere", a.Domain)
		}
		return one(tx.ExecContext(ctx, `INSERT INTO cert_attempts (domain, issuer, account, last_try, next_try, failures, problem, message)
			SELECT name, ?, ?, ?, ?, ?, ?, ? FROM domains WHERE name = ?
			ON CONFLICT (domain) DO UPDATE SET issuer = excluded.issuer, account = excluded.account, last_try = excluded.last_try,
				next_try = excluded.next_try, failures = excluded.failures, problem = excluded.problem, message = excluded.message`,
			a.Issuer, a.Account, micros(a.LastTry), micros(a.NextTry), a.Failures, a.Problem, a.Message, a.Domain))
	})
}

// EndCert records how a try went, the certificate and an event.
func (s *Store) EndCert(ctx context.Context, a control.CertAttempt, got *control.Issued, e control.Event) error {
	return s.tx(ctx, "store.EndCert", "Domain", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `UPDATE cert_attempts SET next_try = ?, failures = ?, problem = ?, message = ? WHERE domain = ? AND last_try = ?`,
			micros(a.NextTry), a.Failures, a.Problem, a.Message, a.Domain, micros(a.LastTry)))
		if err == nil && got != nil {
			err = s.putLeaf(ctx, tx, got.Pair, got.Leaf)
		}
		if err != nil || e.Object == "" {
			return err
		}
		_, err = insertEvent(ctx, tx, e)
		return err
	})
}

// SaveHold replaces what is known of an account.
func (s *Store) SaveHold(ctx context.Context, h control.CertHold) error {
	return s.tx(ctx, "store.SaveHold", "Account", func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `INSERT INTO cert_holds (account, issuer, last_try, next_try, failures, problem, message) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (account) DO UPDATE SET issuer = excluded.issuer, last_try = excluded.last_try, next_try = excluded.next_try,
				failures = excluded.failures, problem = excluded.problem, message = excluded.message`,
			h.Account, h.Issuer, micros(h.LastTry), micros(h.NextTry), h.Failures, h.Problem, h.Message))
	})
}

// ListHolds lists what is known of accounts, by account.
func (s *Store) ListHolds(ctx context.Context) ([]control.CertHold, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT account, issuer, last_try, next_try, failures, problem, message FROM cert_holds ORDER BY account`)
	list, err := collect(rows, err, func(row rowScanner) (h control.CertHold, err error) {
		var last, next int64
		err = row.Scan(&h.Account, &h.Issuer, &last, &next, &h.Failures, &h.Problem, &h.Message)
		h.LastTry, h.NextTry = fromMicros(last), fromMicros(next)
		return h, err
	})
	return list, fault("store.ListHolds", "Account", err)
}
