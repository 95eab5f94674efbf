package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func scanUser(row rowScanner) (platform.User, error) {
	var u platform.User
	dest, finish := userDest(&u)
	err := row.Scan(dest...)
	finish()
	return u, err
}

// ListUsers lists by ID and counts them all.
func (s *Store) ListUsers(ctx context.Context, f control.UserFilter, p control.Page) (list []platform.User, total int, err error) {
	var conds []string
	if f.Superusers {
		conds = append(conds, `u.is_superuser`)
	}
	if f.Active {
		conds = append(conds, `u.is_active`)
	}
	from := ` FROM users u`
	if len(conds) > 0 {
		from += ` WHERE ` + strings.Join(conds, ` AND `)
	}
	limit, offset := page(p)
	err = s.view(ctx, "store.ListUsers", "User", func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+from).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+userColumns+from+` ORDER BY u.id LIMIT ? OFFSET ?`, limit, offset)
		list, err = collect(rows, err, scanUser)
		return err
	})
	return list, total, err
}

// CreatePerson adds a user that p vouches for, without a password.
func (s *Store) CreatePerson(ctx context.Context, p platform.Person, at time.Time) (platform.User, error) {
	groups, err := toJSON(orNone(p.Groups))
	if err != nil {
		return platform.User{}, fault("store.CreatePerson", "User", err)
	}
	var u platform.User
	err = s.tx(ctx, "store.CreatePerson", "User", func(tx *sql.Tx) error {
		const q = `INSERT INTO users (username, email, first_name, last_name, password_hash, is_active, origin, subject, user_groups, date_joined)
			VALUES (?, ?, ?, ?, '', TRUE, ?, ?, ?, ?)`
		_, err := tx.ExecContext(ctx, q, p.Username, p.Email, p.FirstName, p.LastName, p.Origin, p.Subject, groups, micros(at))
		if err != nil {
			return err
		}
		if u, err = userIn(ctx, tx, p.Username); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{Object: "user", Action: "create", Created: at},
			map[string]any{"username": p.Username, "origin": p.Origin})
	})
	return u, err
}

func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func userIn(ctx context.Context, tx *sql.Tx, username string) (platform.User, error) {
	return scanUser(tx.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users u WHERE u.username = ?`, username))
}

// FindPerson finds a user by where they come from and who they are there.
func (s *Store) FindPerson(ctx context.Context, origin, subject string) (platform.User, error) {
	u, err := scanUser(s.read.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users u
		WHERE u.origin = ? AND u.subject = ? AND u.origin <> ''`, origin, subject))
	return u, fault("store.FindPerson", "User", err)
}

// UpdateUser changes what c names.
func (s *Store) UpdateUser(ctx context.Context, username string, c platform.UserChange, at time.Time) (u platform.User, err error) {
	var sets []string
	var args []any
	data := map[string]any{"username": username}
	set := func(column string, value any) {
		sets, args = append(sets, column+` = ?`), append(args, value)
	}
	for _, text := range []struct {
		column string
		value  *string
	}{{"email", c.Email}, {"first_name", c.FirstName}, {"last_name", c.LastName}} {
		if text.value != nil {
			set(text.column, *text.value)
		}
	}
	if c.Groups != nil {
		groups, err := toJSON(orNone(*c.Groups))
		if err != nil {
			return u, fault("store.UpdateUser", "User", err)
		}
		set("user_groups", groups)
	}
	if c.IsSuperuser != nil {
		set("is_superuser", *c.IsSuperuser)
		set("is_staff", *c.IsSuperuser)
		data["is_superuser"] = *c.IsSuperuser
	}
	if c.IsActive != nil {
		set("is_active", *c.IsActive)
		data["is_active"] = *c.IsActive
	}
	err = s.tx(ctx, "store.UpdateUser", "User", func(tx *sql.Tx) error {
		if len(sets) > 0 {
			q := `UPDATE users SET ` + strings.Join(sets, `, `) + ` WHERE username = ?`
			if err := one(tx.ExecContext(ctx, q, append(args, username)...)); err != nil {
				return err
			}
			if err := logEvent(ctx, tx, control.Event{Object: "user", Action: "update", Created: at}, data); err != nil {
				return err
			}
		}
		u, err = userIn(ctx, tx, username)
		return err
	})
	return u, err
}

// aloneIn selects the workspaces whose only member is a user.
const aloneIn = `SELECT m.workspace FROM members m JOIN users u ON u.id = m.user_id WHERE u.username = ?
	AND NOT EXISTS (SELECT 1 FROM members o WHERE o.workspace = m.workspace AND o.user_id <> m.user_id)`

// DeleteUser removes a user and the workspaces that had no other member.
func (s *Store) DeleteUser(ctx context.Context, username string, at time.Time) error {
	return s.tx(ctx, "store.DeleteUser", "User", func(tx *sql.Tx) error {
		var apps int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM apps WHERE workspace IN (`+aloneIn+`)`, username).Scan(&apps); err != nil {
			return err
		}
		if apps > 0 {
			return platform.Errorf(platform.Conflict, "%s is the only member of a workspace that has apps.", username)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM workspaces WHERE number IN (`+aloneIn+`)`, username); err != nil {
			return err
		}
		if err := one(tx.ExecContext(ctx, `DELETE FROM users WHERE username = ?`, username)); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{Object: "user", Action: "delete", Created: at}, map[string]any{"username": username})
	})
}

// ListSole lists the workspaces whose only admin is username.
func (s *Store) ListSole(ctx context.Context, username string) ([]platform.Sole, error) {
	const q = `SELECT w.id, (SELECT count(*) FROM members o WHERE o.workspace = w.number), (SELECT count(*) FROM apps a WHERE a.workspace = w.number)
		FROM workspaces w JOIN members m ON m.workspace = w.number JOIN users u ON u.id = m.user_id
		WHERE u.username = ? AND m.role = ?
		AND NOT EXISTS (SELECT 1 FROM members o WHERE o.workspace = w.number AND o.role = m.role AND o.user_id <> m.user_id)
		ORDER BY w.id`
	rows, err := s.read.QueryContext(ctx, q, username, int(platform.Admin))
	list, err := collect(rows, err, func(r rowScanner) (sole platform.Sole, err error) {
		return sole, r.Scan(&sole.Workspace, &sole.Members, &sole.Apps)
	})
	return list, fault("store.ListSole", "Workspace", err)
}

// RenewToken gives a token a new key.
func (s *Store) RenewToken(ctx context.Context, t platform.Token, keySHA256 string) (platform.Token, error) {
	err := s.tx(ctx, "store.RenewToken", "Token", func(tx *sql.Tx) error {
		const q = `UPDATE tokens SET key_sha256 = ?, fuzzy_key = ?, updated = ?
			WHERE uuid = ? AND user_id = (SELECT id FROM users WHERE username = ?)`
		if err := one(tx.ExecContext(ctx, q, keySHA256, t.FuzzyKey, micros(t.Updated), t.UUID, t.Owner)); err != nil {
			return err
		}
		var err error
		t, err = scanToken(tx.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.uuid = ?`, t.UUID))
		return err
	})
	return t, err
}

// ReplaceTokens deletes all tokens of owner, or of everybody, and adds t.
func (s *Store) ReplaceTokens(ctx context.Context, owner string, t platform.Token, keySHA256 string) (platform.Token, error) {
	err := s.tx(ctx, "store.ReplaceTokens", "Token", func(tx *sql.Tx) error {
		q, args := `DELETE FROM tokens`, []any{}
		if owner != "" {
			q, args = q+` WHERE user_id = (SELECT id FROM users WHERE username = ?)`, []any{owner}
		}
		if _, err := tx.ExecContext(ctx, q, args...); err != nil {
			return err
		}
		if err := insertToken(ctx, tx, t, keySHA256); err != nil {
			return err
		}
		return logEvent(ctx, tx, control.Event{Object: "token", Action: "replace", Created: t.Created},
			map[string]any{"owner": owner, "by": t.Owner})
	})
	return t, err
}
