package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

//go:embed migrations/*.sql
var embedded embed.FS

type migration struct{ name, checksum, text string }

// loadMigrations reads the files of dir in order of their numbers.
func loadMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var list []migration
	for i, name := range names {
		if want := fmt.Sprintf("%04d_", i+1); len(name) < 5 || name[:5] != want {
			return nil, fmt.Errorf("migration %s: expected number %s", name, want[:4])
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		list = append(list, migration{name: name, checksum: hex.EncodeToString(sum[:]), text: string(text)})
	}
	return list, nil
}

func embeddedMigrations() ([]migration, error) {
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return nil, err
	}
	return loadMigrations(files)
}

// migrate brings the schema up to date, in one transaction. It refuses a
// database whose applied migrations were edited or are not known here.
func migrate(ctx context.Context, db *sql.DB, d dialect, list []migration) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // no effect once committed
	pending, err := findPending(ctx, tx, list)
	if err != nil {
		return err
	}
	for _, m := range pending {
		if err := applyMigration(ctx, tx, d, m); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	return tx.Commit()
}

// pendingMigrations lists what migrate would apply.
func pendingMigrations(ctx context.Context, db *sql.DB, list []migration) ([]migration, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // nothing to keep
	return findPending(ctx, tx, list)
}

func findPending(ctx context.Context, tx *sql.Tx, list []migration) ([]migration, error) {
	// BIGINT and TEXT mean the same to both databases; names sort by number.
	const table = `CREATE TABLE IF NOT EXISTS schema_migrations (
		name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied BIGINT NOT NULL)`
	if _, err := tx.ExecContext(ctx, table); err != nil {
		return nil, fmt.Errorf("schema table: %w", err)
	}
	rows, err := tx.QueryContext(ctx, `SELECT name, checksum FROM schema_migrations ORDER BY name`)
	applied, err := collect(rows, err, func(row rowScanner) (m migration, err error) {
		err = row.Scan(&m.name, &m.checksum)
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("schema table: %w", err)
	}
	if err := checkApplied(applied, list); err != nil {
		return nil, err
	}
	return list[len(applied):], nil
}

func checkApplied(applied, known []migration) error {
	for i, m := range applied {
		switch {
		case i >= len(known) || m.name > known[i].name:
			return fmt.Errorf("the database was written by a newer version of slipway (migration %s is unknown here): install that version again", m.name)
		case m.name != known[i].name:
			return fmt.Errorf("migration %s was applied, but %s is the one known here", m.name, known[i].name)
		case m.checksum != known[i].checksum:
			return fmt.Errorf("migration %s was edited after it had been applied to this database", m.name)
		}
	}
	return nil
}

func applyMigration(ctx context.Context, tx *sql.Tx, d dialect, m migration) error {
	if _, err := tx.ExecContext(ctx, d.render(m.text)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO schema_migrations (name, checksum, applied) VALUES (?, ?, ?)`,
		m.name, m.checksum, time.Now().UnixMicro())
	return err
}
