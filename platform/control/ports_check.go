package control

import (
	"context"
	"net/netip"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// Diagnoser looks at a domain from outside and says which link between it and
// its certificate is broken. It ends within a bounded time, whatever the
// domain leads to.
type Diagnoser interface {
	Diagnose(ctx context.Context, s DomainSubject) platform.Diagnosis
}

// Where the certificate of a domain comes from.
const (
	FromNobody = ""         // there is none, and none is being obtained
	FromUser   = "uploaded" // a user's
	FromOwn    = "own"      // the platform's own authority signs it
	FromPublic = "public"   // obtained from a public authority
)

// OwnNames tells of the certificate that the platform's own names have, those of
// its apps below its domain among them.
type OwnNames interface {
	OwnCert(ctx context.Context) (OwnCert, error)
}

// OwnCert is that certificate.
type OwnCert struct {
	Public  bool   // a public authority is asked for it; else the own one signs
	Leaf    []byte // DER; nil: not known
	Interim bool   // Leaf is the own authority's, until the public one has given its
	ACME    ACMESubject
}

// DomainSubject is a domain with what the platform knows of it.
type DomainSubject struct {
	App       string // empty: the platform's own
	Domain    string // ACE form; "*." may be in front
	Addresses []netip.Addr
	Source    string // FromNobody, …
	Cert      string // name of the uploaded certificate
	// Leaf is the certificate, DER, that the gateway should serve; nil: there
	// is none yet, and it serves the platform's own.
	Leaf []byte
	// Interim reports that Leaf is the platform's own authority's, until the
	// public one has given its.
	Interim bool
	// Hidden says why the gateway shows nothing of the app, with the cure; empty
	// when it does.
	Hidden, HiddenCure string
	// Answers reports that the gateway leads requests for challenges on this
	// domain to the platform, so that a nonce can be fetched through it.
	Answers bool
	// Wildcards reports that certificates for wildcards can be obtained.
	Wildcards bool
	ACME      ACMESubject // for FromPublic
}

// ACMESubject is what is known of the public authority of a domain and of the
// last try. It holds no secret.
type ACMESubject struct {
	Directory string // address
	Email     string // as the app's settings say; empty: the platform's
	KeyID     string // likewise, of the external account
	External  bool   // an external account is used
	Account   string // address of the account; empty: not known
	Last      *ACMEFailure
}

// ACMEFailure is the last try of a domain that did not succeed.
type ACMEFailure struct {
	Time    time.Time
	Problem CertProblem
	Message string    // a sentence, with what the authority or the network said
	Next    time.Time // when it is tried again; zero: not by itself
}
