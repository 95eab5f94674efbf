package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// table is what a dump has to know of one table. It is the same for both
// databases, as they are made by the same migrations.
type table struct {
	name    string
	columns []string
	key     []string // primary key, in its order
	serial  string   // column that numbers itself; empty when none does
}

// describe lists the tables that the migrations make, each after those that it
// refers to. It asks an SQLite database in memory.
func describe(ctx context.Context, list []migration) (tables []table, err error) {
	db := sql.OpenDB(liteConnector{"file:describe?mode=memory"})
	db.SetMaxOpenConns(1) // another connection would be another database
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := migrate(ctx, db, sqliteSQL, list); err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, `SELECT name, sql FROM sqlite_master
		WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations' ORDER BY rowid`)
	made, err := collect(rows, err, func(row rowScanner) (t [2]string, err error) {
		err = row.Scan(&t[0], &t[1])
		return t, err
	})
	if err != nil {
		return nil, err
	}
	for _, m := range made {
		t, err := describeTable(ctx, db, m[0])
		if err != nil {
			return nil, err
		}
		if len(t.key) == 1 && strings.Contains(m[1], "AUTOINCREMENT") {
			t.serial = t.key[0]
		}
		tables = append(tables, t)
	}
	return tables, nil
}

func describeTable(ctx context.Context, db *sql.DB, name string) (table, error) {
	t := table{name: name}
	rows, err := db.QueryContext(ctx, `SELECT name, pk FROM pragma_table_info(?) ORDER BY cid`, name)
	type column struct {
		name  string
		place int // in the primary key, from 1
	}
	columns, err := collect(rows, err, func(row rowScanner) (c column, err error) {
		err = row.Scan(&c.name, &c.place)
		return c, err
	})
	if err != nil {
		return t, err
	}
	places := map[int]string{}
	for _, c := range columns {
		t.columns = append(t.columns, c.name)
		if c.place > 0 {
			places[c.place] = c.name
		}
	}
	for i := 1; i <= len(places); i++ {
		t.key = append(t.key, places[i])
	}
	if len(t.key) == 0 {
		return t, fmt.Errorf("table %s has no primary key, so its rows have no order", name)
	}
	return t, nil
}
