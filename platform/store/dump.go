package store

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/slipway-paas/slipway/platform"
)

// dumpFormat is the number of the format that Dump writes and Load reads.
const dumpFormat = 1

// The lines of a dump, in this order: one head, then for each table its name
// and its rows, then one end. Texts, whole numbers, truth values and null are
// what JSON has for them; bytes are {"b":"<base64>"}, texts that are no UTF-8
// {"t":"<base64>"}.
type (
	dumpHead struct {
		Dump       int             `json:"dump"`
		Migrations []dumpMigration `json:"migrations"`
	}
	dumpMigration struct {
		Name     string `json:"name"`
		Checksum string `json:"checksum"`
	}
	dumpTable struct {
		Table   string   `json:"table"`
		Columns []string `json:"columns"`
		Serial  int64    `json:"serial,omitempty"` // last number that was given
	}
	dumpEnd struct {
		End  bool  `json:"end"`
		Rows int64 `json:"rows"`
	}
	dumpBytes struct {
		Bytes *string `json:"b,omitempty"`
		Text  *string `json:"t,omitempty"`
	}
)

// Snapshot is a database as it was at one moment, for reading. It does not
// migrate, and changes go on meanwhile.
type Snapshot struct {
	db      *sql.DB
	tx      *sql.Tx
	lite    bool
	applied []migration
}

// OpenSnapshot opens the database at location, which is as for Open, and holds
// on to its present state until Close. It needs no key: what is sealed stays
// sealed. A database that does not exist is fs.ErrNotExist.
func OpenSnapshot(ctx context.Context, location string) (*Snapshot, error) {
	s, err := openSnapshot(ctx, location)
	if err != nil {
		return nil, fmt.Errorf("read the database: %w", err)
	}
	return s, nil
}

func openSnapshot(ctx context.Context, location string) (_ *Snapshot, err error) {
	s := &Snapshot{}
	if isPostgres(location) {
		config, _, err := parseURL(location)
		if err != nil {
			return nil, err
		}
		for _, limit := range []string{"statement_timeout", "idle_in_transaction_session_timeout"} {
			config.RuntimeParams[limit] = "0" // a slow disk may be what reads us
		}
		s.db = pgPool(config, pgReads, 1)
	} else {
		if location, err = filepath.Abs(location); err != nil {
			return nil, err
		}
		if _, err := os.Stat(location); err != nil {
			return nil, err
		}
		s.lite, s.db = true, sql.OpenDB(liteConnector{liteDSN(location, true)})
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.tx, err = s.db.BeginTx(ctx, nil); err != nil {
		return nil, err
	}
	s.applied, err = s.migrations(ctx)
	return s, err
}

// migrations are those that were applied, which this program has to know.
func (s *Snapshot) migrations(ctx context.Context) ([]migration, error) {
	known, err := embeddedMigrations()
	if err != nil {
		return nil, err
	}
	rows, err := s.tx.QueryContext(ctx, `SELECT name, checksum FROM schema_migrations ORDER BY name`)
	applied, err := collect(rows, err, func(row rowScanner) (m migration, err error) {
		err = row.Scan(&m.name, &m.checksum)
		return m, err
	})
	if err != nil {
		return nil, err
	}
	if err := checkApplied(applied, known); err != nil {
		return nil, err
	}
	return known[:len(applied)], nil
}

// Close lets go of the state.
func (s *Snapshot) Close() error {
	var errs []error
	if s.tx != nil {
		if err := s.tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, s.db.Close())...)
}

// Dump writes all tables as lines of JSON, in an order that depends on nothing
// but their contents, and returns how many rows there are. Load reads it, into
// either kind of database.
func (s *Snapshot) Dump(ctx context.Context, w io.Writer) (rows int64, err error) {
	rows, err = s.dump(ctx, w)
	if err != nil {
		return rows, fmt.Errorf("dump the database: %w", err)
	}
	return rows, nil
}

func (s *Snapshot) dump(ctx context.Context, w io.Writer) (rows int64, err error) {
	tables, err := describe(ctx, s.applied)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	head := dumpHead{Dump: dumpFormat}
	for _, m := range s.applied {
		head.Migrations = append(head.Migrations, dumpMigration{m.name, m.checksum})
	}
	if err := lines.Encode(head); err != nil {
		return 0, err
	}
	for _, t := range tables {
		n, err := s.dumpTable(ctx, lines, t)
		if err != nil {
			return rows, fmt.Errorf("table %s: %w", t.name, err)
		}
		rows += n
	}
	if err := lines.Encode(dumpEnd{End: true, Rows: rows}); err != nil {
		return rows, err
	}
	return rows, out.Flush()
}

func (s *Snapshot) dumpTable(ctx context.Context, lines *json.Encoder, t table) (n int64, err error) {
	head := dumpTable{Table: t.name, Columns: t.columns}
	if t.serial != "" {
		if head.Serial, err = s.serial(ctx, t); err != nil {
			return 0, err
		}
	}
	if err := lines.Encode(head); err != nil {
		return 0, err
	}
	// Names come from our migrations and need no quotes.
	rows, err := s.tx.QueryContext(ctx, "SELECT "+strings.Join(t.columns, ", ")+" FROM "+t.name+" ORDER BY "+strings.Join(t.key, ", "))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values, into := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return n, err
		}
		line := make([]any, len(values))
		for i, v := range values {
			if line[i], err = toDump(v); err != nil {
				return n, fmt.Errorf("column %s: %w", t.columns[i], err)
			}
		}
		if err := lines.Encode(line); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

// serial is the last number that a table gave, 0 when it gave none.
func (s *Snapshot) serial(ctx context.Context, t table) (last int64, err error) {
	if s.lite {
		err = s.tx.QueryRowContext(ctx, `SELECT seq FROM sqlite_sequence WHERE name = ?`, t.name).Scan(&last)
		if errors.Is(err, sql.ErrNoRows) {
			return 0, nil
		}
		return last, err
	}
	var called sql.NullInt64
	err = s.tx.QueryRowContext(ctx, `SELECT last_value FROM pg_sequences WHERE
		format('%I.%I', schemaname, sequencename) = pg_get_serial_sequence(?, ?)`, t.name, t.serial).Scan(&called)
	return called.Int64, err
}

func toDump(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64:
		return v, nil
	case []byte:
		text := base64.StdEncoding.EncodeToString(v)
		return dumpBytes{Bytes: &text}, nil
	case string:
		if utf8.ValidString(v) {
			return v, nil
		}
		text := base64.StdEncoding.EncodeToString([]byte(v))
		return dumpBytes{Text: &text}, nil
	}
	return nil, fmt.Errorf("a value of type %T can't be dumped", v)
}

var errNotDump = platform.Errorf(platform.Invalid, "this is no dump of a database of the platform")
