package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
)

// spoken is a dialect made of one function; Fail answers with its own name,
// so that tests see who answered.
type spoken struct {
	name  string
	serve http.HandlerFunc
}

func (s spoken) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.serve != nil {
		s.serve(w, r)
		return
	}
	_, _ = io.WriteString(w, s.name)
}

func (s spoken) Fail(w http.ResponseWriter, _ *http.Request, err error) {
	status := map[platform.Code]int{platform.Throttled: 429, platform.Internal: 500, platform.Unavailable: 503}[platform.CodeOf(err)]
	w.WriteHeader(status)
	var e *platform.Error
	_ = errors.As(err, &e)
	_, _ = io.WriteString(w, s.name+" fails: "+e.Message)
}

// door is a handler with its log.
type door struct {
	http.Handler
	log bytes.Buffer
}

func newDoor(t *testing.T, opts api.HandlerOptions) *door {
	t.Helper()
	d := &door{}
	opts.Logger = logrus.New()
	opts.Logger.SetOutput(&d.log)
	opts.Logger.SetFormatter(&logrus.JSONFormatter{})
	h, err := api.NewHandler(opts)
	require.NoError(t, err)
	d.Handler = h
	return d
}

func one(serve http.HandlerFunc) []api.Mount {
	return []api.Mount{{Dialect: spoken{"only", serve}}}
}

func (d *door) do(method, target string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func TestMounts(t *testing.T) {
	d := newDoor(t, api.HandlerOptions{Mounts: []api.Mount{
		{Host: "flynn.example.com", Dialect: spoken{name: "by host"}},
		{Prefix: "/api/", Dialect: spoken{name: "by path"}},
		{Host: "drycc.example.com", Dialect: spoken{name: "api"}},
	}})
	tests := map[string]string{
		"http://flynn.example.com/api/x":      "by host",
		"http://FLYNN.example.com.:9580/":     "by host",
		"http://drycc.example.com/api/x":      "by path",
		"http://drycc.example.com/apix":       "api",
		"http://elsewhere.example.com/":       "404 page not found\n",
		"http://[2001:db8::1]:9580/v2/":       "404 page not found\n",
		"http://drycc.example.com:9580/v2/":   "api",
		"http://elsewhere.example.com/ca.crt": "404 page not found\n",
	}
	for target, want := range tests {
		assert.Equal(t, want, d.do("GET", target).Body.String(), target)
	}
}

func TestRequestID(t *testing.T) {
	var seen string
	d := newDoor(t, api.HandlerOptions{Mounts: one(func(_ http.ResponseWriter, r *http.Request) {
		seen = api.TraceOf(r.Context()).ID
	})})
	w := d.do("GET", "/")
	assert.Len(t, seen, 16)
	assert.Equal(t, seen, w.Header().Get("X-Request-Id"))
	assert.Equal(t, "abc-1", d.do("GET", "/", header("X-Request-Id", "abc-1")).Header().Get("X-Request-Id"))
	for _, bad := range []string{"a b", "a\nb", strings.Repeat("a", 65), "é"} {
		assert.Regexp(t, "^[0-9a-f]{16}$", d.do("GET", "/", header("X-Request-Id", bad)).Header().Get("X-Request-Id"))
	}
}

func TestPanicIsA500OfTheDialect(t *testing.T) {
	d := newDoor(t, api.HandlerOptions{Mounts: one(func(http.ResponseWriter, *http.Request) { panic("the secret cause") })})
	w := d.do("GET", "/boom")
	assert.Equal(t, 500, w.Code)
	assert.Equal(t, "only fails: An internal error occurred", w.Body.String())
	assert.Contains(t, d.log.String(), "the secret cause")
	assert.Contains(t, d.log.String(), "handler_test.go", "the stack")
	assert.Contains(t, d.do("GET", "/metrics").Body.String(), "slipway_http_panics_total 1")
}

func TestPanicHalfWayCutsTheAnswerOff(t *testing.T) {
	d := newDoor(t, api.HandlerOptions{Mounts: one(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"results": [`)
		panic("half way")
	})})
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { d.do("GET", "/") })
	assert.Contains(t, d.log.String(), "half way")
}

func TestAccessLogHoldsNoSecrets(t *testing.T) {
	d := newDoor(t, api.HandlerOptions{Mounts: one(func(w http.ResponseWriter, r *http.Request) {
		trace := api.TraceOf(r.Context())
		trace.User, trace.Route = "ada", "GET /v2/auth/token/{key}/"
		trace.Private = strings.Contains(r.URL.Path, "/auth/token/")
		w.WriteHeader(201)
		_, _ = io.WriteString(w, "12345")
	})})
	d.do("POST", "/v2/apps/?token=query-secret", header("Authorization", "token header-secret"), header("Cookie", "a=cookie-secret"))
	d.do("GET", "/v2/auth/token/path-secret/")
	log := d.log.String()
	assert.NotContains(t, log, "secret")
	for _, want := range []string{`"path":"/v2/apps/"`, `"route":"GET /v2/auth/token/{key}/"`, `"status":201`, `"bytes":5`, `"user":"ada"`, `"remote":"192.0.2.1"`, `"request":`, `"ms":`} {
		assert.Contains(t, log, want)
	}
}

func TestPolledPathsStayOutOfTheLog(t *testing.T) {
	d := newDoor(t, api.HandlerOptions{Mounts: one(nil)})
	d.do("GET", "/healthz")
	d.do("GET", "/readiness/")
	d.do("GET", "/metrics")
	assert.Empty(t, d.log.String())
}

func TestBodyLimit(t *testing.T) {
	d := newDoor(t, api.HandlerOptions{MaxBody: 10, Mounts: one(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		var large *http.MaxBytesError
		_, _ = fmt.Fprint(w, errors.As(err, &large))
	})})
	for body, want := range map[string]string{"0123456789": "false", "0123456789x": "true"} {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(body)))
		assert.Equal(t, want, w.Body.String())
	}
}

func TestRateLimits(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	d := newDoor(t, api.HandlerOptions{Mounts: one(nil), Now: func() time.Time { return now }, Limits: api.Limits{
		Anonymous: api.Rate{PerSecond: 1, Burst: 2}, Token: api.Rate{PerSecond: 1, Burst: 3},
		Remote: api.Rate{PerSecond: 1, Burst: 5}, Keys: 100,
	}})
	from := func(addr string) func(*http.Request) {
		return func(r *http.Request) { r.RemoteAddr = addr + ":1" }
	}
	token := func(k string) func(*http.Request) { return header("Authorization", "token "+k) }
	count := func(tries int, change ...func(*http.Request)) (ok int) {
		for range tries {
			if d.do("GET", "/", change...).Code == 200 {
				ok++
			}
		}
		return ok
	}
	assert.Equal(t, 2, count(5, from("192.0.2.1")), "no token: by address")
	assert.Equal(t, 2, count(5, from("192.0.2.2")), "another address has its own")
	assert.Equal(t, 3, count(5, from("192.0.2.3"), token("a")), "by token")
	assert.Equal(t, 0, count(5, from("192.0.2.4"), token("a")), "the token from elsewhere is the same token")
	made := 0
	for i := range 9 {
		made += count(1, from("192.0.2.5"), token(fmt.Sprint("made up ", i)))
	}
	assert.Equal(t, 5, made, "made-up tokens do not multiply what an address may")

	w := d.do("GET", "/", from("192.0.2.1"))
	assert.Equal(t, 429, w.Code)
	assert.Equal(t, "only fails: Request was throttled. Expected available in 2 seconds.", w.Body.String())
	assert.Equal(t, "2", w.Header().Get("Retry-After"))
	now = now.Add(3 * time.Second)
	assert.Equal(t, 2, count(5, from("192.0.2.1")), "it recovers")
	assert.Contains(t, d.do("GET", "/metrics").Body.String(), "slipway_http_throttled_total")
}

func TestHeldChangesAreToldWhenToComeAgain(t *testing.T) {
	why := "The platform is being upgraded."
	d := newDoor(t, api.HandlerOptions{Mounts: one(nil), Hold: func() string { return why }})
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		w := d.do(method, "/v2/apps/")
		require.Equal(t, 503, w.Code, method)
		require.NotEmpty(t, w.Header().Get("Retry-After"))
		require.Equal(t, "only fails: "+why, w.Body.String())
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
		require.Equal(t, 200, d.do(method, "/v2/apps/").Code, method)
	}
	why = ""
	require.Equal(t, 200, d.do(http.MethodPost, "/v2/apps/").Code)
}

func TestRemoteAddress(t *testing.T) {
	var seen string
	d := newDoor(t, api.HandlerOptions{
		TrustedProxies: func() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("10.42.0.0/16")} },
		Mounts: one(func(_ http.ResponseWriter, r *http.Request) {
			seen = api.TraceOf(r.Context()).Remote
		}),
	})
	tests := map[string]struct{ peer, forwarded, want string }{
		"direct":                {"192.0.2.1:5", "", "192.0.2.1"},
		"a stranger pretends":   {"192.0.2.1:5", "198.51.100.9", "192.0.2.1"},
		"through the gateway":   {"10.42.0.9:5", "198.51.100.9", "198.51.100.9"},
		"only the last counts":  {"10.42.0.9:5", "1.2.3.4, 198.51.100.9", "198.51.100.9"},
		"gateway says nonsense": {"10.42.0.9:5", "who knows", "10.42.0.9"},
		"v6":                    {"[2001:db8::1%eth0]:5", "", "2001:db8::1"},
		"v4 in v6":              {"[::ffff:10.42.0.9]:5", "198.51.100.9", "198.51.100.9"},
		"not an address":        {"@", "", "unknown"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d.do("GET", "/", func(r *http.Request) {
				r.RemoteAddr = test.peer
				if test.forwarded != "" {
					r.Header.Set("X-Forwarded-For", test.forwarded)
				}
			})
			assert.Equal(t, test.want, seen)
		})
	}
}

func TestMetrics(t *testing.T) {
	metrics := api.NewMetrics()
	d := newDoor(t, api.HandlerOptions{Metrics: metrics, Mounts: one(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/known" {
			api.TraceOf(r.Context()).Route = "GET /known"
		}
		w.WriteHeader(204)
	})})
	metrics.CountRelease(platform.ReleaseSucceeded)
	metrics.CountRelease(platform.ReleaseSucceeded)
	d.do("GET", "/known")
	d.do("BREW", "/made/up/1")
	d.do("BREW", "/made/up/2")
	text := d.do("GET", "/metrics").Body.String()
	for _, want := range []string{
		`slipway_http_requests_total{code="204",method="GET",route="GET /known"} 1`,
		`slipway_http_requests_total{code="204",method="OTHER",route="unknown"} 2`,
		`slipway_http_request_duration_seconds_count{method="GET",route="GET /known"} 1`,
		`slipway_releases_total{state="succeed"} 2`, `slipway_releases_total{state="crashed"} 0`,
		`slipway_http_requests_in_flight 1`, `go_goroutines`, `process_resident_memory_bytes`,
	} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "made/up")
	assert.Equal(t, 204, d.do("GET", "/metrics", header("X-Forwarded-For", "198.51.100.9")).Code,
		"through the gateway the path is the dialect's")
}

func TestCACertificate(t *testing.T) {
	d := newDoor(t, api.HandlerOptions{Mounts: one(nil), CACert: func() []byte { return []byte("PEM") }})
	w := d.do("GET", "/ca.crt", header("X-Forwarded-For", "198.51.100.9"))
	assert.Equal(t, "PEM", w.Body.String())
	assert.Equal(t, "application/x-x509-ca-cert", w.Header().Get("Content-Type"))
	assert.Equal(t, 405, d.do("POST", "/ca.crt").Code)
}

func TestTraceOutsideOfAHandler(t *testing.T) {
	assert.NotNil(t, api.TraceOf(context.Background()))
}

func TestStreamingReachesTheConnection(t *testing.T) {
	d := newDoor(t, api.HandlerOptions{Mounts: one(func(w http.ResponseWriter, _ *http.Request) {
		control := http.NewResponseController(w)
		_, _ = fmt.Fprint(w, control.SetWriteDeadline(time.Time{}), control.Flush())
	})})
	srv := httptest.NewServer(d)
	defer srv.Close()
	resp, err := srv.Client().Get(srv.URL)
	require.NoError(t, err)
	defer func() { assert.NoError(t, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "<nil> <nil>", string(body))
}

func TestNewHandlerNeedsItsParts(t *testing.T) {
	_, err := api.NewHandler(api.HandlerOptions{})
	assert.ErrorContains(t, err, "no dialect")
	_, err = api.NewHandler(api.HandlerOptions{Mounts: []api.Mount{{Host: "x"}}})
	assert.ErrorContains(t, err, "no dialect")
	_, err = api.NewHandler(api.HandlerOptions{Mounts: one(nil)})
	assert.ErrorContains(t, err, "no logger")
}
