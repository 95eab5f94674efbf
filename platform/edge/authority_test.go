package edge_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/edge"
)

// start is the day on which the tests' clocks begin.
func start() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func fixed(t time.Time) func() time.Time { return func() time.Time { return t } }

func open(t *testing.T, dir string, at time.Time) *edge.Authority {
	t.Helper()
	a, err := edge.OpenAuthority(dir, fixed(at))
	require.NoError(t, err)
	return a
}

func pool(t *testing.T, pem []byte) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	require.True(t, p.AppendCertsFromPEM(pem))
	return p
}

func leafOf(t *testing.T, c edge.Certificate) *x509.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(c.Chain, c.Key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	require.NoError(t, err)
	return leaf
}

func TestAuthorityIsMadeOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	first := open(t, dir, start())
	again := open(t, dir, start().Add(24*time.Hour))
	assert.Equal(t, string(first.CAPEM()), string(again.CAPEM()))
	assert.WithinDuration(t, start().AddDate(10, 0, -3), first.NotAfter(), 72*time.Hour)

	for name, mode := range map[string]os.FileMode{"ca.key": 0o600, "ca.crt": 0o644, ".": 0o700} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), name)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	require.NoError(t, err)
	assert.Empty(t, left, "temporary files stay behind")
}

func TestAuthoritiesOfTwoInstallationsDiffer(t *testing.T) {
	one, two := open(t, t.TempDir(), start()), open(t, t.TempDir(), start())
	cert, err := one.Issue(context.Background(), []string{"slipway.localhost"})
	require.NoError(t, err)
	leaf := leafOf(t, cert)
	assert.True(t, one.Issued(leaf))
	assert.False(t, two.Issued(leaf))
}

func TestManyProcessesMakeOneAuthority(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	pems := make([]string, 8)
	errs := make([]error, len(pems))
	for i := range pems {
		wg.Go(func() {
			a, err := edge.OpenAuthority(dir, fixed(start()))
			if errs[i] = err; err == nil {
				pems[i] = string(a.CAPEM())
			}
		})
	}
	wg.Wait()
	for i := range pems {
		require.NoError(t, errs[i])
		assert.Equal(t, pems[0], pems[i])
	}
}

func TestKilledBetweenKeyAndCertificate(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, start())
	key, err := os.ReadFile(filepath.Join(dir, "ca.key"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, "ca.crt"))) // as if the second write never came

	a := open(t, dir, start())
	kept, err := os.ReadFile(filepath.Join(dir, "ca.key"))
	require.NoError(t, err)
	assert.Equal(t, key, kept)
	assert.NotEmpty(t, a.CAPEM())
}

func TestUnusableFilesAreNamedWithTheirCure(t *testing.T) {
	replace := func(name, text string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
	}
	tests := map[string]struct {
		spoil func(t *testing.T, dir string)
		at    time.Time
		file  string
		says  string
	}{
		"empty key":           {replace("ca.key", ""), start(), "ca.key", "no PEM block"},
		"garbage in the key":  {replace("ca.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), start(), "ca.key", "cannot be parsed"},
		"empty certificate":   {replace("ca.crt", ""), start(), "ca.crt", "no PEM block"},
		"garbage certificate": {replace("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), start(), "ca.crt", "x509"},
		"lost key": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "ca.key")))
		}, start(), "ca.key", "missing"},
		"key of another authority": {func(t *testing.T, dir string) {
			other := t.TempDir()
			open(t, other, start())
			require.NoError(t, os.Rename(filepath.Join(other, "ca.key"), filepath.Join(dir, "ca.key")))
		}, start(), "ca.crt", "does not belong"},
		"unreadable key": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "ca.key")))
			require.NoError(t, os.Mkdir(filepath.Join(dir, "ca.key"), 0o700)) // a mode would not stop root
		}, start(), "ca.key", "directory"},
		"expired": {func(*testing.T, string) {}, start().AddDate(11, 0, 0), "ca.crt", "expired"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			open(t, dir, start())
			test.spoil(t, dir)
			_, err := edge.OpenAuthority(dir, fixed(test.at))
			var file *edge.FileError
			require.ErrorAs(t, err, &file)
			assert.Equal(t, filepath.Join(dir, test.file), file.Path)
			assert.NotEmpty(t, file.Cure)
			assert.ErrorContains(t, err, test.says)
			assert.ErrorContains(t, err, file.Path)
			assert.ErrorContains(t, err, file.Cure)
		})
	}
}

func TestLooseKeyModeIsTightened(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, start())
	path := filepath.Join(dir, "ca.key")
	require.NoError(t, os.Chmod(path, 0o644))
	open(t, dir, start())
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestLeafIsValidForTheHostsItIsFor(t *testing.T) {
	a := open(t, t.TempDir(), start())
	cert, err := a.Issue(context.Background(), []string{"*.slipway.localhost", "slipway.localhost"})
	require.NoError(t, err)
	leaf := leafOf(t, cert)
	roots := pool(t, a.CAPEM())
	verify := func(host string, at time.Time) error {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: at})
		return err
	}
	for _, host := range []string{"drycc.slipway.localhost", "hello.slipway.localhost", "registry.slipway.localhost", "slipway.localhost"} {
		assert.NoError(t, verify(host, start()), host)
	}
	for _, host := range []string{"slipway.example", "a.b.slipway.localhost", "localhost"} {
		assert.Error(t, verify(host, start()), host)
	}
	assert.NoError(t, verify("hello.slipway.localhost", start().Add(-30*time.Minute)), "a client whose clock is behind")
	assert.NoError(t, verify("hello.slipway.localhost", start().Add(89*24*time.Hour)))
	assert.Error(t, verify("hello.slipway.localhost", start().Add(91*24*time.Hour)))
	assert.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, leaf.ExtKeyUsage)
	assert.False(t, leaf.IsCA)
}

func TestLeafDoesNotOutliveTheAuthority(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, start())
	a := open(t, dir, start().Add(10*365*24*time.Hour-48*time.Hour))
	cert, err := a.Issue(context.Background(), []string{"slipway.localhost"})
	require.NoError(t, err)
	assert.Equal(t, a.NotAfter(), leafOf(t, cert).NotAfter)
}

func TestIssueRefuses(t *testing.T) {
	a := open(t, t.TempDir(), start())
	_, err := a.Issue(context.Background(), nil)
	assert.ErrorContains(t, err, "no names")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = a.Issue(ctx, []string{"slipway.localhost"})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestCertify(t *testing.T) {
	a := open(t, t.TempDir(), start())
	chain, key, err := a.Certify(context.Background(), []string{"*.example.com"})
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(chain, key)
	require.NoError(t, err)
	assert.NoError(t, pair.Leaf.VerifyHostname("www.example.com"))
	_, _, err = a.Certify(context.Background(), nil)
	assert.ErrorContains(t, err, "no names")
}

func TestServedOverTLS(t *testing.T) {
	a := open(t, t.TempDir(), time.Now())
	cert, err := a.Issue(context.Background(), []string{"*.slipway.localhost"})
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(cert.Chain, cert.Key)
	require.NoError(t, err)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // one client hangs up on purpose
	srv.StartTLS()
	defer srv.Close()

	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool(t, a.CAPEM()), MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
		},
	}}
	defer client.CloseIdleConnections()
	for host, good := range map[string]bool{"hello.slipway.localhost": true, "hello.example.com": false} {
		resp, err := client.Get("https://" + host + "/")
		if !good {
			assert.Error(t, err, host)
			continue
		}
		require.NoError(t, err, host)
		assert.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusNoContent, resp.StatusCode)
	}
}
