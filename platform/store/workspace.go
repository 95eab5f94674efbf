package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const workspaceColumns = `w.uuid, w.number, w.id, w.email, w.created, w.updated`

func scanWorkspace(row rowScanner) (platform.Workspace, error) {
	var w platform.Workspace
	var created, updated int64
	err := row.Scan(&w.UUID, &w.Number, &w.ID, &w.Email, &created, &updated)
	w.Created, w.Updated = fromMicros(created), fromMicros(updated)
	return w, err
}

// CreateWorkspace adds w, gives it a Number, and makes admin its first member.
func (s *Store) CreateWorkspace(ctx context.Context, w platform.Workspace, admin string) (platform.Workspace, error) {
	err := s.tx(ctx, "store.CreateWorkspace", "Workspace", func(tx *sql.Tx) error {
		const q = `INSERT INTO workspaces (uuid, id, email, created, updated) VALUES (?, ?, ?, ?, ?) RETURNING number`
		err := tx.QueryRowContext(ctx, q, w.UUID, w.ID, w.Email, micros(w.Created), micros(w.Updated)).Scan(&w.Number)
		if err != nil {
			return err
		}
		return one(tx.ExecContext(ctx, `INSERT INTO members (workspace, user_id, role, created, updated)
			SELECT ?, id, ?, ?, ? FROM users WHERE username = ?`,
			w.Number, int(platform.Admin), micros(w.Created), micros(w.Updated), admin))
	})
	return w, err
}

// FindWorkspace finds by id.
func (s *Store) FindWorkspace(ctx context.Context, id string) (platform.Workspace, error) {
	w, err := scanWorkspace(s.read.QueryRowContext(ctx, `SELECT `+workspaceColumns+` FROM workspaces w WHERE w.id = ?`, id))
	return w, fault("store.FindWorkspace", "Workspace", err)
}

// ListWorkspaces lists those of a user by id and counts them all.
func (s *Store) ListWorkspaces(ctx context.Context, username string, p control.Page) (list []platform.Workspace, total int, err error) {
	limit, offset := page(p)
	err = s.view(ctx, "store.ListWorkspaces", "Workspace", func(tx *sql.Tx) error {
		const from = ` FROM workspaces w JOIN members m ON m.workspace = w.number JOIN users u ON u.id = m.user_id WHERE u.username = ?`
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+from, username).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+workspaceColumns+from+` ORDER BY w.id LIMIT ? OFFSET ?`, username, limit, offset)
		list, err = collect(rows, err, scanWorkspace)
		return err
	})
	return list, total, err
}

// RoleOf returns what a user may do in a workspace; NoRole for a stranger.
func (s *Store) RoleOf(ctx context.Context, workspace, username string) (platform.Role, error) {
	var role platform.Role
	const q = `SELECT m.role FROM members m JOIN workspaces w ON w.number = m.workspace JOIN users u ON u.id = m.user_id
		WHERE w.id = ? AND u.username = ?`
	err := s.read.QueryRowContext(ctx, q, workspace, username).Scan(&role)
	if errors.Is(err, sql.ErrNoRows) {
		return platform.NoRole, nil
	}
	return role, fault("store.RoleOf", "Workspace", err)
}
