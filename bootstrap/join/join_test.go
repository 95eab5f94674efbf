package join

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	agentSecret  = "abcdef.0123456789abcdef"
	serverSecret = "fedcba.fedcba9876543210"
	program      = "#!/bin/sh\necho the program\n"
)

func TestTokens(t *testing.T) {
	hash := strings.Repeat("0a", 32)
	k3s := "K10" + hash + "::" + agentSecret
	tests := map[string]struct {
		text string
		want Token
		err  string
	}{
		"of k3s":            {text: k3s, want: Token{CAHash: hash, Credential: agentSecret}},
		"whole":             {text: k3s + "@https://10.0.0.1:6443\n", want: Token{hash, agentSecret, "https://10.0.0.1:6443"}},
		"without a port":    {text: k3s + "@https://first.example", want: Token{hash, agentSecret, "https://first.example:6443"}},
		"a password":        {text: "K10" + hash + "::server:pa@ss:word", want: Token{CAHash: hash, Credential: "server:pa@ss:word"}},
		"empty":             {text: " ", err: "slipway token create"},
		"short":             {text: agentSecret, err: "anybody could pretend"},
		"a bare password":   {text: "hunter2", err: "anybody could pretend"},
		"k3s without hash":  {text: "K10::server:x", err: "anybody could pretend"},
		"cut hash":          {text: "K10" + hash[:20] + "::" + agentSecret, err: "damaged"},
		"cut secret":        {text: k3s[:len(k3s)-3], err: "damaged"},
		"no secret":         {text: "K10" + hash + "::", err: "damaged"},
		"a path in address": {text: k3s + "@https://10.0.0.1/x", err: "not the address of a server"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseToken(tt.text)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				assert.NotContains(t, err.Error(), "0123456789")
				assert.NotContains(t, err.Error(), "hunter2")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			again, err := ParseToken(got.String())
			require.NoError(t, err)
			assert.Equal(t, got, again)
		})
	}
}

// authority is a certificate authority in files.
type authority struct {
	certFile, keyFile string
	cert              *x509.Certificate
	key               *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	a := authority{certFile: filepath.Join(t.TempDir(), "ca.crt"), keyFile: filepath.Join(t.TempDir(), "ca.key"), key: key}
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(a.certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(a.keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600))
	return a
}

// node is the certificate of a node.
func (a authority) node(t *testing.T, name string) *tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "system:node:" + name, Organization: []string{"system:nodes"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// cluster is one with three tokens and a node.
type cluster struct{}

func (cluster) CheckToken(_ context.Context, credential string) (Role, error) {
	switch credential {
	case agentSecret:
		return Agent, nil
	case serverSecret:
		return Server, nil
	}
	return "", Refuse(http.StatusUnauthorized, "the token has ended")
}

func (cluster) HasNode(_ context.Context, name string) (bool, error) { return name == "known", nil }

// doorstep is an open door with its two authorities.
type doorstep struct {
	servers, clients authority
	server           string // as a client is told it
	base             string // where the door really is
	converted        int
}

func openDoor(t *testing.T) *doorstep {
	t.Helper()
	d := &doorstep{servers: newAuthority(t, "servers"), clients: newAuthority(t, "clients")}
	file := filepath.Join(t.TempDir(), "slipway")
	require.NoError(t, os.WriteFile(file, []byte(program), 0o755))
	quiet := logrus.New()
	quiet.SetOutput(io.Discard)
	door := &Door{
		Identity: &Identity{CAFile: d.servers.certFile, KeyFile: d.servers.keyFile, Hosts: []string{"127.0.0.1", "first"}, Clock: time.Now},
		ClientCA: d.clients.certFile, Cluster: cluster{}, Program: file, Logger: quiet,
		Offer: func(_ context.Context, c Caller, r Request) (Offer, error) {
			return Offer{Version: "v1", Settings: map[string]string{"AS": string(r.Role), "NODE": c.Node}}, nil
		},
		Convert: func(context.Context) error { d.converted++; return nil },
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- door.Serve(ctx, listener) }()
	t.Cleanup(func() { cancel(); assert.NoError(t, <-done) })
	d.base, d.server = "https://"+listener.Addr().String(), "https://127.0.0.1:6443"
	return d
}

func (d *doorstep) client(t *testing.T, credential string, cert *tls.Certificate) *Client {
	t.Helper()
	ca, err := os.ReadFile(d.servers.certFile)
	require.NoError(t, err)
	c, err := Dial(t.Context(), ClientOptions{Server: d.server, Token: Token{Credential: credential}, CA: ca, Cert: cert})
	require.NoError(t, err)
	assert.Equal(t, "https://127.0.0.1:9583", c.base)
	c.base = d.base
	return c
}

func TestDoorLetsInWhoMay(t *testing.T) {
	d := openDoor(t)
	stranger := newAuthority(t, "stranger")
	tests := map[string]struct {
		credential string
		cert       *tls.Certificate
		ask        Request
		status     int // 0: let in
		text       string
	}{
		"agent":                      {credential: agentSecret, ask: Request{Role: Agent, Name: "new"}},
		"server":                     {credential: serverSecret, ask: Request{Role: Server, Name: "new"}},
		"agent with a server's":      {credential: serverSecret, ask: Request{Role: Agent, Name: "new"}},
		"server with an agent's":     {credential: agentSecret, ask: Request{Role: Server}, status: 403, text: "--role server"},
		"nobody":                     {ask: Request{Role: Agent}, status: 401, text: "slipway token create"},
		"an ended token":             {credential: "x", ask: Request{Role: Agent}, status: 401, text: "ended"},
		"a name that is taken":       {credential: agentSecret, ask: Request{Role: Agent, Name: "known"}, status: 409, text: "slipway node remove known"},
		"an odd role":                {credential: agentSecret, ask: Request{Role: "king"}, status: 400, text: "neither agent nor server"},
		"a node":                     {cert: d.clients.node(t, "known"), ask: Request{Role: Agent, Name: "known"}},
		"a node, its token ended":    {credential: "x", cert: d.clients.node(t, "known"), ask: Request{Role: Agent, Name: "known"}},
		"a node as a server":         {cert: d.clients.node(t, "known"), ask: Request{Role: Server, Name: "known"}, status: 403, text: "agents"},
		"a node that was taken out":  {cert: d.clients.node(t, "gone"), ask: Request{Role: Agent, Name: "gone"}, status: 401, text: "token is needed"},
		"a node of another cluster":  {cert: stranger.node(t, "known"), ask: Request{Role: Agent}, status: 401, text: "token is needed"},
		"a server that was an agent": {credential: serverSecret, cert: d.clients.node(t, "known"), ask: Request{Role: Server, Name: "known"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			offer, err := d.client(t, tt.credential, tt.cert).Offer(t.Context(), tt.ask)
			switch {
			case tt.status == 0:
				require.NoError(t, err)
				sum := sha256.Sum256([]byte(program))
				assert.Equal(t, Binary{hex.EncodeToString(sum[:]), int64(len(program))}, offer.Binary)
				assert.Equal(t, string(tt.ask.Role), offer.Settings["AS"])
			default:
				var refusal *Refusal
				require.ErrorAs(t, err, &refusal)
				assert.Equal(t, tt.status, refusal.Status)
				assert.Contains(t, refusal.Text, tt.text)
			}
		})
	}
}

func TestDoorGivesTheProgram(t *testing.T) {
	d := openDoor(t)
	c := d.client(t, agentSecret, nil)
	offer, err := c.Offer(t.Context(), Request{Role: Agent})
	require.NoError(t, err)
	var got bytes.Buffer
	var seen int64
	require.NoError(t, c.Binary(t.Context(), offer.Binary, &got, func(n int64) { seen = n }))
	assert.Equal(t, program, got.String())
	assert.EqualValues(t, len(program), seen)

	require.ErrorContains(t, c.Binary(t.Context(), Binary{SHA256: "00"}, io.Discard, nil), "run it again")

	for path, want := range map[string]string{
		"/v1/binary.sha256?arch=" + runtime.GOARCH: offer.Binary.SHA256 + "  slipway\n",
	} {
		response, err := c.do(t.Context(), http.MethodGet, path)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, want, string(text))
	}
	_, err = c.do(t.Context(), http.MethodGet, "/v1/binary.sha256?arch=s390x")
	require.ErrorContains(t, err, "the host is s390x")
	_, err = d.client(t, "x", nil).do(t.Context(), http.MethodGet, "/v1/binary")
	require.ErrorContains(t, err, "ended")
}

func TestOnlyServersChangeTheDatastore(t *testing.T) {
	d := openDoor(t)
	require.ErrorContains(t, d.client(t, agentSecret, nil).Convert(t.Context()), "--role server")
	assert.Zero(t, d.converted)
	require.NoError(t, d.client(t, serverSecret, nil).Convert(t.Context()))
	assert.Equal(t, 1, d.converted)
}

func TestAuthorityIsPinned(t *testing.T) {
	a := newAuthority(t, "real")
	identity := &Identity{CAFile: a.certFile, KeyFile: a.keyFile, Hosts: []string{"127.0.0.1"}, Clock: time.Now}
	bundle, err := os.ReadFile(a.certFile)
	require.NoError(t, err)
	answer := bundle
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: identity.Certificate})
	require.NoError(t, err)
	api := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) })}
	go func() { _ = api.Serve(listener) }()
	t.Cleanup(func() { assert.NoError(t, api.Close()) })
	hash, err := HashCA(bundle)
	require.NoError(t, err)
	sum := sha256.Sum256(bundle)
	assert.Equal(t, hex.EncodeToString(sum[:]), hash, "as sha256sum counts it")
	at := "https://" + listener.Addr().String()

	_, err = Dial(t.Context(), ClientOptions{Server: at, Token: Token{CAHash: hash}})
	require.NoError(t, err)
	_, err = Dial(t.Context(), ClientOptions{Server: at, Token: Token{CAHash: strings.Repeat("0", 64)}})
	require.ErrorContains(t, err, "not a server of the cluster that made the token")
	answer = []byte("hello")
	_, err = Dial(t.Context(), ClientOptions{Server: at, Token: Token{CAHash: hash}})
	require.ErrorContains(t, err, "does not answer as a server")
	_, err = Dial(t.Context(), ClientOptions{Server: "https://127.0.0.1:1", Token: Token{CAHash: hash}})
	require.ErrorContains(t, err, "check the address")
	_, err = Dial(t.Context(), ClientOptions{Server: "http://127.0.0.1:1"})
	require.ErrorContains(t, err, "not the address of a server")
}

func TestIdentityIsRenewed(t *testing.T) {
	a := newAuthority(t, "real")
	now := time.Now()
	i := &Identity{CAFile: a.certFile, KeyFile: a.keyFile, Hosts: []string{"first"}, Clock: func() time.Time { return now }}
	first, err := i.Certificate(nil)
	require.NoError(t, err)
	again, err := i.Certificate(nil)
	require.NoError(t, err)
	assert.Same(t, first, again)
	now = now.Add(validity)
	later, err := i.Certificate(nil)
	require.NoError(t, err)
	assert.NotSame(t, first, later)
	require.NoError(t, os.Remove(a.keyFile))
	now = now.Add(validity)
	_, err = i.Certificate(nil)
	require.ErrorContains(t, err, "node door")
}
