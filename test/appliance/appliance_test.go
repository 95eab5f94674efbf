package appliance

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPicturesOfTheSameMachineAreEqual(t *testing.T) {
	m := Here("slipway.localhost")
	before, err := m.Photograph(t.Context())
	require.NoError(t, err)
	after, err := m.Photograph(t.Context())
	require.NoError(t, err)
	kinds := map[string]bool{}
	for _, l := range before {
		kind, _, _ := strings.Cut(l, "\t")
		kinds[kind] = true
	}
	for _, kind := range []string{"mount", "link", "route-4", "sysctl", "entry"} {
		assert.True(t, kinds[kind], "no %s in the picture", kind)
	}
	for _, l := range before.Diff(after) {
		assert.NotRegexp(t, `\t(mount|sysctl|rule)`, l)
	}
}

func TestDiff(t *testing.T) {
	before := Picture{"link\tlo", "mount\t/", "port\t22"}
	assert.Empty(t, before.Diff(before))
	assert.Equal(t, []string{"+ link\tcni0", "- port\t22"}, before.Diff(Picture{"link\tcni0", "link\tlo", "mount\t/"}))
}

func TestAPictureShowsWhatCame(t *testing.T) {
	m := Here("slipway.localhost")
	before, err := m.Photograph(t.Context())
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:4711")
	require.NoError(t, err)
	defer l.Close()
	after, err := m.Photograph(t.Context())
	require.NoError(t, err)
	assert.Contains(t, before.Diff(after), "+ port\ttcp 127.0.0.1:4711")
}

// gateway pretends to be a machine's port 80.
func gateway(t *testing.T, h http.HandlerFunc) *Machine {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	host, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	return &Machine{Address: host, Domain: "test:" + port}
}

func TestProberCountsEveryRequest(t *testing.T) {
	var served atomic.Int64
	m := gateway(t, func(w http.ResponseWriter, _ *http.Request) {
		if served.Add(1)%10 == 0 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	stop := Prober{URL: m.URL("hello", "/"), PerSecond: 200, Machine: m}.Start(t.Context())
	require.NoError(t, Eventually(t.Context(), 10*time.Second, func(context.Context) error {
		if served.Load() < 50 {
			return assert.AnError
		}
		return nil
	}))
	tally := stop()
	assert.EqualValues(t, served.Load(), tally.Requests)
	assert.EqualValues(t, served.Load()/10, tally.Failed)
	assert.Contains(t, tally.Reasons[0], "HTTP 502")
}

func TestClient(t *testing.T) {
	m := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "POST /v2/auth/login/":
			_, _ = w.Write([]byte(`{"key":"abc"}`))
		case "GET /v2/auth/token/abc/":
			_, _ = w.Write([]byte(`{"uuid":"u","username":"admin","token":"` + strings.Repeat("x", 128) + `"}`))
		case "GET /v2/apps/hello/releases/":
			assert.Equal(t, "token "+strings.Repeat("x", 128), r.Header.Get("Authorization"))
			_ = json.NewEncoder(w).Encode(map[string]any{"count": 1, "results": []Release{{Version: 2, State: "crashed", Failed: true}}})
		default:
			http.Error(w, `{"detail":"no"}`, http.StatusForbidden)
		}
	})
	c := NewClient(m)
	require.NoError(t, c.Login(t.Context(), "admin", "secret"))
	_, err := c.WaitRelease(t.Context(), "hello", 1, time.Second)
	assert.ErrorIs(t, err, ErrCrashed)
	_, err = c.WaitRelease(t.Context(), "hello", 2, 10*time.Millisecond)
	assert.ErrorContains(t, err, "not within")
	var refusal *Refusal
	require.ErrorAs(t, c.DeleteApp(t.Context(), "hello"), &refusal)
	assert.Equal(t, http.StatusForbidden, refusal.Status)
}

func TestProbeImage(t *testing.T) {
	program, err := BuildProbe(t.Context(), t.TempDir())
	require.NoError(t, err)
	image, err := ProbeImage(program, "v1", "CRASH=on purpose")
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, []string{"/probe"}, config.Config.Entrypoint)
	assert.Len(t, config.RootFS.DiffIDs, 2)
	again, err := ProbeImage(program, "v1", "CRASH=on purpose")
	require.NoError(t, err)
	a, err := image.Digest()
	require.NoError(t, err)
	b, err := again.Digest()
	require.NoError(t, err)
	assert.Equal(t, a, b)
}
