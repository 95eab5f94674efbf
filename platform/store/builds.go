package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const buildColumns = `b.uuid, a.id, b.image, b.stack, b.sha, b.procfile, b.dockerfile, b.sealed, b.created, b.updated`

const buildFrom = ` FROM builds b JOIN apps a ON a.number = b.app`

func (s *Store) scanBuild(row rowScanner) (platform.Build, error) {
	var b platform.Build
	var procfile string
	var sealed []byte
	var created, updated int64
	err := row.Scan(&b.UUID, &b.App, &b.Image, &b.Stack, &b.SHA, &procfile, &b.Dockerfile, &sealed, &created, &updated)
	if err == nil {
		err = json.Unmarshal([]byte(procfile), &b.Procfile)
	}
	if err == nil && sealed != nil {
		if b.Dryccfile, err = s.seal.open(buildPlace(b.UUID), sealed); err != nil {
			err = fmt.Errorf("build %s: %w", b.UUID, err)
		}
	}
	b.Created, b.Updated = fromMicros(created), fromMicros(updated)
	return b, err
}

// FindBuild finds by uuid.
func (s *Store) FindBuild(ctx context.Context, uuid string) (platform.Build, error) {
	b, err := s.scanBuild(s.read.QueryRowContext(ctx, `SELECT `+buildColumns+buildFrom+` WHERE b.uuid = ?`, uuid))
	return b, fault("store.FindBuild", "Build", err)
}

// ListBuilds lists an app's builds, newest first, and counts them all.
func (s *Store) ListBuilds(ctx context.Context, app string, p control.Page) (list []platform.Build, total int, err error) {
	limit, offset := page(p)
	err = s.view(ctx, "store.ListBuilds", "Build", func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+buildFrom+` WHERE a.id = ?`, app).Scan(&total); err != nil {
			return err
		}
		// The release that was made with a build, its first, gives its place.
		rows, err := tx.QueryContext(ctx, `SELECT `+buildColumns+releaseFrom+` JOIN builds b ON b.uuid = r.build WHERE a.id = ?
			AND NOT EXISTS (SELECT 1 FROM releases e WHERE e.build = r.build AND e.version < r.version)
			ORDER BY r.version DESC LIMIT ? OFFSET ?`, app, limit, offset)
		list, err = collect(rows, err, s.scanBuild)
		return err
	})
	return list, total, err
}
