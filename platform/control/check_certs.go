package control

import (
	"context"
	"encoding/pem"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-paas/slipway/platform"
)

const (
	// checkPatience bounds one request, checksAtOnce its domains that are
	// looked at at the same time, and mostChecks those of a page.
	checkPatience = 2 * time.Minute
	checksAtOnce  = 8
	mostChecks    = 100
)

// CheckCerts looks at every link between an app's domains and their
// certificates: at one domain, or a page of all when it is empty, the app's
// own in front. While it looks, another call for the app is Throttled.
func (c *Controller) CheckCerts(ctx context.Context, actor Actor, app, domain string, p Page) ([]platform.Diagnosis, int, error) {
	a, err := c.appFor(ctx, actor, app, platform.Viewer)
	if err != nil {
		return nil, 0, err
	}
	if c.edge.Diagnoser == nil {
		return nil, 0, platform.Errorf(platform.Unprocessable, "this platform cannot look at domains from outside")
	}
	subjects, err := c.subjects(ctx, a)
	if err != nil {
		return nil, 0, err
	}
	if domain != "" {
		if subjects, err = oneSubject(subjects, domain); err != nil {
			return nil, 0, err
		}
	}
	p.Limit = min(p.Limit, mostChecks)
	page := paged(subjects, p)
	unlock, ok := c.checks.tryLock(app)
	if !ok {
		return nil, 0, platform.Errorf(platform.Throttled, "the domains of %s are being checked already: try again in a minute", app)
	}
	defer unlock()
	return c.diagnose(ctx, page), len(subjects), nil
}

// oneSubject finds a domain by the name as a user writes it.
func oneSubject(subjects []DomainSubject, domain string) ([]DomainSubject, error) {
	host, err := hostName(domain)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(subjects, func(s DomainSubject) bool { return s.Domain == host })
	if i < 0 {
		return nil, noMatch("Domain")
	}
	return subjects[i : i+1], nil
}

// diagnose looks at all of them, some at a time.
func (c *Controller) diagnose(ctx context.Context, subjects []DomainSubject) []platform.Diagnosis {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	out := make([]platform.Diagnosis, len(subjects))
	var group errgroup.Group
	group.SetLimit(checksAtOnce)
	for i, s := range subjects {
		group.Go(func() error {
			out[i] = c.edge.Diagnoser.Diagnose(ctx, s)
			return nil
		})
	}
	_ = group.Wait() // none of them returns an error
	return out
}

// subjects are the app's domains, its own in front, with what is known.
func (c *Controller) subjects(ctx context.Context, a platform.App) ([]DomainSubject, error) {
	e, err := c.store.FindEdge(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	pairs, err := c.store.ListPairs(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	hidden, cure, err := c.hidden(ctx, a)
	if err != nil {
		return nil, err
	}
	holds, err := c.holds(ctx)
	if err != nil {
		return nil, err
	}
	base := DomainSubject{App: a.ID, Addresses: c.addresses(), Hidden: hidden, HiddenCure: cure}
	own := base
	own.Domain = c.Host(a.ID)
	if err := c.addOwn(ctx, &own); err != nil {
		return nil, err
	}
	list := []DomainSubject{own}
	for _, d := range e.Domains {
		s := base
		s.Domain = d.Name
		switch {
		case d.CertID != 0:
			s.Source, s.Cert = FromUser, d.Cert
		case e.TLS.Auto() && c.edge.Authorities != nil:
			c.addPublic(&s, e, holds)
		case e.TLS.Auto() && c.edge.Certifier != nil:
			s.Source = FromOwn
		}
		i := slices.IndexFunc(pairs, func(p Pair) bool { return p.Domain == d.Name })
		if i >= 0 && s.Source != FromNobody {
			if block, _ := pem.Decode(pairs[i].Chain); block != nil {
				s.Leaf = block.Bytes
			}
		}
		list = append(list, s)
	}
	return list, nil
}

// addOwn adds who signs the platform's own names. DNS records prove them, so
// that no authority asks them for anything over HTTP.
func (c *Controller) addOwn(ctx context.Context, s *DomainSubject) error {
	s.Source = FromOwn
	if c.edge.OwnNames == nil {
		return nil
	}
	cert, err := c.edge.OwnNames.OwnCert(ctx)
	if err != nil || !cert.Public {
		return err
	}
	s.Source, s.Wildcards = FromPublic, true
	s.Leaf, s.Interim, s.ACME = cert.Leaf, cert.Interim, cert.ACME
	return nil
}

// addPublic adds what is known of the domain's public authority.
func (c *Controller) addPublic(s *DomainSubject, e Edge, holds map[string]CertHold) {
	want := c.edge.Authorities.Choose(e.TLS.Issuer)
	s.Source, s.Wildcards = FromPublic, true
	s.ACME = ACMESubject{Directory: want.Issuer, Email: e.TLS.Issuer.Email, KeyID: e.TLS.Issuer.KeyID, External: want.External}
	s.Answers = c.edge.Authorities.ByHTTP(CertRequest{App: s.App, Domain: s.Domain, Settings: e.TLS.Issuer})
	for _, l := range e.Leaves {
		s.Interim = s.Interim || l.Domain == s.Domain && l.Issuer == ""
	}
	if h := holds[want.Account]; h.Failures > 0 && c.now().Before(h.NextTry) {
		s.ACME.Last = &ACMEFailure{Time: h.LastTry, Problem: h.Problem, Message: h.Message, Next: h.NextTry}
		return
	}
	for _, a := range e.Attempts {
		if a.Domain == s.Domain && a.Account == want.Account && a.Issuer == want.Issuer && a.Problem != CertNone {
			s.Wildcards = a.Problem != CertWildcard
			s.ACME.Last = &ACMEFailure{Time: a.LastTry, Problem: a.Problem, Message: a.Message, Next: a.NextTry}
		}
	}
}

// hidden says why the gateway shows nothing of an app.
func (c *Controller) hidden(ctx context.Context, a platform.App) (why, cure string, err error) {
	settings, err := c.store.FindSettings(ctx, a.ID)
	if err != nil {
		return "", "", err
	}
	served, err := c.servedPtypes(ctx, a)
	switch {
	case err != nil:
		return "", "", err
	case !settings.Routable:
		return "routing of the app is off, so the gateway does not show it", "drycc routing enable -a " + a.ID, nil
	case served == nil:
		return "no release of the app has succeeded yet, so the gateway does not show it", "deploy it: drycc pull <image> -a " + a.ID, nil
	}
	return "", "", nil
}

// addresses are the platform's.
func (c *Controller) addresses() []netip.Addr {
	var out []netip.Addr
	for _, a := range c.edge.Addresses() {
		if addr, err := netip.ParseAddr(a.Value); err == nil {
			out = append(out, addr)
		}
	}
	return out
}

// CheckAll is for the platform's operator: it looks at the platform's names
// and the domains of all apps, or at one of these, and tells found of each in
// turn. NotFound when nobody has the domain.
func (c *Controller) CheckAll(ctx context.Context, domain string, found func(platform.Diagnosis)) error {
	if c.edge.Diagnoser == nil {
		return platform.Errorf(platform.Unprocessable, "this platform cannot look at domains from outside")
	}
	want := ""
	if domain != "" {
		var err error
		if want, err = hostName(domain); err != nil {
			return err
		}
	}
	known := false
	tell := func(subjects []DomainSubject) {
		if want != "" {
			subjects = slices.DeleteFunc(subjects, func(s DomainSubject) bool { return s.Domain != want })
		}
		known = known || len(subjects) > 0
		for _, d := range c.diagnose(ctx, subjects) {
			found(d)
		}
	}
	var platforms []DomainSubject
	for _, name := range []string{"drycc." + c.domain, "*." + c.domain} {
		s := DomainSubject{Domain: name, Addresses: c.addresses()}
		if err := c.addOwn(ctx, &s); err != nil {
			return err
		}
		platforms = append(platforms, s)
	}
	tell(platforms)
	for p := (Page{Limit: mostChecks}); ctx.Err() == nil; p.Offset += p.Limit {
		apps, _, err := c.store.ListApps(ctx, AppFilter{}, p)
		if err != nil {
			return err
		}
		for _, a := range apps {
			subjects, err := c.subjects(ctx, a)
			if platform.CodeOf(err) == platform.NotFound {
				continue // deleted meanwhile
			}
			if err != nil {
				return err
			}
			tell(subjects)
		}
		if len(apps) < p.Limit {
			break
		}
	}
	if want != "" && !known && ctx.Err() == nil {
		return platform.Errorf(platform.NotFound, "no app has the domain %s: add it with drycc domains add %s -a <app>", want, want)
	}
	return ctx.Err()
}
