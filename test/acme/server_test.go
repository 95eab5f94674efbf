package acme

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/platformtest/pgtest"
)

// program is the authority's, built when the first test needs it.
type program struct {
	once sync.Once
	dir  string
	err  error
}

var built program //lint:global one program for all tests of the binary

var postgres pgtest.Cluster //lint:global one server for all tests of the binary

func TestMain(m *testing.M) {
	code := postgres.Run(m)
	if built.dir != "" {
		_ = os.RemoveAll(built.dir) // a leftover in the temporary directory harms nobody
	}
	os.Exit(code)
}

func (p *program) path(t *testing.T) string {
	t.Helper()
	p.once.Do(func() {
		if p.dir, p.err = os.MkdirTemp("", "acmeserver"); p.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(p.dir, "acmeserver"), ".")
		cmd.Dir = "server"
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		var out []byte
		if out, p.err = cmd.CombinedOutput(); p.err != nil {
			p.err = fmt.Errorf("building the authority: %w: %s", p.err, out)
		}
	})
	require.NoError(t, p.err)
	return filepath.Join(p.dir, "acmeserver")
}

// ca is a running authority behind a front that tests steer.
type ca struct {
	directory string
	roots     *x509.CertPool // the front's certificate
	dns       string
	front     *httptest.Server

	mu     sync.Mutex
	meddle func(w http.ResponseWriter, r *http.Request) bool // true: answered
	orders int
	news   int // accounts
}

// startCA starts an authority that asks hosts back at port http.
func startCA(t *testing.T, http int, args ...string) *ca {
	t.Helper()
	cmd := exec.Command(built.path(t), append([]string{"-http", strconv.Itoa(http)}, args...)...)
	// Every twentieth nonce is refused, and each validation takes up to a second.
	cmd.Env = append(os.Environ(), "PEBBLE_WFE_NONCEREJECT=5", "PEBBLE_VA_SLEEPTIME=2", "PEBBLE_AUTHZREUSE=0")
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		_ = cmd.Wait() // it was ended
		if t.Failed() {
			t.Log(said.String())
		}
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err, said.String())
	var about struct{ Address, Roots, DNS string }
	require.NoError(t, json.Unmarshal(line, &about))
	c := &ca{dns: about.DNS}
	c.serveFront(t, about.Address, []byte(about.Roots))
	return c
}

func (c *ca) serveFront(t *testing.T, behind string, roots []byte) {
	t.Helper()
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(roots))
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "https", Host: behind})
			r.Out.Host = r.In.Host // it makes its addresses of that
		},
		Transport:      &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}},
		ModifyResponse: c.count,
		ErrorLog:       quiet(),
	}
	c.front = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		meddle := c.meddle
		c.mu.Unlock()
		if meddle == nil || !meddle(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(c.front.Close)
	c.front.Config.ErrorLog = quiet()
	c.roots = x509.NewCertPool()
	c.roots.AddCert(c.front.Certificate())
	c.directory = c.front.URL + "/dir"
}

// count counts what the authority has made; nonces that it refused are not.
func (c *ca) count(r *http.Response) error {
	if r.StatusCode != http.StatusCreated {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case strings.HasSuffix(r.Request.URL.Path, "/order-plz"):
		c.orders++
	case strings.HasSuffix(r.Request.URL.Path, "/sign-me-up"):
		c.news++
	}
	return nil
}

// disturb has f look at requests first; nil for nobody.
func (c *ca) disturb(f func(w http.ResponseWriter, r *http.Request) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.meddle = f
}

func (c *ca) counts() (orders, accounts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.orders, c.news
}

// problem answers like an authority that refuses.
func problem(w http.ResponseWriter, status int, kind, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"type":"urn:ietf:params:acme:error:`+kind+`","detail":"`+detail+`","status":`+strconv.Itoa(status)+`}`)
}
