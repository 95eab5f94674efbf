package client

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Apps lists the apps of the caller's workspaces, or of one of them.
func (c *Client) Apps(ctx context.Context, workspace, prefix string, limit int) (Page[App], error) {
	return list[App](ctx, c, "/v2/apps/", query("workspace", workspace, "search", prefix), limit)
}

// App returns one app.
func (c *Client) App(ctx context.Context, id string) (App, error) {
	return get[App](ctx, c, appPath(id), nil)
}

// CreateApp makes an app. An empty id lets the controller make one up, an
// empty workspace means the caller's own.
func (c *Client) CreateApp(ctx context.Context, id, workspace string) (App, error) {
	in := map[string]string{}
	for name, value := range map[string]string{"id": id, "workspace": workspace} {
		if value != "" {
			in[name] = value
		}
	}
	return send[App](ctx, c, http.MethodPost, "/v2/apps/", in)
}

// DeleteApp deletes an app with all that runs for it.
func (c *Client) DeleteApp(ctx context.Context, id string) error {
	return c.exec(ctx, http.MethodDelete, appPath(id), nil)
}

// TransferApp gives an app to another workspace.
func (c *Client) TransferApp(ctx context.Context, id, workspace string) error {
	return c.exec(ctx, http.MethodPatch, appPath(id), map[string]string{"workspace": workspace})
}

// AppLog returns the last lines of an app's log, all of them when lines is not
// positive.
func (c *Client) AppLog(ctx context.Context, id string, lines int) (string, error) {
	q := query()
	if lines > 0 {
		q.Set("log_lines", strconv.Itoa(lines))
	}
	var out string
	_, err := c.do(ctx, call{method: http.MethodGet, path: appPath(id, "logs"), query: q, out: &out})
	// The guide's controllers send the log as one JSON string.
	if quoted := strings.TrimSpace(out); strings.HasPrefix(quoted, `"`) {
		out = text([]byte(quoted))
	}
	return out, err
}

// Build returns the build of the latest release, or of the given one.
func (c *Client) Build(ctx context.Context, app string, version int) (Build, error) {
	return get[Build](ctx, c, appPath(app, "build"), versionQuery(version))
}

// BuildRequest is what a build is made of. Image is required.
type BuildRequest struct {
	Image      string            `json:"image"`
	Stack      string            `json:"stack,omitempty"`
	Procfile   map[string]string `json:"procfile,omitempty"`
	Dryccfile  map[string]any    `json:"dryccfile,omitempty"`
	SHA        string            `json:"sha,omitempty"`
	Dockerfile string            `json:"dockerfile,omitempty"`
}

// CreateBuild makes a build and a release of it. It returns when they are
// recorded.
func (c *Client) CreateBuild(ctx context.Context, app string, in BuildRequest) (Build, error) {
	return send[Build](ctx, c, http.MethodPost, appPath(app, "build"), in)
}

// Releases lists an app's releases, newest first; with ptypes only those that
// deployed all of them.
func (c *Client) Releases(ctx context.Context, app string, ptypes []string, limit int) (Page[Release], error) {
	return list[Release](ctx, c, appPath(app, "releases"), query("ptypes", strings.Join(ptypes, ",")), limit)
}

// Release returns one release.
func (c *Client) Release(ctx context.Context, app string, version int) (Release, error) {
	return get[Release](ctx, c, appPath(app, "releases", fmt.Sprintf("v%d", version)), nil)
}

// Deploy deploys the latest release, all of it or some process types.
func (c *Client) Deploy(ctx context.Context, app string, ptypes []string, force bool) error {
	return c.exec(ctx, http.MethodPost, appPath(app, "releases", "deploy"),
		map[string]any{"ptypes": strings.Join(ptypes, ","), "force": force})
}

// Rollback makes a release from an older one, by default from the one before,
// and returns its version.
func (c *Client) Rollback(ctx context.Context, app string, version int, ptypes []string) (int, error) {
	in := map[string]any{}
	if version > 0 {
		in["version"] = version
	}
	if len(ptypes) > 0 {
		in["ptypes"] = strings.Join(ptypes, ",")
	}
	out, err := send[struct{ Version int }](ctx, c, http.MethodPost, appPath(app, "releases", "rollback"), in)
	return out.Version, err
}

// Config returns the config of the latest release, or of the given one.
func (c *Client) Config(ctx context.Context, app string, version int) (Config, error) {
	return get[Config](ctx, c, appPath(app, "config"), versionQuery(version))
}

// ValueChange sets a variable of a group or of a process type; a nil value
// removes it.
type ValueChange struct {
	Name  string  `json:"name"`
	Value *string `json:"value"`
	Group string  `json:"group,omitempty"`
	Ptype string  `json:"ptype,omitempty"`
}

// ConfigChange is a part of a config. A nil member inside a map removes what
// has its name; a nil map leaves everything.
type ConfigChange struct {
	Values           []ValueChange                 `json:"values,omitempty"`
	ValuesRefs       map[string][]string           `json:"values_refs,omitempty"`
	Limits           map[string]*string            `json:"limits,omitempty"`
	Tags             map[string]map[string]*string `json:"tags,omitempty"`
	Registry         map[string]map[string]*string `json:"registry,omitempty"`
	Healthcheck      map[string]map[string]*Probe  `json:"healthcheck,omitempty"`
	Lifecycle        map[string]map[string]any     `json:"lifecycle,omitempty"`
	TerminationGrace map[string]*string            `json:"termination_grace_period,omitempty"`
}

// ChangeConfig changes the config and makes a release of it. Without merge the
// groups and process types whose values are named lose their other values.
func (c *Client) ChangeConfig(ctx context.Context, app string, change ConfigChange, merge bool) (Config, error) {
	var out Config
	_, err := c.do(ctx, call{
		method: http.MethodPost, path: appPath(app, "config"), query: query("merge", strconv.FormatBool(merge)),
		in: change, out: &out,
	})
	return out, err
}

// DetachConfig takes groups of values from process types.
func (c *Client) DetachConfig(ctx context.Context, app string, refs map[string][]string) error {
	return c.exec(ctx, http.MethodDelete, appPath(app, "config"), map[string]any{"values_refs": refs})
}

// Settings returns an app's switches.
func (c *Client) Settings(ctx context.Context, app string) (Settings, error) {
	return get[Settings](ctx, c, appPath(app, "settings"), nil)
}

// SettingsChange is a part of the settings. Nil members inside a map remove.
type SettingsChange struct {
	Routable     *bool                 `json:"routable,omitempty"`
	Autodeploy   *bool                 `json:"autodeploy,omitempty"`
	Autorollback *bool                 `json:"autorollback,omitempty"`
	Autoscale    map[string]*Autoscale `json:"autoscale,omitempty"`
	Label        map[string]*string    `json:"label,omitempty"`
}

// ChangeSettings changes an app's switches.
func (c *Client) ChangeSettings(ctx context.Context, app string, change SettingsChange) (Settings, error) {
	return send[Settings](ctx, c, http.MethodPost, appPath(app, "settings"), change)
}
