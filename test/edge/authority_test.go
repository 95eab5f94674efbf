//go:build e2e

package edge

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

// authority is Pebble on this machine, behind a front that the test steers, as
// the hosts see it. Its DNS server is the hosts'.
type authority struct {
	directory string
	root      []byte // PEM: what the front is trusted by

	mu     sync.Mutex
	meddle func(w http.ResponseWriter, r *http.Request) bool // true: answered
	orders map[string]int                                    // that were made, by their first name
}

// startAuthority starts it; args are those of acmeserver.
func startAuthority(t *testing.T, args ...string) *authority {
	t.Helper()
	program := filepath.Join(t.TempDir(), "acmeserver")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program, ".")
	build.Dir = "../acme/server"
	build.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.Command(program, append([]string{"-listen", harness.Gateway, "-dns", "53"}, args...)...)
	// Every twentieth nonce is refused, and each validation takes up to a second.
	cmd.Env = append(os.Environ(), "PEBBLE_WFE_NONCEREJECT=5", "PEBBLE_VA_SLEEPTIME=1", "PEBBLE_AUTHZREUSE=0")
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() }) // it ends with its input
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err, "%s", &said)
	var about struct{ Address, Roots string }
	require.NoError(t, json.Unmarshal(line, &about))
	a := &authority{orders: map[string]int{}}
	a.serve(t, about.Address, []byte(about.Roots))
	return a
}

// serve starts the front.
func (a *authority) serve(t *testing.T, behind string, roots []byte) {
	t.Helper()
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(roots))
	quiet := log.New(io.Discard, "", 0)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "https", Host: behind})
			r.Out.Host = r.In.Host // it makes its addresses of that
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, ErrorLog: quiet,
		ModifyResponse: func(r *http.Response) error {
			a.mu.Lock()
			defer a.mu.Unlock()
			if r.StatusCode == http.StatusCreated && strings.HasSuffix(r.Request.URL.Path, "/order-plz") {
				a.orders[r.Request.Header.Get(orderHeader)]++
			}
			return nil
		},
	}
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		meddle := a.meddle
		a.mu.Unlock()
		if meddle != nil && meddle(w, r) {
			return
		}
		if strings.HasSuffix(r.URL.Path, "/order-plz") {
			noteOrder(r)
		}
		proxy.ServeHTTP(w, r)
	}))
	require.NoError(t, front.Listener.Close())
	listener, err := net.Listen("tcp", net.JoinHostPort(harness.Gateway, "0"))
	require.NoError(t, err)
	front.Listener, front.Config.ErrorLog = listener, quiet
	cert, key := house.SelfSigned(t, harness.Gateway)
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	a.root = cert
	front.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	front.StartTLS()
	t.Cleanup(front.Close)
	a.directory = front.URL + "/dir"
}

// orderHeader tells what a request for an order is for.
const orderHeader = "X-Test-Order"

func noteOrder(r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what is short is refused behind
	r.Body = io.NopCloser(bytes.NewReader(body))
	var signed struct{ Payload string }
	_ = json.Unmarshal(body, &signed)
	text, _ := base64.RawURLEncoding.DecodeString(signed.Payload)
	var order struct{ Identifiers []struct{ Value string } }
	if json.Unmarshal(text, &order) == nil && len(order.Identifiers) > 0 {
		r.Header.Set(orderHeader, order.Identifiers[0].Value)
	}
}

// disturb has f look at requests first; nil for nobody.
func (a *authority) disturb(f func(w http.ResponseWriter, r *http.Request) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.meddle = f
}

// count is how many orders were made for a name.
func (a *authority) count(name string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.orders[name]
}
