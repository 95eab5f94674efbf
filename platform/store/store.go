package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

var _ control.Store = (*Store)(nil)

// Store is an open database. Safe for concurrent use.
type Store struct {
	read  *sql.DB
	write *sql.DB // one connection: there is one writer, and here they queue fairly
	seal  sealer
	path  string       // SQLite's file; empty with PostgreSQL
	turn  atomic.Int64 // of Lead; 0: never
}

// Open opens a database and brings its schema up to date. location is a
// postgres:// URL or the path of an SQLite file, which is made with mode 0600
// when there is none. key has KeySize bytes and must be the one that the
// database was made with. Errors repeat nothing of a URL, which holds a password.
func Open(ctx context.Context, location string, key []byte) (*Store, error) {
	seal, err := newSealer(key)
	if err != nil {
		return nil, err
	}
	s := &Store{seal: seal}
	name, open := location, s.openLite
	if isPostgres(location) {
		name, open = "postgres", s.openPostgres
	}
	if err = open(ctx, location); err == nil {
		err = s.checkKey(ctx)
	}
	if err == nil {
		err = s.read.PingContext(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", name, err), s.Close())
	}
	return s, nil
}

const sealPlace, sealText = "seal", "slipway"

// checkKey seals a known text at the first start and opens it at every other.
func (s *Store) checkKey(ctx context.Context) error {
	return s.tx(ctx, "store.Open", "seal", func(tx *sql.Tx) error {
		var sealed []byte
		err := tx.QueryRowContext(ctx, `SELECT sealed FROM seal WHERE id = 1`).Scan(&sealed)
		if errors.Is(err, sql.ErrNoRows) {
			_, err = tx.ExecContext(ctx, `INSERT INTO seal (id, sealed) VALUES (1, ?)`, s.seal.seal(sealPlace, []byte(sealText)))
			return err
		}
		if err != nil {
			return err
		}
		if _, err := s.seal.open(sealPlace, sealed); err != nil {
			return errors.New("the secret key is not the one that this database was made with; restore the key file from a backup")
		}
		return nil
	})
}

// Close closes all connections. Idempotent.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Ping reports whether the database answers queries.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	return fault("store.Ping", "", s.read.QueryRowContext(ctx, `SELECT 1 FROM seal`).Scan(&n))
}

// tx runs f in a write transaction. what names the rows for error messages.
func (s *Store) tx(ctx context.Context, op, what string, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fault(op, what, err)
	}
	defer func() { _ = tx.Rollback() }() // no effect once committed
	if op != opLead {
		if err := s.checkTurn(ctx, tx); err != nil {
			return fault(op, what, err)
		}
	}
	if err := f(tx); err != nil {
		return fault(op, what, err)
	}
	return fault(op, what, tx.Commit())
}

// view runs f in a read transaction, so that all its queries see one state.
func (s *Store) view(ctx context.Context, op, what string, f func(*sql.Tx) error) error {
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return fault(op, what, err)
	}
	defer func() { _ = tx.Rollback() }() // nothing to lose
	return fault(op, what, f(tx))
}

// fault translates a database error: no row, a broken uniqueness rule, a
// database that can't be used just now, and all else.
func fault(op, what string, err error) error {
	var known *platform.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := &platform.Error{Code: platform.Internal, Op: op, Message: "An internal error occurred", Err: err}
	if errors.Is(err, sql.ErrNoRows) {
		e.Code, e.Message, e.Err = platform.NotFound, fmt.Sprintf("No %s matches the given query.", what), nil
		return e
	}
	code, reason := platform.Internal, ""
	var lite sqlite3.Error
	if errors.As(err, &lite) {
		code, reason = liteFault(lite)
	} else {
		code, reason = pgFault(err)
	}
	switch code {
	case platform.Conflict:
		e.Code, e.Message = code, fmt.Sprintf("%s already exists.", what)
	case platform.Unavailable:
		e.Code, e.Message = code, "The store can't be used just now: "+reason
	case platform.Invalid:
		e.Code, e.Message = code, reason
	}
	return e
}

// away is the error of a database that can't be used just now.
func away(reason string, err error) error {
	return &platform.Error{Code: platform.Unavailable, Op: "store", Message: "The store can't be used just now: " + reason, Err: err}
}

// page turns a Page into LIMIT and OFFSET.
func page(p control.Page) (limit, offset int) {
	limit = p.Limit
	if limit <= 0 {
		limit = 100
	}
	return min(limit, 1000), max(p.Offset, 0)
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// joinList writes ",a,b,", which LIKE '%,a,%' searches; splitList reads it.
func joinList(list []string) string {
	if len(list) == 0 {
		return ","
	}
	return "," + strings.Join(list, ",") + ","
}

func splitList(s string) []string {
	s = strings.Trim(s, ",")
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// rowScanner is one row of either kind of query.
type rowScanner interface{ Scan(dest ...any) error }

// collect scans all rows and closes them.
func collect[T any](rows *sql.Rows, err error, scan func(rowScanner) (T, error)) (list []T, failed error) {
	if err != nil {
		return nil, err
	}
	defer func() { failed = errors.Join(failed, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// one checks that a statement found its row.
func one(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return sql.ErrNoRows
	}
	return err
}
