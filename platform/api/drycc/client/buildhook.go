package client

import (
	"context"
	"net/http"
)

// BuildHook is an address at which a host of git repositories tells of pushes.
type BuildHook struct {
	UUID      string `json:"uuid"`
	App       string `json:"app"`
	User      string `json:"user"` // for whom it builds
	Address   string `json:"address"`
	URL       string `json:"url"` // of the repository
	Branch    string `json:"branch"`
	Username  string `json:"username"`
	PublicKey string `json:"public_key"` // of repositories over SSH
	HostKey   string `json:"host_key"`
	Created   string `json:"created"`
	Secret    string `json:"secret,omitempty"` // when it was made just now
}

// NewBuildHook is what a BuildHook is made of.
type NewBuildHook struct {
	URL      string `json:"url"`
	Branch   string `json:"branch,omitempty"`
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	CA       string `json:"ca,omitempty"` // certificates in PEM
}

// SetBuildHook gives an app a build hook in place of the one it has.
func (c *Client) SetBuildHook(ctx context.Context, app string, n NewBuildHook) (BuildHook, error) {
	return send[BuildHook](ctx, c, http.MethodPost, appPath(app, "builds", "hook"), n)
}

// BuildHook returns the build hook of an app.
func (c *Client) BuildHook(ctx context.Context, app string) (BuildHook, error) {
	return get[BuildHook](ctx, c, appPath(app, "builds", "hook"), nil)
}

// DeleteBuildHook takes the build hook of an app away.
func (c *Client) DeleteBuildHook(ctx context.Context, app string) error {
	return c.exec(ctx, http.MethodDelete, appPath(app, "builds", "hook"), nil)
}

// PullSource builds the newest commit of the hook's branch.
func (c *Client) PullSource(ctx context.Context, app string) (BuildRun, error) {
	return send[BuildRun](ctx, c, http.MethodPost, appPath(app, "builds", "hook", "pull"), nil)
}
