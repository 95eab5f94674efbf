package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const userColumns = `u.id, u.username, u.email, u.first_name, u.last_name, u.is_superuser, u.is_staff, u.is_active, u.origin, u.user_groups,
	u.last_login, u.date_joined`

// userDest gives the places for userColumns; finish fills in the times.
func userDest(u *platform.User) (dest []any, finish func()) {
	var login, joined int64
	var groups string
	dest = []any{&u.ID, &u.Username, &u.Email, &u.FirstName, &u.LastName, &u.IsSuperuser, &u.IsStaff, &u.IsActive,
		&u.Origin, &groups, &login, &joined}
	return dest, func() {
		u.LastLogin, u.DateJoined = fromMicros(login), fromMicros(joined)
		if groups != "" && groups != "[]" {
			_ = json.Unmarshal([]byte(groups), &u.Groups) // as it was written; they decide nothing
		}
	}
}

// CreateUser adds u and gives it an ID.
func (s *Store) CreateUser(ctx context.Context, u platform.User, passwordHash string) (platform.User, error) {
	err := s.tx(ctx, "store.CreateUser", "User", func(tx *sql.Tx) error {
		const q = `INSERT INTO users (username, email, first_name, last_name, password_hash, is_superuser, is_staff, is_active, last_login, date_joined)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`
		return tx.QueryRowContext(ctx, q, u.Username, u.Email, u.FirstName, u.LastName, passwordHash,
			u.IsSuperuser, u.IsStaff, u.IsActive, micros(u.LastLogin), micros(u.DateJoined)).Scan(&u.ID)
	})
	return u, err
}

// FindUser returns a user and the hash of the password.
func (s *Store) FindUser(ctx context.Context, username string) (platform.User, string, error) {
	var u platform.User
	var hash string
	dest, finish := userDest(&u)
	err := s.read.QueryRowContext(ctx, `SELECT `+userColumns+`, u.password_hash FROM users u WHERE u.username = ?`, username).
		Scan(append(dest, &hash)...)
	finish()
	return u, hash, fault("store.FindUser", "User", err)
}

// SetPassword replaces the hash of a user's password.
func (s *Store) SetPassword(ctx context.Context, username, passwordHash string) error {
	return s.tx(ctx, "store.SetPassword", "User", func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `UPDATE users SET password_hash = ? WHERE username = ?`, passwordHash, username))
	})
}

// TouchLogin records when a user last logged in.
func (s *Store) TouchLogin(ctx context.Context, username string, at time.Time) error {
	return s.tx(ctx, "store.TouchLogin", "User", func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `UPDATE users SET last_login = ? WHERE username = ?`, micros(at), username))
	})
}

const tokenColumns = `t.uuid, u.username, t.alias, t.fuzzy_key, t.created, t.updated`

func scanToken(row rowScanner, more ...any) (platform.Token, error) {
	var t platform.Token
	var created, updated int64
	err := row.Scan(append([]any{&t.UUID, &t.Owner, &t.Alias, &t.FuzzyKey, &created, &updated}, more...)...)
	t.Created, t.Updated = fromMicros(created), fromMicros(updated)
	return t, err
}

// CreateToken adds a token of t.Owner, known by the SHA-256 of its key.
func (s *Store) CreateToken(ctx context.Context, t platform.Token, keySHA256 string) (platform.Token, error) {
	err := s.tx(ctx, "store.CreateToken", "Token", func(tx *sql.Tx) error {
		return insertToken(ctx, tx, t, keySHA256)
	})
	return t, err
}

func insertToken(ctx context.Context, tx *sql.Tx, t platform.Token, keySHA256 string) error {
	const q = `INSERT INTO tokens (uuid, user_id, alias, key_sha256, fuzzy_key, created, updated)
		SELECT ?, id, ?, ?, ?, ?, ? FROM users WHERE username = ?`
	return one(tx.ExecContext(ctx, q, t.UUID, t.Alias, keySHA256, t.FuzzyKey, micros(t.Created), micros(t.Updated), t.Owner))
}

// FindToken finds a token of owner's; another's is NotFound.
func (s *Store) FindToken(ctx context.Context, owner, uuid string) (platform.Token, error) {
	t, err := scanToken(s.read.QueryRowContext(ctx, `SELECT `+tokenColumns+`
		FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.uuid = ? AND u.username = ?`, uuid, owner))
	return t, fault("store.FindToken", "Token", err)
}

// FindTokenByKey returns the token whose key has this SHA-256, and its owner.
func (s *Store) FindTokenByKey(ctx context.Context, keySHA256 string) (platform.Token, platform.User, error) {
	var u platform.User
	dest, finish := userDest(&u)
	row := s.read.QueryRowContext(ctx, `SELECT `+tokenColumns+`, `+userColumns+`
		FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.key_sha256 = ?`, keySHA256)
	t, err := scanToken(row, dest...)
	finish()
	return t, u, fault("store.FindTokenByKey", "Token", err)
}

// ListTokens lists the tokens of owner, oldest first, and counts them all.
func (s *Store) ListTokens(ctx context.Context, owner string, p control.Page) (list []platform.Token, total int, err error) {
	limit, offset := page(p)
	err = s.view(ctx, "store.ListTokens", "Token", func(tx *sql.Tx) error {
		const from = ` FROM tokens t JOIN users u ON u.id = t.user_id WHERE u.username = ?`
		if err := tx.QueryRowContext(ctx, `SELECT count(*)`+from, owner).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+tokenColumns+from+` ORDER BY t.created, t.uuid LIMIT ? OFFSET ?`, owner, limit, offset)
		list, err = collect(rows, err, func(r rowScanner) (platform.Token, error) { return scanToken(r) })
		return err
	})
	return list, total, err
}

// DeleteToken removes a token of owner's; another's is NotFound.
func (s *Store) DeleteToken(ctx context.Context, owner, uuid string) error {
	return s.tx(ctx, "store.DeleteToken", "Token", func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `DELETE FROM tokens WHERE uuid = ? AND user_id = (SELECT id FROM users WHERE username = ?)`, uuid, owner))
	})
}
