package api

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"
)

// ServerOptions is all a Server needs. Addrs, Handler and Logger are required.
type ServerOptions struct {
	// Addrs are the addresses to listen on, "192.0.2.7:9580"; port 0 picks a
	// free one.
	Addrs   []string
	Handler http.Handler
	Logger  *logrus.Logger
	// Grace is how long requests under way may take after Run is told to stop;
	// zero: 15 s. Those that take longer are cut off.
	Grace time.Duration
}

// Server listens and serves. Listen and Run are called once each, in that
// order.
type Server struct {
	opts      ServerOptions
	http      *http.Server
	listeners []net.Listener
	long      *longLived
}

// NewServer checks the options; it opens nothing.
func NewServer(opts ServerOptions) (*Server, error) {
	if len(opts.Addrs) == 0 {
		return nil, errors.New("api: no address to listen on")
	}
	if opts.Handler == nil || opts.Logger == nil {
		return nil, errors.New("api: a server needs a handler and a logger")
	}
	if opts.Grace == 0 {
		opts.Grace = 15 * time.Second
	}
	long := newLongLived()
	base := context.WithValue(context.Background(), longLivedKey{}, long)
	return &Server{opts: opts, long: long, http: &http.Server{
		Handler:     opts.Handler,
		BaseContext: func(net.Listener) context.Context { return base },
		// A client that sends its header or body by drops holds a connection
		// no longer than this. Routes that stream move their own deadlines.
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      150 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(debugWriter{opts.Logger}, "", 0),
	}}, nil
}

// Listen opens every address or none, and returns the bound ones.
func (s *Server) Listen(ctx context.Context) ([]net.Addr, error) {
	var config net.ListenConfig
	var bound []net.Addr
	for _, addr := range s.opts.Addrs {
		l, err := config.Listen(ctx, "tcp", addr)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("api: listen on %s: %w", addr, err), s.closeListeners())
		}
		s.listeners = append(s.listeners, l)
		bound = append(bound, l.Addr())
	}
	return bound, nil
}

// Run serves until ctx ends, then lets the requests under way finish, within
// the grace period. It returns nil after an orderly stop, also one that had to
// cut requests off, and the listener's error otherwise. All its goroutines
// have ended when it returns.
func (s *Server) Run(ctx context.Context) error {
	if len(s.listeners) == 0 {
		return errors.New("api: Run before Listen")
	}
	group, stop := errgroup.WithContext(ctx)
	for _, l := range s.listeners {
		group.Go(func() error {
			if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("api: serve %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	group.Go(func() error {
		<-stop.Done()
		return s.shutdown(context.WithoutCancel(ctx))
	})
	return group.Wait()
}

// shutdown stops the server, first kindly, then hard.
func (s *Server) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Grace)
	defer cancel()
	s.long.stop()
	err := s.http.Shutdown(ctx)
	s.long.wait(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.opts.Logger.WithField("grace", s.opts.Grace).Warn("api: cutting off requests that did not finish")
		err = s.http.Close()
	}
	if err != nil {
		return fmt.Errorf("api: shutdown: %w", err)
	}
	return nil
}

// Close closes what Listen has opened, for a server that is not run after all.
func (s *Server) Close() error { return s.closeListeners() }

// closeListeners closes what Listen has opened so far.
func (s *Server) closeListeners() error {
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, l.Close())
	}
	s.listeners = nil
	return errors.Join(errs...)
}

// debugWriter carries net/http's own complaints (broken handshakes, clients
// that hang up) to the debug log, where they belong.
type debugWriter struct{ logger *logrus.Logger }

// Write logs one line.
func (d debugWriter) Write(b []byte) (int, error) {
	d.logger.Debug("api: " + strings.TrimSpace(string(b)))
	return len(b), nil
}
