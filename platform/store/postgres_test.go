package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest/pgtest"
	"github.com/slipway-paas/slipway/platform/store"
)

// outside is another connection to the database at url.
func outside(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// Whatever is wrong with the URL, the password is not in the error, which goes
// to the log, and what to do is.
func TestDatabaseURLIsNeverRepeated(t *testing.T) {
	t.Parallel()
	server := cluster.Server(t)
	good := server.URL("postgres", "")
	for name, tc := range map[string]struct{ url, want string }{
		"wrong password":    {strings.Replace(good, pgtest.Password, "swordfish-wrong", 1), "check user and password"},
		"no such database":  {server.URL("nothere", ""), "create it"},
		"port":              {"postgres://u:swordfish@127.0.0.1:xyz/db", "it is no URL"},
		"escape":            {"postgres://u:swordfish%zz@127.0.0.1/db", "it is no URL"},
		"number":            {"postgres://u:swordfish@127.0.0.1/db?connect_timeout=swordfish", "the database URL can't be read"},
		"sslmode":           {"postgres://u:swordfish@127.0.0.1/db?sslmode=sometimes", "sslmode is disable"},
		"root certificate":  {"postgres://u:swordfish@127.0.0.1/db?sslmode=verify-full&sslrootcert=/nothere", "the database URL can't be read"},
		"pool":              {"postgres://u:swordfish@127.0.0.1/db?pool_max_conns=swordfish", "pool_max_conns is a number"},
		"no TLS there":      {server.URL("postgres", "sslmode=require"), "refused TLS"},
		"unknown parameter": {server.URL("postgres", "sslmode=disable&swordfish=1"), "refused the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, err := store.Open(ctx, tc.url, key(1))
			require.ErrorContains(t, err, tc.want)
			require.NoError(t, ctx.Err(), "told at once")
			if name != "unknown parameter" { // its name is quoted by the server
				require.NotContains(t, err.Error(), "swordfish")
			}
		})
	}
}

// The settings of the connection hold, and the URL may choose others.
func TestPostgresSettings(t *testing.T) {
	t.Parallel()
	url := cluster.Database(t)
	open(t, url)
	var name string
	db := outside(t, url)
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT application_name FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1`).Scan(&name))
	require.Equal(t, "slipway", name)
	s := open(t, url+"&statement_timeout=12345&application_name=other&pool_max_conns=3")
	for name, want := range map[string]string{
		"statement_timeout": "12345ms", "application_name": "other", "lock_timeout": "10s",
		"idle_in_transaction_session_timeout": "15s", "default_transaction_read_only": "on",
	} {
		got, err := s.Setting(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
}

// Two servers that start at once make the schema once.
func TestMigrationsOfTwoServers(t *testing.T) {
	t.Parallel()
	url := cluster.Database(t)
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() {
			s, err := store.Open(t.Context(), url, key(1))
			if err == nil {
				err = s.Close()
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
	require.NotEmpty(t, migrationsOf(t, outside(t, url)))
}

func migrationsOf(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM schema_migrations`).Scan(&n))
	return n
}

// Columns have the types that the rules allow, and every text sorts by bytes.
func TestPostgresTypes(t *testing.T) {
	t.Parallel()
	url := cluster.Database(t)
	open(t, url)
	rows, err := outside(t, url).QueryContext(t.Context(), `SELECT table_name || '.' || column_name, data_type, coalesce(collation_name, '')
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'schema_migrations'`)
	require.NoError(t, err)
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var column, kind, collation string
		require.NoError(t, rows.Scan(&column, &kind, &collation))
		require.Contains(t, []string{"bigint", "text", "boolean", "bytea", "double precision"}, kind, column)
		if kind == "text" {
			require.Equal(t, "C", collation, column)
		}
	}
	require.NoError(t, rows.Err())
	require.Greater(t, n, 50)
}

// While another session holds the writers' lock a change waits and then is
// Unavailable; reads go on.
func TestPostgresBusy(t *testing.T) {
	t.Parallel()
	url := cluster.Database(t)
	s := open(t, url+"&lock_timeout=200")
	fill(t, s)
	tx, err := outside(t, url).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), `SELECT pg_advisory_xact_lock(`+store.WritersLock+`)`)
	require.NoError(t, err)
	_, err = s.FindApp(t.Context(), "hello")
	require.NoError(t, err)
	err = s.SetStructure(t.Context(), "hello", map[string]int{"web": 1}, time.Now())
	require.Equal(t, platform.Unavailable, platform.CodeOf(err), "%v", err)
	require.NoError(t, tx.Rollback())
	require.NoError(t, s.SetStructure(t.Context(), "hello", map[string]int{"web": 1}, time.Now()))
}

// A zero byte, which PostgreSQL can't keep, is the user's mistake.
func TestPostgresZeroByte(t *testing.T) {
	t.Parallel()
	s := open(t, cluster.Database(t))
	_, err := s.CreateUser(t.Context(), platform.User{Username: "a\x00b"}, "")
	require.Equal(t, platform.Invalid, platform.CodeOf(err), "%v", err)
}

// The database goes away and comes back: meanwhile everything is Unavailable,
// nothing waits for ever, and afterwards the same store works again.
func TestPostgresRestarts(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	require.NoError(t, server.Create("own", ""))
	s := open(t, server.URL("own", ""))
	fill(t, s)
	for range 3 {
		require.NoError(t, server.Stop())
		for what, err := range map[string]error{
			"read": errOf(s.FindApp(t.Context(), "hello")), "ping": s.Ping(t.Context()),
			"write": s.SetStructure(t.Context(), "hello", map[string]int{"web": 1}, time.Now()),
		} {
			require.Equal(t, platform.Unavailable, platform.CodeOf(err), "%s: %v", what, err)
			require.NotContains(t, err.Error(), "swordfish")
		}
		require.NoError(t, server.Begin())
		require.NoError(t, s.Ping(t.Context()))
		require.NoError(t, s.SetStructure(t.Context(), "hello", map[string]int{"web": 1}, time.Now()))
	}
}

func errOf[T any](_ T, err error) error { return err }

// Open waits for a database that is still starting.
func TestOpenWaitsForPostgres(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	require.NoError(t, server.Create("own", ""))
	require.NoError(t, server.Stop())
	opened := make(chan error, 1)
	go func() {
		s, err := store.Open(t.Context(), server.URL("own", ""), key(1))
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	require.NoError(t, server.Begin())
	require.NoError(t, <-opened)

	require.NoError(t, server.Stop())
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := store.Open(ctx, server.URL("own", ""), key(1))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "swordfish")
}

// Several servers number the releases of one app without gap or double.
func TestVersionsOfTwoServers(t *testing.T) {
	t.Parallel()
	url := cluster.Database(t)
	one, two := open(t, url), open(t, url)
	fill(t, one)
	const each = 60
	var group sync.WaitGroup
	errs := make(chan error, 2*each)
	for i, s := range []*store.Store{one, two} {
		for j := range each {
			group.Go(func() {
				_, err := s.AddRelease(t.Context(), platform.Release{
					UUID: fmt.Sprint(i, "-", j), App: "hello", State: platform.ReleasePending, Config: "c",
				}, nil, nil)
				errs <- err
			})
		}
	}
	group.Wait()
	for range 2 * each {
		require.NoError(t, <-errs)
	}
	list, total, err := one.ListReleases(t.Context(), "hello", nil, control.Page{Limit: 1000})
	require.NoError(t, err)
	require.Equal(t, 2+2*each, total)
	for i, r := range list {
		require.Equal(t, total-i, r.Version)
	}
}
