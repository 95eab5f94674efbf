package diagnose

import (
	"net/netip"
	"slices"
)

// neverAsked are networks that lead nowhere a domain should: this network,
// carrier's, benchmarks, protocol assignments, translations of IPv4 into IPv6
// by which a private address could hide, and what is reserved.
func neverAsked() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2002::/16", "fec0::/10",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// mayAsk returns why an address may not be asked; empty when it may.
func (e *exam) mayAsk(a netip.Addr) string {
	a = a.Unmap()
	if slices.Contains(e.s.Addresses, a) {
		return ""
	}
	in := func(p netip.Prefix) bool { return p.Contains(a) }
	switch {
	case a.IsLoopback():
		return "it is the machine's own"
	case a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast(), slices.ContainsFunc(neverAsked(), in):
		return "nothing can be served there"
	case slices.ContainsFunc(e.o.Forbidden, in):
		return "it is inside the cluster"
	case a.IsPrivate() && !e.private():
		return "it is in a private network"
	}
	return ""
}

// private reports that the platform itself is not on the public network.
func (e *exam) private() bool {
	return !slices.ContainsFunc(e.s.Addresses, func(a netip.Addr) bool { return !a.IsPrivate() && !a.IsLoopback() })
}
