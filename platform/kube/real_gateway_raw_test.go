//go:build e2e

package kube

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// raw sends bytes to the plain port and reads all answers until the gateway
// closes or says nothing for a while.
func (r *realGateway) raw(t *testing.T, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", r.gateway)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, strings.ReplaceAll(request, "HOST", r.own))
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(2*time.Second)))
	data, _ := io.ReadAll(conn)
	return string(data)
}

// smuggling: requests whose length can be read in two ways are refused, and
// nothing after them is taken for a request.
func (r *realGateway) smuggling(t *testing.T) {
	const hidden = "GET /claims HTTP/1.1\r\nHost: HOST\r\n\r\n"
	for name, head := range map[string]string{
		"two lengths":         "Content-Length: 0\r\nContent-Length: 5\r\n",
		"signed length":       "Content-Length: +5\r\n",
		"other coding":        "Transfer-Encoding: xchunked\r\n",
		"coding twice":        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
		"space before colon":  "Content-Length : 0\r\n",
		"folded header":       "X-A: 1\r\n Content-Length: 5\r\nTransfer-Encoding : chunked\r\n",
		"two hosts":           "Host: nobody.example\r\n",
		"zero in a header":    "X-A: a\x00b\r\n",
		"return in a header":  "X-A: a\rb\r\n",
		"header without name": ": a\r\n",
	} {
		answer := r.raw(t, "POST /take HTTP/1.1\r\nHost: HOST\r\n"+head+"\r\n"+hidden)
		assert.Regexp(t, `^HTTP/1\.1 (400|501) `, answer, name)
		assert.Equal(t, 1, strings.Count(answer, "HTTP/1.1 "), name)
	}
	select {
	case <-r.seen:
		t.Error("what was hidden arrived")
	case <-time.After(0):
	}
}

func (r *realGateway) headers(t *testing.T) {
	fits := r.raw(t, "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nX-Long: "+strings.Repeat("a", 32<<10)+"\r\n\r\n")
	assert.Regexp(t, "^HTTP/1.1 200 ", fits)
	long := r.raw(t, "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nX-Long: "+strings.Repeat("a", 96<<10)+"\r\n\r\n")
	assert.Regexp(t, "^HTTP/1.1 431 ", long)
}

// slow: who does not finish the headers is cut off after the limit, who is
// slow with a body is not.
func (r *realGateway) slow(t *testing.T) {
	const limit = 30 * time.Second // of the chart
	var group sync.WaitGroup
	for name, start := range map[string]string{"no headers": "", "unfinished": "GET / HTTP/1.1\r\nHost: " + r.own + "\r\nX-A: "} {
		group.Go(func() {
			conn, err := net.Dial("tcp", r.gateway)
			if !assert.NoError(t, err) {
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, start)
			assert.NoError(t, conn.SetReadDeadline(time.Now().Add(2*limit)))
			_, err = io.ReadAll(conn)
			assert.NoError(t, err, "%s: it was closed", name)
		})
	}
	group.Go(func() {
		conn, err := net.Dial("tcp", r.gateway)
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		const parts = 20
		_, _ = fmt.Fprintf(conn, "POST /take HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", r.own, parts)
		for range parts {
			time.Sleep(2 * limit / parts) // a slow line is what this is about
			_, err = conn.Write([]byte("a"))
			assert.NoError(t, err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if assert.NoError(t, err) {
			body, _ := io.ReadAll(res.Body)
			assert.Equal(t, "20 <nil>\n", string(body))
		}
	})
	group.Wait()
}

// zeros is a long body.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	z.left -= n
	return int(n), nil
}

// upload: 1 GB goes through, over TLS, in HTTP/1.1 and HTTP/2, while the
// gateway's memory stays below what it may use at all.
func (r *realGateway) upload(t *testing.T) {
	for _, two := range []bool{false, true} {
		c := r.client(t, r.own)
		c.Transport.(*http.Transport).ForceAttemptHTTP2 = two
		begin := time.Now()
		res, err := c.Post("https://"+r.own+"/take", "application/octet-stream", &zeros{left: 1 << 30})
		require.NoError(t, err)
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		assert.Equal(t, "1073741824 <nil>\n", string(body))
		t.Logf("1 GB by %s in %s; the gateway has %d MB", res.Proto, time.Since(begin).Round(time.Millisecond), gatewayMemory(t)>>20)
		assert.Less(t, gatewayMemory(t), int64(200<<20))
	}
}

// gatewayMemory is the resident memory of the process traefik on this node.
func gatewayMemory(t *testing.T) int64 {
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	var most int64
	for _, e := range entries {
		name, err := os.ReadFile("/proc/" + e.Name() + "/comm")
		if err != nil || strings.TrimSpace(string(name)) != "traefik" {
			continue
		}
		statm, err := os.ReadFile("/proc/" + e.Name() + "/statm")
		if err != nil {
			continue
		}
		pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
		require.NoError(t, err)
		most = max(most, pages*int64(os.Getpagesize()))
	}
	require.NotZero(t, most)
	return most
}

// versions: TLS 1.2 with forward secrecy and authenticated ciphers, TLS 1.3,
// and nothing else.
func (r *realGateway) versions(t *testing.T) {
	try := func(c *tls.Config) error {
		c.InsecureSkipVerify, c.ServerName = true, r.own
		conn, err := tls.Dial("tcp", r.tls, c)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	good := []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256}
	all := slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites())
	var ids, taken []uint16
	for _, s := range all {
		ids = append(ids, s.ID)
		if !slices.Contains(s.SupportedVersions, tls.VersionTLS12) {
			continue
		}
		err := try(&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{s.ID}})
		if err == nil {
			taken = append(taken, s.ID)
		}
		assert.True(t, err != nil || slices.Contains(good, s.ID), "%s is taken", s.Name)
	}
	assert.NotEmpty(t, taken, "one of them fits the key of the certificate")
	for _, old := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		assert.ErrorContains(t, try(&tls.Config{MinVersion: old, MaxVersion: old, CipherSuites: ids}), "protocol version", "%x", old)
	}
	require.NoError(t, try(&tls.Config{MinVersion: tls.VersionTLS13}))
	_, header, _ := r.becomes(t, 200, "https", r.own, "/")
	assert.Empty(t, header.Get("Strict-Transport-Security"), "an app's own to say")
}

// renewals rewrites a certificate 50 times under load: no connection fails.
func (r *realGateway) renewals(t *testing.T) {
	var asked, failed atomic.Int64
	stop := make(chan struct{})
	var group sync.WaitGroup
	begin := time.Now()
	for range 2 {
		group.Go(func() {
			tick := time.NewTicker(20 * time.Millisecond) // each a handshake of its own
			defer tick.Stop()
			for {
				select {
				case <-stop:
					return
				case <-tick.C:
				}
				status, _, _, leaf, err := r.ask("https", r.www, "/")
				asked.Add(1)
				if err != nil || status != 200 || leaf.VerifyHostname(r.www) != nil {
					failed.Add(1)
					t.Log(status, err)
				}
			}
		})
	}
	var last control.Pair
	for range 50 {
		last = pair(t, r.www, r.www)
		r.x.Certs[0] = last
		require.NoError(t, r.c.Expose(t.Context(), r.x))
		time.Sleep(300 * time.Millisecond) // longer than the gateway gathers changes
	}
	close(stop)
	group.Wait()
	rate := float64(asked.Load()) / time.Since(begin).Seconds()
	t.Logf("%d handshakes, %.0f/s, %d failed", asked.Load(), rate, failed.Load())
	assert.Zero(t, failed.Load())
	block, _ := pem.Decode(last.Chain)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, _, _, leaf, err := r.ask("https", r.www, "/")
		require.NoError(c, err)
		assert.True(c, string(block.Bytes) == string(leaf.Raw), "the last one is served")
	}, 10*time.Second, 50*time.Millisecond)
}

// echo answers each connection with what it got, after a greeting: servers that
// speak first are the hard case.
func echo(t *testing.T, l net.Listener) {
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = io.WriteString(c, "ready\n"); _, _ = io.Copy(c, c) }()
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
}

func (r *realGateway) streamed(t *testing.T, variable, protocol, kind string, l net.Listener, hosts ...string) string {
	port, err := strconv.Atoi(os.Getenv(variable))
	if err != nil {
		t.Skipf("%s is not set", variable)
	}
	echo(t, l)
	name := strings.ToLower(protocol)
	r.backend(t, name, 7000, l)
	r.x.Routes = append(r.x.Routes, control.ExposedRoute{Name: name, Kind: kind, Hosts: hosts,
		Ports: []platform.GatewayPort{{Port: port, Protocol: protocol}},
		Rules: []platform.RouteRule{{Backends: []platform.Backend{{Service: name, Port: 7000}}}}})
	r.expose(t)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

func talk(c *assert.CollectT, conn net.Conn, err error) {
	require.NoError(c, err)
	defer conn.Close()
	require.NoError(c, conn.SetDeadline(time.Now().Add(time.Second)))
	lines := bufio.NewReader(conn)
	text, err := lines.ReadString('\n')
	require.NoError(c, err)
	assert.Equal(c, "ready\n", text)
	_, err = io.WriteString(conn, "abc\n")
	require.NoError(c, err)
	text, err = lines.ReadString('\n')
	require.NoError(c, err)
	assert.Equal(c, "abc\n", text)
}

func (r *realGateway) tcp(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	addr := r.streamed(t, "SLIPWAY_GATEWAY_TCP", platform.ProtocolTCP, platform.TCPRoute, l)
	require.EventuallyWithT(t, func(c *assert.CollectT) { conn, err := net.Dial("tcp", addr); talk(c, conn, err) }, 10*time.Second, 50*time.Millisecond)
	r.becomes(t, 200, "https", r.own, "/")
}

// passed: the app shows its own certificate, and only for its own name.
func (r *realGateway) passed(t *testing.T) {
	host := "raw." + r.app.ID + ".example"
	own := pair(t, host, host)
	cert, err := tls.X509KeyPair(own.Chain, own.Key)
	require.NoError(t, err)
	l, err := tls.Listen("tcp", ":0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13})
	require.NoError(t, err)
	addr := r.streamed(t, "SLIPWAY_GATEWAY_PASS", platform.ProtocolTLS, platform.TLSRoute, l, host)
	dial := func(c *assert.CollectT, name string) (net.Conn, error) {
		conn, err := tls.Dial("tcp", addr, &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if err == nil {
			assert.Equal(c, cert.Certificate[0], conn.ConnectionState().PeerCertificates[0].Raw)
		}
		return conn, err
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) { conn, err := dial(c, host); talk(c, conn, err) }, 10*time.Second, 50*time.Millisecond)
	conn, err := tls.Dial("tcp", addr, &tls.Config{ServerName: "raw.other.example", InsecureSkipVerify: true})
	if err == nil {
		assert.NotEqual(t, cert.Certificate[0], conn.ConnectionState().PeerCertificates[0].Raw, "another name does not reach it")
		_ = conn.Close()
	}
}
