package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func volumePlace(uuid string) string { return "volumes/" + uuid }

const volumeColumns = `v.uuid, a.id, v.name, v.type, v.size, v.path, v.sealed, v.deleting, v.created, v.updated`

const volumeFrom = ` FROM volumes v JOIN apps a ON a.number = v.app`

func (s *Store) scanVolume(row rowScanner) (platform.Volume, error) {
	var v platform.Volume
	var path string
	var sealed []byte
	var created, updated int64
	if err := row.Scan(&v.UUID, &v.App, &v.Name, &v.Type, &v.Size, &path, &sealed, &v.Deleting, &created, &updated); err != nil {
		return platform.Volume{}, err
	}
	v.Created, v.Updated = fromMicros(created), fromMicros(updated)
	if err := json.Unmarshal([]byte(path), &v.Path); err != nil {
		return platform.Volume{}, fmt.Errorf("volume %s: %w", v.UUID, err)
	}
	plain, err := s.seal.open(volumePlace(v.UUID), sealed)
	if err == nil {
		err = json.Unmarshal(plain, &v.Parameters)
	}
	if err != nil {
		return platform.Volume{}, fmt.Errorf("volume %s: %w", v.UUID, err)
	}
	return v, nil
}

// CreateVolume writes v; a taken name is a Conflict.
func (s *Store) CreateVolume(ctx context.Context, v platform.Volume) error {
	path, err := toJSON(orEmpty(v.Path))
	if err != nil {
		return fault("store.CreateVolume", "Volume", err)
	}
	plain, err := json.Marshal(orEmpty(v.Parameters))
	if err != nil {
		return fault("store.CreateVolume", "Volume", err)
	}
	return s.tx(ctx, "store.CreateVolume", "Volume", func(tx *sql.Tx) error {
		app, err := appNumber(ctx, tx, v.App)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO volumes (uuid, app, name, type, size, path, sealed, deleting, created, updated)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, v.UUID, app, v.Name, string(v.Type), v.Size, path,
			s.seal.seal(volumePlace(v.UUID), plain), v.Deleting, micros(v.Created), micros(v.Updated))
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: v.App, Object: "volume", Action: "create", Created: v.Created},
			map[string]any{"volume": v.Name, "type": v.Type, "size": v.Size})
	})
}

// appNumber finds an app's number for a row that refers to it.
func appNumber(ctx context.Context, tx *sql.Tx, id string) (number int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT number FROM apps WHERE id = ?`, id).Scan(&number)
	if err == sql.ErrNoRows {
		return 0, platform.Errorf(platform.NotFound, "No App matches the given query.")
	}
	return number, err
}

// FindVolume finds by app and name.
func (s *Store) FindVolume(ctx context.Context, app, name string) (platform.Volume, error) {
	v, err := s.scanVolume(s.read.QueryRowContext(ctx, `SELECT `+volumeColumns+volumeFrom+` WHERE a.id = ? AND v.name = ?`, app, name))
	return v, fault("store.FindVolume", "Volume", err)
}

// ListVolumes lists by name those that are not being deleted.
func (s *Store) ListVolumes(ctx context.Context, app string, p control.Page) (list []platform.Volume, total int, err error) {
	const where = ` WHERE a.id = ? AND v.deleting = FALSE`
	limit, offset := page(p)
	err = s.view(ctx, "store.ListVolumes", "Volume", func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+volumeFrom+where, app).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+volumeColumns+volumeFrom+where+` ORDER BY v.name LIMIT ? OFFSET ?`, app, limit, offset)
		list, err = collect(rows, err, s.scanVolume)
		return err
	})
	return list, total, err
}

// AllVolumes lists every volume of an app by name.
func (s *Store) AllVolumes(ctx context.Context, app string) ([]platform.Volume, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+volumeColumns+volumeFrom+` WHERE a.id = ? ORDER BY v.name`, app)
	list, err := collect(rows, err, s.scanVolume)
	return list, fault("store.AllVolumes", "Volume", err)
}

// SaveVolume replaces size, paths and Deleting of the volume with v's UUID.
func (s *Store) SaveVolume(ctx context.Context, v platform.Volume, action string) error {
	path, err := toJSON(orEmpty(v.Path))
	if err != nil {
		return fault("store.SaveVolume", "Volume", err)
	}
	return s.tx(ctx, "store.SaveVolume", "Volume", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `UPDATE volumes SET size = ?, path = ?, deleting = ?, updated = ? WHERE uuid = ?`,
			v.Size, path, v.Deleting, micros(v.Updated), v.UUID))
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: v.App, Object: "volume", Action: action, Created: v.Updated},
			map[string]any{"volume": v.Name, "size": v.Size, "path": orEmpty(v.Path)})
	})
}

// DeleteVolume removes a row; a missing one is no error.
func (s *Store) DeleteVolume(ctx context.Context, uuid string) error {
	return s.tx(ctx, "store.DeleteVolume", "Volume", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM volumes WHERE uuid = ?`, uuid)
		return err
	})
}
