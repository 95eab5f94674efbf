// Package client speaks the Drycc API, as a program on a developer's machine
// needs it: typed calls by area, errors in words fit for a user, pages followed
// to their end, websockets for logs and terminals, and files in volumes.
//
// It knows the wire only and nothing of the controller's packages, so that the
// client stays small and builds for every system.
//
// A Client is safe for concurrent use. Every call takes a context and ends when
// that ends. A call that the controller refused returns an *Error.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// APIVersion is the version of the API that this client was written for.
const APIVersion = "2.3"

const (
	dialTimeout = 15 * time.Second
	// mostBody bounds how much of an answer is read into memory.
	mostBody = 64 << 20
	// mostWait bounds how long a call waits when the controller throttles it.
	mostWait = 30 * time.Second
	attempts = 4
)

// Options is what a Client needs. Only URL is required.
type Options struct {
	// URL is the controller's address. Without a scheme it is http.
	URL string
	// Token authenticates; empty for calls that need none.
	Token string
	// Insecure turns the check of the controller's certificate off.
	Insecure bool
	// UserAgent names the program.
	UserAgent string
	// OnMismatch is called, once, when the controller's API version does not
	// go with this client's. version may be empty.
	OnMismatch func(version string)
	// Transport carries the requests; nil means a transport of its own, which
	// honours the proxy variables of the environment.
	Transport http.RoundTripper
}

// Client calls one controller.
type Client struct {
	opts   Options
	base   *url.URL
	http   *http.Client
	tls    *tls.Config
	warned sync.Once
}

// New checks the address and makes a client. It does not connect.
func New(o Options) (*Client, error) {
	base, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	c := &Client{opts: o, base: base, tls: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.Insecure}}
	transport := o.Transport
	if transport == nil {
		transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dial,
			TLSClientConfig:     c.tls,
			TLSHandshakeTimeout: dialTimeout,
			ForceAttemptHTTP2:   true,
		}
	}
	c.http = &http.Client{Transport: transport, CheckRedirect: redirect}
	return c, nil
}

// redirect follows what only reads. Anything else would lose its body or be
// done somewhere the user did not name.
func redirect(_ *http.Request, via []*http.Request) error {
	if via[0].Method != http.MethodGet || len(via) > 5 {
		return http.ErrUseLastResponse
	}
	return nil
}

func parseURL(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, errors.New("no controller address")
	}
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%q is no address of a controller: it looks like http://drycc.example.com", raw)
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u, nil
}

// URL returns the controller's address, without a slash at its end.
func (c *Client) URL() string { return c.base.String() }

// call is one request. Path starts at the root and is escaped already.
type call struct {
	method, path string
	query        url.Values
	in           any // encoded as JSON unless nil
	out          any // decoded from JSON unless nil or the answer is empty; a *string gets the answer as it is
}

// do sends a call and reads its answer. The status is that of a success.
func (c *Client) do(ctx context.Context, k call) (int, error) {
	res, err := c.send(ctx, k)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	return k.read(c, res)
}

// read takes the answer to a call.
func (k call) read(c *Client, res *http.Response) (int, error) {
	body, err := io.ReadAll(io.LimitReader(res.Body, mostBody))
	if err != nil {
		return 0, fmt.Errorf("%s %s: reading the answer: %w", k.method, k.path, err)
	}
	if res.StatusCode >= 300 {
		return res.StatusCode, newError(k, res, body)
	}
	if plain, ok := k.out.(*string); ok {
		*plain = string(body)
		return res.StatusCode, nil
	}
	if k.out == nil || len(bytes.TrimSpace(body)) == 0 {
		return res.StatusCode, nil
	}
	if err := json.Unmarshal(body, k.out); err != nil {
		return 0, fmt.Errorf("%s %s: the answer is not the API's (is %s a Drycc controller?): %w", k.method, k.path, c.base, err)
	}
	return res.StatusCode, nil
}

// send sends a call, again when the controller asked to come back later.
func (c *Client) send(ctx context.Context, k call) (*http.Response, error) {
	var body []byte
	if k.in != nil {
		var err error
		if body, err = json.Marshal(k.in); err != nil {
			return nil, fmt.Errorf("%s %s: %w", k.method, k.path, err)
		}
	}
	for attempt := 1; ; attempt++ {
		r, err := c.request(ctx, k.method, k.path, k.query, body)
		if err != nil {
			return nil, err
		}
		res, err := c.http.Do(r)
		if err != nil {
			return nil, c.unreachable(ctx, err)
		}
		if !strings.HasPrefix(k.path, downloads) { // what lies there is no part of the API
			c.checkVersion(res.Header)
		}
		if res.StatusCode != http.StatusTooManyRequests || attempt == attempts {
			return res, nil
		}
		wait := retryAfter(res.Header)
		_ = res.Body.Close() // nothing in it is wanted
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *Client) request(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Request, error) {
	target := c.base.String() + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	r.Header = c.header()
	r.Header.Set("Content-Type", "application/json")
	return r, nil
}

// header is what every request carries.
func (c *Client) header() http.Header {
	h := http.Header{"User-Agent": {c.opts.UserAgent}}
	if c.opts.Token != "" {
		h.Set("Authorization", "token "+c.opts.Token)
	}
	return h
}

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 1 {
		seconds = 1
	}
	return min(time.Duration(seconds)*time.Second, mostWait)
}

// checkVersion reports a controller whose API does not go with ours.
func (c *Client) checkVersion(h http.Header) {
	if c.opts.OnMismatch == nil {
		return
	}
	version := h.Get("DRYCC_API_VERSION")
	if version == "" { // net/http gives canonical names; the wire's has underscores
		for name, values := range h {
			if strings.EqualFold(name, "DRYCC_API_VERSION") && len(values) > 0 {
				version = values[0]
			}
		}
	}
	if !compatible(version) {
		c.warned.Do(func() { c.opts.OnMismatch(version) })
	}
}

// compatible tells whether a server of that version has all that we use: the
// same major version and at least our minor one.
func compatible(server string) bool {
	theirs, ours := strings.Split(server, "."), strings.Split(APIVersion, ".")
	if len(theirs) < 2 || theirs[0] != ours[0] {
		return false
	}
	have, err := strconv.Atoi(theirs[1])
	if err != nil {
		return false
	}
	need, err := strconv.Atoi(ours[1])
	return err == nil && have >= need
}

// The forms of a call.

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var out T
	_, err := c.do(ctx, call{method: http.MethodGet, path: path, query: query, out: &out})
	return out, err
}

func send[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var out T
	_, err := c.do(ctx, call{method: method, path: path, in: in, out: &out})
	return out, err
}

func (c *Client) exec(ctx context.Context, method, path string, in any) error {
	_, err := c.do(ctx, call{method: method, path: path, in: in})
	return err
}

// join makes a path of escaped parts: join("v2", "apps", id) is "/v2/apps/id".
func join(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// appPath is a path below an app's.
func appPath(app string, parts ...string) string {
	return join(append([]string{"v2", "apps", app}, parts...)...) + "/"
}
