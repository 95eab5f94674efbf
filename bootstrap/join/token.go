package join

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Token is what a host has to know to join. Its text is the token of k3s with
// the server's address behind it, "K10<hash>::<credential>@https://<host>:6443";
// without the address it is exactly k3s's.
type Token struct {
	CAHash     string // hex sha256 of the server's authority; "" is not known
	Credential string // "abcdef.0123456789abcdef", or "server:<password>"
	Server     string // "https://10.0.0.1:6443"; "" when the token holds none
}

const tokenPrefix = "K10"

// ErrShortToken says that a token has no hash of the cluster's authority: the
// server could be anybody.
var ErrShortToken = errors.New("the token does not hold the hash of the cluster's authority, so that anybody could pretend to be its server: " +
	`use a whole one, which begins with K10 (on a server: "slipway token create")`)

// ParseToken reads a token. Errors never hold it.
func ParseToken(text string) (Token, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Token{}, errors.New(`the token is empty: make one on a server with "slipway token create"`)
	}
	var t Token
	if i := strings.LastIndex(text, "@https://"); i >= 0 {
		server, err := serverAddress(text[i+1:])
		if err != nil {
			return Token{}, fmt.Errorf("the token's address: %w", err)
		}
		text, t.Server = text[:i], server
	}
	rest, long := strings.CutPrefix(text, tokenPrefix)
	hash, credential, found := strings.Cut(rest, "::")
	if !long || !found || hash == "" {
		return Token{}, ErrShortToken
	}
	if _, err := hex.DecodeString(hash); err != nil || len(hash) != 2*sha256.Size {
		return Token{}, errors.New("the token is damaged (its first part is no sha256): copy it again, whole")
	}
	t.CAHash, t.Credential = hash, credential
	if !regexp.MustCompile(`^([a-z0-9]{6}\.[a-z0-9]{16}|[a-z]+:.+)$`).MatchString(credential) {
		return Token{}, errors.New("the token is damaged (its second part is neither a secret nor a password): copy it again, whole")
	}
	return t, nil
}

// K3s is the token as k3s knows it, without the address.
func (t Token) K3s() string { return tokenPrefix + t.CAHash + "::" + t.Credential }

// String is the whole token. It is a secret.
func (t Token) String() string {
	if t.Server == "" {
		return t.K3s()
	}
	return t.K3s() + "@" + t.Server
}

// serverAddress checks the address of a server and adds the port of the
// Kubernetes API when it is missing.
func serverAddress(text string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Path != "" || u.User != nil {
		return "", fmt.Errorf("%q is not the address of a server: write https://<address of a server>:6443", text)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "6443")
	}
	return u.String(), nil
}

// DoorURL is the door of the server at the given address.
func DoorURL(server string) (string, error) {
	checked, err := serverAddress(server)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(checked)
	if err != nil {
		return "", err
	}
	return "https://" + net.JoinHostPort(u.Hostname(), strconv.Itoa(Port)), nil
}

// HashCA is the hash of an authority as k3s writes it into tokens: of the file
// when it holds one certificate, of the root's DER when it holds a chain.
func HashCA(bundle []byte) (string, error) {
	certs, err := parseCerts(bundle)
	if err != nil {
		return "", err
	}
	hashed := bundle
	if len(certs) > 1 {
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		for _, c := range certs[1:] {
			if len(c.AuthorityKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId) {
				roots.AddCert(c)
			} else {
				between.AddCert(c)
			}
		}
		chains, err := certs[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
		if err == nil {
			hashed = chains[0][len(chains[0])-1].Raw
		}
	}
	sum := sha256.Sum256(hashed)
	return hex.EncodeToString(sum[:]), nil
}

// parseCerts reads all certificates of a PEM text; one at least.
func parseCerts(bundle []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return nil, errors.New("there is no certificate in it")
	}
	return certs, nil
}
