package identity

import (
	"context"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// Users is the part of the store that EnsureAdmin needs.
type Users interface {
	FindUser(ctx context.Context, username string) (platform.User, string, error)
	CreateUser(ctx context.Context, u platform.User, passwordHash string) (platform.User, error)
}

// Hasher hashes a password; *Identity is one.
type Hasher interface {
	HashPassword(ctx context.Context, password string) (string, error)
}

// EnsureAdmin makes the administrator unless there is a user of that name,
// whose password and rights are left alone: they may have been changed since.
func EnsureAdmin(ctx context.Context, users Users, hasher Hasher, username, password string) error {
	if err := platform.ValidateUsername(username); err != nil {
		return err
	}
	if password == "" {
		return platform.FieldErrorf("password", "This field may not be blank.")
	}
	_, _, err := users.FindUser(ctx, username)
	if platform.CodeOf(err) != platform.NotFound {
		return err
	}
	hash, err := hasher.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	_, err = users.CreateUser(ctx, platform.User{
		Username: username, IsSuperuser: true, IsStaff: true, IsActive: true, DateJoined: time.Now().UTC(),
	}, hash)
	if platform.CodeOf(err) == platform.Conflict {
		return nil // another process was faster
	}
	return err
}
