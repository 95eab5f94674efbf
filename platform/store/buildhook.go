package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const hookColumns = `h.uuid, a.id, h.username, h.url, h.branch, h.login, h.ca, h.public_key, h.host_key, h.secrets, h.created`

const hookFrom = ` FROM build_hooks h JOIN apps a ON a.number = h.app`

func hookPlace(uuid string) string { return "build_hooks/" + uuid }

func (s *Store) scanHook(row rowScanner) (h platform.BuildHook, secrets platform.BuildHookSecrets, err error) {
	var sealed []byte
	var created int64
	err = row.Scan(&h.UUID, &h.App, &h.User, &h.URL, &h.Branch, &h.Username, &h.CA, &h.PublicKey, &h.HostKey, &sealed, &created)
	if err != nil {
		return h, secrets, err
	}
	h.Created = fromMicros(created)
	text, err := s.seal.open(hookPlace(h.UUID), sealed)
	if err != nil {
		return h, secrets, err
	}
	return h, secrets, json.Unmarshal(text, &secrets)
}

// PutBuildHook gives an app a hook in place of the one it has.
func (s *Store) PutBuildHook(ctx context.Context, h platform.BuildHook, secrets platform.BuildHookSecrets) error {
	text, err := json.Marshal(secrets)
	if err != nil {
		return err
	}
	return s.tx(ctx, "store.PutBuildHook", "App", func(tx *sql.Tx) error {
		var app int64
		if err := tx.QueryRowContext(ctx, `SELECT number FROM apps WHERE id = ?`, h.App).Scan(&app); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM build_hooks WHERE app = ?`, app); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO build_hooks (app, uuid, username, url, branch, login, ca, public_key, host_key, secrets, created)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			app, h.UUID, h.User, h.URL, h.Branch, h.Username, h.CA, h.PublicKey, h.HostKey, s.seal.seal(hookPlace(h.UUID), text), micros(h.Created))
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: h.App, Object: "build hook", Action: "create", Created: h.Created},
			map[string]any{"user": h.User, "url": h.URL, "branch": h.Branch})
	})
}

// FindBuildHook finds the hook of an app.
func (s *Store) FindBuildHook(ctx context.Context, app string) (platform.BuildHook, platform.BuildHookSecrets, error) {
	h, secrets, err := s.scanHook(s.read.QueryRowContext(ctx, `SELECT `+hookColumns+hookFrom+` WHERE a.id = ?`, app))
	return h, secrets, fault("store.FindBuildHook", "BuildHook", err)
}

// FindBuildHookAt finds a hook by its UUID.
func (s *Store) FindBuildHookAt(ctx context.Context, uuid string) (platform.BuildHook, platform.BuildHookSecrets, error) {
	h, secrets, err := s.scanHook(s.read.QueryRowContext(ctx, `SELECT `+hookColumns+hookFrom+` WHERE h.uuid = ?`, uuid))
	return h, secrets, fault("store.FindBuildHookAt", "BuildHook", err)
}

// DeleteBuildHook takes the hook of an app away.
func (s *Store) DeleteBuildHook(ctx context.Context, app string) error {
	return s.tx(ctx, "store.DeleteBuildHook", "BuildHook", func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `DELETE FROM build_hooks WHERE app = (SELECT number FROM apps WHERE id = ?)`, app))
	})
}

// FindDelivery finds the newest run that a delivery began.
func (s *Store) FindDelivery(ctx context.Context, app, sum string) (platform.BuildRun, error) {
	r, err := scanRun(s.read.QueryRowContext(ctx, `SELECT `+runColumns+runFrom+` WHERE a.id = ? AND r.delivery = ? ORDER BY r.number DESC LIMIT 1`, app, sum))
	return r, fault("store.FindDelivery", "BuildRun", err)
}

// SetBuildRunSHA records which commit a run that waits has fetched.
func (s *Store) SetBuildRunSHA(ctx context.Context, uuid, sha string) error {
	return s.tx(ctx, "store.SetBuildRunSHA", "BuildRun", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE build_runs SET sha = ? WHERE uuid = ? AND state = ?`, sha, uuid, string(platform.BuildQueued))
		return changedRun(ctx, tx, uuid, res, err)
	})
}
