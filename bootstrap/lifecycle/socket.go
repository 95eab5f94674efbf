package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
)

// Report is what the running server says of itself over its socket.
type Report struct {
	Version     string    `json:"version"`
	Kubernetes  string    `json:"kubernetes"`
	PID         int       `json:"pid"`
	Started     time.Time `json:"started"`
	Domain      string    `json:"domain"`
	Node        string    `json:"node,omitempty"`
	Address     string    `json:"address,omitempty"`
	Certificate time.Time `json:"certificateNotAfter,omitzero"`
	// Leader is the node whose controller works, "" when none does; Failover says
	// whether others take over when it ends.
	Leader   string   `json:"leader,omitempty"`
	Failover bool     `json:"failover"`
	Moves    []string `json:"moves,omitempty"` // of address, host name, domain in the last days
	Parts    []Entry  `json:"parts"`

	Findings []doctor.Finding `json:"findings,omitempty"` // of the server's last round of checks
	Looked   time.Time        `json:"looked,omitzero"`    // when that was
}

// StatusServer answers on a Unix socket that only root can reach:
//
//	GET /status        one report
//	GET /status?watch  a report a line, now and after each change
//	Handlers           what else the server tells, by pattern of net/http
type StatusServer struct {
	Socket string
	Board  *Board
	Report func() Report // all but Parts, which come from the board

	Handlers map[string]http.Handler
}

// Run serves until ctx ends.
func (s StatusServer) Run(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(s.Socket), 0o700); err != nil {
		return fmt.Errorf("status socket: %w", err)
	}
	// A killed server leaves its socket behind; the pid lock of the service
	// manager keeps two servers from running at once.
	if err := os.Remove(s.Socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("status socket: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", s.Socket)
	if err != nil {
		return fmt.Errorf("status socket: %w", err)
	}
	if err := os.Chmod(s.Socket, 0o600); err != nil {
		return errors.Join(fmt.Errorf("status socket: %w", err), listener.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", s.serve)
	for pattern, handler := range s.Handlers {
		mux.Handle(pattern, handler)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		// Watchers never finish by themselves.
		stopped <- server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("status socket: %w", err)
	}
	return <-stopped
}

func (s StatusServer) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, follow := r.URL.Query()["watch"]
	_ = s.Board.Watch(r.Context(), func(parts []Entry) bool {
		report := s.Report()
		report.Parts = parts
		if err := json.NewEncoder(w).Encode(report); err != nil {
			return true // the reader has gone
		}
		_ = http.NewResponseController(w).Flush()
		return !follow
	})
}

// ErrNotRunning says that no server answers on this host.
var ErrNotRunning = errors.New("slipway is not running on this host")

// Ask asks the running server for a path, with its query. The caller closes
// the body. An answer other than 200 is an error with what it says.
func Ask(ctx context.Context, socket, path string) (io.ReadCloser, error) {
	return request(ctx, http.MethodGet, socket, path)
}

// Tell has the running server do something; its answer is the error.
func Tell(ctx context.Context, socket, path string) error {
	body, err := request(ctx, http.MethodPost, socket, path)
	if err != nil {
		return err
	}
	return body.Close()
}

func request(ctx context.Context, method, socket, path string) (io.ReadCloser, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, method, "http://slipway"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		text, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotRunning, err)
		}
		return nil, errors.New(strings.TrimSpace(string(text)))
	}
	return response.Body, nil
}

// ReadReports asks the running server and calls f with each report until f
// says stop. Without follow there is one report.
func ReadReports(ctx context.Context, socket string, follow bool, f func(Report) (stop bool)) error {
	path := "/status"
	if follow {
		path += "?watch"
	}
	body, err := Ask(ctx, socket, path)
	if err != nil {
		return err
	}
	defer body.Close()
	decoder := json.NewDecoder(body)
	for {
		var r Report
		if err := decoder.Decode(&r); err != nil {
			if errors.Is(err, io.EOF) && !follow {
				return nil
			}
			return fmt.Errorf("%w: %w", ErrNotRunning, err)
		}
		if f(r) {
			return nil
		}
	}
}
