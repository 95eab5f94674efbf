package edge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/mholt/acmez/v3/acme"

	"github.com/slipway-paas/slipway/platform/control"
)

const (
	// longestWait bounds what an authority may ask for.
	longestWait = 7 * 24 * time.Hour
	// longestDetail is how much of an authority's own words is told, in bytes.
	longestDetail = 400
)

// shut reports that the authority does not take the account any more. The
// refusal of a name, of which the account is not the cause, names what was
// refused.
func shut(err error) bool {
	var p acme.Problem
	if !errors.As(err, &p) || p.Resource != nil || registering(err) {
		return false
	}
	if p.Type != acme.ProblemTypeUnauthorized && p.Status != http.StatusUnauthorized && p.Status != http.StatusForbidden {
		return false
	}
	says := strings.ToLower(p.Detail)
	for _, word := range []string{"deactivated", "revoked", "not valid", "not active", "suspended"} {
		if strings.Contains(says, "account") && strings.Contains(says, word) {
			return true
		}
	}
	return false
}

// registering reports an error of making an account.
func registering(err error) bool { return strings.Contains(err.Error(), "registering account") }

// explain says in words why there is no certificate, and how to cure it.
func (a *ACME) explain(acc account, name string, err error, until time.Time) error {
	var known *control.CertError
	if errors.As(err, &known) {
		return known
	}
	e := &control.CertError{Err: err}
	var p acme.Problem
	switch {
	case errors.As(err, &p):
		e.Problem, e.Message = a.problem(acc, name, p, registering(err))
	default:
		e.Problem, e.Message = away(acc, err)
	}
	if e.Problem.OfAccount() {
		if until.IsZero() {
			until = inDetail(p.Detail)
		}
		if most := a.opts.Now().Add(longestWait); until.After(most) {
			until = most
		}
		e.Until = until
	}
	return e
}

// problem reads what the authority says.
func (a *ACME) problem(acc account, name string, p acme.Problem, registering bool) (control.CertProblem, string) {
	says := clean(p.Detail)
	switch {
	case p.Type == acme.ProblemTypeRateLimited || p.Status == http.StatusTooManyRequests:
		return control.CertRateLimited, fmt.Sprintf("too many requests, says the authority (%s); it is asked again when it allows that, without anybody's doing", says)
	case p.Type == acme.ProblemTypeServerInternal || p.Status >= http.StatusInternalServerError:
		return control.CertUnreachable, fmt.Sprintf("the authority has trouble of its own (%s); it is asked again by itself", says)
	case p.Type == acme.ProblemTypeExternalAccountRequired:
		return control.CertEAB, "the authority wants an external account: set its key id and key, for the platform with ACME_EAB_KEY_ID and ACME_EAB_KEY_SECRET, for an app with tls issuer"
	case registering && acc.keyID != "":
		return control.CertEAB, fmt.Sprintf("the authority does not take the external account %s (%s): check key id and key", acc.keyID, says)
	case p.Type == acme.ProblemTypeInvalidContact || p.Type == acme.ProblemTypeUnsupportedContact:
		return control.CertAccount, fmt.Sprintf("the authority does not take the mail address %s (%s): set another", acc.email, says)
	case registering, shut(p), p.Type == acme.ProblemTypeUserActionRequired, p.Type == acme.ProblemTypeAccountDoesNotExist:
		return control.CertAccount, fmt.Sprintf("the authority refuses the platform's account (%s): another mail address makes another account", says)
	}
	return a.challenge(name, p, says)
}

// challenge reads why a name was not proven.
func (a *ACME) challenge(name string, p acme.Problem, says string) (control.CertProblem, string) {
	const port = "requests for it on port 80 have to come from the internet to this platform"
	switch kind := p.Type; {
	case kind == acme.ProblemTypeDNS, kind == acme.ProblemTypeConnection && strings.Contains(says, "resolve"):
		return control.CertDNS, fmt.Sprintf("%s cannot be found (%s): add a DNS record that leads to this platform", name, says)
	case kind == acme.ProblemTypeConnection, kind == acme.ProblemTypeTLS:
		return control.CertConnection, fmt.Sprintf("the authority did not reach %s (%s): %s, through firewalls too", name, says, port)
	case kind == acme.ProblemTypeUnauthorized, kind == acme.ProblemTypeIncorrectResponse:
		return control.CertChallenge, fmt.Sprintf("somebody else answered for %s (%s): %s; look at its DNS records, AAAA ones too, and at proxies in front", name, says, port)
	case kind == acme.ProblemTypeCAA:
		return control.CertCAA, fmt.Sprintf("a CAA record forbids it (%s): add the authority to the CAA records of %s, or remove them", says, name)
	case kind == acme.ProblemTypeRejectedIdentifier, kind == acme.ProblemTypeUnsupportedIdentifier:
		return control.CertRefused, refusedText(name) + " (" + says + ")"
	}
	return control.CertInternal, fmt.Sprintf("the authority refused: %s", says)
}

func refusedText(name string) string {
	return fmt.Sprintf("the authority signs no certificate for %s: upload one, or set another authority", name)
}

// away reads why there was no answer, or none that can be understood.
func away(acc account, err error) (control.CertProblem, string) {
	host := acc.server
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		return control.CertUnreachable, fmt.Sprintf("the certificate of the authority itself, %s, is not trusted: give its root with ACME_CA_FILE, and look at the clock", host)
	case strings.Contains(err.Error(), "base64-decoding MAC key"):
		return control.CertEAB, "the key of the external account is no base64: check it"
	case errors.Is(err, context.DeadlineExceeded):
		return control.CertUnreachable, fmt.Sprintf("the authority %s took too long; it is asked again by itself", host)
	case strings.Contains(err.Error(), "locking account registration"), strings.Contains(err.Error(), "getting ACME account"),
		strings.Contains(err.Error(), "could not save account"):
		return control.CertInternal, "the account could not be read or kept; the controller's log says why"
	}
	return control.CertUnreachable, fmt.Sprintf("the authority %s does not answer; it is asked again by itself. Is the address right, and may the server connect to it?", host)
}

// inDetail finds a time in a sentence such as "retry after 2026-11-22 20:15:00
// UTC", in which some authorities say it.
func inDetail(detail string) time.Time {
	found := regexp.MustCompile(`(?i)retry after (\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)`).FindStringSubmatch(detail)
	if found == nil {
		return time.Time{}
	}
	at, err := time.Parse(time.DateTime, found[1]+" "+found[2])
	if err != nil {
		return time.Time{}
	}
	return at
}

// clean makes words from outside fit for a sentence.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.TrimRight(strings.TrimSpace(strings.ToValidUTF8(s, "")), ".")
	if len(s) > longestDetail {
		s = strings.ToValidUTF8(s[:longestDetail], "") + "…"
	}
	if s == "" {
		return "it does not say why"
	}
	return s
}
