// Package kine reads and moves the revision of a stopped k3s's SQLite
// datastore.
//
// Whoever watches Kubernetes goes on from the last revision it has seen. When a
// datastore is brought back from a copy, its revisions begin again where the
// copy was made, and a watcher that has seen later ones hears of nothing until
// they are passed: the gateway would not learn of new pods for as long. So the
// datastore is moved past what anybody can have seen, as etcd does with
// "snapshot restore --bump-revision"; a watcher is then told that its revision
// is too old, and reads everything anew.
package kine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	_ "github.com/mattn/go-sqlite3" // the driver
)

// beyond is how far past a revision the datastore is moved: what a server wrote
// in its last moments may not have been seen when the revision was read.
const beyond = 1000

// File is the datastore of the server whose data folder is given.
func File(dataDir string) string { return filepath.Join(dataDir, "server", "db", "state.db") }

// Revision is how far the datastore has come; 0 when there is no such file.
func Revision(ctx context.Context, file string) (revision int64, err error) {
	err = with(file, "ro", func(db *sql.DB) error {
		return db.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), 0) FROM kine`).Scan(&revision)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return revision, err
}

// Advance moves the datastore past the revision, by the kind of row that kine
// itself fills gaps with; kine's compaction removes it. One that is further
// already stays as it is.
func Advance(ctx context.Context, file string, revision int64) error {
	return with(file, "rw", func(db *sql.DB) error {
		var now int64
		if err := db.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), 0) FROM kine`).Scan(&now); err != nil {
			return err
		}
		target := revision + beyond
		if now >= target {
			return nil
		}
		_, err := db.ExecContext(ctx, `INSERT INTO kine (id, name, created, deleted, create_revision, prev_revision, lease, value, old_value)
			VALUES (?, ?, 0, 1, 0, 0, 0, NULL, NULL)`, target, fmt.Sprintf("gap-%d", target))
		return err
	})
}

func with(file, mode string, f func(*sql.DB) error) (err error) {
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("datastore of Kubernetes: %w", err)
	}
	q := url.Values{"mode": {mode}, "_busy_timeout": {"5000"}, "_synchronous": {"FULL"}}
	db, err := sql.Open("sqlite3", (&url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: q.Encode()}).String())
	if err == nil {
		err = errors.Join(f(db), db.Close())
	}
	if err != nil {
		return fmt.Errorf("datastore of Kubernetes %s: %w", file, err)
	}
	return nil
}

// Compact gives back the room that deleted rows have left, when at least half
// of the file and least bytes of it are free, or its log is that large. The
// datastore must not be in use: k3s would wait for as long. It reports whether
// there was something to do; an absent file is none.
func Compact(ctx context.Context, file string, least int64) (done bool, err error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	err = with(file, "rw", func(db *sql.DB) error {
		db.SetMaxOpenConns(1)
		var page, pages, free int64
		for pragma, into := range map[string]*int64{"page_size": &page, "page_count": &pages, "freelist_count": &free} {
			if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(into); err != nil {
				return err
			}
		}
		log := int64(0)
		if info, err := os.Stat(file + "-wal"); err == nil {
			log = info.Size()
		}
		if (free*page < least || free*2 < pages) && log < least {
			return nil
		}
		done = true
		for _, statement := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	return done, err
}
