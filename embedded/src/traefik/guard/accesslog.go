package guard

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// accessLog writes a line for each request once it is answered. Neither query
// strings nor headers are in it, apart from the host: these may be secrets.
type accessLog struct {
	to   io.Writer
	apps *Apps
	now  func() time.Time
}

// line is a request as it is logged. Times are UTC, Millis the time from the
// headers of the request to the end of the answer.
type line struct {
	Time   string  `json:"time"`
	App    string  `json:"app,omitempty"` // whose route has the host
	Method string  `json:"method"`
	Scheme string  `json:"scheme"`
	Host   string  `json:"host"`
	Path   string  `json:"path"`
	Proto  string  `json:"proto"`
	Status int     `json:"status"`
	In     int64   `json:"bytes_in"` // as announced; -1: not known before
	Out    int64   `json:"bytes_out"`
	Millis float64 `json:"duration_ms"`
	Client string  `json:"client"`
}

func (a *accessLog) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := a.now()
		host, path := hostOf(r), r.URL.Path // before a route rewrites them
		seen := &answer{ResponseWriter: w}
		defer func() { a.write(seen, r, begin, host, path) }()
		next.ServeHTTP(seen, r)
	})
}

func (a *accessLog) write(seen *answer, r *http.Request, begin time.Time, host, path string) {
	l := line{
		Time: begin.UTC().Format(time.RFC3339Nano), App: a.apps.of(host), Method: clip(r.Method), Scheme: "http",
		Host: clip(host), Path: clip(path), Proto: r.Proto, Status: seen.status, In: r.ContentLength, Out: seen.bytes,
		Millis: float64(a.now().Sub(begin).Microseconds()) / 1000, Client: r.RemoteAddr,
	}
	if r.TLS != nil {
		l.Scheme = "https"
	}
	if name, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		l.Client = name
	}
	text, err := json.Marshal(l)
	if err != nil {
		return
	}
	_, _ = a.to.Write(append(text, '\n')) // one write: lines of requests do not mix
}

// clip keeps a word of the client's short: a line fits into one page, which
// pipes take whole.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 1024)], "?") }

// answer watches what is answered.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// Unwrap lets http.ResponseController through.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader notes the final status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write counts.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(p)
	a.bytes += int64(n)
	return n, err
}

// ReadFrom keeps the way in which the kernel copies.
func (a *answer) ReadFrom(r io.Reader) (int64, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := io.Copy(a.ResponseWriter, r)
	a.bytes += n
	return n, err
}

// Flush sends what is there.
func (a *answer) Flush() { _ = http.NewResponseController(a.ResponseWriter).Flush() }

// Hijack hands the connection over, for websockets.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if a.status == 0 {
		a.status = http.StatusSwitchingProtocols
	}
	return http.NewResponseController(a.ResponseWriter).Hijack()
}

// Apps knows whose hosts are whose. A host name has one app. Hosts whose routes
// are gone stay until the next start.
type Apps struct{ hosts sync.Map }

// Learn says that a host, which may be a wildcard, is the app's.
func (a *Apps) Learn(host, app string) { a.hosts.Store(lower(host), app) }

// of finds the app of a host, "" when none is known.
func (a *Apps) of(host string) string {
	if app, ok := a.hosts.Load(host); ok {
		return app.(string)
	}
	for {
		_, parent, ok := strings.Cut(host, ".")
		if !ok {
			return ""
		}
		if app, ok := a.hosts.Load("*." + parent); ok {
			return app.(string)
		}
		host = parent
	}
}
