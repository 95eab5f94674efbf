//go:build e2e

package backup

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
)

const deployLimit = 3 * time.Minute

func TestMain(m *testing.M) {
	harness.Init()
	if err := harness.Sweep(); err != nil {
		println("sweep:", err.Error())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// program is the binary under test.
func program(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../bin/slipway")
	require.NoError(t, err)
	require.FileExists(t, path, "run make build first")
	return path
}

// site is a host with the platform's file on it.
type site struct {
	host *harness.Host
	m    *appliance.Machine
}

const carriedFile = "/opt/slipway"

func newSite(t *testing.T, name, address, domain string) site {
	t.Helper()
	root, err := harness.RootFS(t.Context())
	require.NoError(t, err)
	h, err := harness.Boot(t.Context(), harness.Options{Name: name, Address: address, RootFS: root, Keep: os.Getenv("KEEP") != ""})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, h.Close()) })
	require.NoError(t, h.Put(program(t), carriedFile, 0o755))
	return site{h, appliance.At(h.Address, domain, h.Command)}
}

// path is a path of the host as seen from here.
func (s site) path(p string) string { return filepath.Join(s.host.Root(), p) }

// run runs the carried file, which has to end with the code.
func (s site) run(t *testing.T, code int, args ...string) appliance.Result {
	t.Helper()
	r, err := s.m.Run(t.Context(), carriedFile, args...)
	require.NoError(t, err)
	require.Equal(t, code, r.Code, "%v\n%s\n%s", args, r.Stdout, r.Stderr)
	return r
}

// put writes a file on the host.
func (s site) put(t *testing.T, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(s.path(path), data, 0o600))
}

func (s site) read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(s.path(path))
	require.NoError(t, err)
	return data
}

// explain shows the state of a host when the test has failed.
func (s site) explain(t *testing.T) {
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for _, c := range []string{"slipway status", "slipway kubectl get pods -A -o wide", "journalctl -u slipway -n 60 --no-pager"} {
			// The test's own context has ended.
			r, err := appliance.Capture(s.host.Command(context.WithoutCancel(t.Context()), "sh", "-c", c))
			t.Logf("%s: %v\n%s%s", c, err, r.Stdout, r.Stderr)
		}
	})
}

// selfSigned makes a certificate for a name, with its key, as PEM.
func selfSigned(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// served is the certificate that a host shows for a name.
func (s site) served(t *testing.T, name string) []byte {
	t.Helper()
	dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: 10 * time.Second}, Config: &tls.Config{
		ServerName: name, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, // which certificate it is, is compared to the byte
	}}
	conn, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort(s.m.Address, "443"))
	require.NoError(t, err)
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Raw
}

// answers waits until a URL on the host answers with a page that has the text.
func (s site) answers(t *testing.T, url, text string) {
	t.Helper()
	client := &http.Client{Transport: s.m.Transport(), Timeout: 10 * time.Second}
	require.NoError(t, appliance.Eventually(t.Context(), deployLimit, func(ctx context.Context) error {
		status, body, err := s.m.Get(ctx, client, url)
		if err != nil {
			return err
		}
		if status != http.StatusOK || !bytes.Contains([]byte(body), []byte(text)) {
			return fmt.Errorf("%s: HTTP %d %.200s", url, status, body)
		}
		return nil
	}))
}
