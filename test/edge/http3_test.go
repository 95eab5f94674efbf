//go:build e2e

package edge

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// http3 asks the app over QUIC: with the domain's certificate, with a body, and
// never as another tenant than the connection's.
func (w *world) http3(t *testing.T) {
	const name = "www.edge.test"
	over := func(serverName string) *http.Client {
		transport := &http3.Transport{
			TLSClientConfig: &tls.Config{ServerName: serverName, InsecureSkipVerify: true}, // who signed is compared
			Dial: func(ctx context.Context, _ string, c *tls.Config, q *quic.Config) (*quic.Conn, error) {
				return quic.DialAddr(ctx, address+":443", c, q)
			},
		}
		t.Cleanup(func() { _ = transport.Close() })
		return &http.Client{Transport: transport, Timeout: time.Minute}
	}
	ask := func(c *http.Client, host string) *http.Response {
		r, err := c.Get("https://" + host + "/")
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, r.Body)
		require.NoError(t, err)
		_ = r.Body.Close()
		return r
	}
	client := over(name)
	r := ask(client, name)
	assert.Equal(t, http.StatusOK, r.StatusCode)
	assert.Equal(t, 3, r.ProtoMajor)
	require.NoError(t, public(r.TLS.PeerCertificates[0], name))
	assert.Equal(t, http.StatusMisdirectedRequest, ask(client, "two.edge.test").StatusCode)

	// Clients learn of it over TCP.
	plain := w.m.Transport()
	plain.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	defer plain.CloseIdleConnections()
	r = ask(&http.Client{Transport: plain, Timeout: time.Minute}, name)
	assert.Contains(t, r.Header.Get("Alt-Svc"), `h3=":443"`)
}
