package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

// queries are the statements that stores were seen to use, with the number of
// their parameters.
type queries struct {
	mu   sync.Mutex
	seen map[string]int
}

func (q *queries) add(query string, args int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seen[query] = args
}

// listener connects to SQLite and writes down what it is asked.
type listener struct {
	dsn     string
	queries *queries
}

func (l listener) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

func (l listener) Connect(context.Context) (driver.Conn, error) {
	conn, err := l.Driver().Open(l.dsn)
	if err != nil {
		return nil, err
	}
	return &listening{conn.(*sqlite3.SQLiteConn), l.queries}, nil
}

type listening struct {
	*sqlite3.SQLiteConn
	queries *queries
}

func (l *listening) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	l.queries.add(query, len(args))
	return l.SQLiteConn.QueryContext(ctx, query, args)
}

func (l *listening) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	l.queries.add(query, len(args))
	return l.SQLiteConn.ExecContext(ctx, query, args)
}

// whole says which statements may read a table or an index from end to end,
// and why. The key is a part of the statement.
func whole() map[string]string {
	return map[string]string{
		"WHERE substr(d.name":                                    "when a wildcard is added; only an index on reversed names would help",
		"FROM work ORDER BY id":                                  "read at a start only; work is short",
		"AND g.ports LIKE":                                       "when an app takes a port of its own; few apps have gateways of their own",
		"DELETE FROM work WHERE kind":                            "at a start only; work is short",
		"SELECT id, ? FROM apps":                                 "all apps, on a new cluster",
		"DELETE FROM deliveries WHERE target NOT IN":             "at a start only; what waits to be told is short",
		"FROM deliveries ORDER BY id LIMIT":                      "in order, and as many as are returned",
		"FROM events WHERE created < ? ORDER BY id DESC LIMIT 1": "at a start only; goes back from the newest event to the first before the start",
		"WHERE t.auto_certs = TRUE":                              "once an hour; the index holds the apps that have it on",
		"FROM cert_holds ORDER BY account":                       "accounts at public authorities are few",
		"FROM seal":                                              "one row",
		"SELECT count(*) FROM apps a":                            "the number of all apps, for superusers: reads the smallest index",
		"SELECT a.number, a.id FROM apps a ORDER BY id LIMIT":    "all apps, in order and as many as are returned",
		"SELECT COUNT(*) FROM apps":                              "once, on a new cluster",
		"WHERE u.username = ? ORDER BY w.id LIMIT":               "the workspaces of one user are few",
		"SELECT count(*) FROM users u":                           "the number of all users, for administrators and who registers",
		"FROM users u ORDER BY u.id LIMIT":                       "in order, and as many as are returned",
		"FROM users u WHERE u.is_superuser":                      "the index holds administrators only",
		"DELETE FROM tokens":                                     "everybody's, or through the index of the user's",
		"WHERE r.state IN ('pending', 'deploying') AND r.build IS NOT NULL ORDER BY": "read at a start only; the index holds what is unfinished",
	}
}

// Every statement of the store finds its rows through an index: its cost grows
// with what it returns and not with what there is.
func TestEveryStatementUsesAnIndex(t *testing.T) {
	t.Parallel()
	q := &queries{seen: map[string]int{}}
	var path string
	t.Run("suite", func(t *testing.T) {
		platformtest.StoreSuite(t, func(t *testing.T) control.Store {
			s, file := openTest(t)
			path = file
			require.NoError(t, s.Close())
			s.write = sql.OpenDB(listener{liteDSN(file, false), q})
			s.write.SetMaxOpenConns(1)
			s.read = sql.OpenDB(listener{liteDSN(file, true), q})
			return s
		})
	})
	require.NotEmpty(t, path)
	require.Greater(t, len(q.seen), 50)
	s, _ := openTest(t)
	used := map[string]bool{}
	for query, args := range q.seen {
		if bad := scans(t, s.read, query, args); len(bad) > 0 && !allowed(query, used) {
			assert.Empty(t, bad, strings.Join(strings.Fields(query), " "))
		}
	}
	for part := range whole() {
		assert.True(t, used[part], "no statement needs this exception any more: %s", part)
	}
}

func allowed(query string, used map[string]bool) bool {
	for part := range whole() {
		if strings.Contains(query, part) {
			used[part] = true
			return true
		}
	}
	return false
}

// scans lists the steps of a statement's plan that it should not need.
func scans(t *testing.T, db *sql.DB, query string, n int) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+query, make([]any, n)...)
	if err != nil {
		return nil
	}
	steps, err := collect(rows, err, func(row rowScanner) (step string, err error) {
		var a, b, c int
		err = row.Scan(&a, &b, &c, &step)
		return step, err
	})
	require.NoError(t, err, query)
	page := strings.Contains(query, "LIMIT ?")
	return slices.DeleteFunc(steps, func(step string) bool {
		whole := strings.HasPrefix(step, "SCAN ") && !strings.HasPrefix(step, "SCAN CONSTANT") && !strings.HasPrefix(step, "SCAN (")
		// What is returned whole may be sorted; a page may not need all for it.
		return !whole && !(page && strings.HasSuffix(step, "TEMP B-TREE FOR ORDER BY"))
	})
}

// Every column that refers to another table begins an index: the removal of
// what it refers to would otherwise read the whole table, once for each row.
func TestForeignKeysHaveIndexes(t *testing.T) {
	t.Parallel()
	s, _ := openTest(t)
	rows, err := s.read.QueryContext(t.Context(), `SELECT m.name, f."from", NOT EXISTS (
			SELECT 1 FROM pragma_index_list(m.name) l JOIN pragma_index_info(l.name) i ON i.seqno = 0 AND i.name = f."from" AND l.partial = 0
		) AND NOT EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = f."from" AND c.pk = 1)
		FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`)
	type key struct {
		column string
		bare   bool
	}
	list, err := collect(rows, err, func(row rowScanner) (k key, err error) {
		var table, column string
		err = row.Scan(&table, &column, &k.bare)
		k.column = table + "." + column
		return k, err
	})
	require.NoError(t, err)
	require.Greater(t, len(list), 8)
	for _, k := range list {
		assert.False(t, k.bare, "%s refers to another table and has no index", k.column)
	}
}
