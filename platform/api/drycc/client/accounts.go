package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Granted is what a login gives.
type Granted struct {
	UUID     string `json:"uuid"`
	Token    string `json:"token"`
	Username string `json:"username"`
}

// Check tells whether there is a controller at the address, without a token:
// one asks for it.
func (c *Client) Check(ctx context.Context) error {
	anonymous := *c.anonymous()
	_, err := anonymous.do(ctx, call{method: http.MethodGet, path: "/v2/"})
	switch {
	case StatusOf(err) == http.StatusUnauthorized:
		return nil
	case err == nil, StatusOf(err) != 0:
		return fmt.Errorf("%s does not appear to be a valid Drycc controller", c.base)
	}
	return err
}

// anonymous is the same client without its token.
func (c *Client) anonymous() *Client {
	opts := c.opts
	opts.Token = ""
	return &Client{opts: opts, base: c.base, http: c.http, tls: c.tls}
}

// Login checks a password and returns the key under which a token waits.
func (c *Client) Login(ctx context.Context, username, password string) (key string, err error) {
	out, err := send[struct{ Key string }](ctx, c.anonymous(), http.MethodPost, "/v2/auth/login/",
		map[string]string{"username": username, "password": password})
	return out.Key, err
}

// BeginLogin starts a login in the browser: the page to open, and the key
// under which the token will wait.
func (c *Client) BeginLogin(ctx context.Context) (page, key string, err error) {
	_, err = c.anonymous().do(ctx, call{method: http.MethodPost, path: "/v2/auth/login/"})
	var answer *Error
	if !errors.As(err, &answer) || answer.Location == "" {
		if err == nil {
			err = errors.New("the controller has no login in the browser: log in with --username and --password")
		}
		return "", "", err
	}
	u, err := url.Parse(answer.Location)
	if err != nil || u.Query().Get("key") == "" {
		return "", "", fmt.Errorf("login: the controller sent a page without a key: %q", answer.Location)
	}
	return answer.Location, u.Query().Get("key"), nil
}

// PickUp gets the token that waits under key and names it. ok is false while
// there is none yet.
func (c *Client) PickUp(ctx context.Context, key, alias string) (granted Granted, ok bool, err error) {
	granted, err = get[Granted](ctx, c.anonymous(), join("v2", "auth", "token", key)+"/", query("alias", alias))
	if StatusOf(err) == http.StatusNotFound {
		return Granted{}, false, nil
	}
	return granted, err == nil, err
}

// AwaitToken asks for the token under key until it is there or patience ends.
func (c *Client) AwaitToken(ctx context.Context, key, alias string, every, patience time.Duration) (Granted, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("nobody logged in within "+patience.String()))
	defer cancel()
	for {
		granted, ok, err := c.PickUp(ctx, key, alias)
		if err != nil || ok {
			return granted, err
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return Granted{}, context.Cause(ctx)
		}
	}
}

// Register makes an account.
func (c *Client) Register(ctx context.Context, username, password, email string) (User, error) {
	return send[User](ctx, c, http.MethodPost, "/v2/auth/register/",
		map[string]string{"username": username, "password": password, "email": email})
}

// Cancel deletes an account: the caller's own when username is empty.
func (c *Client) Cancel(ctx context.Context, username string) error {
	var in any
	if username != "" {
		in = map[string]string{"username": username}
	}
	return c.exec(ctx, http.MethodDelete, "/v2/auth/cancel/", in)
}

// ChangePassword changes the caller's password, or as an administrator that of
// username.
func (c *Client) ChangePassword(ctx context.Context, username, old, password string) error {
	in := map[string]string{"new_password": password}
	if username != "" {
		in["username"] = username
	}
	if old != "" {
		in["password"] = old
	}
	return c.exec(ctx, http.MethodPost, "/v2/auth/passwd/", in)
}

// RegenerateToken replaces the caller's token; all older ones end.
func (c *Client) RegenerateToken(ctx context.Context, username string, all bool) (string, error) {
	in := map[string]any{}
	if username != "" {
		in["username"] = username
	}
	if all {
		in["all"] = true
	}
	out, err := send[struct{ Token string }](ctx, c, http.MethodPost, "/v2/auth/tokens/", in)
	return out.Token, err
}

// Whoami returns the user behind the token.
func (c *Client) Whoami(ctx context.Context) (User, error) {
	return get[User](ctx, c, "/v2/auth/whoami/", nil)
}

// Tokens lists the caller's tokens.
func (c *Client) Tokens(ctx context.Context, limit int) (Page[Token], error) {
	return list[Token](ctx, c, "/v2/tokens/", nil, limit)
}

// DeleteToken ends a token at once.
func (c *Client) DeleteToken(ctx context.Context, uuid string) error {
	return c.exec(ctx, http.MethodDelete, join("v2", "tokens", uuid)+"/", nil)
}

// Users lists all accounts, for administrators.
func (c *Client) Users(ctx context.Context, limit int) (Page[User], error) {
	return list[User](ctx, c, "/v2/users/", nil, limit)
}

// EnableUser lets a user log in, or no longer, for administrators.
func (c *Client) EnableUser(ctx context.Context, username string, on bool) error {
	verb := map[bool]string{true: "enable", false: "disable"}[on]
	return c.exec(ctx, http.MethodPatch, join("v2", "users", username, verb)+"/", nil)
}

// Keys lists the caller's SSH keys.
func (c *Client) Keys(ctx context.Context, limit int) (Page[Key], error) {
	return list[Key](ctx, c, "/v2/keys/", nil, limit)
}

// AddKey adds an SSH key under a name.
func (c *Client) AddKey(ctx context.Context, id, public string) (Key, error) {
	return send[Key](ctx, c, http.MethodPost, "/v2/keys/", map[string]string{"id": id, "public": public})
}

// RemoveKey removes an SSH key.
func (c *Client) RemoveKey(ctx context.Context, id string) error {
	return c.exec(ctx, http.MethodDelete, join("v2", "keys", id), nil)
}

// Admins lists the users with administrative privileges.
func (c *Client) Admins(ctx context.Context, limit int) (Page[User], error) {
	return list[User](ctx, c, "/v2/admin/perms/", nil, limit)
}

// AddAdmin gives a user administrative privileges.
func (c *Client) AddAdmin(ctx context.Context, username string) error {
	return c.exec(ctx, http.MethodPost, "/v2/admin/perms/", map[string]string{"username": username})
}

// RemoveAdmin takes a user's administrative privileges.
func (c *Client) RemoveAdmin(ctx context.Context, username string) error {
	return c.exec(ctx, http.MethodDelete, join("v2", "admin", "perms", username)+"/", nil)
}

// Perms lists the users an app is shared with, besides its owner.
func (c *Client) Perms(ctx context.Context, app string) ([]string, error) {
	out, err := get[struct{ Users []string }](ctx, c, appPath(app, "perms"), nil)
	return out.Users, err
}

// AddPerm shares an app. permissions are of view, change and delete; none
// leaves them to the controller.
func (c *Client) AddPerm(ctx context.Context, app, username string, permissions []string) error {
	in := map[string]string{"username": username}
	if len(permissions) > 0 {
		in["permissions"] = strings.Join(permissions, ",")
	}
	return c.exec(ctx, http.MethodPost, appPath(app, "perms"), in)
}

// RemovePerm ends the sharing of an app with a user.
func (c *Client) RemovePerm(ctx context.Context, app, username string) error {
	return c.exec(ctx, http.MethodDelete, appPath(app, "perms", username), nil)
}
