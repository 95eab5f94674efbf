package expiry_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/expiry"
)

func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

const day = 24 * time.Hour

func write(t *testing.T, path, name string, authority bool, end time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: now().Add(-day),
		NotAfter: end, IsCA: authority, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
}

func TestScan(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "server/tls/server-ca.crt"), "ca", true, now().Add(day))
	write(t, filepath.Join(dir, "server/tls/client-admin.crt"), "system:admin", false, now().Add(300*day))
	write(t, filepath.Join(dir, "server/tls/etcd/client.crt"), "etcd-client", false, now().Add(200*day))
	write(t, filepath.Join(dir, "agent/client-kubelet.crt"), "system:node:n", false, now().Add(100*day))
	write(t, filepath.Join(dir, "agent/etc/elsewhere.crt"), "not k3s's", false, now())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "agent/client-kubelet.key"), []byte("key"), 0o600))

	leaves, err := expiry.Scan(expiry.Folders(dir)...)
	require.NoError(t, err)
	require.Len(t, leaves, 3)
	first, ok := expiry.First(leaves)
	require.True(t, ok)
	assert.Equal(t, "system:node:n", first.Subject)
	assert.Equal(t, filepath.Join(dir, "agent/client-kubelet.crt"), first.Path)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "agent/serving-kubelet.crt"), nil, 0o600)) // after a power cut
	leaves, err = expiry.Scan(expiry.Folders(dir)...)
	require.ErrorContains(t, err, "serving-kubelet.crt: there is none in it")
	require.Len(t, leaves, 3)

	leaves, err = expiry.Scan(filepath.Join(dir, "nowhere"))
	require.NoError(t, err)
	_, ok = expiry.First(leaves)
	assert.False(t, ok)
}

func TestDue(t *testing.T) {
	night := time.Date(2026, 3, 1, 3, 30, 0, 0, time.UTC)
	tests := map[string]struct {
		left, ran time.Duration
		now       time.Time
		due       bool
	}{
		"much time left":              {100 * day, 200 * day, night, false},
		"in a quiet hour":             {89 * day, 200 * day, night, true},
		"at noon":                     {89 * day, 200 * day, now(), false},
		"at noon, urgent":             {13 * day, 200 * day, now(), true},
		"ended":                       {-day, 400 * day, now(), true},
		"just started, and nothing":   {13 * day, 2 * time.Hour, now(), false},
		"just started, still at work": {13 * day, time.Minute, now(), false},
		"the start renewed nothing":   {13 * day, 21 * time.Hour, now(), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.due, expiry.Due(tt.now.Add(tt.left), tt.now.Add(-tt.ran), tt.now))
		})
	}
}
