package diagnose_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/edge/diagnose"
)

// The checks cannot be used to look around inside: no address there is
// connected to, whatever record, name server or redirect leads to it.
func TestNothingInsideIsAsked(t *testing.T) {
	t.Parallel()
	inside := []string{"127.0.0.2", "10.0.0.9", "10.42.0.7", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
		"255.255.255.255", "::1", "fe80::1", "fd00::1", "::", "64:ff9b::a00:1", "2002:a00:1::1", "::ffff:10.0.0.9"}
	for _, address := range inside {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			delete(w.zone, site+". A")
			kind := "A"
			if strings.Contains(address, ":") {
				kind = "AAAA"
			}
			record := fmt.Sprintf("300 IN %s %s", kind, address)
			w.set(site+". "+kind, site+". "+record)
			delete(w.zone, "ns.example.com. A")
			w.set("ns.example.com. "+kind, "ns.example.com. "+record)
			w.set("ca.test. "+kind, "ca.test. "+record)
			delete(w.zone, "ca.test. A")
			if kind == "A" {
				w.set("ca.test. A", "ca.test. "+record)
			}
			w.options.Directory = nil // the guarded one
			d := w.look()
			l, _ := d.Find(diagnose.Points)
			assert.Equal(t, platform.LinkFail, l.State)
			assert.Contains(t, l.Evidence, "not asked")
			plain := netip.MustParseAddr(address).Unmap()
			for _, a := range w.dialed {
				to := netip.MustParseAddrPort(a)
				assert.NotEqual(t, plain, to.Addr(), "was connected to")
				assert.True(t, to.Port() == 53 || to.Port() == 80 || to.Port() == 443 || a == w.options.Resolvers[0], a)
			}
		})
	}
}

// A platform in a private network may have its proxy there. Loopback, the
// link's and the cluster's addresses are never asked.
func TestPrivatePlatform(t *testing.T) {
	t.Parallel()
	for address, asked := range map[string]bool{"10.9.9.9": true, "192.168.7.7": true, "10.42.0.9": false, "127.0.0.1": false, "169.254.169.254": false} {
		w := newWorld(t)
		w.subject.Addresses = []netip.Addr{netip.MustParseAddr("10.0.0.5")}
		w.set(site+". A", site+". 300 IN A "+address)
		w.look()
		assert.Equal(t, asked, w.asked(address+":80"), address)
	}
}

// Evil servers: endless, slow, and full of control characters.
func TestEvilServers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve(here, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Server", "\x1b[31mred\u202e"+strings.Repeat("x", 5000))
		for r.Context().Err() == nil {
			if _, err := rw.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}))
	d := w.look()
	l, _ := d.Find(diagnose.Challenge)
	assert.Equal(t, platform.LinkFail, l.State)
	for _, l := range d.Links {
		for _, text := range []string{l.Evidence, l.Reason, l.Cure} {
			assert.NotContains(t, text, "\x1b")
			assert.NotContains(t, text, "\u202e")
			assert.Less(t, len(text), 700)
		}
	}

	w = newWorld(t) // hangs after the request
	w.serve(here, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	d = w.look()
	l, _ = d.Find(diagnose.Challenge)
	assert.Contains(t, l.Evidence, "no answer in time")

	w = newWorld(t) // the whole world hangs
	w.options.Timeout = 100 * time.Millisecond
	for at := range w.at {
		w.at[at] = ""
	}
	assert.True(t, w.look().Broken())
}

func TestNonces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var path string
	w.serve(here, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { path = r.URL.Path }))
	w.look()
	token, ok := strings.CutPrefix(path, control.ChallengePath)
	require.True(t, ok, path)
	other := diagnose.NewNonces([]byte("another key"), w.clock)
	again := diagnose.NewNonces([]byte("key"), w.clock)
	want, ok := again.Answer(token)
	require.True(t, ok, "another server of the platform answers as well")
	require.NotContains(t, token, want)
	for name, forged := range map[string]string{"cut": token[:len(token)-1], "empty": "", "an authority's": "abc_def-123", "prefix": "slipway-check.",
		"later": strings.Replace(token, "slipway-check.", "slipway-check.z", 1), "long": "slipway-check." + strings.Repeat("a", 10000)} {
		_, ok := again.Answer(forged)
		assert.False(t, ok, name)
	}
	_, ok = other.Answer(token)
	assert.False(t, ok)

	rec := httptest.NewRecorder()
	again.Handler(http.NotFoundHandler()).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	assert.Equal(t, want, rec.Body.String())
	w.now = w.now.Add(time.Hour)
	rec = httptest.NewRecorder()
	again.Handler(http.NotFoundHandler()).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	assert.Equal(t, 404, rec.Code, "too old")
}

func TestOptionsAreRequired(t *testing.T) {
	t.Parallel()
	_, err := diagnose.New(diagnose.Options{Resolvers: []string{"127.0.0.1:53"}})
	require.Error(t, err)
	_, err = diagnose.New(diagnose.Options{Nonces: diagnose.NewNonces(nil, nil)})
	require.Error(t, err)
}
