package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const keyColumns = `k.uuid, u.username, k.id, k.public, k.fingerprint, k.sha256, k.created, k.updated`

const keyFrom = ` FROM keys k JOIN users u ON u.id = k.user_id`

func scanKey(row rowScanner) (platform.Key, error) {
	var k platform.Key
	var created, updated int64
	err := row.Scan(&k.UUID, &k.Owner, &k.ID, &k.Public, &k.Fingerprint, &k.SHA256, &created, &updated)
	k.Created, k.Updated = fromMicros(created), fromMicros(updated)
	return k, err
}

// CreateKey adds a key of k.Owner's.
func (s *Store) CreateKey(ctx context.Context, k platform.Key) (platform.Key, error) {
	err := s.tx(ctx, "store.CreateKey", "Key", func(tx *sql.Tx) error {
		var user int64
		if err := tx.QueryRowContext(ctx, `SELECT id FROM users WHERE username = ?`, k.Owner).Scan(&user); err != nil {
			return err
		}
		for _, taken := range []struct {
			field, where string
			args         []any
		}{
			{"public", `sha256 = ?`, []any{k.SHA256}},
			{"id", `user_id = ? AND id = ?`, []any{user, k.ID}},
		} {
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM keys WHERE `+taken.where, taken.args...).Scan(&n); err != nil {
				return err
			}
			if n > 0 {
				return &platform.Error{Code: platform.Conflict, Op: "store.CreateKey", Field: taken.field, Message: "Key already exists."}
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO keys (uuid, user_id, id, public, fingerprint, sha256, created, updated)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, k.UUID, user, k.ID, k.Public, k.Fingerprint, k.SHA256, micros(k.Created), micros(k.Updated))
		if err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{Object: "key", Action: "create", Created: k.Created},
			map[string]any{"owner": k.Owner, "fingerprint": k.SHA256})
	})
	return k, err
}

// FindKey finds a key of owner's; another's is NotFound.
func (s *Store) FindKey(ctx context.Context, owner, id string) (platform.Key, error) {
	k, err := scanKey(s.read.QueryRowContext(ctx, `SELECT `+keyColumns+keyFrom+` WHERE u.username = ? AND k.id = ?`, owner, id))
	return k, fault("store.FindKey", "Key", err)
}

// ListKeys lists the keys of owner, oldest first, and counts them all.
func (s *Store) ListKeys(ctx context.Context, owner string, p control.Page) (list []platform.Key, total int, err error) {
	limit, offset := page(p)
	err = s.view(ctx, "store.ListKeys", "Key", func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+keyFrom+` WHERE u.username = ?`, owner).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+keyColumns+keyFrom+` WHERE u.username = ? ORDER BY k.created, k.uuid LIMIT ? OFFSET ?`,
			owner, limit, offset)
		list, err = collect(rows, err, scanKey)
		return err
	})
	return list, total, err
}

// DeleteKey removes a key of owner's; another's is NotFound.
func (s *Store) DeleteKey(ctx context.Context, owner, id string) error {
	return s.tx(ctx, "store.DeleteKey", "Key", func(tx *sql.Tx) error {
		k, err := scanKey(tx.QueryRowContext(ctx, `SELECT `+keyColumns+keyFrom+` WHERE u.username = ? AND k.id = ?`, owner, id))
		if err != nil {
			return err
		}
		if err := one(tx.ExecContext(ctx, `DELETE FROM keys WHERE uuid = ?`, k.UUID)); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{Object: "key", Action: "delete", Created: time.Now()},
			map[string]any{"owner": k.Owner, "fingerprint": k.SHA256})
	})
}

// FindKeyOwner finds the user whose key has the fingerprint.
func (s *Store) FindKeyOwner(ctx context.Context, fingerprint string) (platform.User, error) {
	column := `k.fingerprint`
	if strings.HasPrefix(fingerprint, "SHA256:") {
		column = `k.sha256`
	}
	var u platform.User
	dest, finish := userDest(&u)
	err := s.read.QueryRowContext(ctx, `SELECT `+userColumns+keyFrom+` WHERE `+column+` = ? ORDER BY k.created, k.uuid LIMIT 1`, fingerprint).
		Scan(dest...)
	finish()
	return u, fault("store.FindKeyOwner", "Key", err)
}

// ListAppKeys lists the keys of who may push to an app.
func (s *Store) ListAppKeys(ctx context.Context, app, username string) ([]platform.Key, error) {
	where, args := ` WHERE u.is_active AND u.id IN (
		SELECT m.user_id FROM members m JOIN apps a ON a.workspace = m.workspace WHERE a.id = ?
		UNION SELECT g.user_id FROM grants g JOIN apps b ON b.number = g.app WHERE b.id = ? AND g.role >= ?)`,
		[]any{app, app, int(platform.Member)}
	if username != "" {
		where, args = where+` AND u.username = ?`, append(args, username)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+keyColumns+keyFrom+where+` ORDER BY u.username, k.created, k.uuid`, args...)
	list, err := collect(rows, err, scanKey)
	return list, fault("store.ListAppKeys", "Key", err)
}
