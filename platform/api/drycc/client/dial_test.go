package client

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The default domain needs no resolver, for calls and for websockets alike.
func TestNamesBelowLocalhost(t *testing.T) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !websocket.IsWebSocketUpgrade(r) {
			return
		}
		conn, err := upgrader.Upgrade(w, r, nil)
		if assert.NoError(t, err) {
			assert.NoError(t, conn.Close())
		}
	}))
	defer server.Close()
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	for _, host := range []string{"drycc.slipway.localhost", "DRYCC.localhost", "drycc.localhost."} {
		c, err := New(Options{URL: "http://" + host + ":" + u.Port()})
		require.NoError(t, err)
		require.NoError(t, c.Health(t.Context()), host)
		s, err := c.open(t.Context(), "/", nil)
		require.NoError(t, err, host)
		require.NoError(t, s.conn.Close())
	}
}
