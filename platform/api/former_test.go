package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/api"
)

func TestNamesOfFormerDomainsLeadOn(t *testing.T) {
	log := logrus.New()
	log.SetOutput(t.Output())
	h, err := api.NewHandler(api.HandlerOptions{
		Mounts: []api.Mount{{Dialect: spoken{name: "api"}}}, Logger: log,
		Moved: api.Moved{Domain: "new.old.example.com", Former: []string{"old.example.com", "slipway.localhost"}, Keep: []string{"drycc"}},
	})
	require.NoError(t, err)
	for _, c := range []struct{ host, path, proto, want string }{
		{"blog.old.example.com", "/a/b?c=d%20e", "", "http://blog.new.old.example.com/a/b?c=d%20e"},
		{"Blog.Slipway.Localhost.:8080", "/", "", "http://blog.new.old.example.com:8080/"},
		{"blog.old.example.com", "/", "https", "https://blog.new.old.example.com/"},
		{"x.blog.old.example.com", "/./a", "", "http://x.blog.new.old.example.com/./a"},
		{"drycc.old.example.com", "/v2/", "", ""},                         // the API as before
		{"blog.new.old.example.com", "/", "", ""},                         // a present name below a former one
		{"old.example.com", "/", "", ""},                                  // nobody's
		{"blog.old.example.com", "/.well-known/acme-challenge/x", "", ""}, // asked back by an authority
		{"notold.example.com", "/", "", ""},
	} {
		r := httptest.NewRequest(http.MethodPost, c.path, nil)
		r.Host = c.host
		if c.proto != "" {
			r.Header.Set("X-Forwarded-Proto", c.proto)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if c.want == "" {
			assert.Equal(t, http.StatusOK, w.Code, c.host)
			continue
		}
		assert.Equal(t, http.StatusPermanentRedirect, w.Code, c.host)
		assert.Equal(t, c.want, w.Header().Get("Location"))
	}
}
