package join

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"sync"
	"time"
)

// validity of the door's certificate, and when it is made anew. It lives in
// memory only.
const (
	validity = 30 * 24 * time.Hour
	renewal  = validity / 2
)

// Identity signs the door's certificate with the authority that k3s made for
// the cluster's servers, the one whose hash is in every token.
type Identity struct {
	CAFile, KeyFile string   // of the authority
	Hosts           []string // names and addresses by which this server is known
	Clock           func() time.Time

	mu    sync.Mutex
	cert  *tls.Certificate
	until time.Time
}

// Certificate returns the current certificate; it implements
// tls.Config.GetCertificate.
func (i *Identity) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.Clock()
	if i.cert != nil && now.Before(i.until) {
		return i.cert, nil
	}
	cert, err := i.sign(now)
	if err != nil {
		return nil, fmt.Errorf("certificate of the node door: %w", err)
	}
	i.cert, i.until = cert, now.Add(renewal)
	return cert, nil
}

func (i *Identity) sign(now time.Time) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(i.CAFile, i.KeyFile)
	if err != nil {
		return nil, err
	}
	authority, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, err
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, errors.New("the key of " + i.CAFile + " cannot sign")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "slipway node door"},
		NotBefore: now.Add(-time.Hour), NotAfter: earlier(now.Add(validity), authority.NotAfter),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range i.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: append([][]byte{der}, pair.Certificate...), PrivateKey: key}, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// pool reads an authority's file for verifying others.
func pool(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return p, nil
}
