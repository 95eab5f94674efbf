package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/slipway-paas/slipway/platform"
)

// DefaultMaxBody is how many bytes a request body may have unless told
// otherwise. Kubernetes takes no object larger than about 1.5 MB, so nothing
// useful is larger.
const DefaultMaxBody = 2 << 20

// HandlerOptions is all a Handler needs. Mounts and Logger are required.
type HandlerOptions struct {
	Mounts  []Mount
	Logger  *logrus.Logger
	Metrics *Metrics         // nil: own, not shared with anybody
	Now     func() time.Time // nil: time.Now
	Limits  Limits           // zero fields: DefaultLimits
	MaxBody int64            // bytes; zero: DefaultMaxBody
	// TrustedProxies are the networks whose X-Forwarded-For is believed: the
	// gateway's. It decides only who shares a rate limit and what the log says.
	// It is asked for each request, since nodes come and go. Nil: none is.
	TrustedProxies func() []netip.Prefix
	// CACert returns the platform's CA certificate as PEM, served at /ca.crt.
	// Nil: no such path.
	CACert func() []byte
	// Hold says why changes are not taken just now, as a sentence for users;
	// empty: they are. Nil: they always are.
	Hold func() string
	// Moved are the domains the platform had before; requests to names below
	// them are answered with where those are now.
	Moved Moved
}

// Handler is the listener's handler. It is safe for concurrent use and starts
// no goroutine.
type Handler struct {
	opts    HandlerOptions
	limiter *limiter
	scrape  http.Handler
}

var _ http.Handler = (*Handler)(nil)

// NewHandler checks the options and returns the handler.
func NewHandler(opts HandlerOptions) (*Handler, error) {
	if len(opts.Mounts) == 0 {
		return nil, errors.New("api: no dialect is mounted")
	}
	for _, m := range opts.Mounts {
		if m.Dialect == nil {
			return nil, fmt.Errorf("api: mount %q%q has no dialect", m.Host, m.Prefix)
		}
	}
	if opts.Logger == nil {
		return nil, errors.New("api: no logger")
	}
	if opts.Metrics == nil {
		opts.Metrics = NewMetrics()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.TrustedProxies == nil {
		opts.TrustedProxies = func() []netip.Prefix { return nil }
	}
	if opts.MaxBody == 0 {
		opts.MaxBody = DefaultMaxBody
	}
	return &Handler{opts: opts, limiter: newLimiter(opts.Limits.orDefault()), scrape: opts.Metrics.handler()}, nil
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	trace := &Trace{ID: requestID(r), Remote: h.remote(r)}
	r = r.WithContext(context.WithValue(r.Context(), traceKey{}, trace))
	rec := &recorder{ResponseWriter: w}
	rec.Header().Set("X-Request-Id", trace.ID)

	start := h.opts.Now()
	h.opts.Metrics.inFlight.Inc()
	defer func() {
		h.opts.Metrics.inFlight.Dec()
		panicked := recover()
		abort := h.recovered(rec, r, trace, panicked)
		h.finish(rec, r, trace, h.opts.Now().Sub(start))
		if abort {
			panic(http.ErrAbortHandler) // the only way to cut a half-written answer off
		}
	}()
	h.route(rec, r, trace)
}

// route sends the request to our own paths or to a dialect.
func (h *Handler) route(w http.ResponseWriter, r *http.Request, trace *Trace) {
	target := h.opts.Moved.target(r)
	switch {
	case target != "":
		trace.Route = "moved"
		http.Redirect(w, r, target, http.StatusPermanentRedirect)
		return
	case r.URL.Path == "/metrics" && !forwarded(r):
		trace.Route = "GET /metrics"
		h.scrape.ServeHTTP(w, r)
		return
	case r.URL.Path == "/ca.crt" && h.opts.CACert != nil:
		trace.Route = "GET /ca.crt"
		h.serveCA(w, r)
		return
	}
	d := h.dialect(r)
	if d == nil {
		http.NotFound(w, r)
		return
	}
	if wait, ok := h.allow(r, trace); !ok {
		h.opts.Metrics.throttled.Inc()
		seconds := int(wait/time.Second) + 1
		w.Header().Set("Retry-After", fmt.Sprint(seconds))
		d.Fail(w, r, platform.Errorf(platform.Throttled,
			"Request was throttled. Expected available in %d seconds.", seconds))
		return
	}
	if h.opts.Hold != nil && changes(r) {
		if why := h.opts.Hold(); why != "" {
			w.Header().Set("Retry-After", holdRetry)
			d.Fail(w, r, platform.Errorf(platform.Unavailable, "%s", why))
			return
		}
	}
	if r.Body != nil {
		trace.Body = r.Body
		r.Body = http.MaxBytesReader(w, r.Body, h.opts.MaxBody)
	}
	d.ServeHTTP(w, r)
}

// holdRetry is after how many seconds a client may try a held change again.
const holdRetry = "15"

// changes reports whether a request may change something.
func changes(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return true
}

// allow holds a request against the rate limits. Probes pass: throttled, they
// would take a busy controller out of service.
func (h *Handler) allow(r *http.Request, trace *Trace) (time.Duration, bool) {
	if quiet(r.URL.Path) {
		return 0, true
	}
	return h.limiter.allow(h.opts.Now(), trace.Remote, r.Header.Get("Authorization"))
}

// dialect returns the dialect of the first mount that fits, nil when none does.
func (h *Handler) dialect(r *http.Request) Dialect {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, m := range h.opts.Mounts {
		if (m.Host == "" || m.Host == host) && strings.HasPrefix(r.URL.Path, m.Prefix) {
			return m.Dialect
		}
	}
	return nil
}

// recovered turns a panic into the dialect's 500 and reports whether the
// connection has to be cut because part of an answer has left already.
func (h *Handler) recovered(rec *recorder, r *http.Request, trace *Trace, p any) (abort bool) {
	if p == nil {
		return false
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return true
	}
	h.opts.Metrics.panics.Inc()
	trace.Err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	if rec.status != 0 {
		return true
	}
	d := h.dialect(r)
	if d == nil {
		rec.WriteHeader(http.StatusInternalServerError)
		return false
	}
	d.Fail(rec, r, platform.Errorf(platform.Internal, "An internal error occurred"))
	return false
}

// finish writes the access log line and counts the request.
func (h *Handler) finish(rec *recorder, r *http.Request, trace *Trace, took time.Duration) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK // net/http sends this when the handler wrote nothing
	}
	h.opts.Metrics.observe(trace.Route, r.Method, status, took)
	fields := logrus.Fields{
		"request": trace.ID, "method": r.Method, "status": status, "bytes": rec.bytes,
		"ms": took.Milliseconds(), "remote": trace.Remote,
	}
	if trace.Private {
		fields["route"] = trace.Route
	} else {
		fields["path"] = shorten(r.URL.Path, 256)
	}
	if trace.User != "" {
		fields["user"] = trace.User
	}
	entry := h.opts.Logger.WithFields(fields)
	switch {
	case trace.Err != nil:
		entry.WithError(trace.Err).Error("api: request")
	case quiet(r.URL.Path):
		entry.Debug("api: request")
	default:
		entry.Info("api: request")
	}
}

// quiet reports the paths that machines poll for ever.
func quiet(path string) bool {
	switch strings.TrimSuffix(path, "/") {
	case "/healthz", "/readiness", "/metrics":
		return true
	}
	return false
}

// serveCA answers with the CA certificate, which is public by nature.
func (h *Handler) serveCA(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET is allowed here", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/x-x509-ca-cert")
	w.Header().Set("Content-Disposition", `attachment; filename="ca.crt"`)
	_, _ = w.Write(h.opts.CACert()) // a client that went away is not our error
}

// forwarded reports a request that came through the gateway. Those may not
// read /metrics: the scraper comes straight to the listener, the internet does
// not.
func forwarded(r *http.Request) bool {
	return r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("X-Forwarded-Host") != ""
}

// remote returns the client's address: the peer's, or, when the peer is a
// trusted proxy, the last address that proxy added.
func (h *Handler) remote(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "unknown"
	}
	addr := peer.Addr().Unmap()
	for _, p := range h.opts.TrustedProxies() {
		if !p.Contains(addr) {
			continue
		}
		list := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
		last := strings.TrimSpace(list[strings.LastIndex(list, ",")+1:])
		if client, err := netip.ParseAddr(last); err == nil {
			return client.Unmap().WithZone("").String()
		}
		break
	}
	return addr.WithZone("").String()
}

// requestID takes over the id a proxy gave, when it is harmless, or makes one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if len(id) > 0 && len(id) <= 64 && strings.Trim(id, idLetters) == "" {
		return id
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return hex.EncodeToString(b[:])
}

const idLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

// shorten cuts s to n bytes for the log.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
