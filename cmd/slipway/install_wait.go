package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
)

const (
	// socketPatience is how long a started server may take to open its socket.
	socketPatience = 90 * time.Second
	// linePatience is how long one line of the board may take to become ready.
	linePatience = 6 * time.Minute
	askEvery     = 250 * time.Millisecond
)

// watcher waits for lines of the running server's board.
type watcher struct {
	socket  string
	host    *host.Linux
	service host.Service
	// patience is how long one line may take to become ready.
	patience time.Duration
	fits     func(lifecycle.Report) bool // whose board counts; nil: anybody's
}

func newWatcher(socket string, h *host.Linux, s host.Service) *watcher {
	return &watcher{socket: socket, host: h, service: s, patience: linePatience}
}

// line returns a wait for one line of the board. The server may come and go
// meanwhile: the service manager restarts one that ended.
func (w *watcher) line(name string) func(ctx context.Context, note func(string)) error {
	return func(ctx context.Context, note func(string)) error {
		ctx, cancel := context.WithTimeout(ctx, w.patience)
		defer cancel()
		last := "no server answers"
		away := time.Now()
		for {
			ready := false
			err := lifecycle.ReadReports(ctx, w.socket, true, func(r lifecycle.Report) bool {
				away = time.Time{}
				if w.fits != nil && !w.fits(r) {
					last = "the program of before still runs"
					return false
				}
				for _, p := range r.Parts {
					if p.Name == name {
						ready = p.State == lifecycle.Ready
						last = p.Message
						note(p.Message)
					}
				}
				return ready
			})
			if ready {
				return nil
			}
			if ctx.Err() != nil {
				return fmt.Errorf("%s: %w: %s", name, context.Cause(ctx), last)
			}
			if away.IsZero() {
				away = time.Now()
			}
			if time.Since(away) > socketPatience {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := w.host.Wait(ctx, askEvery); err != nil {
				return fmt.Errorf("%s: %w: %s", name, err, last)
			}
		}
	}
}

// waitController waits until the API answers through the gateway under its
// own name, which is what users will ask for.
func (m *machine) waitController(w *watcher) func(ctx context.Context, note func(string)) error {
	return func(ctx context.Context, note func(string)) error {
		for _, name := range []string{lineController, lineDeploys} {
			if err := w.line(name)(ctx, note); err != nil {
				return err
			}
		}
		ctx, cancel := context.WithTimeout(ctx, w.patience)
		defer cancel()
		for {
			name := "drycc." + m.settings.Domain
			status, err := askThroughGateway(ctx, name)
			if err == nil && status == http.StatusOK {
				return nil
			}
			if err == nil {
				err = fmt.Errorf("gateway: %s answers %d", name, status)
			}
			note(err.Error())
			if wait := m.host.Wait(ctx, askEvery); wait != nil {
				return fmt.Errorf("controller: %w", errors.Join(wait, err))
			}
		}
	}
}

// askThroughGateway asks the gateway on this host for a name's health check and
// returns the status it answers with.
func askThroughGateway(ctx context.Context, name string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+name+"/healthz", nil)
	if err != nil {
		return 0, err
	}
	// The name need not resolve here: the gateway listens on this host.
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, "127.0.0.1:80")
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("gateway: %w", err)
	}
	return response.StatusCode, response.Body.Close()
}
