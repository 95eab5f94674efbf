package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// AddWork records w in place of work of its kind for the same app. A release
// that is to be deployed again is being deployed from then on.
func (s *Store) AddWork(ctx context.Context, w control.Work) (control.Work, error) {
	err := s.tx(ctx, "store.AddWork", "Work", func(tx *sql.Tx) error {
		// Deleted first, not updated: the new row has to have a new ID.
		if _, err := tx.ExecContext(ctx, `DELETE FROM work WHERE app = ? AND kind = ?`, w.App, string(w.Kind)); err != nil {
			return err
		}
		if w.Kind == control.WorkDeploy {
			_, err := tx.ExecContext(ctx, `UPDATE releases SET state = ? WHERE app = (SELECT number FROM apps WHERE id = ?) AND version = ? AND state IN (?, ?)`,
				string(platform.ReleaseDeploying), w.App, w.Version, string(platform.ReleaseSucceeded), string(platform.ReleaseCrashed))
			if err != nil {
				return err
			}
		}
		return tx.QueryRowContext(ctx, `INSERT INTO work (app, kind, version, ptypes) VALUES (?, ?, ?, ?) RETURNING id`,
			w.App, string(w.Kind), w.Version, joinList(w.Ptypes)).Scan(&w.ID)
	})
	return w, err
}

// ListWork lists open work, oldest first, of one app or of all.
func (s *Store) ListWork(ctx context.Context, app string) ([]control.Work, error) {
	where, args := ``, []any(nil)
	if app != "" {
		where, args = ` WHERE app = ?`, []any{app}
	}
	rows, err := s.read.QueryContext(ctx, `SELECT id, app, kind, version, ptypes FROM work`+where+` ORDER BY id`, args...)
	list, err := collect(rows, err, func(row rowScanner) (w control.Work, err error) {
		var ptypes string
		err = row.Scan(&w.ID, &w.App, &w.Kind, &w.Version, &ptypes)
		w.Ptypes = splitList(ptypes)
		return w, err
	})
	return list, fault("store.ListWork", "Work", err)
}

// DoneWork removes work; a missing ID is no error.
func (s *Store) DoneWork(ctx context.Context, id int64) error {
	return s.tx(ctx, "store.DoneWork", "Work", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM work WHERE id = ?`, id)
		return err
	})
}

// AppendEvent adds e to the log and returns its ID, which is higher than that
// of every event before.
func (s *Store) AppendEvent(ctx context.Context, e control.Event) (id int64, err error) {
	err = s.tx(ctx, "store.AppendEvent", "Event", func(tx *sql.Tx) error {
		id, err = insertEvent(ctx, tx, e)
		return err
	})
	return id, err
}

// logEvent adds an event to the transaction that it tells of.
func logEvent(ctx context.Context, tx *sql.Tx, e control.Event, data any) error {
	var err error
	if e.Data, err = json.Marshal(data); err != nil {
		return err
	}
	_, err = insertEvent(ctx, tx, e)
	return err
}

func insertEvent(ctx context.Context, tx *sql.Tx, e control.Event) (id int64, err error) {
	data := string(e.Data)
	if data == "" || data == "null" {
		data = "{}"
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO events (app, object, action, data, created) VALUES (?, ?, ?, ?, ?) RETURNING id`,
		e.App, e.Object, e.Action, data, micros(e.Created)).Scan(&id)
	return id, err
}

// ListEvents lists events with IDs above after, oldest first, of one app or,
// when app is empty, of all.
func (s *Store) ListEvents(ctx context.Context, app string, after int64, limit int) ([]control.Event, error) {
	limit, _ = page(control.Page{Limit: limit})
	where, args := ` WHERE id > ?`, []any{after}
	if app != "" {
		where, args = where+` AND app = ?`, append(args, app)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT id, app, object, action, data, created FROM events`+where+` ORDER BY id LIMIT ?`, append(args, limit)...)
	list, err := collect(rows, err, scanEvent)
	return list, fault("store.ListEvents", "Event", err)
}

// LastEvents lists the newest events of app, oldest first.
func (s *Store) LastEvents(ctx context.Context, app string, limit int) ([]control.Event, error) {
	limit, _ = page(control.Page{Limit: limit})
	rows, err := s.read.QueryContext(ctx, `SELECT id, app, object, action, data, created FROM events
		WHERE app = ? ORDER BY id DESC LIMIT ?`, app, limit)
	list, err := collect(rows, err, scanEvent)
	slices.Reverse(list)
	return list, fault("store.LastEvents", "Event", err)
}

func scanEvent(row rowScanner) (e control.Event, err error) {
	var data string
	var created int64
	err = row.Scan(&e.ID, &e.App, &e.Object, &e.Action, &data, &created)
	e.Data, e.Created = []byte(data), fromMicros(created)
	return e, err
}
