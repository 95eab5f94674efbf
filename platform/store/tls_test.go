package store_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/platformtest/pgtest"
	"github.com/slipway-paas/slipway/platform/store"
)

// The modes of TLS mean what they say: a server that shows a certificate of
// somebody else's gets no password.
func TestPostgresTLS(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	certificate, secret := selfSigned(t)
	require.NoError(t, server.Secure(certificate, secret))
	require.NoError(t, server.Stop())
	require.NoError(t, server.Begin())
	dir := t.TempDir()
	right, wrong := filepath.Join(dir, "right.crt"), filepath.Join(dir, "wrong.crt")
	require.NoError(t, os.WriteFile(right, certificate, 0o600))
	other, _ := selfSigned(t)
	require.NoError(t, os.WriteFile(wrong, other, 0o600))
	for name, tc := range map[string]struct {
		options string
		tls     bool
		refused string
	}{
		"off":             {"sslmode=disable", false, ""},
		"required":        {"sslmode=require", true, ""},
		"default":         {"connect_timeout=20", true, ""},
		"right authority": {"sslmode=verify-full&sslrootcert=" + right, true, ""},
		"wrong authority": {"sslmode=verify-full&sslrootcert=" + wrong, true, "certificate signed by unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			url := server.URL("postgres", tc.options)
			s, err := store.Open(t.Context(), url, key(1))
			if tc.refused != "" {
				require.ErrorContains(t, err, tc.refused)
				return
			}
			require.NoError(t, err)
			defer s.Close()
			var encrypted bool
			require.NoError(t, outside(t, server.URL("postgres", "")).QueryRowContext(t.Context(), `SELECT bool_and(l.ssl)
				FROM pg_stat_ssl l JOIN pg_stat_activity a ON a.pid = l.pid WHERE a.application_name = 'slipway'`).Scan(&encrypted))
			require.Equal(t, tc.tls, encrypted)
		})
	}
}

// selfSigned makes a certificate for 127.0.0.1 that is its own authority.
func selfSigned(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "database"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}
