package diagnose

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/slipway-paas/slipway/platform/control"
)

// directory is what an authority says of itself.
type directory struct {
	identities []string // by which CAA records name it
	external   bool     // accounts have to belong to an external one
	date       time.Time
}

// maxDirectory bounds a directory, in bytes.
const maxDirectory = 64 << 10

// askDirectory fetches the authority's directory.
func (e *exam) askDirectory(ctx context.Context) {
	if e.s.Source != control.FromPublic {
		e.skip(Directory, "no public authority is asked for this domain")
		return
	}
	at := e.s.ACME.Directory
	cure := "see that the host reaches " + at + " (proxy, firewall, DNS); the platform tries again by itself"
	asked := e.o.Now()
	response, err := e.getDirectory(ctx, at)
	if err != nil {
		e.noDirectory(at, err, cure)
		return
	}
	defer response.Body.Close()
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		// The answer is as old as half the way, at most.
		e.directory.date = date.Add(-e.o.Now().Sub(asked) / 2)
	}
	var said struct {
		NewOrder string `json:"newOrder"`
		Meta     struct {
			CAA      []string `json:"caaIdentities"`
			External bool     `json:"externalAccountRequired"`
		} `json:"meta"`
	}
	err = json.NewDecoder(io.LimitReader(response.Body, maxDirectory)).Decode(&said)
	switch {
	case response.StatusCode != http.StatusOK:
		e.fail(Directory, fmt.Sprintf("%s answers %d", at, response.StatusCode), "the authority is out of order, or that is not its directory", cure)
	case err != nil || said.NewOrder == "":
		e.fail(Directory, at+" answers with something else than a directory", "that is not the address of an ACME directory",
			"correct the address: ACME_SERVER of the platform, or drycc tls issuer of the app")
	default:
		e.directory.identities, e.directory.external = said.Meta.CAA, said.Meta.External
		e.ok(Directory, at+" answers")
	}
}

func (e *exam) noDirectory(at string, err error, cure string) {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		e.fail(Directory, fmt.Sprintf("%s: %v", at, err), "the authority's own certificate is not valid now: most likely the clock of the host is wrong",
			"set the clock of the host: timedatectl set-ntp true")
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid):
		e.fail(Directory, fmt.Sprintf("%s: %v", at, err), "the host does not trust the server there",
			"name the authority's root certificate in ACME_CA_FILE, or put it into the host's store (update-ca-certificates); or correct the address")
	default:
		e.fail(Directory, fmt.Sprintf("%s: %v", at, err), "the authority cannot be reached from the platform", cure)
	}
}

func (e *exam) getDirectory(ctx context.Context, at string) (*http.Response, error) {
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return nil, errors.New("that is no address that begins with https://")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "slipway-certs-check")
	transport := e.o.Directory
	if transport == nil {
		own := &http.Transport{
			DialContext: e.dialGuarded, DisableKeepAlives: true, TLSHandshakeTimeout: e.o.Patience, ResponseHeaderTimeout: e.o.Patience,
			TLSClientConfig: &tls.Config{RootCAs: e.o.Roots, MinVersion: tls.VersionTLS12},
		}
		defer own.CloseIdleConnections()
		transport = own
	}
	return transport.RoundTrip(request) // which follows no redirect
}

// dialGuarded connects to a name that a user may have chosen.
func (e *exam) dialGuarded(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, e.o.Patience)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, a)
	} else {
		r, err := e.lookup(ctx, host)
		if err != nil {
			return nil, err
		}
		addrs = r.all()
	}
	last := errors.New(host + " has no address")
	for _, a := range addrs {
		if why := e.mayAsk(a); why != "" {
			last = fmt.Errorf("%s is not asked: %s", a, why)
			continue
		}
		conn, err := e.o.Dial(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, last
}

// How far off the clock may be. Certificates are valid from an hour before
// they were made, as a rule.
const (
	clockWarn = time.Minute
	clockFail = 10 * time.Minute
)

// compareClock compares the clock with the authority's.
func (e *exam) compareClock(context.Context) {
	now := e.o.Now()
	if e.directory.date.IsZero() {
		if e.s.Leaf != nil {
			if leaf, err := x509.ParseCertificate(e.s.Leaf); err == nil && now.Before(leaf.NotBefore) {
				e.fail(Clock, fmt.Sprintf("the platform's clock says %s, the domain's certificate was made for %s on",
					now.UTC().Format(time.RFC3339), leaf.NotBefore.UTC().Format(time.RFC3339)),
					"the clock is behind", "set the clock of the host: timedatectl set-ntp true")
				return
			}
		}
		e.skip(Clock, "there is no other clock to compare with")
		return
	}
	off := now.Sub(e.directory.date)
	seen := fmt.Sprintf("the platform's clock says %s, the authority's %s", now.UTC().Format(time.RFC3339), e.directory.date.UTC().Format(time.RFC3339))
	way := "ahead"
	if off < 0 {
		way, off = "behind", -off
	}
	switch reason := fmt.Sprintf("the clock is %s %s", off.Round(time.Second), way); {
	case off >= clockFail:
		e.fail(Clock, seen, reason+": certificates seem expired or not valid yet", "set the clock of the host: timedatectl set-ntp true")
	case off >= clockWarn:
		e.warn(Clock, seen, reason, "let the host set its clock by itself: timedatectl set-ntp true")
	default:
		e.ok(Clock, "right within "+max(off, time.Second).Round(time.Second).String())
	}
}

// problem is the kind of the last failure.
func (e *exam) problem() control.CertProblem {
	if e.s.ACME.Last == nil {
		return control.CertNone
	}
	return e.s.ACME.Last.Problem
}

// askAccount judges the account at the authority.
func (e *exam) askAccount(context.Context) {
	a := e.s.ACME
	switch {
	case e.s.Source != control.FromPublic:
		e.skip(Account, "no public authority is asked for this domain")
		return
	case e.broken(Directory):
		e.skip(Account, "the authority does not answer")
		return
	}
	who := "account at " + a.Directory
	for _, part := range [][2]string{{"address", a.Account}, {"email", a.Email}, {"external account", a.KeyID}} {
		if part[1] != "" {
			who += ", " + part[0] + " " + part[1]
		}
	}
	where := "ACME_EAB_KEY_ID and ACME_EAB_KEY_SECRET of the platform, or drycc tls issuer --key-id --key-secret of the app"
	switch problem := e.problem(); {
	case e.directory.external && !a.External:
		e.fail(Account, who, "the authority takes accounts only with an external account (EAB), and none is set", "set "+where)
	case problem == control.CertEAB:
		e.fail(Account, who+"; "+e.last(), "the authority does not take the external account (EAB): key id or key is wrong or used up",
			"get a new key id and key from the authority and set "+where)
	case problem == control.CertAccount:
		e.fail(Account, who+"; "+e.last(), "the authority does not take the account, or does not know it any more",
			"do what the authority asks for, or set another email or issuer (drycc tls issuer), so that a new account is made")
	default:
		e.ok(Account, who)
	}
}

// last is the last failure as evidence.
func (e *exam) last() string {
	l := e.s.ACME.Last
	text := "last try " + l.Time.UTC().Format(time.RFC3339) + ": " + l.Message
	if l.Problem != control.CertNone {
		text += " (" + string(l.Problem) + ")"
	}
	return text
}

// limits tells of the last failure, and when it is tried again.
func (e *exam) limits(context.Context) {
	l := e.s.ACME.Last
	switch {
	case e.s.Source != control.FromPublic:
		e.skip(Limit, "no public authority is asked for this domain")
		return
	case l == nil:
		e.ok(Limit, "no failure is recorded")
		return
	}
	if l.Problem == control.CertRunning {
		e.ok(Limit, "a try is under way since "+l.Time.UTC().Format(time.RFC3339))
		return
	}
	next := "it is not tried again by itself"
	if !l.Next.IsZero() {
		next = "it is tried again at " + l.Next.UTC().Format(time.RFC3339)
	}
	if l.Problem == control.CertRateLimited {
		until := "until the authority allows it again"
		if !l.Next.IsZero() {
			until = "until " + l.Next.UTC().Format(time.RFC3339)
		}
		tell := e.fail
		if e.s.Leaf != nil && !e.s.Interim {
			tell = e.warn // it has one; other domains of the account used the limit up
		}
		tell(Limit, e.last(), "the authority takes no more orders "+until,
			"wait, and do not remove and add the domain meanwhile: that counts too; "+next)
		return
	}
	if slices.ContainsFunc([]string{Directory, Clock, Account, DNS, Points, CAA, HTTP, Challenge}, e.broken) {
		e.warn(Limit, e.last(), "the last try failed", "mend the links above; "+next)
		return
	}
	e.fail(Limit, e.last(), "the last try failed, though all links look well now", next)
}
