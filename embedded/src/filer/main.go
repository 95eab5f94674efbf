// Command filer serves the files of one volume over WebDAV for as long as
// somebody asks for it: the pod behind the file client of an app's volumes.
//
// Settings, all from the environment: FILER_PREFIX, the path before every name
// as the client sees it; FILER_WRITER and FILER_READER, the passwords of the
// users writer, who may do everything, and reader, who may look; FILER_IDLE
// (1h): how long it goes on without a ping or a request; FILER_DATA (/data);
// FILER_LISTEN (:9100) for WebDAV and FILER_PING_LISTEN (:9000) for pings.
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
	"strings"
	"syscall"
	"time"
)

const (
	defaultIdle     = time.Hour
	shutdownTimeout = 10 * time.Second
	headerTimeout   = 10 * time.Second
)

func main() {
	log.SetFlags(0)
	s, err := settingsFrom(os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	// What is written here has to be open to the app, whichever user it runs
	// as; nobody but the app's own pods can mount the volume.
	syscall.Umask(0)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, s); err != nil {
		log.Fatal(err)
	}
}

// settings is what the environment says about this process.
type settings struct {
	prefix         string
	writer, reader string // passwords
	idle           time.Duration
	data           string
	listen, ping   string // addresses
}

func settingsFrom(getenv func(string) string) (settings, error) {
	or := func(name, otherwise string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return otherwise
	}
	s := settings{
		prefix: strings.TrimSuffix(getenv("FILER_PREFIX"), "/"), writer: getenv("FILER_WRITER"), reader: getenv("FILER_READER"),
		idle: defaultIdle, data: or("FILER_DATA", "/data"), listen: or("FILER_LISTEN", ":9100"), ping: or("FILER_PING_LISTEN", ":9000"),
	}
	if s.writer == "" || s.reader == "" {
		return settings{}, errors.New("filer: FILER_WRITER and FILER_READER have to be set")
	}
	if v := getenv("FILER_IDLE"); v != "" {
		idle, err := time.ParseDuration(v)
		if err != nil || idle <= 0 {
			return settings{}, fmt.Errorf("filer: FILER_IDLE=%q is not a duration such as 1h", v)
		}
		s.idle = idle
	}
	return s, nil
}

// run serves until ctx ends or nobody has asked for anything for s.idle.
func run(ctx context.Context, s settings) error {
	files, err := openFiles(s.data)
	if err != nil {
		return fmt.Errorf("filer: %w", err)
	}
	defer files.close()
	webdav, err := net.Listen("tcp", s.listen)
	if err != nil {
		return fmt.Errorf("filer: %w", err)
	}
	ping, err := net.Listen("tcp", s.ping)
	if err != nil {
		return errors.Join(fmt.Errorf("filer: %w", err), webdav.Close())
	}
	log.Printf("filer: serving %s at %s, pings at %s", s.data, webdav.Addr(), ping.Addr())
	return serve(ctx, s, files, webdav, ping)
}

func serve(ctx context.Context, s settings, files *files, webdav, ping net.Listener) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	life := newLife(s.idle, func() { cancel(errIdle) })
	defer life.end()
	servers := []*http.Server{
		{ReadHeaderTimeout: headerTimeout, Handler: life.keep(newHandler(s, files))},
		{ReadHeaderTimeout: headerTimeout, Handler: life.keep(http.HandlerFunc(pong))},
	}
	ended := make(chan error, len(servers))
	for i, l := range []net.Listener{webdav, ping} {
		go func() { ended <- servers[i].Serve(l) }()
	}
	waiting := len(servers)
	var errs []error
	select {
	case err := <-ended:
		waiting--
		errs = append(errs, err)
	case <-ctx.Done():
		if errors.Is(context.Cause(ctx), errIdle) {
			log.Printf("filer: nobody has asked for %s; ending", s.idle)
		}
	}
	deadline, done := context.WithTimeout(context.Background(), shutdownTimeout)
	defer done()
	for _, server := range servers {
		errs = append(errs, server.Shutdown(deadline))
	}
	for range waiting {
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

var errIdle = errors.New("idle")

// pong answers pings, which is also the sign of being ready.
func pong(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("pong")) // a client that went away is no error
}
