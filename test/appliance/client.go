package appliance

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Client speaks as much of the v2 API as the tests need, written from its
// specification.
type Client struct {
	machine *Machine
	http    *http.Client
	token   string
}

// NewClient returns a client that is not logged in.
func NewClient(m *Machine) *Client {
	return &Client{machine: m, http: &http.Client{Transport: m.Transport(), Timeout: 60 * time.Second}}
}

// Refusal is an answer of 400 and above.
type Refusal struct {
	Status int
	Body   string
}

// Error shows status and body, as a user of curl sees them.
func (r *Refusal) Error() string { return fmt.Sprintf("HTTP %d: %s", r.Status, r.Body) }

// App, Release and Pod hold what the tests look at.
type (
	App struct {
		ID        string         `json:"id"`
		Workspace string         `json:"workspace"`
		Structure map[string]int `json:"structure"`
	}
	Release struct {
		Version   int     `json:"version"`
		State     string  `json:"state"` // created, succeed, crashed
		Failed    bool    `json:"failed"`
		Exception *string `json:"exception"`
		Summary   string  `json:"summary"`
	}
	Pod struct {
		Name     string `json:"name"`
		Release  string `json:"release"`
		Type     string `json:"type"`
		State    string `json:"state"`
		Ready    string `json:"ready"`
		Restarts int    `json:"restarts"`
	}
	// Value is one environment setting; a nil Value removes it.
	Value struct {
		Name  string  `json:"name"`
		Ptype string  `json:"ptype,omitempty"`
		Group string  `json:"group,omitempty"`
		Value *string `json:"value"`
	}
)

// patience is how often a call that is throttled is sent again.
const patience = 60

// At is the same client, with its token, for a machine at another address or
// with another domain.
func (c *Client) At(m *Machine) *Client {
	moved := NewClient(m)
	moved.token = c.token
	return moved
}

// Call sends one request below /v2 and decodes the answer into out unless it is
// nil. Headers of the answer are returned. Asked to wait (429 with Retry-After)
// it does, as the platform's own client.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) (http.Header, error) {
	for try := 1; ; try++ {
		header, err := c.once(ctx, method, path, in, out)
		var refused *Refusal
		if !errors.As(err, &refused) || refused.Status != http.StatusTooManyRequests || try == patience {
			return header, err
		}
		seconds, bad := strconv.Atoi(header.Get("Retry-After"))
		if bad != nil {
			return header, err
		}
		wait := time.NewTimer(time.Duration(seconds) * time.Second)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return header, fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

func (c *Client) once(ctx context.Context, method, path string, in, out any) (http.Header, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.machine.URL("drycc", "/v2"+path), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "token "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 400 {
		return resp.Header, &Refusal{resp.StatusCode, string(b)}
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			return resp.Header, fmt.Errorf("%s %s: %w in %q", method, path, err, b)
		}
	}
	return resp.Header, nil
}

// Login gets a token by the two steps of the password flow.
func (c *Client) Login(ctx context.Context, username, password string) error {
	var pending struct{ Key string }
	if _, err := c.Call(ctx, http.MethodPost, "/auth/login/", map[string]string{"username": username, "password": password}, &pending); err != nil {
		return err
	}
	var granted struct{ Token, Username string }
	if _, err := c.Call(ctx, http.MethodGet, "/auth/token/"+url.PathEscape(pending.Key)+"/?alias=test", nil, &granted); err != nil {
		return err
	}
	if granted.Username != username || len(granted.Token) != 128 {
		return fmt.Errorf("login as %s: got a token of %d characters for %q", username, len(granted.Token), granted.Username)
	}
	c.token = granted.Token
	return nil
}

// CreateApp makes an app in the workspace; empty: the user's own.
func (c *Client) CreateApp(ctx context.Context, id, workspace string) (App, error) {
	in := map[string]string{"id": id}
	if workspace != "" {
		in["workspace"] = workspace
	}
	var a App
	_, err := c.Call(ctx, http.MethodPost, "/apps/", in, &a)
	return a, err
}

// DeleteApp destroys an app.
func (c *Client) DeleteApp(ctx context.Context, id string) error {
	_, err := c.Call(ctx, http.MethodDelete, "/apps/"+id+"/", nil, nil)
	return err
}

// Deploy asks for a build of the image; the rollout goes on afterwards.
func (c *Client) Deploy(ctx context.Context, app, image string) error {
	_, err := c.Call(ctx, http.MethodPost, "/apps/"+app+"/build/", map[string]string{"image": image, "stack": "container"}, nil)
	return err
}

// SetConfig changes settings of the web processes.
func (c *Client) SetConfig(ctx context.Context, app string, values map[string]string) error {
	var list []Value
	for k, v := range values {
		list = append(list, Value{Name: k, Ptype: "web", Value: &v})
	}
	_, err := c.Call(ctx, http.MethodPost, "/apps/"+app+"/config/", map[string]any{"values": list}, nil)
	return err
}

// Config lists the settings of an app by name.
func (c *Client) Config(ctx context.Context, app string) (map[string]string, error) {
	var config struct{ Values []Value }
	if _, err := c.Call(ctx, http.MethodGet, "/apps/"+app+"/config/", nil, &config); err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, v := range config.Values {
		if v.Value != nil {
			values[v.Name] = *v.Value
		}
	}
	return values, nil
}

// Scale sets how many web processes run.
func (c *Client) Scale(ctx context.Context, app string, web int) error {
	_, err := c.Call(ctx, http.MethodPost, "/apps/"+app+"/ptypes/scale/", map[string]int{"web": web}, nil)
	return err
}

// Rollback makes a new release with the content of an old one.
func (c *Client) Rollback(ctx context.Context, app string, version int) (int, error) {
	var made struct{ Version int }
	_, err := c.Call(ctx, http.MethodPost, "/apps/"+app+"/releases/rollback/", map[string]int{"version": version}, &made)
	return made.Version, err
}

// Releases lists them, newest first.
func (c *Client) Releases(ctx context.Context, app string) ([]Release, error) {
	var page struct{ Results []Release }
	_, err := c.Call(ctx, http.MethodGet, "/apps/"+app+"/releases/?limit=1000", nil, &page)
	return page.Results, err
}

// Latest is the newest release.
func (c *Client) Latest(ctx context.Context, app string) (Release, error) {
	all, err := c.Releases(ctx, app)
	if err != nil {
		return Release{}, err
	}
	if len(all) == 0 {
		return Release{}, errors.New("no release")
	}
	return all[0], nil
}

// Pods lists what runs.
func (c *Client) Pods(ctx context.Context, app string) ([]Pod, error) {
	var page struct{ Results []Pod }
	_, err := c.Call(ctx, http.MethodGet, "/apps/"+app+"/pods/", nil, &page)
	return page.Results, err
}

// ErrCrashed is a release that ended badly; the text after it says why.
var ErrCrashed = errors.New("release crashed")

// WaitRelease waits until a release newer than after has ended. A crashed one
// is returned with ErrCrashed.
func (c *Client) WaitRelease(ctx context.Context, app string, after int, limit time.Duration) (Release, error) {
	var last Release
	crashed := false
	err := Eventually(ctx, limit, func(ctx context.Context) error {
		r, err := c.Latest(ctx, app)
		if err != nil {
			return err
		}
		last = r
		crashed = r.Version > after && r.State == "crashed"
		if r.Version <= after || r.State == "created" {
			return fmt.Errorf("newest release is v%d, %s", r.Version, r.State)
		}
		return nil
	})
	if err == nil && crashed {
		reason := ""
		if last.Exception != nil {
			reason = *last.Exception
		}
		return last, fmt.Errorf("%w: v%d: %s", ErrCrashed, last.Version, reason)
	}
	return last, err
}

// WaitPods waits until exactly n web pods are up and ready and none else is left.
func (c *Client) WaitPods(ctx context.Context, app string, n int, limit time.Duration) ([]Pod, error) {
	var pods []Pod
	err := Eventually(ctx, limit, func(ctx context.Context) error {
		var err error
		if pods, err = c.Pods(ctx, app); err != nil {
			return err
		}
		up := 0
		for _, p := range pods {
			ready, all, _ := strings.Cut(p.Ready, "/")
			if p.State == "up" && ready == all {
				up++
			}
		}
		if up != n || len(pods) != n {
			return fmt.Errorf("%d of %d pods up, want %d: %+v", up, len(pods), n, pods)
		}
		return nil
	})
	return pods, err
}

// Deployed deploys, waits for the release, and returns it.
func (c *Client) Deployed(ctx context.Context, app, image string, limit time.Duration) (Release, error) {
	before, err := c.Latest(ctx, app)
	if err != nil {
		return Release{}, err
	}
	if err := c.Deploy(ctx, app, image); err != nil {
		return Release{}, err
	}
	return c.WaitRelease(ctx, app, before.Version, limit)
}

// HTTPS returns a client that trusts the platform's own authority and nobody
// else, as a user who fetched ca.crt does.
func (m *Machine) HTTPS(ctx context.Context) (*http.Client, error) {
	plain := &http.Client{Transport: m.Transport(), Timeout: 30 * time.Second}
	status, pem, err := m.Get(ctx, plain, m.URL("drycc", "/ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("fetch ca.crt: %w", err)
	}
	pool := x509.NewCertPool()
	if status != http.StatusOK || !pool.AppendCertsFromPEM([]byte(pem)) {
		return nil, fmt.Errorf("fetch ca.crt: HTTP %d, no certificate in %q", status, pem)
	}
	t := m.Transport()
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: t, Timeout: 30 * time.Second}, nil
}

// Versions are the numbers of releases, oldest first.
func Versions(releases []Release) []int {
	var v []int
	for _, r := range releases {
		v = append(v, r.Version)
	}
	slices.Sort(v)
	return v
}
