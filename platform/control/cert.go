package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// NewCert is what AddCert needs, all in PEM.
type NewCert struct{ Name, Certificate, Key string }

// Verbs about certificates take an app. Where it is empty they mean the
// certificates of all apps of the actor and the actor's own, which belong to
// no app and serve domains of any.

// ListCerts lists certificates by ID.
func (c *Controller) ListCerts(ctx context.Context, actor Actor, app string, p Page) ([]platform.Cert, int, error) {
	if app == "" {
		return c.store.ListCerts(ctx, CertFilter{Username: actor.User.Username}, p)
	}
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return nil, 0, err
	}
	return c.store.ListCerts(ctx, CertFilter{App: app, OfApp: true}, p)
}

// FindCert finds a certificate by name.
func (c *Controller) FindCert(ctx context.Context, actor Actor, app, name string) (platform.Cert, error) {
	return c.certFor(ctx, actor, app, name, platform.Viewer)
}

// certFor finds a certificate that the actor wants to use as need.
func (c *Controller) certFor(ctx context.Context, actor Actor, app, name string, need platform.Role) (platform.Cert, error) {
	f := CertFilter{App: app, OfApp: true, Name: name}
	if app == "" {
		f = CertFilter{Username: actor.User.Username, Name: name}
	} else if _, err := c.appFor(ctx, actor, app, need); err != nil {
		return platform.Cert{}, err
	}
	if platform.ValidateCertName(name) != nil {
		return platform.Cert{}, noMatch("Certificate")
	}
	list, _, err := c.store.ListCerts(ctx, f, Page{})
	if err != nil {
		return platform.Cert{}, err
	}
	if own := slices.IndexFunc(list, func(cert platform.Cert) bool { return cert.App == "" }); own >= 0 {
		return list[own], nil
	}
	switch len(list) {
	case 0:
		return platform.Cert{}, noMatch("Certificate")
	case 1:
		_, err := c.appFor(ctx, actor, list[0].App, need)
		return list[0], err
	}
	return platform.Cert{}, platform.Errorf(platform.Conflict,
		"several of your apps have a certificate %s: say which app, at /v2/apps/{app}/certs/%s", name, name)
}

// AddCert keeps a certificate and its key, after checking that they belong
// together and can be served.
func (c *Controller) AddCert(ctx context.Context, actor Actor, app string, n NewCert) (platform.Cert, error) {
	// The lock of an actor's own certificates is no app's name.
	key := app
	if app == "" {
		key = "*" + actor.User.Username
	}
	unlock, err := c.records.lock(ctx, key)
	if err != nil {
		return platform.Cert{}, err
	}
	defer unlock()
	if app != "" {
		a, err := c.appFor(ctx, actor, app, platform.Member)
		if err != nil {
			return platform.Cert{}, err
		}
		if a.Deleting {
			return platform.Cert{}, platform.Errorf(platform.Conflict, "%s is being deleted", app)
		}
	}
	if err := platform.ValidateCertName(n.Name); err != nil {
		return platform.Cert{}, err
	}
	if err := c.reserved.Check("name", n.Name); err != nil {
		return platform.Cert{}, err
	}
	now := c.now()
	cert, err := platform.ReadCert([]byte(n.Certificate), []byte(n.Key), now)
	if err != nil {
		return platform.Cert{}, err
	}
	f := CertFilter{App: app, OfApp: true, Name: n.Name}
	if app == "" {
		f.Username = actor.User.Username
	}
	if _, count, err := c.store.ListCerts(ctx, f, Page{}); err != nil {
		return platform.Cert{}, err
	} else if count > 0 {
		return platform.Cert{}, platform.FieldErrorf("name", "Certificate with this name already exists. Choose another, or remove that one first.")
	}
	cert.App, cert.Owner, cert.Name, cert.Created, cert.Updated = app, actor.User.Username, n.Name, now, now
	return c.store.AddCert(ctx, cert, []byte(n.Key))
}

// DeleteCert removes a certificate; domains that it is attached to lose it.
func (c *Controller) DeleteCert(ctx context.Context, actor Actor, app, name string) error {
	cert, err := c.certFor(ctx, actor, app, name, platform.Admin)
	if err != nil {
		return err
	}
	var apps []string
	for _, domain := range cert.Domains {
		d, err := c.store.FindDomain(ctx, domain)
		if err != nil {
			return err
		}
		if slices.Contains(apps, d.App) {
			continue
		}
		apps = append(apps, d.App)
		if _, err := c.store.AddWork(ctx, Work{App: d.App, Kind: WorkEdge}); err != nil {
			return err
		}
	}
	err = c.store.DeleteCert(ctx, cert.ID, c.now())
	for _, a := range apps {
		c.queue.add(a)
	}
	return err
}

// AttachCert serves a domain of an app with a certificate that is valid for it.
func (c *Controller) AttachCert(ctx context.Context, actor Actor, app, name, domain string) error {
	return c.changeAttachment(ctx, actor, app, name, domain, platform.Member, func(a platform.App, cert platform.Cert, d platform.Domain) error {
		if d.CertID == cert.ID {
			return platform.Errorf(platform.Conflict, "%s is attached to %s already", cert.Name, d.Name)
		}
		if d.CertID != 0 {
			return platform.Errorf(platform.Conflict, "%s is served with %s; detach that first", d.Name, d.Cert)
		}
		if err := c.checkAttach(ctx, a, cert, d); err != nil {
			return err
		}
		return c.changeEdge(ctx, a.ID, func() error { return c.store.AttachCert(ctx, a.ID, d.Name, cert.ID, c.now()) })
	})
}

// DetachCert ends that a domain is served with a certificate.
func (c *Controller) DetachCert(ctx context.Context, actor Actor, app, name, domain string) error {
	return c.changeAttachment(ctx, actor, app, name, domain, platform.Admin, func(a platform.App, cert platform.Cert, d platform.Domain) error {
		if d.CertID != cert.ID {
			return noDomain()
		}
		return c.changeEdge(ctx, a.ID, func() error { return c.store.AttachCert(ctx, a.ID, d.Name, 0, c.now()) })
	})
}

// changeAttachment finds certificate and domain and does change while it holds
// the domain's app and all host names.
func (c *Controller) changeAttachment(ctx context.Context, actor Actor, app, name, domain string, need platform.Role,
	change func(platform.App, platform.Cert, platform.Domain) error) error {
	if _, err := c.certFor(ctx, actor, app, name, need); err != nil {
		return err
	}
	owner, err := c.appOfDomain(ctx, actor, app, domain)
	if err != nil {
		return err
	}
	a, unlock, err := c.holdNames(ctx, actor, owner, need)
	if err != nil {
		return err
	}
	defer unlock()
	cert, err := c.certFor(ctx, actor, app, name, need) // again: it may be gone by now
	if err != nil {
		return err
	}
	d, err := c.domainOf(ctx, a.ID, domain)
	if platform.CodeOf(err) == platform.NotFound {
		return noDomain()
	}
	if err != nil {
		return err
	}
	if cert.App != "" && cert.App != a.ID {
		return noDomain()
	}
	return change(a, cert, d)
}

// appOfDomain is app, or else the app that has the domain. An app that the
// actor cannot see has none.
func (c *Controller) appOfDomain(ctx context.Context, actor Actor, app, domain string) (string, error) {
	if app != "" {
		return app, nil
	}
	host, err := hostName(domain)
	if err != nil {
		return "", noDomain()
	}
	owner := labelOf(host, c.domain)
	if d, err := c.store.FindDomain(ctx, host); err == nil {
		owner = d.App
	} else if platform.CodeOf(err) != platform.NotFound {
		return "", err
	}
	if _, err := c.appFor(ctx, actor, owner, platform.Viewer); err != nil {
		if code := platform.CodeOf(err); code == platform.Forbidden || code == platform.NotFound {
			return "", noDomain()
		}
		return "", err
	}
	return owner, nil
}

// stampLayout is how messages show a moment, in UTC.
const stampLayout = "2006-01-02 15:04:05 UTC"

func notYours(cert platform.Cert, host string) error {
	return platform.FieldErrorf("domain", "the certificate %s is also for %s, which is not yours: use one for your own names only", cert.Name, host)
}

// someNames are names of a certificate, not too many for a message.
func someNames(cert platform.Cert) string {
	const most = 5
	names := cert.Names()
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// noDomain is the answer when the app to which a certificate belongs has no
// such domain, whoever else may have it.
func noDomain() error {
	return platform.Errorf(platform.NotFound, "No Domain matches the given query. The app has none of that name: add it first, with drycc domains add.")
}

// checkAttach checks that the certificate is good for the domain and speaks
// for nobody else: the gateway chooses certificates by name over all apps.
func (c *Controller) checkAttach(ctx context.Context, a platform.App, cert platform.Cert, d platform.Domain) error {
	if !c.now().Before(cert.Expires) {
		return platform.Errorf(platform.Invalid, "the certificate %s expired on %s: upload a renewed one under another name and attach that",
			cert.Name, cert.Expires.Format(stampLayout))
	}
	if c.now().Before(cert.Starts) {
		return platform.Errorf(platform.Invalid, "the certificate %s is valid from %s only: attach it then, or set the clock of the host if that has passed",
			cert.Name, cert.Starts.Format(stampLayout))
	}
	if !cert.Covers(d.Name) {
		return platform.FieldErrorf("domain", "the certificate %s is for %s, not for %s: attach it to one of these, or upload one for %s",
			cert.Name, someNames(cert), d.Name, d.Name)
	}
	var names []string
	for _, name := range append([]string{cert.CommonName}, cert.SAN...) {
		names = append(names, strings.ToLower(name))
	}
	claims, err := c.store.ListClaims(ctx, a.ID, names)
	if err != nil {
		return err
	}
	for _, host := range names {
		if host == "" || host == d.Name {
			continue
		}
		if err := c.checkPlatformHost(ctx, a, host); err != nil && host != c.Host(a.ID) {
			var e *platform.Error
			if !errors.As(err, &e) || e.Code != platform.Invalid {
				return err
			}
			return notYours(cert, host)
		}
		if slices.ContainsFunc(claims, func(cl Claim) bool { return !cl.Cert && cl.Workspace != a.Workspace && cl.Name == host }) {
			return notYours(cert, host)
		}
	}
	return nil
}
