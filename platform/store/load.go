package store

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// LoadOptions say how a dump is loaded.
type LoadOptions struct {
	// Replace empties a database that has records; without it such a database
	// is refused. The program has to know all migrations that it has.
	Replace bool
	// Moved says that the records come from another host: attempts to build
	// that were under way there have ended.
	Moved bool
	// KeepSchema leaves the schema as it was when the dump was written, for the
	// older program that wrote it.
	KeepSchema bool
	// Begin, when set, is called when there is room for the records, before the
	// first of them is there; its error ends the load.
	Begin func() error
}

// ErrNotEmpty says that there are records already where a dump should go.
var ErrNotEmpty = errors.New("the database has records already")

// Load reads a dump into the database at location, which is as for Open, brings
// it to the present schema, and returns how many rows there are. All of it
// happens in one transaction: what fails changes nothing.
func Load(ctx context.Context, location string, r io.Reader, o LoadOptions) (rows int64, err error) {
	l := &loader{ctx: ctx, in: bufio.NewReaderSize(r, 64<<10), options: o, dialect: sqliteSQL}
	rows, err = l.load(location)
	if err != nil {
		return rows, fmt.Errorf("load the database: %w", err)
	}
	return rows, nil
}

// loader is a load under way.
type loader struct {
	ctx     context.Context
	in      *bufio.Reader
	options LoadOptions
	dialect dialect
	tx      *sql.Tx
	known   []migration

	table  table     // that rows are read for
	serial int64     // last number that it gave
	insert *sql.Stmt // nil before the first table
	rows   int64
}

func (l *loader) load(location string) (rows int64, err error) {
	if l.known, err = embeddedMigrations(); err != nil {
		return 0, err
	}
	db, err := l.open(location)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if l.tx, err = db.BeginTx(l.ctx, nil); err != nil {
		return 0, err
	}
	defer func() { _ = l.tx.Rollback() }() // no effect once committed
	if err := l.makeRoom(); err != nil {
		return 0, err
	}
	if l.options.Begin != nil {
		if err := l.options.Begin(); err != nil {
			return 0, err
		}
	}
	tables, applied, err := l.head()
	if err != nil {
		return 0, err
	}
	if err := l.lines(tables); err != nil {
		return l.rows, err
	}
	if l.options.KeepSchema {
		return l.rows, l.tx.Commit()
	}
	for _, m := range l.known[applied:] {
		if err := applyMigration(l.ctx, l.tx, l.dialect, m); err != nil {
			return l.rows, fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	if l.options.Moved {
		if err := l.endRuns(); err != nil {
			return l.rows, err
		}
	}
	return l.rows, l.tx.Commit()
}

func (l *loader) open(location string) (*sql.DB, error) {
	if isPostgres(location) {
		l.dialect = postgresSQL
		config, _, err := parseURL(location)
		if err != nil {
			return nil, err
		}
		if err := awaitPostgres(l.ctx, config); err != nil {
			return nil, err
		}
		return pgPool(config, pgMigrates, 1), nil
	}
	if err := makeFile(location); err != nil {
		return nil, err
	}
	db := sql.OpenDB(liteConnector{liteDSN(location, false)})
	db.SetMaxOpenConns(1)
	return db, nil
}

// makeRoom refuses a database with tables of ours, or drops them.
func (l *loader) makeRoom() error {
	pending, err := findPending(l.ctx, l.tx, l.known)
	if err != nil {
		return err
	}
	applied := l.known[:len(l.known)-len(pending)]
	if len(applied) > 0 && !l.options.Replace {
		return ErrNotEmpty
	}
	tables, err := describe(l.ctx, applied)
	if err != nil {
		return err
	}
	drop := []string{"DELETE FROM schema_migrations"}
	for i := len(tables) - 1; i >= 0; i-- { // those that refer to others first
		drop = append(drop, "DROP TABLE "+tables[i].name)
	}
	if l.dialect == postgresSQL {
		drop = append(drop, "DROP FUNCTION IF EXISTS events_refuse()") // of 0001_start.sql
	}
	for _, statement := range drop {
		if _, err := l.tx.ExecContext(l.ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// head reads the first line and makes the tables as they were when the dump was
// written, without any rows. applied counts the migrations that made them.
func (l *loader) head() (tables map[string]table, applied int, err error) {
	var head dumpHead
	line, err := l.line()
	if err != nil {
		return nil, 0, err
	}
	if json.Unmarshal(line, &head) != nil || head.Dump == 0 {
		return nil, 0, errNotDump
	}
	if head.Dump != dumpFormat {
		return nil, 0, fmt.Errorf("the dump has format %d, and this program reads %d: use a newer one", head.Dump, dumpFormat)
	}
	var then []migration
	for _, m := range head.Migrations {
		then = append(then, migration{name: m.Name, checksum: m.Checksum})
	}
	if err := checkApplied(then, l.known); err != nil {
		return nil, 0, err
	}
	for _, m := range l.known[:len(then)] {
		if err := applyMigration(l.ctx, l.tx, l.dialect, m); err != nil {
			return nil, 0, fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	list, err := describe(l.ctx, l.known[:len(then)])
	if err != nil {
		return nil, 0, err
	}
	tables = map[string]table{}
	for _, t := range list {
		tables[t.name] = t
		if t.name == "events" {
			continue // nothing may be deleted there, and migrations add nothing
		}
		if _, err := l.tx.ExecContext(l.ctx, "DELETE FROM "+t.name); err != nil {
			return nil, 0, err
		}
	}
	return tables, len(then), nil
}

// line is the next line of the dump; io.ErrUnexpectedEOF when there is none, as
// the last one says that it is the last.
func (l *loader) line() ([]byte, error) {
	line, err := l.in.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return bytes.TrimSpace(line), err
}

// lines reads tables and their rows up to the end.
func (l *loader) lines(tables map[string]table) (err error) {
	defer func() { err = errors.Join(err, l.endTable()) }()
	for {
		if err := l.ctx.Err(); err != nil {
			return err
		}
		line, err := l.line()
		if err != nil {
			return err
		}
		if bytes.HasPrefix(line, []byte("[")) {
			if err := l.row(line); err != nil {
				return fmt.Errorf("table %s: %w", l.table.name, err)
			}
			continue
		}
		var other struct {
			dumpTable
			dumpEnd
		}
		if err := json.Unmarshal(line, &other); err != nil {
			return errNotDump
		}
		if other.End {
			if other.Rows != l.rows {
				return fmt.Errorf("the dump says %d rows and has %d", other.Rows, l.rows)
			}
			return nil
		}
		t, known := tables[other.Table]
		if !known {
			return fmt.Errorf("the dump has a table %q that its migrations do not make", other.Table)
		}
		if err := l.beginTable(t, other.dumpTable); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
}

func (l *loader) beginTable(t table, head dumpTable) (err error) {
	if err := l.endTable(); err != nil {
		return err
	}
	has := map[string]bool{}
	for _, c := range t.columns {
		has[c] = true
	}
	for _, c := range head.Columns {
		if !has[c] {
			return fmt.Errorf("the dump has a column %q that its migrations do not make", c)
		}
	}
	t.columns = head.Columns
	l.table, l.serial = t, head.Serial
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", ")
	l.insert, err = l.tx.PrepareContext(l.ctx, "INSERT INTO "+t.name+" ("+strings.Join(t.columns, ", ")+") VALUES ("+marks+")")
	return err
}

// endTable has the table's numbers go on where they were.
func (l *loader) endTable() (err error) {
	if l.insert == nil {
		return nil
	}
	err, l.insert = l.insert.Close(), nil
	if l.table.serial == "" || l.serial == 0 || err != nil {
		return err
	}
	if l.dialect == postgresSQL {
		_, err = l.tx.ExecContext(l.ctx, `SELECT setval(pg_get_serial_sequence(?, ?)::regclass, CAST(? AS BIGINT))`, l.table.name, l.table.serial, l.serial)
		return err
	}
	if _, err = l.tx.ExecContext(l.ctx, `DELETE FROM sqlite_sequence WHERE name = ?`, l.table.name); err != nil {
		return err
	}
	_, err = l.tx.ExecContext(l.ctx, `INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)`, l.table.name, l.serial)
	return err
}

func (l *loader) row(line []byte) error {
	if l.insert == nil {
		return errNotDump
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return errNotDump
	}
	if len(raw) != len(l.table.columns) {
		return fmt.Errorf("a row has %d values for %d columns", len(raw), len(l.table.columns))
	}
	values := make([]any, len(raw))
	for i, r := range raw {
		var err error
		if values[i], err = fromDump(r); err != nil {
			return fmt.Errorf("column %s: %w", l.table.columns[i], err)
		}
	}
	if _, err := l.insert.ExecContext(l.ctx, values...); err != nil {
		return err
	}
	l.rows++
	return nil
}

func fromDump(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case 'n':
		return nil, nil
	case 't', 'f':
		return raw[0] == 't', nil
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	case '{':
		var b dumpBytes
		if err := json.Unmarshal(raw, &b); err != nil {
			return nil, err
		}
		if b.Bytes != nil {
			return base64.StdEncoding.DecodeString(*b.Bytes)
		}
		if b.Text != nil {
			text, err := base64.StdEncoding.DecodeString(*b.Text)
			return string(text), err
		}
		return nil, errNotDump
	}
	var n int64
	err := json.Unmarshal(raw, &n)
	return n, err
}

// endRuns ends the attempts to build whose process is elsewhere.
func (l *loader) endRuns() error {
	_, err := l.tx.ExecContext(l.ctx, `UPDATE build_runs SET state = ?, message = ?, ended = created WHERE `+openRun,
		string(platform.BuildFailed), "The platform was restored from a backup while this ran.")
	return err
}
