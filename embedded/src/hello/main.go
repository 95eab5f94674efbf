// Command hello is a small web app for a first deploy: it says which app and
// which release answers, and from which pod.
//
// Settings, all from the environment: PORT (5000), DRYCC_APP, WORKFLOW_RELEASE,
// POWERED_BY, HELLO_DRAIN (a duration, 3s): how long it goes on serving after
// SIGTERM, so that routers can take the pod out of rotation first.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	defaultPort     = "5000"
	defaultDrain    = 3 * time.Second
	shutdownTimeout = 10 * time.Second
)

func main() {
	log.SetFlags(0)
	settings, err := settingsFrom(os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	listener, err := net.Listen("tcp", ":"+settings.port)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("hello: listening on %s", listener.Addr())
	if err := serve(ctx, listener, settings); err != nil {
		log.Fatal(err)
	}
}

// settings is what the environment says about this process.
type settings struct {
	port  string
	drain time.Duration
	facts facts
}

func settingsFrom(getenv func(string) string) (settings, error) {
	s := settings{port: getenv("PORT"), drain: defaultDrain, facts: facts{
		App: getenv("DRYCC_APP"), Release: getenv("WORKFLOW_RELEASE"), PoweredBy: getenv("POWERED_BY"),
	}}
	if s.port == "" {
		s.port = defaultPort
	}
	if value := getenv("HELLO_DRAIN"); value != "" {
		drain, err := time.ParseDuration(value)
		if err != nil || drain < 0 {
			return settings{}, fmt.Errorf("hello: HELLO_DRAIN=%q is not a duration such as 3s", value)
		}
		s.drain = drain
	}
	pod, err := os.Hostname()
	if err != nil {
		return settings{}, fmt.Errorf("hello: own name: %w", err)
	}
	s.facts.Pod = pod
	return s, nil
}

// serve answers until ctx ends, then drains and shuts down. While it drains it
// asks each client to connect anew, so that no kept-alive connection is cut in
// the middle of a request at the end.
func serve(ctx context.Context, listener net.Listener, s settings) error {
	page := newPage(s.facts)
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if ctx.Err() != nil {
				w.Header().Set("Connection", "close")
			}
			page.ServeHTTP(w, r)
		}),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	drained := time.NewTimer(s.drain)
	defer drained.Stop()
	select {
	case err := <-ended:
		return err
	case <-drained.C:
	}
	deadline, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(deadline); err != nil {
		return fmt.Errorf("hello: shutdown: %w", err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
