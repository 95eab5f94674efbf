package kube

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"

	"github.com/slipway-paas/slipway/platform"
)

// A controller that no longer leads reads on and changes nothing.
func TestTheGuardRefusesChanges(t *testing.T) {
	t.Parallel()
	var writes atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			writes.Add(1)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":"u","labels":{"heritage":"drycc"}}}`))
	}))
	t.Cleanup(server.Close)
	var leads atomic.Bool
	c, err := New(Options{Config: &rest.Config{Host: server.URL}, Guard: func() error {
		if leads.Load() {
			return nil
		}
		return platform.Errorf(platform.Unavailable, "another server leads")
	}})
	require.NoError(t, err)

	id, err := c.ID(t.Context())
	require.NoError(t, err)
	require.Equal(t, "u", id)
	err = c.RestartGateway(t.Context())
	require.ErrorContains(t, err, "another server leads")
	require.Equal(t, platform.Unavailable, platform.CodeOf(translate(t.Context(), "x", err)), "taken up again later")
	require.Zero(t, writes.Load())
	leads.Store(true)
	require.NoError(t, c.RestartGateway(t.Context()))
	require.EqualValues(t, 1, writes.Load())
}
