package diagnose_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/edge/diagnose"
)

func TestServeAndRead(t *testing.T) {
	t.Parallel()
	want := platform.Diagnosis{App: "hello", Domain: site, Links: []platform.Link{
		{ID: "dns", State: platform.LinkFail, Evidence: "NXDOMAIN", Reason: "the name does not exist", Cure: "make a record"},
		{ID: "points", State: platform.LinkSkipped, Reason: "the name has no address"},
	}}
	ask := func(query string) (list []platform.Diagnosis, err error) {
		h := diagnose.Serve(func(_ context.Context, domain string, found func(platform.Diagnosis)) error {
			if domain == "gone" {
				return platform.Errorf(platform.NotFound, "nobody has %s", domain)
			}
			found(want)
			return nil
		})
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/tls"+query, nil))
		err = diagnose.Read(rec.Body, func(d platform.Diagnosis) { list = append(list, d) })
		return list, err
	}
	list, err := ask("")
	require.NoError(t, err)
	assert.Equal(t, []platform.Diagnosis{want}, list)
	_, err = ask("?domain=gone")
	require.EqualError(t, err, "nobody has gone")
	require.ErrorContains(t, diagnose.Read(strings.NewReader(`{"diagnosis": {}}`), func(platform.Diagnosis) {}), "in the middle")

	var text bytes.Buffer
	require.NoError(t, diagnose.Write(&text, want))
	assert.Equal(t, `www.example.com (of hello): broken
  dns     fail     NXDOMAIN
  points  skipped  the name has no address
  dns: the name does not exist.
    Cure: make a record.

`, text.String())
}
