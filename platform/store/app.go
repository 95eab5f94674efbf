package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const appColumns = `a.uuid, a.number, a.id, w.id, a.structure, a.created, a.updated,
	EXISTS (SELECT 1 FROM work k WHERE k.app = a.id AND k.kind = '` + string(control.WorkDelete) + `')`

const appFrom = ` FROM apps a JOIN workspaces w ON w.number = a.workspace`

func scanApp(row rowScanner) (platform.App, error) { return scanAppAnd(row) }

// scanAppAnd reads appColumns and, into more, what follows them.
func scanAppAnd(row rowScanner, more ...any) (platform.App, error) {
	var a platform.App
	var structure string
	var created, updated int64
	dest := append([]any{&a.UUID, &a.Number, &a.ID, &a.Workspace, &structure, &created, &updated, &a.Deleting}, more...)
	if err := row.Scan(dest...); err != nil {
		return platform.App{}, err
	}
	a.Created, a.Updated = fromMicros(created), fromMicros(updated)
	return a, json.Unmarshal([]byte(structure), &a.Structure)
}

// CreateApp writes the app, its first config, settings and release v1.
func (s *Store) CreateApp(ctx context.Context, a platform.App, c platform.Config, r platform.Release, set platform.Settings) (platform.App, error) {
	structure, err := toJSON(orEmpty(a.Structure))
	if err != nil {
		return a, fault("store.CreateApp", "App", err)
	}
	err = s.tx(ctx, "store.CreateApp", "App", func(tx *sql.Tx) error {
		var workspace int64
		if err := tx.QueryRowContext(ctx, `SELECT number FROM workspaces WHERE id = ?`, a.Workspace).Scan(&workspace); err != nil {
			return err
		}
		const q = `INSERT INTO apps (uuid, id, workspace, structure, created, updated) VALUES (?, ?, ?, ?, ?, ?) RETURNING number`
		err := tx.QueryRowContext(ctx, q, a.UUID, a.ID, workspace, structure, micros(a.Created), micros(a.Updated)).Scan(&a.Number)
		if err != nil {
			return err
		}
		if err := insertSettings(ctx, tx, a.Number, set); err != nil {
			return err
		}
		r.App, c.App = a.ID, a.ID
		if _, err := s.addRelease(ctx, tx, r, nil, &c); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: a.ID, Object: "app", Action: "create", Created: a.Created},
			map[string]any{"workspace": a.Workspace})
	})
	return a, err
}

func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

// FindApp finds by id.
func (s *Store) FindApp(ctx context.Context, id string) (platform.App, error) {
	a, err := scanApp(s.read.QueryRowContext(ctx, `SELECT `+appColumns+appFrom+` WHERE a.id = ?`, id))
	return a, fault("store.FindApp", "App", err)
}

// FindAppFor finds by id and tells what a user may do with it.
func (s *Store) FindAppFor(ctx context.Context, id, username string) (platform.App, platform.Role, error) {
	role := platform.NoRole
	a, err := scanAppAnd(s.read.QueryRowContext(ctx, `SELECT `+appColumns+`, COALESCE((
			SELECT m.role FROM members m JOIN users u ON u.id = m.user_id WHERE m.workspace = a.workspace AND u.username = ?), 0)`+
		appFrom+` WHERE a.id = ?`, username, id), &role)
	return a, role, fault("store.FindAppFor", "App", err)
}

// SetStructure replaces the wanted replicas.
func (s *Store) SetStructure(ctx context.Context, app string, structure map[string]int, at time.Time) error {
	text, err := toJSON(orEmpty(structure))
	if err != nil {
		return fault("store.SetStructure", "App", err)
	}
	return s.tx(ctx, "store.SetStructure", "App", func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `UPDATE apps SET structure = ?, updated = ? WHERE id = ?`, text, micros(at), app)); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: app, Object: "scale", Action: "update", Created: at}, structure)
	})
}

// DeleteApp removes the app with all its rows and open work.
func (s *Store) DeleteApp(ctx context.Context, id string) error {
	return s.tx(ctx, "store.DeleteApp", "App", func(tx *sql.Tx) error {
		var number int64
		if err := tx.QueryRowContext(ctx, `SELECT number FROM apps WHERE id = ?`, id).Scan(&number); err != nil {
			return err
		}
		// Releases refer to builds and configs, which must not vanish first.
		if _, err := tx.ExecContext(ctx, `DELETE FROM releases WHERE app = ?`, number); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM apps WHERE number = ?`, number); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM work WHERE app = ?`, id); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: id, Object: "app", Action: "delete", Created: time.Now()}, nil)
	})
}

func insertSettings(ctx context.Context, tx *sql.Tx, app int64, set platform.Settings) error {
	autoscale, label, err := settingsJSON(set)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO settings (app, uuid, routable, autodeploy, autorollback, autoscale, label, created, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, app, set.UUID, set.Routable, set.Autodeploy, set.Autorollback, autoscale, label,
		micros(set.Created), micros(set.Updated))
	return err
}

func settingsJSON(set platform.Settings) (autoscale, label string, err error) {
	if autoscale, err = toJSON(orEmpty(set.Autoscale)); err != nil {
		return "", "", err
	}
	label, err = toJSON(orEmpty(set.Label))
	return autoscale, label, err
}

// FindSettings returns the switches of an app.
func (s *Store) FindSettings(ctx context.Context, app string) (platform.Settings, error) {
	set := platform.Settings{App: app}
	var autoscale, label string
	var created, updated int64
	err := s.read.QueryRowContext(ctx, `SELECT t.uuid, t.routable, t.autodeploy, t.autorollback, t.autoscale, t.label, t.created, t.updated
		FROM settings t JOIN apps a ON a.number = t.app WHERE a.id = ?`, app).
		Scan(&set.UUID, &set.Routable, &set.Autodeploy, &set.Autorollback, &autoscale, &label, &created, &updated)
	if err == nil {
		err = json.Unmarshal([]byte(autoscale), &set.Autoscale)
	}
	if err == nil {
		err = json.Unmarshal([]byte(label), &set.Label)
	}
	set.Created, set.Updated = fromMicros(created), fromMicros(updated)
	return set, fault("store.FindSettings", "App", err)
}

// SaveSettings replaces the switches of set.App.
func (s *Store) SaveSettings(ctx context.Context, set platform.Settings) error {
	autoscale, label, err := settingsJSON(set)
	if err != nil {
		return fault("store.SaveSettings", "App", err)
	}
	return s.tx(ctx, "store.SaveSettings", "App", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `UPDATE settings SET routable = ?, autodeploy = ?, autorollback = ?, autoscale = ?, label = ?, updated = ?
			WHERE app = (SELECT number FROM apps WHERE id = ?)`,
			set.Routable, set.Autodeploy, set.Autorollback, autoscale, label, micros(set.Updated), set.App))
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: set.App, Object: "settings", Action: "update", Created: set.Updated},
			map[string]any{"routable": set.Routable, "autodeploy": set.Autodeploy, "autorollback": set.Autorollback})
	})
}
