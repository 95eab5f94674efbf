package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func resourcePlace(uuid string) string { return "resources/" + uuid }

// resourceSecret is the sealed part of a resource.
type resourceSecret struct {
	Options map[string]string `json:"options,omitempty"`
	Data    map[string]string `json:"data,omitempty"`
}

const resourceColumns = `r.uuid, a.id, r.owner, r.name, r.plan, r.status, r.binding, r.message, r.sealed, r.created, r.updated`

const resourceFrom = ` FROM resources r JOIN apps a ON a.number = r.app`

func (s *Store) scanResource(row rowScanner) (platform.Resource, error) {
	var r platform.Resource
	var sealed []byte
	var created, updated int64
	err := row.Scan(&r.UUID, &r.App, &r.Owner, &r.Name, &r.Plan, &r.Status, &r.Binding, &r.Message, &sealed, &created, &updated)
	if err != nil {
		return platform.Resource{}, err
	}
	r.Created, r.Updated = fromMicros(created), fromMicros(updated)
	var secret resourceSecret
	plain, err := s.seal.open(resourcePlace(r.UUID), sealed)
	if err == nil {
		err = json.Unmarshal(plain, &secret)
	}
	if err != nil {
		return platform.Resource{}, fmt.Errorf("resource %s: %w", r.UUID, err)
	}
	r.Options, r.Data = orEmpty(secret.Options), orEmpty(secret.Data)
	return r, nil
}

func (s *Store) sealResource(r platform.Resource) ([]byte, error) {
	plain, err := json.Marshal(resourceSecret{Options: r.Options, Data: r.Data})
	if err != nil {
		return nil, err
	}
	return s.seal.seal(resourcePlace(r.UUID), plain), nil
}

// CreateResource writes r; a taken name is a Conflict.
func (s *Store) CreateResource(ctx context.Context, r platform.Resource) error {
	sealed, err := s.sealResource(r)
	if err != nil {
		return fault("store.CreateResource", "Resource", err)
	}
	return s.tx(ctx, "store.CreateResource", "Resource", func(tx *sql.Tx) error {
		app, err := appNumber(ctx, tx, r.App)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO resources (uuid, app, owner, name, plan, status, binding, message, sealed, created, updated)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.UUID, app, r.Owner, r.Name, r.Plan, string(r.Status), string(r.Binding), r.Message,
			sealed, micros(r.Created), micros(r.Updated))
		if err != nil {
			return err
		}
		return logResource(ctx, tx, r, "create")
	})
}

func logResource(ctx context.Context, tx *sql.Tx, r platform.Resource, action string) error {
	return logEvent(ctx, tx, control.Event{App: r.App, Object: "resource", Action: action, Created: r.Updated},
		map[string]any{"resource": r.Name, "plan": r.Plan, "status": r.Status, "binding": r.Binding, "message": r.Message})
}

// FindResource finds by app and name.
func (s *Store) FindResource(ctx context.Context, app, name string) (platform.Resource, error) {
	r, err := s.scanResource(s.read.QueryRowContext(ctx, `SELECT `+resourceColumns+resourceFrom+` WHERE a.id = ? AND r.name = ?`, app, name))
	return r, fault("store.FindResource", "Resource", err)
}

// ListResources lists an app's resources by name.
func (s *Store) ListResources(ctx context.Context, app string, p control.Page) (list []platform.Resource, total int, err error) {
	limit, offset := page(p)
	err = s.view(ctx, "store.ListResources", "Resource", func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+resourceFrom+` WHERE a.id = ?`, app).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+resourceColumns+resourceFrom+` WHERE a.id = ? ORDER BY r.name LIMIT ? OFFSET ?`, app, limit, offset)
		list, err = collect(rows, err, s.scanResource)
		return err
	})
	return list, total, err
}

// SaveResource replaces all of r that may change.
func (s *Store) SaveResource(ctx context.Context, r platform.Resource, action string) error {
	sealed, err := s.sealResource(r)
	if err != nil {
		return fault("store.SaveResource", "Resource", err)
	}
	return s.tx(ctx, "store.SaveResource", "Resource", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `UPDATE resources SET plan = ?, status = ?, binding = ?, message = ?, sealed = ?, updated = ? WHERE uuid = ?`,
			r.Plan, string(r.Status), string(r.Binding), r.Message, sealed, micros(r.Updated), r.UUID))
		if err != nil {
			return err
		}
		return logResource(ctx, tx, r, action)
	})
}

// DeleteResource removes a row; a missing one is no error.
func (s *Store) DeleteResource(ctx context.Context, uuid string) error {
	return s.tx(ctx, "store.DeleteResource", "Resource", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM resources WHERE uuid = ?`, uuid)
		return err
	})
}
