package drycc

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testCert is a certificate that is the same in every run.
type testCert struct {
	cert *x509.Certificate
	key  ed25519.PrivateKey
}

func makeCert(t *testing.T, name string, parent *testCert, ends time.Time, hosts ...string) testCert {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(seed[:8]), Subject: pkix.Name{Organization: []string{"Acme"}, CommonName: name},
		NotBefore: time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC), NotAfter: ends, DNSNames: hosts,
		IsCA: len(hosts) == 0, BasicConstraintsValid: true,
	}
	issuer, signer := template, key
	if parent != nil {
		issuer, signer = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(bytes.NewReader(nil), template, issuer, key.Public(), signer)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return testCert{cert, key}
}

// escaped is PEM as it stands in a JSON string.
func escaped(blocks ...*pem.Block) string {
	var text bytes.Buffer
	for _, b := range blocks {
		_ = pem.Encode(&text, b) // to memory
	}
	out, _ := json.Marshal(text.String()) // a string
	return string(out[1 : len(out)-1])
}

func chainOf(certs ...testCert) string {
	var blocks []*pem.Block
	for _, c := range certs {
		blocks = append(blocks, &pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})
	}
	return escaped(blocks...)
}

func keyOf(c testCert) string {
	der, _ := x509.MarshalPKCS8PrivateKey(c.key) // of a kind that it knows
	return escaped(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// addCerts gives stories names for certificates, which stand in bodies as
// "<chain-www>" and "<key-www>".
func (s *stage) addCerts() {
	year := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	ca := makeCert(s.t, "Acme CA", nil, year.AddDate(9, 0, 0))
	www := makeCert(s.t, "www.example.com", &ca, year, "www.example.com", "example.com")
	wild := makeCert(s.t, "any.example.org", nil, year, "*.example.org")
	old := makeCert(s.t, "old.example.com", &ca, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), "old.example.com")
	greedy := makeCert(s.t, "greedy.example.com", nil, year, "greedy.example.com", "*.slipway.localhost")
	for name, text := range map[string]string{
		"<chain-www>": chainOf(www, ca), "<key-www>": keyOf(www), "<chain-turned>": chainOf(ca, www),
		"<chain-gap>": chainOf(www, wild), "<chain-wild>": chainOf(wild), "<key-wild>": keyOf(wild),
		"<chain-old>": chainOf(old, ca), "<key-old>": keyOf(old), "<chain-greedy>": chainOf(greedy), "<key-greedy>": keyOf(greedy),
	} {
		s.secrets[name] = text
	}
}
