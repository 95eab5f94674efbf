package control

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
)

// Renewal says which tokens RenewTokens makes useless.
type Renewal struct {
	Username string // all of that user's; empty: only the one that asks
	All      bool   // everybody's, unless Username is given
}

// RenewTokens makes a new key and returns it, once: for the token that asks,
// which stops working; for a user in place of all their tokens; or for the
// administrator who asks in place of everybody's. Another's and everybody's
// are for administrators.
func (c *Controller) RenewTokens(ctx context.Context, actor Actor, r Renewal) (string, error) {
	own := actor.User.Username
	if r.All && r.Username == "" || r.Username != "" && r.Username != own {
		if err := superuser(actor); err != nil {
			return "", err
		}
	}
	switch {
	case r.Username != "":
		if _, _, err := c.store.FindUser(ctx, r.Username); err != nil {
			return "", err
		}
		key, t := c.newToken(r.Username, "")
		_, err := c.store.ReplaceTokens(ctx, r.Username, t, c.identity.HashKey(key))
		return key, err
	case r.All:
		key, t := c.newToken(own, "")
		_, err := c.store.ReplaceTokens(ctx, "", t, c.identity.HashKey(key))
		return key, err
	}
	key, t := c.newToken(own, "")
	t.UUID = actor.TokenUUID
	_, err := c.store.RenewToken(ctx, t, c.identity.HashKey(key))
	return key, err
}

// Exchange is a proof of who somebody is that ExchangeToken takes.
type Exchange struct {
	AccessToken string // the key of a token of this platform
	IDToken     string // of the identity provider, made for this platform
}

// ExchangeToken makes a token for whoever an ID token or another token of
// theirs stands for. An empty Exchange is NotFound, one that does not hold
// Unauthenticated.
func (c *Controller) ExchangeToken(ctx context.Context, x Exchange, alias, remote string) (string, platform.Token, platform.User, error) {
	none := platform.Token{}
	if x.AccessToken == "" && x.IDToken == "" {
		return "", none, platform.User{}, noMatch(tokenModel)
	}
	if err := checkAlias(alias); err != nil {
		return "", none, platform.User{}, err
	}
	if err := c.throttle.allow("", remote); err != nil {
		return "", none, platform.User{}, err
	}
	u, err := c.redeem(ctx, x)
	if code := platform.CodeOf(err); code != platform.Unauthenticated {
		c.throttle.pardon("", remote)
	}
	if err != nil {
		return "", none, platform.User{}, err
	}
	return c.issueToken(ctx, u, alias)
}

func (c *Controller) redeem(ctx context.Context, x Exchange) (platform.User, error) {
	if x.IDToken != "" && c.accounts.signOn != nil {
		p, err := c.accounts.signOn.Verify(ctx, x.IDToken)
		if err != nil {
			return platform.User{}, err
		}
		return c.admit(ctx, p)
	}
	actor, err := c.Authenticate(ctx, x.AccessToken)
	if platform.CodeOf(err) == platform.Unauthenticated {
		return platform.User{}, platform.Errorf(platform.Unauthenticated, "Verify token fail.")
	}
	return actor.User, err
}
