package diagnose

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/slipway-paas/slipway/platform"
)

// resolve looks the name up.
func (e *exam) resolve(ctx context.Context) {
	var err error
	e.found, err = e.lookup(ctx, e.name)
	want := fmt.Sprintf("make a record A for %s with %s at the domain's DNS provider", e.s.Domain, e.ours())
	switch {
	case err != nil:
		e.fail(DNS, err.Error(), "the platform cannot ask the DNS, so no name can be checked",
			"see that the servers in the host's /etc/resolv.conf can be reached from it, on port 53")
	case e.found.local:
		e.ok(DNS, "names below localhost are the machine's that asks")
	case len(e.found.all()) > 0:
		e.ok(DNS, e.found.text())
	case e.found.rcode == dns.RcodeServerFailure || e.found.rcode == dns.RcodeRefused:
		e.fail(DNS, dns.RcodeToString[e.found.rcode], "the domain's name servers do not answer, or DNSSEC is broken",
			"have the domain's DNS provider mend its name servers or the DS record at the registrar")
	case len(e.found.aliases) > 0:
		e.fail(DNS, e.found.text(), "the name is an alias of one that has no address",
			"let the CNAME lead to a name of the platform, or "+want)
	case e.found.rcode == dns.RcodeNameError:
		e.fail(DNS, "NXDOMAIN", "the name does not exist in the DNS", want)
	default:
		e.fail(DNS, "no A and no AAAA record", "the name exists and has no address", want)
	}
}

// pointsHere compares the addresses with the platform's. One that is not the
// platform's may be a router's or a balancer's in front of it: then the
// platform is met through it.
func (e *exam) pointsHere(ctx context.Context) {
	if e.broken(DNS) {
		e.skip(Points, "the name has no address")
		return
	}
	if e.found.local {
		e.here = e.s.Addresses
		e.ok(Points, "on this machine only")
		return
	}
	var elsewhere, through []string
	unseen := false
	for _, a := range e.found.all() {
		if slices.Contains(e.s.Addresses, a) {
			e.here = append(e.here, a)
			continue
		}
		met, how, dark := e.meets(ctx, a)
		if met {
			e.here = append(e.here, a)
			through = append(through, a.String())
			continue
		}
		unseen = unseen || dark && !a.IsPrivate() // the way to a private one is no router's
		elsewhere = append(elsewhere, a.String()+" ("+how+")")
	}
	e.judgePoints(ctx, elsewhere, through, unseen)
}

func (e *exam) judgePoints(ctx context.Context, elsewhere, through []string, unseen bool) {
	others := strings.Join(elsewhere, ", ")
	oursNow, note := e.remembered(ctx)
	want := fmt.Sprintf("let A of %s be %s, and remove other A and AAAA records", e.s.Domain, e.ours())
	switch {
	case len(elsewhere) == 0 && len(through) == 0:
		e.okOrMoved(note != "" && !oursNow, note, "leads to "+join(e.here))
	case len(elsewhere) == 0:
		e.ok(Points, fmt.Sprintf("%s passes requests on to the platform at %s", strings.Join(through, ", "), e.ours()))
	case note != "" && oursNow:
		e.fail(Points, note, "the record was changed, and resolvers still remember the old one",
			fmt.Sprintf("wait up to %s until it is forgotten", e.found.ttl))
	case len(e.here) > 0:
		e.fail(Points, fmt.Sprintf("%s here; elsewhere: %s", join(e.here), others),
			"only a part of the addresses leads here: some visitors, and authorities, which prefer IPv6, come to another server", want)
	case unseen && e.private():
		e.dark = true
		e.warn(Points, fmt.Sprintf("%s, the platform is at %s", others, e.ours()),
			"the address is public, the platform's is private, and the way through the router cannot be seen from inside",
			"see that the router passes ports 80 and 443 on to "+e.ours()+", and look from another network: curl -I http://"+e.name)
	default:
		e.fail(Points, fmt.Sprintf("%s, the platform is at %s", others, e.ours()), "the name leads to another server", want)
	}
}

func (e *exam) okOrMoved(moved bool, note, evidence string) {
	if moved {
		e.warn(Points, evidence+"; "+note, "the record was changed, and what leads here now is what resolvers remember of the old one",
			fmt.Sprintf("let A of %s be %s again, or take the domain off the app", e.s.Domain, e.ours()))
		return
	}
	e.ok(Points, evidence)
}

// remembered asks the domain's own name servers. The note is not empty when
// they say something else than the resolver; ours when all that they say is
// the platform's.
func (e *exam) remembered(ctx context.Context) (ours bool, note string) {
	zone, says, answered := e.authority(ctx, e)
	if !answered {
		return false, ""
	}
	if len(says.aliases) > 0 { // the rest of the chain may be in other zones
		rest, err := e.lookup(ctx, says.aliases[len(says.aliases)-1])
		if err != nil {
			return false, ""
		}
		says.v4, says.v6 = rest.v4, rest.v6
	}
	same := func(a, b []netip.Addr) bool {
		return len(a) == len(b) && !slices.ContainsFunc(a, func(x netip.Addr) bool { return !slices.Contains(b, x) })
	}
	if same(says.v4, e.found.v4) && same(says.v6, e.found.v6) {
		return false, ""
	}
	foreign := func(a netip.Addr) bool { return !slices.Contains(e.s.Addresses, a) }
	return len(says.all()) > 0 && !slices.ContainsFunc(says.all(), foreign),
		fmt.Sprintf("the name servers of %s say %s, the resolver says %s", zone, says.text(), e.found.text())
}

// searchDomains asks whether the name means something else where a search
// domain is tried first, as in pods.
func (e *exam) searchDomains(ctx context.Context) {
	switch {
	case len(e.o.Search) == 0:
		e.skip(Search, "the host has no search domain")
		return
	case e.broken(DNS):
		e.skip(Search, "the name has no address")
		return
	}
	for _, domain := range e.o.Search {
		full := e.name + "." + strings.Trim(domain, ".")
		r, err := e.lookup(ctx, full)
		if err != nil || len(r.all()) == 0 {
			continue
		}
		e.warn(Search, full+" is "+r.text(),
			"a wildcard record below the search domain "+domain+" also answers for this name: programs on the host and in pods may be led there",
			"remove the search line from the host's /etc/resolv.conf, or the wildcard record of "+domain)
		return
	}
	e.ok(Search, "not known below "+strings.Join(e.o.Search, ", "))
}

// leadsHere reports whether it makes sense to ask the name for anything, and
// adds the link as skipped when not.
func (e *exam) leadsHere(id string) bool {
	switch {
	case e.broken(DNS):
		e.skip(id, "the name has no address")
	case e.s.Hidden != "" && id == HTTPS:
		e.skip(id, "the app is not shown")
	case e.dark:
		e.skip(id, "it cannot be seen from inside")
	case len(e.here) == 0:
		e.skip(id, "the name does not lead here")
	default:
		return true
	}
	return false
}

// wildcard reports a domain that stands for many.
func (e *exam) wildcard() bool { return platform.Domain{Name: e.s.Domain}.Wildcard() }
