// Package relay is the gateway's way to the Kubernetes API: a door on loopback
// that keeps who knocks waiting while the API is away.
//
// A client of Kubernetes whose connection is refused asks again after a second,
// then two, then four, up to a minute, one watch as slowly as the next. When the
// only server of a cluster has been away for ten seconds, its gateway would go by
// what it knew for half a minute more. Here nothing is refused.
package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	retry   = 200 * time.Millisecond
	dialMax = 5 * time.Second
	askMax  = 2 * time.Second
)

// Relay passes connections on, byte for byte: it sees nothing of what they hold.
type Relay struct {
	API string // "10.43.0.1:443"
	// Patience is how long a connection waits for an API that is there but says
	// that it is not ready. Then it may say so itself.
	Patience time.Duration

	probe *http.Client
}

// Serve passes on what connects to l, which it closes, until ctx ends.
func (r *Relay) Serve(ctx context.Context, l net.Listener) error {
	r.probe = &http.Client{Timeout: askMax, Transport: &http.Transport{
		// Only whether it answers is of interest: no secret goes this way.
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec
		DisableKeepAlives: true,
	}}
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	var connections sync.WaitGroup
	defer connections.Wait()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("relay to the Kubernetes API: %w", err)
		}
		connections.Go(func() { r.pass(ctx, c) })
	}
}

// pass connects c with the API until either side ends it.
func (r *Relay) pass(ctx context.Context, c net.Conn) {
	defer c.Close()
	up, err := r.dial(ctx)
	if err != nil {
		return // the client sees its connection end
	}
	defer up.Close()
	defer context.AfterFunc(ctx, func() { _ = errors.Join(c.Close(), up.Close()) })()
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(c, up)
		_ = c.Close()
	}()
	_, _ = io.Copy(up, c)
	_ = up.Close()
	<-back
}

// dial connects once the API is ready, or has not been for as long as patience.
func (r *Relay) dial(ctx context.Context) (net.Conn, error) {
	started := time.Now()
	tick := time.NewTicker(retry)
	defer tick.Stop()
	for {
		if r.ready(ctx) || time.Since(started) > r.Patience {
			c, err := (&net.Dialer{Timeout: dialMax}).DialContext(ctx, "tcp", r.API)
			if err == nil {
				return c, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// ready asks the API. An answer that this one may not ask is one: it comes from
// an API server, while one that starts says 5xx.
func (r *Relay) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+r.API+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := r.probe.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode < http.StatusInternalServerError
}
