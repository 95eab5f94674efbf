package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// keptStatements is how many statements a connection keeps prepared. The store
// has fewer; lists of parameters make more of them.
const keptStatements = 200

// liteConnector makes connections that keep their statements. Preparing one
// costs more than most of them take to run.
type liteConnector struct{ dsn string }

// Driver is SQLite's.
func (c liteConnector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

// Connect opens the file once more.
func (c liteConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.dsn)
	if err != nil {
		return nil, err
	}
	plain, ok := conn.(*sqlite3.SQLiteConn)
	if !ok {
		return nil, fmt.Errorf("unexpected connection %T", conn)
	}
	return &liteConn{SQLiteConn: plain, kept: map[string]*kept{}}, nil
}

// liteConn is a connection with its prepared statements. database/sql lets one
// goroutine at a time use it.
type liteConn struct {
	*sqlite3.SQLiteConn
	kept map[string]*kept
}

// kept is a prepared statement; busy while somebody reads its rows.
type kept struct {
	statement *sqlite3.SQLiteStmt
	inputs    int
	columns   []string
	busy      bool
}

// prepared finds or makes the statement of a query; nil when it is to be run
// the plain way: it is being read just now, or is no query or change of rows.
func (c *liteConn) prepared(query string, args int) (*kept, error) {
	k := c.kept[query]
	if k == nil {
		if !keepable(query) {
			return nil, nil
		}
		if len(c.kept) >= keptStatements {
			if err := c.forget(); err != nil {
				return nil, err
			}
		}
		made, err := c.Prepare(query)
		if err != nil {
			return nil, err
		}
		statement, ok := made.(*sqlite3.SQLiteStmt)
		if !ok {
			return nil, fmt.Errorf("unexpected statement %T", made)
		}
		k = &kept{statement: statement, inputs: statement.NumInput()}
		c.kept[query] = k
	}
	if k.inputs != args {
		return nil, fmt.Errorf("query %q has %d parameters and got %d", query, k.inputs, args)
	}
	if k.busy {
		return nil, nil
	}
	return k, nil
}

// keepable reports the statements that come again and again.
func keepable(query string) bool {
	query = strings.TrimSpace(query)
	for _, word := range []string{"SELECT ", "INSERT ", "UPDATE ", "DELETE "} {
		if strings.HasPrefix(query, word) {
			return !strings.Contains(query, ";")
		}
	}
	return false
}

// forget closes the statements that nobody reads.
func (c *liteConn) forget() error {
	var errs []error
	for query, k := range c.kept {
		if !k.busy {
			errs = append(errs, k.statement.Close())
			delete(c.kept, query)
		}
	}
	return errors.Join(errs...)
}

// Close closes the statements first.
func (c *liteConn) Close() error {
	return errors.Join(c.forget(), c.SQLiteConn.Close())
}

// QueryContext begins a query. Whether ctx has ended is looked at before each
// row: with the driver's own way every row would cost a goroutine, and no query
// here takes long for one.
func (c *liteConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	k, err := c.prepared(query, len(args))
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.SQLiteConn.QueryContext(ctx, query, args)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows, err := k.statement.QueryContext(context.WithoutCancel(ctx), args)
	if err != nil {
		return nil, err
	}
	k.busy = true
	return &liteRows{Rows: rows, ctx: ctx, kept: k}, nil
}

// ExecContext runs a change. Once begun it runs to its end, which in a
// transaction is near: the lock is held.
func (c *liteConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	k, err := c.prepared(query, len(args))
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.SQLiteConn.ExecContext(ctx, query, args)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return k.statement.ExecContext(context.WithoutCancel(ctx), args)
}

// liteRows are the rows of a kept statement.
type liteRows struct {
	driver.Rows
	ctx  context.Context
	kept *kept
}

// Columns asks the database once for each statement.
func (r *liteRows) Columns() []string {
	if r.kept.columns == nil {
		r.kept.columns = r.Rows.Columns()
	}
	return r.kept.columns
}

// Next reads a row.
func (r *liteRows) Next(dest []driver.Value) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.Rows.Next(dest)
}

// Close lets the statement be used again.
func (r *liteRows) Close() error {
	r.kept.busy = false
	return r.Rows.Close()
}
