package control

import (
	"context"
	"slices"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// namesLock is held, after the app's, while host names are checked and taken.
// It is no app's name.
const namesLock = "*names"

func hostTaken(host string) error {
	return platform.FieldErrorf("domain", "The domain %s is already in use by another app: remove it there first, or choose another name", host)
}

// defaultDomain is the name that every app has.
func (c *Controller) defaultDomain(a platform.App) platform.Domain {
	return platform.Domain{App: a.ID, Name: c.Host(a.ID), Ptype: platform.WebPtype, Created: a.Created, Updated: a.Created}
}

// ListDomains lists the app's own domain, then the others by name.
func (c *Controller) ListDomains(ctx context.Context, actor Actor, app string, p Page) ([]platform.Domain, int, error) {
	a, err := c.appFor(ctx, actor, app, platform.Viewer)
	if err != nil {
		return nil, 0, err
	}
	e, err := c.store.FindEdge(ctx, app)
	if err != nil {
		return nil, 0, err
	}
	all := append([]platform.Domain{c.defaultDomain(a)}, e.Domains...)
	return paged(all, p), len(all), nil
}

// paged cuts one page out of a whole list.
func paged[T any](all []T, p Page) []T {
	limit := p.Limit
	if limit <= 0 {
		limit = 100
	}
	from := min(max(p.Offset, 0), len(all))
	return all[from:min(from+limit, len(all))]
}

// AddDomain lets an app answer to a name. The name may be Unicode; ptype empty
// is web. A name that is taken, or the platform's, is Invalid.
func (c *Controller) AddDomain(ctx context.Context, actor Actor, app, name, ptype string) (platform.Domain, error) {
	if ptype == "" {
		ptype = platform.WebPtype
	}
	if err := c.checkPtype("ptype", ptype); err != nil {
		return platform.Domain{}, err
	}
	host, err := hostName(name)
	if err != nil {
		return platform.Domain{}, err
	}
	a, unlock, err := c.holdNames(ctx, actor, app, platform.Member)
	if err != nil {
		return platform.Domain{}, err
	}
	defer unlock()
	if err := c.checkHost(ctx, a, host); err != nil {
		return platform.Domain{}, err
	}
	now := c.now()
	d := platform.Domain{App: app, Name: host, Ptype: ptype, Created: now, Updated: now}
	return d, c.changeEdge(ctx, app, func() error { return c.store.AddDomain(ctx, d) })
}

// RemoveDomain takes a name from an app. Its own name stays.
func (c *Controller) RemoveDomain(ctx context.Context, actor Actor, app, name string) error {
	_, unlock, err := c.hold(ctx, actor, app, platform.Admin)
	if err != nil {
		return err
	}
	defer unlock()
	d, err := c.domainOf(ctx, app, name)
	if err != nil {
		return err
	}
	return c.changeEdge(ctx, app, func() error { return c.store.DeleteDomain(ctx, app, d.Name, c.now()) })
}

// domainOf finds a domain of the app by the name as a user writes it.
func (c *Controller) domainOf(ctx context.Context, app, name string) (platform.Domain, error) {
	host, err := hostName(name)
	if err != nil {
		return platform.Domain{}, noMatch("Domain")
	}
	if host == c.Host(app) {
		return platform.Domain{}, platform.Errorf(platform.Invalid,
			"%s is the app's own name: it stays, and is served with the platform's certificate", host)
	}
	d, err := c.store.FindDomain(ctx, host)
	if err == nil && d.App != app {
		return platform.Domain{}, noMatch("Domain")
	}
	return d, err
}

// holdNames is hold with the lock on all host names.
func (c *Controller) holdNames(ctx context.Context, actor Actor, app string, need platform.Role) (platform.App, func(), error) {
	a, unlock, err := c.hold(ctx, actor, app, need)
	if err != nil {
		return a, nil, err
	}
	free, err := c.records.lock(ctx, namesLock)
	if err != nil {
		unlock()
		return a, nil, err
	}
	return a, func() { free(); unlock() }, nil
}

// changeEdge makes a change that the cluster has to follow: that it does is
// recorded first.
func (c *Controller) changeEdge(ctx context.Context, app string, change func() error) error {
	if _, err := c.store.AddWork(ctx, Work{App: app, Kind: WorkEdge}); err != nil {
		return err
	}
	defer c.queue.add(app)
	return change()
}

// checkHost refuses a name that is somebody else's, or the platform's.
func (c *Controller) checkHost(ctx context.Context, a platform.App, host string) error {
	if err := c.checkPlatformHost(ctx, a, host); err != nil {
		return err
	}
	if _, err := c.store.FindDomain(ctx, host); err == nil {
		return hostTaken(host)
	} else if platform.CodeOf(err) != platform.NotFound {
		return err
	}
	claims, err := c.store.ListClaims(ctx, a.ID, append([]string{host}, wildcardsOver(host)...))
	if err != nil {
		return err
	}
	for _, claim := range claims {
		// The gateway chooses certificates by name over all apps, an exact name
		// before a wildcard: the same name in the certificate of a stranger
		// could be served for this one.
		if claim.Workspace != a.Workspace && (claim.Name != host && !claim.Cert || claim.Name == host && claim.Cert) {
			return hostTaken(host)
		}
	}
	parent, wildcard := strings.CutPrefix(host, "*.")
	if !wildcard {
		return nil
	}
	if claims, err = c.store.ListBelow(ctx, a.Workspace, parent); err != nil || len(claims) == 0 {
		return err
	}
	return platform.FieldErrorf("domain", "%s covers names of another workspace: name the domains that you need one by one", host)
}

// wildcardsOver are the wildcards that cover a host. The gateway lets a longer
// path under a wildcard win over the whole host: whoever has the wildcard could
// take requests of the host.
func wildcardsOver(host string) (list []string) {
	host = strings.TrimPrefix(host, "*.")
	for {
		_, parent, ok := strings.Cut(host, ".")
		if !ok {
			return list
		}
		list = append(list, "*."+parent)
		host = parent
	}
}

// platformLabels are names below the platform's domain that it uses itself,
// besides the reserved ones.
func platformLabels() []string { return []string{"registry", "metrics", "grafana", "storage", "git"} }

// checkPlatformHost guards the platform's domains and the names of apps in
// them. Clients that have not heard of a move send passwords to former ones.
func (c *Controller) checkPlatformHost(ctx context.Context, a platform.App, host string) error {
	if host == c.Host(a.ID) {
		return hostTaken(host)
	}
	for _, domain := range c.domains() {
		if err := c.checkBelow(ctx, a, host, domain); err != nil {
			return err
		}
	}
	return nil
}

// checkBelow guards one of the platform's domains.
func (c *Controller) checkBelow(ctx context.Context, a platform.App, host, domain string) error {
	taken := func() error {
		return platform.FieldErrorf("domain", "%s is the platform's: choose a name of your own, or one below the app's, %s", host, c.Host(a.ID))
	}
	if host == domain || platform.HostsMeet(host, domain) || platform.HostsMeet(host, "*."+domain) && strings.HasPrefix(host, "*.") {
		return taken()
	}
	label := labelOf(host, domain)
	if label == "" || label == a.ID {
		return nil
	}
	if slices.Contains(platformLabels(), label) || c.reserved.Check("domain", label) != nil {
		return taken()
	}
	_, err := c.store.FindApp(ctx, label)
	switch {
	case err == nil:
		return hostTaken(host)
	case platform.CodeOf(err) == platform.NotFound:
		return nil
	}
	return err
}

// labelOf is the label of host right below a domain of the platform: the app
// whose name it would be. Empty for hosts elsewhere.
func labelOf(host, domain string) string {
	below, ok := strings.CutSuffix(host, "."+domain)
	if !ok {
		return ""
	}
	return below[strings.LastIndexByte(below, '.')+1:]
}

// checkAddress refuses an app whose own name another one has as a domain.
func (c *Controller) checkAddress(ctx context.Context, id string) error {
	d, err := c.store.FindDomain(ctx, c.Host(id))
	switch {
	case err == nil && d.App != id:
		return platform.FieldErrorf("id", "%s would be the address of the app and is a domain of another one.", d.Name)
	case platform.CodeOf(err) == platform.NotFound:
		return nil
	}
	return err
}
