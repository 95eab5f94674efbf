package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

var _ control.Store = (*Store)(nil)

// Store is an open database. Safe for concurrent use.
type Store struct {
	read  *sql.DB
	write *sql.DB // one connection: SQLite has one writer, and here they queue fairly
	seal  sealer
	path  string
}

const (
	readers     = 6
	busyTimeout = 5 * time.Second
)

// Open opens the database file at path, making it with mode 0600 when there is
// none, and brings its schema up to date. key has KeySize bytes and must be the
// one that the database was made with.
func Open(ctx context.Context, path string, key []byte) (*Store, error) {
	seal, err := newSealer(key)
	if err != nil {
		return nil, err
	}
	if err := makeFile(path); err != nil {
		return nil, fmt.Errorf("store %s: %w", path, err)
	}
	s := &Store{seal: seal}
	if err := s.open(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", path, err), s.Close())
	}
	return s, nil
}

func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func (s *Store) open(ctx context.Context, path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	s.path = abs
	if s.write, err = sql.Open("sqlite3", dsn(abs, false)); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return err
	}
	if err := migrate(ctx, s.write, abs, files); err != nil {
		return err
	}
	if err := s.checkKey(ctx); err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite3", dsn(abs, true)); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	return s.read.PingContext(ctx)
}

// dsn holds every pragma, because each new connection of a pool starts with
// SQLite's defaults. Writers take their lock at BEGIN: a transaction that reads
// first and writes later could otherwise fail half way as busy. A commit is on
// disk before it is acknowledged (synchronous FULL).
func dsn(path string, readOnly bool) string {
	q := url.Values{}
	q.Set("_journal_mode", "WAL")
	q.Set("_foreign_keys", "on")
	q.Set("_busy_timeout", fmt.Sprint(busyTimeout.Milliseconds()))
	q.Set("_synchronous", "FULL")
	if readOnly {
		q.Set("_query_only", "on")
	} else {
		q.Set("_txlock", "immediate")
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}

const sealPlace, sealText = "seal", "slipway"

// checkKey seals a known text at the first start and opens it at every other.
func (s *Store) checkKey(ctx context.Context) error {
	var sealed []byte
	err := s.write.QueryRowContext(ctx, `SELECT sealed FROM seal WHERE id = 1`).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = s.write.ExecContext(ctx, `INSERT INTO seal (id, sealed) VALUES (1, ?)`, s.seal.seal(sealPlace, []byte(sealText)))
		return err
	}
	if err != nil {
		return err
	}
	if _, err := s.seal.open(sealPlace, sealed); err != nil {
		return errors.New("the secret key is not the one that this database was made with; restore the key file from a backup")
	}
	return nil
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

// Backup writes a consistent copy to path, which must not exist. It has a
// connection of its own, so that changes go on meanwhile.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite3", dsn(s.path, false))
	if err != nil {
		return fault("store.Backup", "", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err = db.ExecContext(ctx, `VACUUM INTO ?`, path); err == nil {
		err = os.Chmod(path, 0o600)
	}
	return fault("store.Backup", "", err)
}

// tx runs f in a write transaction. what names the rows for error messages.
func (s *Store) tx(ctx context.Context, op, what string, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fault(op, what, err)
	}
	defer func() { _ = tx.Rollback() }() // no effect once committed
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
	var lite sqlite3.Error
	if !errors.As(err, &lite) {
		return e
	}
	switch {
	case lite.ExtendedCode == sqlite3.ErrConstraintUnique || lite.ExtendedCode == sqlite3.ErrConstraintPrimaryKey:
		e.Code, e.Message = platform.Conflict, fmt.Sprintf("%s already exists.", what)
	case lite.Code == sqlite3.ErrBusy || lite.Code == sqlite3.ErrLocked || lite.Code == sqlite3.ErrFull ||
		lite.Code == sqlite3.ErrIoErr || lite.Code == sqlite3.ErrInterrupt:
		e.Code, e.Message = platform.Unavailable, "The store can't be used just now: "+lite.Code.Error()
	}
	return e
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
