package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/slipway-paas/slipway/platform"
)

const (
	liteReaders = 6
	busyTimeout = 5 * time.Second
)

// openLite opens the file at path, which it makes with mode 0600.
func (s *Store) openLite(ctx context.Context, path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := makeFile(abs); err != nil {
		return err
	}
	s.path = abs
	s.write = sql.OpenDB(liteConnector{liteDSN(abs, false)})
	s.write.SetMaxOpenConns(1)
	list, err := embeddedMigrations()
	if err != nil {
		return err
	}
	if err := migrateLite(ctx, s.write, abs, list); err != nil {
		return err
	}
	s.read = sql.OpenDB(liteConnector{liteDSN(abs, true)})
	s.read.SetMaxOpenConns(liteReaders)
	s.read.SetMaxIdleConns(liteReaders)
	return nil
}

// makeFile makes an empty file. One that exists is not opened: closing it would
// end the locks that SQLite holds on it in this process.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// liteDSN holds every pragma, because each new connection of a pool starts with
// SQLite's defaults. Writers take their lock at BEGIN: a transaction that reads
// first and writes later could otherwise fail half way as busy. A commit is on
// disk before it is acknowledged (synchronous FULL). LIKE minds case, as it
// does in PostgreSQL.
func liteDSN(path string, readOnly bool) string {
	q := url.Values{}
	q.Set("_journal_mode", "WAL")
	q.Set("_foreign_keys", "on")
	q.Set("_busy_timeout", fmt.Sprint(busyTimeout.Milliseconds()))
	q.Set("_synchronous", "FULL")
	q.Set("_case_sensitive_like", "on")
	if readOnly {
		q.Set("_query_only", "on")
	} else {
		q.Set("_txlock", "immediate")
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}

// migrateLite is migrate with a copy of a database that is to change, at
// <path>.before-<migration>.
func migrateLite(ctx context.Context, db *sql.DB, path string, list []migration) error {
	pending, err := pendingMigrations(ctx, db, list)
	if err != nil {
		return err
	}
	if len(pending) > 0 && len(pending) < len(list) {
		if err := backUp(ctx, db, path+".before-"+pending[0].name); err != nil {
			return fmt.Errorf("backup before migration: %w", err)
		}
	}
	return migrate(ctx, db, sqliteSQL, list)
}

func backUp(ctx context.Context, db *sql.DB, path string) error {
	// Left by an earlier try at the same migration.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := db.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return err
	}
	return os.Chmod(path, 0o600)
}

// Backup writes a consistent copy to path, which must not exist. It has a
// connection of its own, so that changes go on meanwhile. A PostgreSQL database
// is backed up with PostgreSQL's means; asking for it here is Unprocessable.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if s.path == "" {
		return platform.Errorf(platform.Unprocessable, "The database is PostgreSQL: back it up with pg_dump or your provider's backups.")
	}
	db, err := sql.Open("sqlite3", liteDSN(s.path, false))
	if err != nil {
		return fault("store.Backup", "", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err = db.ExecContext(ctx, `VACUUM INTO ?`, path); err == nil {
		err = os.Chmod(path, 0o600)
	}
	return fault("store.Backup", "", err)
}

// liteFault reads an error of SQLite.
func liteFault(lite sqlite3.Error) (platform.Code, string) {
	switch {
	case lite.ExtendedCode == sqlite3.ErrConstraintUnique || lite.ExtendedCode == sqlite3.ErrConstraintPrimaryKey:
		return platform.Conflict, ""
	case lite.Code == sqlite3.ErrBusy || lite.Code == sqlite3.ErrLocked || lite.Code == sqlite3.ErrFull ||
		lite.Code == sqlite3.ErrIoErr || lite.Code == sqlite3.ErrInterrupt:
		return platform.Unavailable, lite.Code.Error()
	}
	return platform.Internal, ""
}
