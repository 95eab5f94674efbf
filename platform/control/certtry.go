package control

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

const (
	// certPatience bounds one try. A try that began longer ago is dead.
	certPatience = 5 * time.Minute
	// lastWord bounds what is still recorded when the server ends.
	lastWord = 5 * time.Second
)

// CertBackoff is the pause after the n-th failure in a row. Authorities
// allow about five failures an hour for a name.
func CertBackoff(n int) time.Duration {
	steps := []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour}
	if n < 1 {
		n = 1
	}
	if n > len(steps) {
		return 24 * time.Hour
	}
	return steps[n-1]
}

// holdPause is the pause of an account. An authority that does not answer is
// asked again soon; one that says no is not.
func (c *Controller) holdPause(p CertProblem, failures int) time.Duration {
	if p == CertUnreachable {
		return min(c.edge.CertBackoff(failures)/5, c.edge.CertBackoff(2))
	}
	return c.edge.CertBackoff(failures + 2)
}

// wantedCert is a domain that shall have a certificate by itself.
type wantedCert struct {
	app, domain string
	due         time.Time // when to get the next one
	own         bool      // from the platform's own authority
	settings    platform.Issuer
	authority   Authority
	last        CertAttempt // zero when there was none
}

// wantedCerts lists the domains that get certificates by themselves, with when
// the next one is due. It asks nobody.
func (c *Controller) wantedCerts(e Edge, holds map[string]CertHold) []wantedCert {
	leaves, last := map[string]Leaf{}, map[string]CertAttempt{}
	for _, l := range e.Leaves {
		leaves[l.Domain] = l
	}
	for _, a := range e.Attempts {
		last[a.Domain] = a
	}
	var list []wantedCert
	for _, d := range e.Domains {
		if d.CertID != 0 || !e.TLS.Auto() {
			continue
		}
		l, have := leaves[d.Name]
		if c.edge.Certifier != nil && have {
			list = append(list, wantedCert{domain: d.Name, due: c.ownDue(l), own: true})
		}
		if c.edge.Authorities == nil {
			continue
		}
		w := wantedCert{domain: d.Name, settings: e.TLS.Issuer, authority: c.edge.Authorities.Choose(e.TLS.Issuer), last: last[d.Name]}
		if have && l.Issuer == w.authority.Issuer {
			w.due = l.due()
		}
		w.due = later(w.due, c.notBefore(w.last, w.authority), holds[w.authority.Account].NextTry)
		list = append(list, w)
	}
	return list
}

// ownDue is when the platform's own authority is to replace a certificate: one
// of a public authority only when that is nobody's business any more, or when
// it has ended.
func (c *Controller) ownDue(l Leaf) time.Time {
	if l.Issuer != "" && c.edge.Authorities != nil {
		return l.Expires
	}
	return l.due()
}

// challenged are the hosts at which a public authority asks back over HTTP.
func (c *Controller) challenged(app string, e Edge) []string {
	if c.edge.Authorities == nil || !e.TLS.Auto() {
		return nil
	}
	var hosts []string
	for _, d := range e.Domains {
		if d.CertID == 0 && c.edge.Authorities.ByHTTP(CertRequest{App: app, Domain: d.Name, Settings: e.TLS.Issuer}) {
			hosts = append(hosts, d.Name)
		}
	}
	return hosts
}

// notBefore is when a domain may be tried again, by its last try. What was
// tried with another account says nothing, unless it is under way.
func (c *Controller) notBefore(last CertAttempt, now Authority) time.Time {
	switch {
	case last.LastTry.IsZero():
		return time.Time{}
	case last.Problem == CertRunning:
		return last.NextTry
	case last.Account != now.Account || last.Issuer != now.Issuer:
		return time.Time{}
	case last.Problem == CertNone:
		// A certificate that is old when it comes must not be a loop.
		return last.LastTry.Add(c.edge.CertBackoff(1))
	}
	return last.NextTry
}

func later(times ...time.Time) (t time.Time) {
	for _, x := range times {
		if x.After(t) {
			t = x
		}
	}
	return t
}

// holds are the accounts that something is known of, by account.
func (c *Controller) holds(ctx context.Context) (map[string]CertHold, error) {
	if c.edge.Authorities == nil {
		return nil, nil
	}
	list, err := c.store.ListHolds(ctx)
	known := map[string]CertHold{}
	for _, h := range list {
		known[h.Account] = h
	}
	return known, err
}

// tryCert tries once to get a certificate: record, act, record.
func (c *Controller) tryCert(ctx context.Context, w wantedCert) {
	log := c.log.WithField("app", w.app).WithField("domain", w.domain)
	hold, free, err := c.turn(ctx, w)
	if err == nil && free != nil {
		defer free()
		select {
		case c.certs.slots <- struct{}{}:
			err = c.tryNow(ctx, w, hold)
			<-c.certs.slots
		case <-ctx.Done():
		}
	}
	switch {
	case ctx.Err() != nil, platform.CodeOf(err) == platform.Conflict, platform.CodeOf(err) == platform.NotFound:
		// Ending; another server has it; the domain is gone.
	case err != nil:
		log.WithError(err).Warn("a try to get a certificate could not be recorded")
		c.certs.put(w.app, c.now().Add(c.edge.CertBackoff(1)))
	}
}

// turn waits for the account: while it is unknown whether it works again only
// one try finds out. free is nil when there is nothing to be done now.
func (c *Controller) turn(ctx context.Context, w wantedCert) (hold CertHold, free func(), err error) {
	hold, err = c.holdOf(ctx, w)
	switch {
	case err != nil || c.now().Before(hold.NextTry):
		return hold, nil, err
	case hold.Failures == 0:
		return hold, func() {}, nil
	}
	if free, err = c.certs.turns.lock(ctx, w.authority.Account); err != nil {
		return hold, nil, err
	}
	if hold, err = c.holdOf(ctx, w); err != nil || c.now().Before(hold.NextTry) {
		free()
		return hold, nil, err
	}
	return hold, free, nil
}

func (c *Controller) holdOf(ctx context.Context, w wantedCert) (CertHold, error) {
	holds, err := c.holds(ctx)
	return holds[w.authority.Account], err
}

func (c *Controller) tryNow(ctx context.Context, w wantedCert, hold CertHold) error {
	now := c.now()
	a := CertAttempt{
		Domain: w.domain, Issuer: w.authority.Issuer, Account: w.authority.Account, LastTry: now,
		Failures: w.last.Failures + 1, Problem: CertRunning,
		Message: "a certificate is being asked for at " + hostOfIssuer(w.authority.Issuer),
	}
	// Counted as a failure until it is over: a server that dies in it does not
	// come back at once.
	a.NextTry = now.Add(max(c.edge.CertBackoff(a.Failures), min(certPatience, c.edge.CertBackoff(1))))
	if err := c.store.BeginCert(ctx, a, w.last.LastTry); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, certPatience)
	chain, key, err := c.edge.Authorities.Obtain(bounded, CertRequest{App: w.app, Domain: w.domain, Settings: w.settings})
	cancel()
	if ctx.Err() != nil && err != nil {
		return c.tryLater(ctx, a, w.last)
	}
	// What has come is kept, also when the server ends now.
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), lastWord)
	defer cancel()
	var issued *Issued
	if err == nil {
		issued, err = readIssued(w, chain, key)
	}
	if err != nil {
		return c.tryFailed(ctx, w, a, hold, err)
	}
	return c.tryDone(ctx, w, a, hold, issued)
}

// tryLater takes back a try that the end of the server has cut off.
func (c *Controller) tryLater(ctx context.Context, a, before CertAttempt) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWord)
	defer cancel()
	a.Failures, a.NextTry, a.Problem, a.Message = before.Failures, a.LastTry, CertInternal, "the server ended while a certificate was being asked for; it tries again"
	return c.store.EndCert(ctx, a, nil, Event{})
}

// tryDone keeps a certificate and has the cluster follow.
func (c *Controller) tryDone(ctx context.Context, w wantedCert, a CertAttempt, hold CertHold, got *Issued) error {
	a.Failures, a.Problem, a.Message, a.NextTry = 0, CertNone, "", time.Time{}
	data, err := json.Marshal(map[string]string{
		"domain": w.domain, "issuer": w.authority.Issuer, "expires": got.Leaf.Expires.Format(time.RFC3339),
	})
	if err != nil {
		return err
	}
	// Held so that nobody does the work before there is something to do.
	unlock, err := c.records.lock(ctx, w.app)
	if err != nil {
		return err
	}
	err = c.changeEdge(ctx, w.app, func() error {
		return c.store.EndCert(ctx, a, got, Event{App: w.app, Object: "certificate", Action: "issue", Data: data, Created: c.now()})
	})
	unlock()
	if err != nil {
		return err
	}
	c.bell.ring(w.app)
	c.log.WithField("app", w.app).WithField("domain", w.domain).WithField("issuer", w.authority.Issuer).Info("certificate issued")
	if hold.Failures == 0 {
		return nil
	}
	return c.store.SaveHold(ctx, CertHold{Account: a.Account, Issuer: a.Issuer, LastTry: a.LastTry})
}

// tryFailed records why there is no certificate and when it is tried again.
func (c *Controller) tryFailed(ctx context.Context, w wantedCert, a CertAttempt, hold CertHold, cause error) error {
	var e *CertError
	if !errors.As(cause, &e) {
		e = &CertError{Problem: CertInternal, Message: "it went wrong here; the controller's log says why", Err: cause}
	}
	now := c.now()
	a.Problem, a.Message = e.Problem, e.Message
	if e.Problem.OfAccount() {
		hold = CertHold{Account: a.Account, Issuer: a.Issuer, LastTry: now, Failures: hold.Failures + 1, Problem: e.Problem, Message: e.Message}
		hold.NextTry = later(now.Add(c.holdPause(e.Problem, hold.Failures)), e.Until)
		if err := c.store.SaveHold(ctx, hold); err != nil {
			return err
		}
		a.NextTry = hold.NextTry
	} else {
		a.NextTry = later(now.Add(c.edge.CertBackoff(a.Failures)), e.Until)
	}
	c.log.WithField("app", w.app).WithField("domain", w.domain).WithField("problem", string(a.Problem)).
		WithField("next_try", a.NextTry.Format(time.RFC3339)).WithError(cause).Warn("no certificate")
	data, err := json.Marshal(map[string]string{
		"domain": w.domain, "issuer": a.Issuer, "problem": string(a.Problem), "message": a.Message, "next_try": a.NextTry.Format(time.RFC3339),
	})
	if err != nil {
		return err
	}
	defer c.bell.ring(w.app)
	return c.store.EndCert(ctx, a, nil, Event{App: w.app, Object: "certificate", Action: "fail", Data: data, Created: now})
}

// readIssued checks what an authority gave: it must be for the domain and the
// key, or the gateway would serve nonsense.
func readIssued(w wantedCert, chain, key []byte) (*Issued, error) {
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("certificate for %s: what the authority gave: %w", w.domain, err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("certificate for %s: %w", w.domain, err)
	}
	if err := leaf.VerifyHostname(w.domain); err != nil && !(len(leaf.DNSNames) == 1 && leaf.DNSNames[0] == w.domain) {
		return nil, fmt.Errorf("certificate for %s: what the authority gave: %w", w.domain, err)
	}
	return &Issued{
		Pair: Pair{Domain: w.domain, Chain: chain, Key: key},
		Leaf: Leaf{Domain: w.domain, Starts: leaf.NotBefore, Expires: leaf.NotAfter, Issuer: w.authority.Issuer},
	}, nil
}

// hostOfIssuer is how an authority is called in sentences.
func hostOfIssuer(issuer string) string {
	if u, err := url.Parse(issuer); err == nil && u.Host != "" {
		return u.Host
	}
	return issuer
}
