package platform

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// maxCertName is the length of a certificate's name: a Secret's is made of it.
	maxCertName = 63
	// maxChain bounds the certificates of one chain, and maxPEM the bytes of a
	// chain or a key: both have to fit in one Secret.
	maxChain = 16
	maxPEM   = 256 << 10
)

// WholeRequest is the Field of an Invalid Error that is about a request as a
// whole and that dialects answer as a bare list.
const WholeRequest = "[]"

// Cert is an uploaded certificate. Its private key is the store's to keep and
// is not part of it.
type Cert struct {
	ID          int64
	App         string // empty: its owner's, for domains of any app of theirs
	Owner       string // who uploaded it
	Name        string
	Chain       []byte // PEM, the site's own first
	CommonName  string
	SAN         []string
	Fingerprint string // SHA-256, upper-case hex with colons
	Issuer      string // RFC 4514
	Subject     string
	Starts      time.Time
	Expires     time.Time
	Domains     []string // that it is attached to, sorted
	Created     time.Time
	Updated     time.Time
}

// Names are the host names that the certificate speaks for: its alternative
// names, or the common name of an old one that has none.
func (c Cert) Names() []string {
	if len(c.SAN) == 0 && c.CommonName != "" {
		return []string{c.CommonName}
	}
	return c.SAN
}

// Covers reports whether the certificate is valid for the host.
func (c Cert) Covers(host string) bool {
	return slices.ContainsFunc(append([]string{c.CommonName}, c.SAN...), func(n string) bool { return n != "" && CoversHost(n, host) })
}

// ValidateCertName accepts 1 to 63 lower-case letters, digits and hyphens.
func ValidateCertName(name string) error {
	if len(name) > maxCertName {
		return FieldErrorf("name", "Ensure this field has no more than %d characters.", maxCertName)
	}
	ok := name != ""
	for i := 0; ok && i < len(name); i++ {
		ok = isLower(name[i]) || isDigit(name[i]) || name[i] == '-'
	}
	if !ok {
		return FieldErrorf("name", "Can only contain a-z (lowercase), 0-9 and hyphens")
	}
	return nil
}

// ReadCert reads a certificate chain and its private key, both PEM, and checks
// that they belong together: the key to the first certificate, each
// certificate to the next, none over. No error holds anything of the key.
func ReadCert(chain, key []byte, now time.Time) (Cert, error) {
	list, err := readChain(chain)
	if err != nil {
		return Cert{}, FieldErrorf("certificate", "Could not load certificate: %s", err)
	}
	signer, err := readKey(key)
	if err != nil {
		return Cert{}, FieldErrorf("key", "Could not load private key: %s", err)
	}
	leaf := list[0]
	public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(signer.Public()) {
		return Cert{}, mismatch(list, signer)
	}
	if err := checkChain(list, now); err != nil {
		return Cert{}, FieldErrorf("certificate", "Could not load certificate: %s", err)
	}
	c := describe(leaf)
	for _, cert := range list {
		c.Chain = append(c.Chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	return c, nil
}

// mismatch says whether the key belongs to none of the chain, or to one that
// is not in front.
func mismatch(list []*x509.Certificate, signer crypto.Signer) error {
	for _, cert := range list[1:] {
		if public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && public.Equal(signer.Public()) {
			return FieldErrorf("certificate", "Could not load certificate: the chain is in the wrong order: "+
				"the site's own certificate, %s, has to come first, then the one that signed it", nameOf(cert))
		}
	}
	return FieldErrorf(WholeRequest, "Certificate and private key do not match! Send the key with which this certificate was requested, or a certificate for this key.")
}

func readChain(data []byte) ([]*x509.Certificate, error) {
	if len(data) > maxPEM {
		return nil, fmt.Errorf("it is larger than %d KiB", maxPEM>>10)
	}
	var list []*x509.Certificate
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		switch {
		case strings.Contains(block.Type, "PRIVATE KEY"):
			return nil, errors.New("it holds a private key, which has to be sent as key")
		case block.Type != "CERTIFICATE":
			continue
		case len(list) == maxChain:
			return nil, fmt.Errorf("it has more than %d certificates", maxChain)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		list = append(list, cert)
	}
	if len(list) == 0 {
		return nil, errors.New("no PEM block \"CERTIFICATE\" in it; give the file in PEM form")
	}
	return list, nil
}

// readKey reads PKCS 1, PKCS 8 and SEC 1. Its errors never quote the input.
func readKey(data []byte) (crypto.Signer, error) {
	if len(data) > maxPEM {
		return nil, fmt.Errorf("it is larger than %d KiB", maxPEM>>10)
	}
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return nil, errors.New("no PEM block \"PRIVATE KEY\" in it; give the file in PEM form")
		}
		data = rest
		if strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "" {
			return nil, errors.New("it is encrypted; remove the pass phrase first")
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue // such as EC PARAMETERS
		}
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, errors.New("it is damaged or of a kind that is not known")
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return nil, errors.New("it is of a kind that cannot sign")
		}
		return signer, nil
	}
}

// checkChain checks order and expiry. Who signed the last one is not asked:
// self-made authorities are welcome.
func checkChain(list []*x509.Certificate, now time.Time) error {
	for i, cert := range list {
		if !now.Before(cert.NotAfter) {
			return fmt.Errorf("the certificate of %s expired on %s: upload a renewed one", nameOf(cert), cert.NotAfter.UTC().Format("2006-01-02 15:04:05 UTC"))
		}
		if i+1 == len(list) {
			break
		}
		next := list[i+1]
		if !bytes.Equal(cert.RawIssuer, next.RawSubject) || cert.CheckSignatureFrom(next) != nil {
			return fmt.Errorf("the chain is in the wrong order or has a gap: %s is not signed by %s, which follows it; put behind each certificate the one that signed it", nameOf(cert), nameOf(next))
		}
	}
	return nil
}

func nameOf(cert *x509.Certificate) string {
	if len(cert.DNSNames) > 0 {
		return cert.DNSNames[0]
	}
	return cert.Subject.String()
}

func describe(leaf *x509.Certificate) Cert {
	c := Cert{
		CommonName: leaf.Subject.CommonName, SAN: slices.Clone(leaf.DNSNames),
		Issuer: leaf.Issuer.String(), Subject: leaf.Subject.String(),
		Starts: leaf.NotBefore.UTC(), Expires: leaf.NotAfter.UTC(),
	}
	for _, ip := range leaf.IPAddresses {
		c.SAN = append(c.SAN, ip.String())
	}
	sum := sha256.Sum256(leaf.Raw)
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	c.Fingerprint = strings.Join(pairs, ":")
	return c
}

// Issuer is the public authority that certificates of an app are asked from.
// All empty: the platform's own.
type Issuer struct {
	Email     string
	Server    string // directory address
	KeyID     string // external account
	KeySecret string // a secret
}

// TLS says how an app is served over HTTPS. Nil switches were never set and
// count as off.
type TLS struct {
	UUID          string
	App           string
	HTTPSEnforced *bool
	AutoCerts     *bool
	Issuer        Issuer
	Events        []TLSEvent // how the certificates of the domains are
	Created       time.Time
	Updated       time.Time
}

// TLSEvent tells how the certificate of one domain is.
type TLSEvent struct {
	Name    string // the domain
	Ready   bool
	Message string
	Time    time.Time
}

// Enforced reports whether plain HTTP is redirected.
func (t TLS) Enforced() bool { return t.HTTPSEnforced != nil && *t.HTTPSEnforced }

// Auto reports whether domains get certificates by themselves.
func (t TLS) Auto() bool { return t.AutoCerts != nil && *t.AutoCerts }

// ValidateIssuer checks lengths and the address of an authority.
func ValidateIssuer(i Issuer) error {
	for name, value := range map[string]string{"email": i.Email, "server": i.Server, "key_id": i.KeyID, "key_secret": i.KeySecret} {
		if len(value) > 1024 || strings.ContainsAny(value, "\x00\r\n") {
			return FieldErrorf("issuer", "%s is too long or holds characters it may not have.", name)
		}
	}
	if i.Email != "" && (strings.Count(i.Email, "@") != 1 || strings.HasPrefix(i.Email, "@") || strings.HasSuffix(i.Email, "@")) {
		return FieldErrorf("issuer", "email has to be an address such as admin@example.com.")
	}
	if i.Server != "" && !strings.HasPrefix(i.Server, "https://") {
		return FieldErrorf("issuer", "server has to begin with https://.")
	}
	if (i.KeyID == "") != (i.KeySecret == "") {
		return FieldErrorf("issuer", "key_id and key_secret belong together: give both or none.")
	}
	return nil
}
