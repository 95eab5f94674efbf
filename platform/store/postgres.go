package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/slipway-paas/slipway/platform"
)

// What PostgreSQL may take before it is given up, unless the URL says
// otherwise. A server that is cut off in the middle of a transaction holds the
// writers' lock for no longer than idleLimit.
const (
	connectLimit   = 10 * time.Second
	statementLimit = 30 * time.Second
	lockLimit      = 10 * time.Second
	idleLimit      = 15 * time.Second

	pgReaders    = 10
	connLife     = 30 * time.Minute // so that a changed address is noticed
	connIdleLife = 5 * time.Minute

	// startPatience is how long Open waits for a database that is not up yet:
	// after a power cut it may come back later than we do.
	startPatience = time.Minute
	startPause    = 500 * time.Millisecond
)

// writersLock is the advisory lock that every write transaction holds. It
// makes PostgreSQL as SQLite is, with one writer at a time: what a transaction
// reads stays true until it commits, versions have no gap, and events commit
// in the order of their IDs. It is released once the commit is visible.
const writersLock = "85029025"

// isPostgres tells a database URL from a path.
func isPostgres(location string) bool {
	return strings.HasPrefix(location, "postgres://") || strings.HasPrefix(location, "postgresql://")
}

// openPostgres opens the database that the URL names. All that libpq's URLs
// know is honoured (sslmode, target_session_attrs, several hosts, search_path…);
// pool_max_conns limits the connections that read.
func (s *Store) openPostgres(ctx context.Context, location string) error {
	config, readers, err := parseURL(location)
	if err != nil {
		return err
	}
	if err := awaitPostgres(ctx, config); err != nil {
		return err
	}
	list, err := embeddedMigrations()
	if err != nil {
		return err
	}
	if err := migratePostgres(ctx, config, list); err != nil {
		return err
	}
	s.write = pgPool(config, pgWrites, 1)
	s.read = pgPool(config, pgReads, readers)
	return nil
}

// parseURL reads the URL without repeating any of it in errors: it holds the
// password.
func parseURL(location string) (*pgx.ConnConfig, int, error) {
	_, err := url.Parse(location)
	var config *pgx.ConnConfig
	if err == nil {
		config, err = pgx.ParseConfig(location)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("the database URL can't be read (postgres://user:password@host:5432/name?sslmode=verify-full): %s", parseReason(err))
	}
	readers := pgReaders
	if text, ok := config.RuntimeParams["pool_max_conns"]; ok {
		delete(config.RuntimeParams, "pool_max_conns")
		if readers, err = strconv.Atoi(text); err != nil || readers < 1 || readers > 1000 {
			return nil, 0, errors.New("the database URL can't be read: pool_max_conns is a number from 1 to 1000")
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectLimit
	}
	for name, value := range map[string]string{
		"application_name":                    "slipway",
		"statement_timeout":                   millis(statementLimit),
		"lock_timeout":                        millis(lockLimit),
		"idle_in_transaction_session_timeout": millis(idleLimit),
		"tcp_keepalives_idle":                 "30",
		"tcp_keepalives_interval":             "10",
		"tcp_keepalives_count":                "3",
	} {
		if config.RuntimeParams[name] == "" {
			config.RuntimeParams[name] = value
		}
	}
	return config, readers, nil
}

// parseReason is the innermost cause that is known to quote nothing.
func parseReason(err error) string {
	var number *strconv.NumError
	var bad *url.Error
	switch {
	case errors.As(err, &bad):
		return "it is no URL; reserved characters in the password are written as %40 and the like"
	case errors.As(err, &number):
		return "a number is expected where there is none"
	case strings.Contains(err.Error(), "sslmode"):
		return "sslmode is disable, allow, prefer, require, verify-ca or verify-full"
	case strings.Contains(err.Error(), "tls"):
		return "its TLS files can't be used"
	default:
		return "an option is wrong"
	}
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// pgUse is what the connections of a pool are for.
type pgUse string

// How a transaction of each use begins; one round trip.
const (
	pgReads    pgUse = "begin isolation level repeatable read read only"
	pgWrites   pgUse = "begin; select pg_advisory_xact_lock(" + writersLock + ")"
	pgMigrates pgUse = pgWrites + "; set local idle_in_transaction_session_timeout = 0"
)

func pgPool(config *pgx.ConnConfig, use pgUse, size int) *sql.DB {
	own := config.Copy()
	if use == pgReads {
		own.RuntimeParams["default_transaction_read_only"] = "on"
	}
	if use == pgMigrates {
		// Another server may be at it, and a large table takes its time.
		own.RuntimeParams["lock_timeout"], own.RuntimeParams["statement_timeout"] = "0", "0"
	}
	db := sql.OpenDB(pgConnector{Connector: stdlib.GetConnector(*own), use: use})
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxLifetime(connLife)
	db.SetConnMaxIdleTime(connIdleLife)
	return db
}

// awaitPostgres waits for a database that is only just starting. Refused
// credentials and a name that does not exist are told at once.
func awaitPostgres(ctx context.Context, config *pgx.ConnConfig) error {
	db := pgPool(config, pgReads, 1)
	defer db.Close()
	bounded, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		err := db.PingContext(bounded)
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if final := pgRefused(err); final != nil {
			return final
		}
		pause := time.NewTimer(startPause)
		select {
		case <-pause.C:
		case <-bounded.Done():
			pause.Stop()
			return err
		}
	}
}

// pgRefused says why the connection was refused, and the cure; nil when trying
// again may help.
func pgRefused(err error) error {
	var e *pgconn.PgError
	var network net.Error
	switch {
	case errors.As(err, &e) && awayClass(e.Code):
		return nil
	case errors.As(err, &e):
		cure := ""
		if strings.HasPrefix(e.Code, "28") {
			cure = ": check user and password of the database URL and the server's pg_hba.conf"
		} else if e.Code == "3D000" {
			cure = ": create it, owned by the user of the database URL"
		}
		return fmt.Errorf("PostgreSQL refused the connection: %s%s", e.Message, cure)
	case errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil
	}
	return err
}

func migratePostgres(ctx context.Context, config *pgx.ConnConfig, list []migration) (err error) {
	db := pgPool(config, pgMigrates, 1)
	defer func() { err = errors.Join(err, db.Close()) }()
	return migrate(ctx, db, postgresSQL, list)
}

// pgConnector makes connections that take SQLite's placeholders.
type pgConnector struct {
	driver.Connector
	use pgUse
}

// Connect makes a connection. That the database is away is told as such even
// when it shows as a timeout, which is not the caller's.
func (c pgConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, away("it can't be reached", err)
	}
	plain, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil, fmt.Errorf("unexpected connection %T", conn)
	}
	return &pgConn{Conn: plain, use: c.use}, nil
}

// pgConn is a connection of pgx with our placeholders and transactions.
type pgConn struct {
	*stdlib.Conn
	use pgUse
}

// CheckNamedValue has database/sql convert arguments, as it does for SQLite:
// named strings and integers become plain ones.
func (c *pgConn) CheckNamedValue(*driver.NamedValue) error { return driver.ErrSkip }

// PrepareContext, ExecContext and QueryContext number the placeholders.
func (c *pgConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.Conn.PrepareContext(ctx, rebind(query))
}

// ExecContext is described at PrepareContext.
func (c *pgConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.ExecContext(ctx, rebind(query), args)
}

// QueryContext is described at PrepareContext.
func (c *pgConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.QueryContext(ctx, rebind(query), args)
}

// BeginTx begins a transaction as the pool's use asks for.
func (c *pgConn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	plain := c.Conn.Conn()
	if plain.IsClosed() {
		return nil, driver.ErrBadConn
	}
	tx, err := plain.BeginTx(ctx, pgx.TxOptions{BeginQuery: string(c.use)})
	if pgconn.SafeToRetry(err) {
		return nil, driver.ErrBadConn
	}
	if err != nil {
		return nil, err
	}
	return pgTx{tx}, nil
}

// pgTx ends a transaction whatever becomes of the caller: one who gave up in
// the middle of a commit could not know what came of it.
type pgTx struct{ tx pgx.Tx }

const endLimit = 10 * time.Second

// Commit makes the changes last.
func (t pgTx) Commit() error { return t.end(t.tx.Commit) }

// Rollback drops the changes.
func (t pgTx) Rollback() error { return t.end(t.tx.Rollback) }

func (t pgTx) end(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), endLimit)
	defer cancel()
	err := f(ctx)
	if ctx.Err() != nil {
		return away("it did not answer", err)
	}
	return err
}

// awayClass reports the SQLSTATEs of a database that can't be used just now:
// the connection is lost (08), it has run out of something (53), it is being
// stopped, started or asked to stop (57), an idle transaction was ended
// (25P03), it is a standby (25006), a lock was not to be had (55P03), or the
// transaction met another (40).
func awayClass(state string) bool {
	switch state {
	case "25P03", "25006", "55P03":
		return true
	}
	return len(state) == 5 && strings.Contains("08 53 57 40", state[:2])
}

// pgFault reads an error of PostgreSQL or of the connection to it.
func pgFault(err error) (platform.Code, string) {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch {
		case e.Code == "23505":
			return platform.Conflict, ""
		case e.Code == "22021" || e.Code == "22P05":
			return platform.Invalid, "Text with a zero byte or broken UTF-8 can't be stored."
		case awayClass(e.Code):
			return platform.Unavailable, e.Message
		}
		return platform.Internal, ""
	}
	var network net.Error
	var connect *pgconn.ConnectError
	if errors.As(err, &network) || errors.As(err, &connect) || pgconn.SafeToRetry(err) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return platform.Unavailable, "the connection was lost"
	}
	return platform.Internal, ""
}
