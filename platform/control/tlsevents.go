package control

import (
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// tlsEvents tells of each domain how its certificate is: who signed it, until
// when, and if another is wanted, why there is none and when it is tried next.
func (c *Controller) tlsEvents(e Edge, holds map[string]CertHold) []platform.TLSEvent {
	leaves, last := map[string]Leaf{}, map[string]CertAttempt{}
	for _, l := range e.Leaves {
		leaves[l.Domain] = l
	}
	for _, a := range e.Attempts {
		last[a.Domain] = a
	}
	var events []platform.TLSEvent
	for _, d := range e.Domains {
		ev := platform.TLSEvent{Name: d.Name, Time: d.Updated}
		leaf, made := leaves[d.Name]
		switch {
		case d.CertID != 0:
			ev.Ready, ev.Message = true, "served with the uploaded certificate "+d.Cert
		case !e.TLS.Auto():
			ev.Message = "no certificate: attach one, or turn automatic certificates on"
		default:
			c.tellLeaf(&ev, leaf, made)
			if c.edge.Authorities != nil {
				c.tellTries(&ev, leaf, last[d.Name], c.edge.Authorities.Choose(e.TLS.Issuer), holds)
			}
		}
		events = append(events, ev)
	}
	return events
}

// tellLeaf says what a domain is served with.
func (c *Controller) tellLeaf(ev *platform.TLSEvent, l Leaf, made bool) {
	if !made {
		ev.Message = "waiting for a certificate"
		return
	}
	ev.Ready, ev.Time = true, l.Starts
	by := "the platform's own authority"
	if l.Issuer != "" {
		by = hostOfIssuer(l.Issuer)
	}
	until := l.Expires.Format(time.RFC3339)
	ev.Message = "served with a certificate of " + by + ", valid until " + until
	if !c.now().Before(l.Expires) {
		ev.Ready, ev.Message = false, "served with a certificate of "+by+" that ended "+until
	}
}

// tellTries says how it goes with the public authority, unless all is well.
func (c *Controller) tellTries(ev *platform.TLSEvent, l Leaf, a CertAttempt, want Authority, holds map[string]CertHold) {
	wanted := l.Issuer != want.Issuer
	if !wanted && c.now().Before(l.due()) {
		return
	}
	if wanted {
		ev.Ready = false
	}
	if a.Account != want.Account || a.Issuer != want.Issuer {
		a = CertAttempt{}
	}
	text, next := "; one of "+hostOfIssuer(want.Issuer)+" is asked for soon", a.NextTry
	if !a.LastTry.IsZero() {
		ev.Time = a.LastTry
	}
	hold := holds[want.Account]
	switch {
	case a.Problem == CertRunning:
		text = "; " + a.Message
		next = time.Time{}
		if !c.now().Before(a.NextTry) {
			text = "; the server ended while one of " + hostOfIssuer(want.Issuer) + " was asked for; it tries again"
		}
	case c.now().Before(hold.NextTry):
		text, next = "; none of "+hostOfIssuer(want.Issuer)+": "+hold.Message, hold.NextTry
	case a.Problem != CertNone:
		text = "; none of " + hostOfIssuer(want.Issuer) + ": " + a.Message
	}
	if !next.IsZero() {
		text += "; next try at " + next.Format(time.RFC3339)
	}
	ev.Message += text
}
