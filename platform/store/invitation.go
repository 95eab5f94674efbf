package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const invitationColumns = `i.id, w.id, i.email, i.sealed, i.inviter, i.accepted, i.joined, i.created`

const invitationFrom = ` FROM invitations i JOIN workspaces w ON w.number = i.workspace`

func invitationPlace(workspace, email string) string {
	return "invitations\x00" + workspace + "\x00" + email
}

func (s *Store) scanInvitation(row rowScanner) (platform.Invitation, error) {
	var i platform.Invitation
	var sealed []byte
	var created int64
	if err := row.Scan(&i.ID, &i.Workspace, &i.Email, &sealed, &i.Inviter, &i.Accepted, &i.Joined, &created); err != nil {
		return i, err
	}
	i.Created = fromMicros(created)
	token, err := s.seal.open(invitationPlace(i.Workspace, i.Email), sealed)
	i.Token = string(token)
	return i, err
}

// SaveInvitation adds i, in place of an earlier one of the same address.
func (s *Store) SaveInvitation(ctx context.Context, i platform.Invitation, tokenSHA256 string) (platform.Invitation, error) {
	err := s.tx(ctx, "store.SaveInvitation", "Workspace", func(tx *sql.Tx) error {
		const drop = `DELETE FROM invitations WHERE workspace = (SELECT number FROM workspaces WHERE id = ?) AND lower(email) = lower(?)`
		if _, err := tx.ExecContext(ctx, drop, i.Workspace, i.Email); err != nil {
			return err
		}
		const q = `INSERT INTO invitations (workspace, email, token_sha256, sealed, inviter, accepted, created)
			SELECT number, ?, ?, ?, ?, ?, ? FROM workspaces WHERE id = ? RETURNING id`
		sealed := s.seal.seal(invitationPlace(i.Workspace, i.Email), []byte(i.Token))
		err := tx.QueryRowContext(ctx, q, i.Email, tokenSHA256, sealed, i.Inviter, i.Accepted, micros(i.Created), i.Workspace).Scan(&i.ID)
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{Object: "invitation", Action: "create", Created: i.Created},
			map[string]any{"workspace": i.Workspace, "email": i.Email, "inviter": i.Inviter})
	})
	return i, err
}

// ListInvitations lists by ID those that have not become a membership.
func (s *Store) ListInvitations(ctx context.Context, workspace string, p control.Page) (list []platform.Invitation, total int, err error) {
	limit, offset := page(p)
	err = s.view(ctx, "store.ListInvitations", "Invitation", func(tx *sql.Tx) error {
		const from = invitationFrom + ` WHERE w.id = ? AND NOT i.joined`
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+from, workspace).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+invitationColumns+from+` ORDER BY i.id LIMIT ? OFFSET ?`, workspace, limit, offset)
		list, err = collect(rows, err, s.scanInvitation)
		return err
	})
	return list, total, err
}

// DeleteInvitation takes an invitation back that has not become a membership.
func (s *Store) DeleteInvitation(ctx context.Context, workspace, tokenSHA256 string, at time.Time) error {
	return s.tx(ctx, "store.DeleteInvitation", "WorkspaceInvitation", func(tx *sql.Tx) error {
		const q = `DELETE FROM invitations WHERE token_sha256 = ? AND NOT joined AND workspace = (SELECT number FROM workspaces WHERE id = ?)`
		if err := one(tx.ExecContext(ctx, q, tokenSHA256, workspace)); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{Object: "invitation", Action: "delete", Created: at}, map[string]any{"workspace": workspace})
	})
}

// AcceptInvitation marks an invitation accepted and lets the oldest active
// user with its address join.
func (s *Store) AcceptInvitation(ctx context.Context, workspace, tokenSHA256 string, at time.Time) (i platform.Invitation, username string, err error) {
	err = s.tx(ctx, "store.AcceptInvitation", "WorkspaceInvitation", func(tx *sql.Tx) error {
		var err error
		i, err = s.scanInvitation(tx.QueryRowContext(ctx, `SELECT `+invitationColumns+invitationFrom+
			` WHERE w.id = ? AND i.token_sha256 = ?`, workspace, tokenSHA256))
		if err != nil {
			return err
		}
		const oldest = `SELECT username FROM users WHERE lower(email) = lower(?) AND is_active ORDER BY id LIMIT 1`
		err = tx.QueryRowContext(ctx, oldest, i.Email).Scan(&username)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if !i.Accepted {
			if _, err := tx.ExecContext(ctx, `UPDATE invitations SET accepted = TRUE WHERE id = ?`, i.ID); err != nil {
				return err
			}
			i.Accepted = true
		}
		if username == "" || i.Joined {
			return nil
		}
		i.Joined = true
		return join(ctx, tx, i, username, at)
	})
	return i, username, err
}

// JoinInvited makes username a member wherever an accepted invitation waits.
// Most often there is none, which needs no turn as the writer.
func (s *Store) JoinInvited(ctx context.Context, username string, at time.Time) (joined []string, err error) {
	const waiting = invitationFrom + ` JOIN users u ON lower(u.email) = lower(i.email)
		WHERE u.username = ? AND u.email <> '' AND i.accepted AND NOT i.joined`
	var n int
	if err := s.read.QueryRowContext(ctx, `SELECT count(*)`+waiting, username).Scan(&n); err != nil || n == 0 {
		return nil, fault("store.JoinInvited", "User", err)
	}
	err = s.tx(ctx, "store.JoinInvited", "User", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+invitationColumns+waiting+` ORDER BY i.id`, username)
		list, err := collect(rows, err, s.scanInvitation)
		if err != nil {
			return err
		}
		for _, i := range list {
			if err := join(ctx, tx, i, username, at); err != nil {
				return err
			}
			joined = append(joined, i.Workspace)
		}
		return nil
	})
	return joined, err
}

// join turns an invitation into a membership; a member stays what they are.
func join(ctx context.Context, tx *sql.Tx, i platform.Invitation, username string, at time.Time) error {
	const q = `INSERT INTO members (workspace, user_id, role, created, updated)
		SELECT w.number, u.id, ?, ?, ? FROM workspaces w, users u WHERE w.id = ? AND u.username = ?
		ON CONFLICT (workspace, user_id) DO NOTHING`
	if _, err := tx.ExecContext(ctx, q, int(platform.Member), micros(at), micros(at), i.Workspace, username); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE invitations SET joined = TRUE WHERE id = ?`, i.ID); err != nil {
		return err
	}
	return logEvent(ctx, tx, control.Event{Object: "member", Action: "create", Created: at},
		map[string]any{"workspace": i.Workspace, "username": username, "role": platform.Member.String()})
}

// IsMemberByEmail reports whether a user with that address is a member.
func (s *Store) IsMemberByEmail(ctx context.Context, workspace, email string) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT count(*)`+memberFrom+` WHERE w.id = ? AND lower(u.email) = lower(?)`, workspace, email).Scan(&n)
	return n > 0, fault("store.IsMemberByEmail", "Workspace", err)
}
