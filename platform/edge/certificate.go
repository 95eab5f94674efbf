package edge

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Certificate is a certificate chain and its private key, both PEM.
type Certificate struct {
	Chain []byte // leaf first
	Key   []byte // PKCS 8; a secret
}

// Issuer signs certificates. Issue returns one valid for all names, which may
// hold one wildcard label in front. It may take long (a public authority asks
// back) and stops when ctx ends. Safe for concurrent use.
type Issuer interface {
	Issue(ctx context.Context, names []string) (Certificate, error)
	// Issued reports whether this issuer would stand for the leaf; a false
	// makes the Renewer replace a stored certificate before its time.
	Issued(leaf *x509.Certificate) bool
}

// SecretWriter puts a certificate where the gateway reads it: a Secret of type
// kubernetes.io/tls, made or replaced. It is called again with the same content
// after a restart. Safe for concurrent use.
type SecretWriter interface {
	WriteTLS(ctx context.Context, namespace, name string, cert, key []byte) error
}

// leaf parses the first certificate of the chain and checks that the key
// belongs to it.
func (c Certificate) leaf() (*x509.Certificate, error) {
	pair, err := tls.X509KeyPair(c.Chain, c.Key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(pair.Certificate[0])
}

// split takes a file that holds a key and a chain apart.
func split(data []byte) Certificate {
	var c Certificate
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return c
		}
		if block.Type == pemKey {
			c.Key = pem.EncodeToMemory(block)
		} else {
			c.Chain = append(c.Chain, pem.EncodeToMemory(block)...)
		}
		data = rest
	}
}

// join is the inverse of split.
func (c Certificate) join() []byte {
	return append(bytes.Clone(c.Key), c.Chain...)
}

const (
	pemKey         = "PRIVATE KEY"
	pemCertificate = "CERTIFICATE"
)

// encodeKey returns the key as PKCS 8 PEM.
func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der}), nil
}

// decodeKey reads what encodeKey wrote.
func decodeKey(data []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemKey {
		return nil, errors.New("no PEM block \"" + pemKey + "\" in it")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the key in it cannot be parsed") // the cause could quote key bytes
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the key in it is a %T, not ECDSA", key)
	}
	return ec, nil
}

// decodeCertificate reads one certificate.
func decodeCertificate(data []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemCertificate {
		return nil, errors.New("no PEM block \"" + pemCertificate + "\" in it")
	}
	return x509.ParseCertificate(block.Bytes)
}

// renewAt is when two thirds of the certificate's life have passed.
func renewAt(leaf *x509.Certificate) time.Time {
	life := leaf.NotAfter.Sub(leaf.NotBefore)
	return leaf.NotBefore.Add(life / 3 * 2)
}

// sameNames compares two sets of names.
func sameNames(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}
