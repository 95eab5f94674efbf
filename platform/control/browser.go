package control

import (
	"context"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// OpenLogin begins a login that is completed in a browser and returns its key
// of 32 hex digits. FinishLogin finds nothing under it until then.
func (c *Controller) OpenLogin(remote string) (string, error) { return c.logins.begin(remote) }

// OpenedLogin is a login that waits for a browser.
type OpenedLogin struct {
	Remote   string        // where it was begun, for the user to judge
	Age      time.Duration // since then
	Provider string        // name of the identity provider; empty: passwords only
}

// FindLogin tells about a login that waits. One that is unknown, expired or
// completed is NotFound.
func (c *Controller) FindLogin(loginKey string) (OpenedLogin, error) {
	p, ok := c.logins.find(loginKey)
	if !ok {
		return OpenedLogin{}, noLogin()
	}
	o := OpenedLogin{Remote: p.remote, Age: c.clock().Sub(p.begun)}
	if c.accounts.signOn != nil {
		o.Provider = c.accounts.signOn.Name()
	}
	return o, nil
}

func noLogin() error {
	return platform.Errorf(platform.NotFound, "This login has expired or was completed already. Start it again with drycc login.")
}

// CompleteLogin checks username and password like Login, and lets the client
// that waits under the key pick its token up.
func (c *Controller) CompleteLogin(ctx context.Context, loginKey, username, password, remote string) (platform.User, error) {
	if _, err := c.FindLogin(loginKey); err != nil {
		return platform.User{}, err
	}
	u, err := c.checkPassword(ctx, username, password, remote)
	if err != nil {
		return platform.User{}, err
	}
	if !c.logins.prove(loginKey, u.Username) {
		return platform.User{}, noLogin()
	}
	return u, nil
}

// BeginSignOn returns where the browser has to go to log in at the identity
// provider. It comes back to redirect, where FinishSignOn wants to see the
// same secret of the browser again.
func (c *Controller) BeginSignOn(ctx context.Context, loginKey, redirect, browser string) (string, error) {
	if c.accounts.signOn == nil {
		return "", platform.Errorf(platform.NotFound, "This platform has no identity provider.")
	}
	if _, err := c.FindLogin(loginKey); err != nil {
		return "", err
	}
	state, err := c.logins.leave(trip{loginKey: loginKey, redirect: redirect, browser: browser})
	if err != nil {
		return "", err
	}
	url, secret, err := c.accounts.signOn.Begin(ctx, state, redirect)
	if err != nil {
		return "", err
	}
	c.logins.keep(state, secret)
	return url, nil
}

// FinishSignOn completes the login of a browser that comes back. A state that
// is not this browser's is NotFound.
func (c *Controller) FinishSignOn(ctx context.Context, state, code, browser, remote string) (platform.User, error) {
	t, ok := c.logins.back(state, browser)
	if !ok || c.accounts.signOn == nil {
		return platform.User{}, noLogin()
	}
	if err := c.throttle.allow("", remote); err != nil {
		return platform.User{}, err
	}
	p, err := c.accounts.signOn.Finish(ctx, code, t.redirect, t.secret)
	if platform.CodeOf(err) != platform.Unauthenticated {
		c.throttle.pardon("", remote)
	}
	if err != nil {
		return platform.User{}, err
	}
	u, err := c.admit(ctx, p)
	if err != nil {
		return platform.User{}, err
	}
	if !u.IsActive {
		return platform.User{}, platform.Errorf(platform.Unauthenticated, inactive)
	}
	if !c.logins.prove(t.loginKey, u.Username) {
		return platform.User{}, noLogin()
	}
	return u, nil
}
