package edge

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// How long certificates live. A leaf's life stays below the 398 days that
// clients accept.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
	backdate      = time.Hour // clients whose clock is a little behind accept it too
)

const (
	keyFile      = "ca.key"
	authorityCrt = "ca.crt"
)

// Authority is the platform's own certificate authority. It is immutable and
// safe for concurrent use.
type Authority struct {
	path string // of ca.crt
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  []byte
	now  func() time.Time
}

var _ Issuer = (*Authority)(nil)

// FileError says which file stops the authority and what to do about it.
type FileError struct {
	Path string
	Cure string
	Err  error
}

// Error is a sentence for the operator.
func (e *FileError) Error() string {
	return fmt.Sprintf("certificate authority: %s: %v; %s", e.Path, e.Err, e.Cure)
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// OpenAuthority loads the authority from dir, or makes it there the first
// time. Processes that do so at once end up with the same one. Files that are
// there and unusable are never replaced: the error is a *FileError.
func OpenAuthority(dir string, now func() time.Time) (*Authority, error) {
	if now == nil {
		now = time.Now
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &FileError{Path: dir, Err: err, Cure: "make it a directory that the controller may write to"}
	}
	key, err := openKey(dir)
	if err != nil {
		return nil, err
	}
	data, err := openCertificate(dir, key, now())
	if err != nil {
		return nil, err
	}
	return newAuthority(filepath.Join(dir, authorityCrt), key, data, now)
}

// openKey reads ca.key, or makes it when neither file is there.
func openKey(dir string) (*ecdsa.PrivateKey, error) {
	path, crt := filepath.Join(dir, keyFile), filepath.Join(dir, authorityCrt)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(crt); err == nil {
			return nil, &FileError{Path: path, Err: errors.New("missing, while ca.crt is there"),
				Cure: "restore it from a backup, or remove " + crt + " too; a new authority is then made, which clients have to trust anew"}
		}
		if err := createKey(path); err != nil {
			return nil, err
		}
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, &FileError{Path: path, Err: err, Cure: "make it readable for the controller"}
	}
	key, err := decodeKey(data)
	if err != nil {
		return nil, &FileError{Path: path, Err: err, Cure: newAuthorityCure(dir)}
	}
	if err := tighten(path); err != nil {
		return nil, &FileError{Path: path, Err: err, Cure: "set its mode to 0600"}
	}
	return key, nil
}

// createKey makes a key and writes it, unless somebody else was faster.
func createKey(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("certificate authority: key: %w", err)
	}
	data, err := encodeKey(key)
	if err != nil {
		return fmt.Errorf("certificate authority: key: %w", err)
	}
	if err := createFile(path, data, 0o600); err != nil && !errors.Is(err, os.ErrExist) {
		return &FileError{Path: path, Err: err, Cure: "make its directory writable for the controller and see that the disk is not full"}
	}
	return nil
}

// openCertificate reads ca.crt, or makes it for the key when it is not there.
func openCertificate(dir string, key *ecdsa.PrivateKey, now time.Time) ([]byte, error) {
	path := filepath.Join(dir, authorityCrt)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		fresh, err := selfSign(key, now)
		if err != nil {
			return nil, fmt.Errorf("certificate authority: %w", err)
		}
		if err := createFile(path, fresh, 0o644); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, &FileError{Path: path, Err: err, Cure: "make its directory writable for the controller and see that the disk is not full"}
		}
		data, err = os.ReadFile(path)
		if err != nil {
			return nil, &FileError{Path: path, Err: err, Cure: "make it readable for the controller"}
		}
		return data, nil
	}
	if err != nil {
		return nil, &FileError{Path: path, Err: err, Cure: "make it readable for the controller"}
	}
	return data, nil
}

// newAuthority checks that certificate and key are a usable authority.
func newAuthority(path string, key *ecdsa.PrivateKey, data []byte, now func() time.Time) (*Authority, error) {
	cert, err := decodeCertificate(data)
	cure := newAuthorityCure(filepath.Dir(path))
	if err != nil {
		return nil, &FileError{Path: path, Err: err, Cure: cure}
	}
	public, ok := cert.PublicKey.(*ecdsa.PublicKey)
	switch {
	case !ok || !public.Equal(&key.PublicKey):
		err = errors.New("it does not belong to " + keyFile)
	case !cert.IsCA:
		err = errors.New("it is not the certificate of an authority")
	case now().After(cert.NotAfter):
		err = expired(cert)
	}
	if err != nil {
		return nil, &FileError{Path: path, Err: err, Cure: cure}
	}
	block := &pem.Block{Type: pemCertificate, Bytes: cert.Raw}
	return &Authority{path: path, key: key, cert: cert, pem: pem.EncodeToMemory(block), now: now}, nil
}

// expired says when the certificate ended.
func expired(cert *x509.Certificate) error {
	return fmt.Errorf("it expired at %s", cert.NotAfter.UTC().Format(time.RFC3339))
}

// newAuthorityCure is the way out when the files are beyond repair.
func newAuthorityCure(dir string) string {
	return "restore " + keyFile + " and " + authorityCrt + " from a backup, or remove both from " + dir +
		"; a new authority is then made, which clients have to trust anew"
}

// selfSign makes the authority's certificate. The name carries a random part,
// because clients that trust two installations tell them apart by it.
func selfSign(key *ecdsa.PrivateKey, now time.Time) ([]byte, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject: pkix.Name{
			Organization: []string{"Slipway"},
			CommonName:   "Slipway CA " + hex.EncodeToString(serial.Bytes()[:4]),
		},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true, // signs leaves only
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: der}), nil
}

// CAPEM returns the authority's certificate for clients to trust; no secret.
func (a *Authority) CAPEM() []byte { return bytes.Clone(a.pem) }

// NotAfter is when the authority's own certificate ends.
func (a *Authority) NotAfter() time.Time { return a.cert.NotAfter }

// Issue signs a server certificate for the names, with a fresh key, for 90
// days or until the authority itself ends.
func (a *Authority) Issue(ctx context.Context, names []string) (Certificate, error) {
	if err := ctx.Err(); err != nil {
		return Certificate{}, err
	}
	if len(names) == 0 {
		return Certificate{}, errors.New("certificate: no names")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Certificate{}, fmt.Errorf("certificate for %s: key: %w", names[0], err)
	}
	der, err := a.sign(names, key)
	if err != nil {
		return Certificate{}, fmt.Errorf("certificate for %s: %w", names[0], err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return Certificate{}, fmt.Errorf("certificate for %s: key: %w", names[0], err)
	}
	return Certificate{Chain: pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: der}), Key: keyPEM}, nil
}

// sign makes the leaf.
func (a *Authority) sign(names []string, key *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := a.now()
	if !now.Before(a.cert.NotAfter) {
		return nil, &FileError{Path: a.path, Err: expired(a.cert), Cure: newAuthorityCure(filepath.Dir(a.path))}
	}
	end := now.Add(leafLife)
	if end.After(a.cert.NotAfter) {
		end = a.cert.NotAfter
	}
	// No common name: it may not exceed 64 characters, names may, and clients
	// look at the alternative names only.
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"Slipway"}},
		DNSNames:     names,
		NotBefore:    now.Add(-backdate),
		NotAfter:     end,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	return x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
}

// Issued reports whether this authority signed the leaf.
func (a *Authority) Issued(leaf *x509.Certificate) bool {
	return leaf.CheckSignatureFrom(a.cert) == nil
}

// newSerial returns 16 random bytes, the first one never zero, as a number.
func newSerial() (*big.Int, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, fmt.Errorf("serial number: %w", err)
	}
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b[:]), nil
}
