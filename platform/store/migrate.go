package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
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

// migrate brings the schema up to date. It refuses a database whose applied
// migrations were edited or are not known here, before changing anything, and
// copies a database that is to change to <path>.before-<migration>.
func migrate(ctx context.Context, db *sql.DB, path string, files fs.FS) error {
	list, err := loadMigrations(files)
	if err != nil {
		return err
	}
	const table = `CREATE TABLE IF NOT EXISTS schema_migrations (
		name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied BIGINT NOT NULL)`
	if _, err := db.ExecContext(ctx, table); err != nil {
		return fmt.Errorf("schema table: %w", err)
	}
	applied, err := appliedMigrations(ctx, db)
	if err != nil {
		return err
	}
	if err := checkApplied(applied, list); err != nil {
		return err
	}
	pending := list[len(applied):]
	if len(applied) > 0 && len(pending) > 0 {
		if err := backUp(ctx, db, path+".before-"+pending[0].name); err != nil {
			return fmt.Errorf("backup before migration: %w", err)
		}
	}
	for _, m := range pending {
		if err := applyMigration(ctx, db, m); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	return nil
}

func appliedMigrations(ctx context.Context, db *sql.DB) (list []migration, err error) {
	rows, err := db.QueryContext(ctx, `SELECT name, checksum FROM schema_migrations ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("schema table: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m migration
		if err := rows.Scan(&m.name, &m.checksum); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, rows.Err()
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

func applyMigration(ctx context.Context, db *sql.DB, m migration) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // no effect once committed
	if _, err := tx.ExecContext(ctx, m.text); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO schema_migrations (name, checksum, applied) VALUES (?, ?, ?)`,
		m.name, m.checksum, time.Now().UnixMicro())
	if err != nil {
		return err
	}
	return tx.Commit()
}
