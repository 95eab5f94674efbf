package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const memberColumns = `m.id, w.id, u.username, u.email, m.role, m.alerts, m.created, m.updated`

const memberFrom = ` FROM members m JOIN workspaces w ON w.number = m.workspace JOIN users u ON u.id = m.user_id`

// memberWhere finds one member in a statement that can't join.
const memberWhere = ` WHERE workspace = (SELECT number FROM workspaces WHERE id = ?) AND user_id = (SELECT id FROM users WHERE username = ?)`

func scanMember(row rowScanner) (platform.WorkspaceMember, error) {
	var m platform.WorkspaceMember
	var created, updated int64
	err := row.Scan(&m.ID, &m.Workspace, &m.Username, &m.Email, &m.Role, &m.Alerts, &created, &updated)
	m.Created, m.Updated = fromMicros(created), fromMicros(updated)
	return m, err
}

// UpdateWorkspace changes the mail address.
func (s *Store) UpdateWorkspace(ctx context.Context, w platform.Workspace) (platform.Workspace, error) {
	err := s.tx(ctx, "store.UpdateWorkspace", "Workspace", func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `UPDATE workspaces SET email = ?, updated = ? WHERE id = ?`, w.Email, micros(w.Updated), w.ID)); err != nil {
			return err
		}
		var err error
		w, err = scanWorkspace(tx.QueryRowContext(ctx, `SELECT `+workspaceColumns+` FROM workspaces w WHERE w.id = ?`, w.ID))
		return err
	})
	return w, err
}

// DeleteWorkspace removes a workspace without apps, with members and
// invitations.
func (s *Store) DeleteWorkspace(ctx context.Context, id string, at time.Time) error {
	return s.tx(ctx, "store.DeleteWorkspace", "Workspace", func(tx *sql.Tx) error {
		var apps int
		const count = `SELECT count(*) FROM apps WHERE workspace = (SELECT number FROM workspaces WHERE id = ?)`
		if err := tx.QueryRowContext(ctx, count, id).Scan(&apps); err != nil {
			return err
		}
		if apps > 0 {
			return platform.Errorf(platform.Conflict, "The workspace %s has apps: transfer or destroy them first.", id)
		}
		if err := one(tx.ExecContext(ctx, `DELETE FROM workspaces WHERE id = ?`, id)); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{Object: "workspace", Action: "delete", Created: at}, map[string]any{"workspace": id})
	})
}

// ListMembers lists by ID and counts them all.
func (s *Store) ListMembers(ctx context.Context, workspace string, p control.Page) (list []platform.WorkspaceMember, total int, err error) {
	limit, offset := page(p)
	err = s.view(ctx, "store.ListMembers", "Member", func(tx *sql.Tx) error {
		const from = memberFrom + ` WHERE w.id = ?`
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+from, workspace).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+memberColumns+from+` ORDER BY m.id LIMIT ? OFFSET ?`, workspace, limit, offset)
		list, err = collect(rows, err, scanMember)
		return err
	})
	return list, total, err
}

// FindMember finds a user in a workspace.
func (s *Store) FindMember(ctx context.Context, workspace, username string) (platform.WorkspaceMember, error) {
	m, err := scanMember(s.read.QueryRowContext(ctx, `SELECT `+memberColumns+memberFrom+` WHERE w.id = ? AND u.username = ?`, workspace, username))
	return m, fault("store.FindMember", "WorkspaceMember", err)
}

// UpdateMember changes role and alerts.
func (s *Store) UpdateMember(ctx context.Context, m platform.WorkspaceMember) error {
	return s.tx(ctx, "store.UpdateMember", "WorkspaceMember", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `UPDATE members SET role = ?, alerts = ?, updated = ?`+memberWhere,
			int(m.Role), m.Alerts, micros(m.Updated), m.Workspace, m.Username))
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{Object: "member", Action: "update", Created: m.Updated},
			map[string]any{"workspace": m.Workspace, "username": m.Username, "role": m.Role.String()})
	})
}

// DeleteMember takes a user out of a workspace.
func (s *Store) DeleteMember(ctx context.Context, workspace, username string, at time.Time) error {
	return s.tx(ctx, "store.DeleteMember", "WorkspaceMember", func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `DELETE FROM members`+memberWhere, workspace, username)); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{Object: "member", Action: "delete", Created: at},
			map[string]any{"workspace": workspace, "username": username})
	})
}

// CountMembers counts members, and the admins among them.
func (s *Store) CountMembers(ctx context.Context, workspace string) (members, admins int, err error) {
	const q = `SELECT count(*), COALESCE(sum(CASE WHEN m.role = ? THEN 1 ELSE 0 END), 0)
		FROM members m JOIN workspaces w ON w.number = m.workspace WHERE w.id = ?`
	err = s.read.QueryRowContext(ctx, q, int(platform.Admin), workspace).Scan(&members, &admins)
	return members, admins, fault("store.CountMembers", "Workspace", err)
}

// GrantOf returns what a user may do in one app beside their workspaces.
func (s *Store) GrantOf(ctx context.Context, app, username string) (platform.Role, error) {
	var role platform.Role
	const q = `SELECT g.role FROM grants g JOIN apps a ON a.number = g.app JOIN users u ON u.id = g.user_id WHERE a.id = ? AND u.username = ?`
	err := s.read.QueryRowContext(ctx, q, app, username).Scan(&role)
	if errors.Is(err, sql.ErrNoRows) {
		return platform.NoRole, nil
	}
	return role, fault("store.GrantOf", "App", err)
}

// ListGrants lists who is let into an app, by user name.
func (s *Store) ListGrants(ctx context.Context, app string) ([]platform.Grant, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT u.username, g.role FROM grants g JOIN apps a ON a.number = g.app
		JOIN users u ON u.id = g.user_id WHERE a.id = ? ORDER BY u.username`, app)
	list, err := collect(rows, err, func(r rowScanner) (g platform.Grant, err error) { return g, r.Scan(&g.Username, &g.Role) })
	return list, fault("store.ListGrants", "App", err)
}

// SetGrant lets a user into an app, or changes what they may do there.
func (s *Store) SetGrant(ctx context.Context, app string, g platform.Grant, at time.Time) error {
	return s.tx(ctx, "store.SetGrant", "User", func(tx *sql.Tx) error {
		const q = `INSERT INTO grants (app, user_id, role, created)
			SELECT a.number, u.id, ?, ? FROM apps a, users u WHERE a.id = ? AND u.username = ?
			ON CONFLICT (app, user_id) DO UPDATE SET role = excluded.role`
		if err := one(tx.ExecContext(ctx, q, int(g.Role), micros(at), app, g.Username)); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: app, Object: "grant", Action: "create", Created: at},
			map[string]any{"username": g.Username, "role": g.Role.String()})
	})
}

// DeleteGrant takes a user's way into an app away.
func (s *Store) DeleteGrant(ctx context.Context, app, username string, at time.Time) error {
	return s.tx(ctx, "store.DeleteGrant", "User", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `DELETE FROM grants WHERE app = (SELECT number FROM apps WHERE id = ?)
			AND user_id = (SELECT id FROM users WHERE username = ?)`, app, username))
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{App: app, Object: "grant", Action: "delete", Created: at}, map[string]any{"username": username})
	})
}
