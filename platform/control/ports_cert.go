package control

import (
	"context"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// ChallengePath is where a public authority asks a domain back.
const ChallengePath = "/.well-known/acme-challenge/"

// CertStore keeps how getting certificates from public authorities goes.
// CertAttempts of an app are in its Edge.
type CertStore interface {
	// BeginCert records that a try begins, before it does. seen is the LastTry
	// that the caller knows of, zero for none: Conflict when another server has
	// begun one since. NotFound when the domain is gone.
	BeginCert(ctx context.Context, a CertAttempt, seen time.Time) error
	// EndCert records how the try that began at a.LastTry went, the certificate
	// that came of it, if any, and an event, in one. NotFound when the domain
	// is gone or was tried again since.
	EndCert(ctx context.Context, a CertAttempt, got *Issued, e Event) error
	// SaveHold replaces what is known of an account.
	SaveHold(ctx context.Context, h CertHold) error
	// ListHolds lists all holds by account, old ones too.
	ListHolds(ctx context.Context) ([]CertHold, error)
}

// CertAttempt is the last try to get a certificate for a domain from a public
// authority. The one of a domain that was never tried is not recorded.
type CertAttempt struct {
	Domain   string
	Issuer   string // address of the authority's directory
	Account  string // the account there, for which limits hold; no secret
	LastTry  time.Time
	NextTry  time.Time // not before; zero after success: see Leaf.due
	Failures int       // in a row
	Problem  CertProblem
	Message  string // a sentence for the app's people, with the cure
}

// CertHold says that an account at a public authority is left alone until
// NextTry, for all domains of all apps. Failures 0: it works.
type CertHold struct {
	Account, Issuer  string
	LastTry, NextTry time.Time
	Failures         int // in a row
	Problem          CertProblem
	Message          string
}

// Issued is a certificate with what is recorded of it.
type Issued struct {
	Pair
	Leaf Leaf
}

// CertProblem says by a word for programs why there is no certificate.
type CertProblem string

// The problems. Those from CertRateLimited on concern the account or the
// authority, not one domain.
const (
	CertNone        CertProblem = ""             // the last try succeeded
	CertRunning     CertProblem = "running"      // a try is under way, or was when the server ended
	CertDNS         CertProblem = "dns"          // the name does not lead here, or nowhere
	CertConnection  CertProblem = "connection"   // the authority reached nothing on port 80
	CertChallenge   CertProblem = "challenge"    // something else than we answered
	CertCAA         CertProblem = "caa"          // a CAA record forbids it
	CertRefused     CertProblem = "refused"      // the authority does not sign for this name
	CertWildcard    CertProblem = "wildcard"     // needs DNS-01, which is not there for it
	CertDNSProvider CertProblem = "dns-provider" // the DNS provider did not take the record
	CertInternal    CertProblem = "internal"     // none of the others
	CertRateLimited CertProblem = "rate-limited" // too many requests
	CertAccount     CertProblem = "account"      // the account is refused
	CertEAB         CertProblem = "eab"          // the external account's key is missing or wrong
	CertUnreachable CertProblem = "unreachable"  // the authority does not answer, or with an error of its own
)

// OfAccount reports a problem that other domains of the account have too.
func (p CertProblem) OfAccount() bool {
	switch p {
	case CertRateLimited, CertAccount, CertEAB, CertUnreachable:
		return true
	}
	return false
}

// Certifier signs certificates for domains that shall have one by themselves.
type Certifier interface {
	// Certify returns chain and private key, both PEM, valid for the names. It
	// is the platform's own authority, which answers at once.
	Certify(ctx context.Context, names []string) (chain, key []byte, err error)
}

// Authorities are the public certificate authorities of apps.
type Authorities interface {
	// Choose tells which authority and account is asked for a domain of an app
	// with these settings. It asks nobody.
	Choose(s platform.Issuer) Authority
	// Obtain gets a certificate, which may take minutes. It tries once and
	// leaves nothing behind when ctx ends. Errors are *CertError.
	Obtain(ctx context.Context, r CertRequest) (chain, key []byte, err error)
	// ByHTTP reports whether the authority asks the domain back over HTTP.
	ByHTTP(r CertRequest) bool
}

// Authority is a public authority and an account there.
type Authority struct {
	Issuer, Account string
	External        bool // the account belongs to an external one
}

// CertRequest asks for a certificate of one domain.
type CertRequest struct {
	App, Domain string
	Settings    platform.Issuer
}

// CertError says why there is no certificate.
type CertError struct {
	Problem CertProblem
	Message string    // for the app's people, with the cure; no secrets
	Until   time.Time // the authority said not to come again before; zero: nothing
	Err     error     // for the log
}

// Error is the message with its cause.
func (e *CertError) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *CertError) Unwrap() error { return e.Err }
