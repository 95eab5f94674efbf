// Package webhook posts deploy hooks to addresses that the operator set: one
// bounded request each, without redirects, so that a signature reaches nobody
// but the one it was made for.
package webhook

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/slipway-paas/slipway/platform/control"
)

const (
	timeout = 15 * time.Second
	// bodyLimit is how much of an answer is read, only to use the connection
	// again; what it says does not matter.
	bodyLimit = 64 << 10
)

// Client posts hooks. Safe for concurrent use; it starts no goroutine that
// outlives a call, idle connections apart.
type Client struct{ http *http.Client }

var _ control.Poster = (*Client)(nil)

// New returns a Client that goes through the proxy that HTTP_PROXY,
// HTTPS_PROXY and NO_PROXY name, if any.
func New() *Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	return &Client{http: &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext,
			TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: timeout,
			MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second,
		},
		// A redirected request would hand the signature to another address.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Post sends an empty POST to address and returns the status of the answer.
// Errors do not name the address, which may hold a secret.
func (c *Client) Post(ctx context.Context, address, authorization string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, http.NoBody)
	if err != nil {
		return 0, errors.New("the address can't be used")
	}
	req.Header.Set("User-Agent", "Slipway Deploy Hook")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, plain(err)
	}
	defer func() { _ = resp.Body.Close() }() // the answer is known already
	// An answer that breaks off has been given all the same.
	_, _ = io.CopyN(io.Discard, resp.Body, bodyLimit)
	return resp.StatusCode, nil
}

// plain takes the address out of a client's error.
func plain(err error) error {
	var outer *url.Error
	if !errors.As(err, &outer) {
		return errors.New("the request did not succeed")
	}
	if outer.Timeout() {
		return errors.New("timed out")
	}
	return outer.Err
}
