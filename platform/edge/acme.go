package edge

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
	"github.com/sirupsen/logrus"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// ACMEOptions is all that getting certificates of public authorities needs.
// Settings, Shelf, Domain, Listen and Logger are required.
type ACMEOptions struct {
	Settings ACMESettings
	Shelf    Shelf
	Domain   string // the platform's
	// Listen is where Challenges are served, "127.0.0.1:9580". The gateway
	// leads there; nothing else is opened for a challenge.
	Listen string
	Logger *logrus.Logger
	Now    func() time.Time // nil: time.Now
}

// ACME gets certificates of public authorities. It tries when it is told to,
// once, and remembers nothing but accounts. Safe for concurrent use.
type ACME struct {
	opts ACMEOptions
	host string
	port int
	dns  *dnsSolver // nil without a provider
}

var _ control.Authorities = (*ACME)(nil)

// NewACME checks the options. It asks nobody.
func NewACME(o ACMEOptions) (*ACME, error) {
	if o.Shelf == nil || o.Domain == "" || o.Logger == nil {
		return nil, errors.New("acme: shelf, domain and logger are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &ACME{opts: o}
	host, port, err := net.SplitHostPort(o.Listen)
	if err == nil {
		a.host = host
		a.port, err = strconv.Atoi(port)
	}
	if err != nil {
		return nil, fmt.Errorf("acme: address for challenges: %w", err)
	}
	a.dns = newDNSSolver(o.Settings)
	return a, nil
}

// account is one at a public authority.
type account struct {
	server, email string
	keyID, key    string // of the external account; key is a secret
}

// id tells accounts apart. A key that was corrected makes another one, which
// is tried at once.
func (a account) id() string {
	sum := sha256.Sum256([]byte(a.server + "\x00" + a.email + "\x00" + a.keyID + "\x00" + a.key))
	return hex.EncodeToString(sum[:10])
}

// of is the account for an app's settings: what they leave open is the
// platform's. The platform's external account is good at its own server only.
func (a *ACME) of(s platform.Issuer) account {
	p := a.opts.Settings
	acc := account{server: s.Server, email: s.Email, keyID: s.KeyID, key: s.KeySecret}
	if acc.server == "" {
		acc.server = p.Server
	}
	if acc.email == "" {
		acc.email = p.Email
	}
	if acc.keyID == "" && acc.server == p.Server {
		acc.keyID, acc.key = p.KeyID, p.KeySecret
	}
	return acc
}

// Choose tells which authority and account is asked. It asks nobody.
func (a *ACME) Choose(s platform.Issuer) control.Authority {
	acc := a.of(s)
	return control.Authority{Issuer: acc.server, Account: acc.id(), External: acc.keyID != ""}
}

// ByHTTP reports whether the authority asks back over HTTP: always, but for
// wildcards.
func (a *ACME) ByHTTP(r control.CertRequest) bool { return !strings.HasPrefix(r.Domain, "*.") }

// byDNS reports whether records of the DNS provider may prove a name of an
// app. They may prove every name in the platform's zones; only those of the
// app's own are its to have.
func (a *ACME) byDNS(app, domain string) bool {
	return a.dns != nil && strings.HasSuffix(domain, "."+app+"."+a.opts.Domain)
}

// Obtain gets a certificate for a domain of an app.
func (a *ACME) Obtain(ctx context.Context, r control.CertRequest) (chain, key []byte, err error) {
	wild := !a.ByHTTP(r)
	if wild && !a.byDNS(r.App, r.Domain) {
		return nil, nil, &control.CertError{Problem: control.CertWildcard, Message: fmt.Sprintf(
			"public authorities sign wildcards such as %s only when DNS records prove them, which the platform can do for its own domain alone; "+
				"upload a certificate, or add each name as a domain", r.Domain)}
	}
	log := a.opts.Logger.WithField("app", r.App).WithField("domain", r.Domain)
	return a.issue(ctx, a.of(r.Settings), []string{r.Domain}, wild, log)
}

// issue tries once with an account. An account that the authority has shut is
// replaced by a new one, once.
func (a *ACME) issue(ctx context.Context, acc account, names []string, byDNS bool, log *logrus.Entry) (chain, key []byte, err error) {
	w := newWitness(log, a.opts.Now)
	fail := func(err error) error { return a.explain(acc, names[0], err, w.until()) }
	csr, key, err := request(names)
	if err != nil {
		return nil, nil, fail(err)
	}
	for fresh := false; ; fresh = true {
		chain, err = a.ask(ctx, acc, csr, byDNS, w)
		if err == nil {
			return chain, key, nil
		}
		if fresh || !shut(err) {
			return nil, nil, fail(err)
		}
		log.WithError(err).Warn("edge: the authority has shut our account: making another")
		if err := a.opts.Shelf.DeleteItems(ctx, path.Join(acc.part(), "acme")); err != nil {
			return nil, nil, fail(err)
		}
	}
}

// part of the shelf that is the account's.
func (a account) part() string { return path.Join("accounts", a.id()) }

// ask has certmagic make an order and see it through.
func (a *ACME) ask(ctx context.Context, acc account, csr *x509.CertificateRequest, byDNS bool, w *witness) ([]byte, error) {
	template := certmagic.ACMEIssuer{
		CA: acc.server, Email: acc.email, Agreed: true,
		// The gateway ends TLS: the proof by TLS would have to take the place
		// of the certificate that clients are served with.
		DisableTLSALPNChallenge: true,
		ListenHost:              a.host, AltHTTPPort: a.port,
		TrustedRoots: a.opts.Settings.Roots, Logger: w.logger(),
	}
	if acc.keyID != "" {
		template.ExternalAccount = &acme.EAB{KeyID: acc.keyID, MACKey: rawURL(acc.key)}
	}
	if byDNS {
		template.DNS01Solver = a.dns
	}
	// No cache and no maintenance: when to renew is decided elsewhere.
	config := &certmagic.Config{Storage: newStorage(a.opts.Shelf, acc.part(), a.opts.Now), Logger: w.logger()}
	issuer := certmagic.NewACMEIssuer(config, template)
	if acc.email != "" {
		// Sets the address. Without one it would take that of somebody else.
		if err := issuer.PreCheck(ctx, csr.DNSNames, false); err != nil {
			return nil, &control.CertError{Problem: control.CertRefused, Message: refusedText(csr.DNSNames[0]), Err: err}
		}
	}
	got, err := issuer.Issue(ctx, csr)
	if err != nil {
		return nil, err
	}
	return got.Certificate, nil
}

// rawURL is a MAC key in the alphabet that ACME wants: they are handed out in
// either.
func rawURL(key string) string {
	return strings.NewReplacer("+", "-", "/", "_", "=", "", " ", "").Replace(key)
}

// request makes a key and what to sign.
func request(names []string) (*x509.CertificateRequest, []byte, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("key: %w", err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: names}, private)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate request: %w", err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate request: %w", err)
	}
	key, err := encodeKey(private)
	return csr, key, err
}

var _ acmez.Waiter = (*dnsSolver)(nil)
