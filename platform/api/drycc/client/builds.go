package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// BuildRun is an attempt to build from source.
type BuildRun struct {
	UUID    string `json:"uuid"`
	App     string `json:"app"`
	User    string `json:"user"`
	Origin  string `json:"origin"` // git, upload or hook
	Ref     string `json:"ref"`
	SHA     string `json:"sha"`
	Stack   string `json:"stack"`
	State   string `json:"state"` // queued, running, succeeded, failed or canceled
	Message string `json:"message"`
	Release string `json:"release"` // "v3"; empty when it made none
	Created string `json:"created"`
	Started string `json:"started"`
	Ended   string `json:"ended"`
}

// Upload sends a source tree, a tar file that may be compressed with gzip, to
// be built. It returns when the tree is there.
func (c *Client) Upload(ctx context.Context, app string, tree io.Reader) (BuildRun, error) {
	var run BuildRun
	k := call{method: http.MethodPost, path: appPath(app, "builds", "source"), out: &run}
	r, err := http.NewRequestWithContext(ctx, k.method, c.base.String()+k.path, tree)
	if err != nil {
		return run, fmt.Errorf("%s %s: %w", k.method, k.path, err)
	}
	r.Header = c.header()
	r.Header.Set("Content-Type", "application/x-tar")
	res, err := c.http.Do(r)
	if err != nil {
		return run, c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	_, err = k.read(c, res)
	return run, err
}

// BuildRuns lists an app's attempts to build from source, newest first.
func (c *Client) BuildRuns(ctx context.Context, app string, limit int) (Page[BuildRun], error) {
	return list[BuildRun](ctx, c, appPath(app, "builds", "runs"), nil, limit)
}

// BuildRun finds an attempt to build.
func (c *Client) BuildRun(ctx context.Context, app, id string) (BuildRun, error) {
	return get[BuildRun](ctx, c, appPath(app, "builds", id), nil)
}

// CancelBuild ends an attempt to build.
func (c *Client) CancelBuild(ctx context.Context, app, id string) (BuildRun, error) {
	return send[BuildRun](ctx, c, http.MethodPost, appPath(app, "builds", id, "cancel"), nil)
}

// BuildLog copies what an attempt to build says to out; with follow until its
// release has ended.
func (c *Client) BuildLog(ctx context.Context, app, id string, follow bool, out io.Writer) error {
	k := call{method: http.MethodGet, path: appPath(app, "builds", id, "log")}
	if follow {
		k.query = url.Values{"follow": {"true"}}
	}
	res, err := c.send(ctx, k)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		body, _ := io.ReadAll(io.LimitReader(res.Body, mostBody)) // the status says enough
		return newError(k, res, body)
	}
	_, err = io.Copy(out, res.Body)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
