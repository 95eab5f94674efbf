package control

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
)

const (
	tokenEdge  = 14  // characters of a key shown at either end
	maxAlias   = 64  // longest name of a token
	maxSecret  = 512 // longest password or user name worth hashing
	anonymous  = "Authentication credentials were not provided."
	badToken   = "Invalid token."
	inactive   = "User inactive or deleted."
	badLogin   = "Invalid credentials given."
	tokenModel = "Token"
)

// Login checks username and password and makes a token. The key is returned
// once and kept nowhere. Wrong credentials are Unauthenticated, too many tries
// Throttled; remote is the client's address.
func (c *Controller) Login(ctx context.Context, username, password, alias, remote string) (string, platform.Token, platform.User, error) {
	u, err := c.checkPassword(ctx, username, password, remote)
	if err != nil {
		return "", platform.Token{}, platform.User{}, err
	}
	return c.issueToken(ctx, u, alias)
}

// BeginLogin checks username and password like Login and returns a key of 32
// hex digits with which FinishLogin makes the token.
func (c *Controller) BeginLogin(ctx context.Context, username, password, remote string) (string, error) {
	u, err := c.checkPassword(ctx, username, password, remote)
	if err != nil {
		return "", err
	}
	return c.logins.put(u.Username)
}

// FinishLogin makes the token of a login that was begun. An unknown, used or
// expired login key is NotFound.
func (c *Controller) FinishLogin(ctx context.Context, loginKey, alias string) (string, platform.Token, platform.User, error) {
	if err := checkAlias(alias); err != nil {
		return "", platform.Token{}, platform.User{}, err // the key stays good
	}
	username, ok := c.logins.take(loginKey)
	if !ok {
		return "", platform.Token{}, platform.User{}, noMatch(tokenModel)
	}
	u, _, err := c.store.FindUser(ctx, username)
	if err != nil {
		return "", platform.Token{}, platform.User{}, err
	}
	return c.issueToken(ctx, u, alias)
}

// Authenticate finds who has the token key.
func (c *Controller) Authenticate(ctx context.Context, key string) (Actor, error) {
	if key == "" {
		return Actor{}, platform.Errorf(platform.Unauthenticated, anonymous)
	}
	t, u, err := c.store.FindTokenByKey(ctx, c.identity.HashKey(key))
	if platform.CodeOf(err) == platform.NotFound {
		return Actor{}, platform.Errorf(platform.Unauthenticated, badToken)
	}
	if err != nil {
		return Actor{}, err
	}
	if !u.IsActive {
		return Actor{}, platform.Errorf(platform.Unauthenticated, inactive)
	}
	return Actor{User: u, TokenUUID: t.UUID}, nil
}

// ListTokens lists the actor's own tokens.
func (c *Controller) ListTokens(ctx context.Context, actor Actor, p Page) ([]platform.Token, int, error) {
	return c.store.ListTokens(ctx, actor.User.Username, p)
}

// FindToken finds one of the actor's own tokens.
func (c *Controller) FindToken(ctx context.Context, actor Actor, uuid string) (platform.Token, error) {
	return c.store.FindToken(ctx, actor.User.Username, uuid)
}

// DeleteToken ends one of the actor's own tokens at once.
func (c *Controller) DeleteToken(ctx context.Context, actor Actor, uuid string) error {
	return c.store.DeleteToken(ctx, actor.User.Username, uuid)
}

func checkAlias(alias string) error {
	if len(alias) > maxAlias {
		return platform.FieldErrorf("alias", "Ensure this field has no more than %d characters.", maxAlias)
	}
	return nil
}

func (c *Controller) issueToken(ctx context.Context, u platform.User, alias string) (string, platform.Token, platform.User, error) {
	none := platform.Token{}
	if err := checkAlias(alias); err != nil {
		return "", none, platform.User{}, err
	}
	if !u.IsActive {
		return "", none, platform.User{}, platform.Errorf(platform.Unauthenticated, inactive)
	}
	if _, err := c.ownWorkspace(ctx, u); err != nil {
		return "", none, platform.User{}, err
	}
	now := c.now()
	if _, err := c.store.JoinInvited(ctx, u.Username, now); err != nil {
		return "", none, platform.User{}, err
	}
	key, t := c.newToken(u.Username, alias)
	t, err := c.store.CreateToken(ctx, t, c.identity.HashKey(key))
	if err != nil {
		return "", none, platform.User{}, err
	}
	if err := c.store.TouchLogin(ctx, u.Username, now); err != nil {
		return "", none, platform.User{}, err
	}
	u.LastLogin = now
	return key, t, u, nil
}

// newToken makes a key and what is kept of it.
func (c *Controller) newToken(owner, alias string) (string, platform.Token) {
	now := c.now()
	key := c.identity.NewKey()
	return key, platform.Token{
		UUID: newUUID(), Owner: owner, Alias: alias, FuzzyKey: key[:tokenEdge] + "..." + key[len(key)-tokenEdge:],
		Created: now, Updated: now,
	}
}
