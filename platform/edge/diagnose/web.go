package diagnose

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// meets finds out whether the platform is behind an address that is not its
// own: it answers a nonce there, or serves the domain's certificate. How says
// what was met instead; dark that a device in between may hide it.
func (e *exam) meets(ctx context.Context, a netip.Addr) (met bool, how string, dark bool) {
	if why := e.mayAsk(a); why != "" {
		return false, "not asked: " + why, false
	}
	path, answer := e.o.Nonces.make()
	p, failed := e.fetch(ctx, a, path)
	if failed == nil && strings.TrimSpace(p.body) == answer {
		return true, "", false
	}
	if e.s.Leaf != nil {
		if leaf, err := e.handshake(ctx, a); err == nil && bytes.Equal(leaf.Raw, e.s.Leaf) {
			return true, "", false
		}
	}
	if failed != nil {
		_, text, _ := strings.Cut(failed.text, ": ")
		return false, text, failed.dark
	}
	return false, "another server answers there, " + strings.TrimPrefix(p.said(a), a.String()+" answers "), false
}

// plainPort connects to port 80 of every address that leads here.
func (e *exam) plainPort(ctx context.Context) {
	if !e.leadsHere(HTTP) {
		return
	}
	var good []string
	for _, a := range e.here {
		bounded, cancel := context.WithTimeout(ctx, e.o.Patience)
		conn, err := e.o.Dial(bounded, "tcp", target(a, e.o.HTTPPort))
		cancel()
		if err != nil {
			why := explain(err, target(a, e.o.HTTPPort))
			if e.s.Source == control.FromPublic && !e.wildcard() {
				why.cure += "; authorities ask port 80 for proof"
			}
			e.fail(HTTP, why.text, why.reason, why.cure)
			return
		}
		_ = conn.Close() // nothing was sent
		good = append(good, target(a, e.o.HTTPPort))
	}
	e.ok(HTTP, strings.Join(good, ", ")+" accept connections")
}

// challenge fetches a nonce through the name, as an authority would fetch its
// token.
func (e *exam) challenge(ctx context.Context) {
	switch {
	case e.wildcard() && e.s.Source == control.FromPublic && !e.s.Wildcards:
		e.fail(Challenge, "", "a certificate for a wildcard is proven by a DNS record, and the platform can make none for this name",
			"add the names one by one instead, or upload a certificate for the wildcard")
		return
	case e.wildcard():
		e.skip(Challenge, "a wildcard is proven by a DNS record, not over HTTP")
		return
	case !e.s.Answers:
		e.skip(Challenge, "no authority asks for proof of this domain")
		return
	case e.broken(HTTP):
		e.skip(Challenge, "port 80 does not answer")
		return
	case !e.leadsHere(Challenge):
		return
	}
	for _, a := range e.here {
		path, answer := e.o.Nonces.make()
		p, failed := e.fetch(ctx, a, path)
		if failed != nil {
			e.fail(Challenge, failed.text, failed.reason, failed.cure)
			return
		}
		if strings.TrimSpace(p.body) != answer {
			e.swallowed(ctx, a, p)
			return
		}
	}
	e.ok(Challenge, "the platform answers at http://"+e.name+control.ChallengePath)
}

// swallowed tells who has answered instead of the platform.
func (e *exam) swallowed(ctx context.Context, a netip.Addr, p page) {
	where := "http://" + e.name + control.ChallengePath
	switch {
	case p.loop:
		e.fail(Challenge, strings.Join(p.chain, " → "), "requests for proof are redirected in a circle",
			"take the redirect for "+control.ChallengePath+" out of the app, or of the proxy in front of the platform")
	case p.location != "":
		e.fail(Challenge, fmt.Sprintf("%s redirects to %s", where, p.location), "requests for proof are led to another name",
			"except "+control.ChallengePath+" from that redirect, or let the other name lead to the platform too")
	case e.gatewayAnswers(ctx, a):
		e.fail(Challenge, p.said(a), "another server answers on port 80 of this address, although the platform's gateway would",
			"let the proxy or router in front pass port 80 on to "+e.ours())
	default:
		e.fail(Challenge, p.said(a), "requests for "+control.ChallengePath+" do not arrive at the platform: the app, or a route of it, takes them",
			"remove routes of the app for /.well-known (drycc routes), and see with \"slipway status\" that the gateway is ready")
	}
}

// gatewayAnswers asks the platform's own addresses, when it was another that
// gave a wrong answer.
func (e *exam) gatewayAnswers(ctx context.Context, asked netip.Addr) bool {
	for _, own := range e.s.Addresses {
		if own == asked {
			continue
		}
		path, answer := e.o.Nonces.make()
		if p, failed := e.fetch(ctx, own, path); failed == nil && strings.TrimSpace(p.body) == answer {
			return true
		}
	}
	return false
}

// handshake returns the certificate that is served for the name.
func (e *exam) handshake(ctx context.Context, a netip.Addr) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, e.o.Patience)
	defer cancel()
	raw, err := e.o.Dial(ctx, "tcp", target(a, e.o.HTTPSPort))
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	// It is looked at below, whatever it is.
	conn := tls.Client(raw, &tls.Config{ServerName: e.name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return conn.ConnectionState().PeerCertificates[0], nil
}

// served looks at the certificate that port 443 serves.
func (e *exam) served(ctx context.Context) {
	if !e.leadsHere(HTTPS) {
		return
	}
	var leaf *x509.Certificate
	for _, a := range e.here {
		got, err := e.handshake(ctx, a)
		if err != nil {
			e.noHandshake(a, err)
			return
		}
		if leaf != nil && !bytes.Equal(leaf.Raw, got.Raw) {
			e.fail(HTTPS, fmt.Sprintf("%s serves %s; another address serves %s", a, portrait(got), portrait(leaf)),
				"the addresses of the name serve different certificates", "let all of them lead to the platform")
			return
		}
		leaf = got
	}
	e.judgeServed(leaf)
}

func (e *exam) noHandshake(a netip.Addr, err error) {
	var remote *net.OpError // crypto/tls keeps the type of an alert to itself
	var record tls.RecordHeaderError
	at := target(a, e.o.HTTPSPort)
	switch {
	case errors.As(err, &remote) && remote.Op == "remote error":
		e.fail(HTTPS, fmt.Sprintf("%s: %v", at, err), "the gateway refuses this name", "see that the domain is on the app: drycc domains")
	case errors.As(err, &record):
		e.fail(HTTPS, at+" does not speak TLS", "another program has the port", "see which: ss -ltnp")
	default:
		why := explain(err, at)
		e.fail(HTTPS, why.text, why.reason, why.cure)
	}
}

// portrait describes a certificate.
func portrait(c *x509.Certificate) string {
	names := c.DNSNames
	if len(names) > 4 {
		names = append(names[:4:4], fmt.Sprintf("%d more", len(names)-4))
	}
	issuer := c.Issuer.CommonName
	if issuer == "" {
		issuer = c.Issuer.String()
	}
	return fmt.Sprintf("a certificate for %s, from %s, until %s", strings.Join(names, ", "), issuer, c.NotAfter.UTC().Format(time.RFC3339))
}

// judgeServed compares the certificate that is served with what should be.
// That the server has its key was proven by the handshake.
func (e *exam) judgeServed(leaf *x509.Certificate) {
	now := e.o.Now()
	covers := false
	for _, name := range leaf.DNSNames {
		covers = covers || platform.CoversHost(name, e.s.Domain)
	}
	seen := portrait(leaf)
	switch {
	case e.s.Leaf != nil && !bytes.Equal(e.s.Leaf, leaf.Raw):
		e.fail(HTTPS, seen, "it is not the certificate that the platform has for this domain",
			"wait a minute for the gateway; then see that nothing in front of the platform answers on 443, and the app's events for what the gateway refused")
	case !covers:
		e.fail(HTTPS, seen, "it is not for this domain, so browsers refuse it", e.getOne())
	case now.Before(leaf.NotBefore):
		e.fail(HTTPS, seen, "it is valid from "+leaf.NotBefore.UTC().Format(time.RFC3339)+" only, and the platform's clock says "+now.UTC().Format(time.RFC3339),
			"set the clock of the host: timedatectl set-ntp true")
	case !now.Before(leaf.NotAfter):
		e.fail(HTTPS, seen, "it has expired", e.renewIt())
	case now.After(leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 10)):
		e.warn(HTTPS, seen, "it ends soon", e.renewIt())
	case e.s.Interim:
		e.warn(HTTPS, seen, "it is of the platform's own authority, which browsers do not trust, until the public one has given its", e.renewIt())
	case e.s.Source == control.FromOwn || e.s.App == "" && e.s.Source == control.FromNobody:
		e.ok(HTTPS, seen+"; clients have to trust the platform's authority, "+e.o.AuthorityURL)
	default:
		e.ok(HTTPS, seen)
	}
}

// getOne says how the domain gets a certificate.
func (e *exam) getOne() string {
	switch {
	case e.s.App == "":
		return "see \"slipway status\" and its log"
	case e.s.Source == control.FromNobody:
		return fmt.Sprintf("have one made: drycc tls auto enable -a %s; or upload one: drycc certs add, drycc certs attach", e.s.App)
	case e.s.Source == control.FromUser:
		return fmt.Sprintf("upload one that is for %s: drycc certs add, drycc certs attach", e.s.Domain)
	}
	return "mend the links above; the platform tries again by itself"
}

func (e *exam) renewIt() string {
	if e.s.Source == control.FromUser {
		return fmt.Sprintf("upload a new one and attach it: drycc certs detach %s %s -a %s, drycc certs add, drycc certs attach", e.s.Cert, e.s.Domain, e.s.App)
	}
	return "mend the links above; the platform tries again by itself"
}
