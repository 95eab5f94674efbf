package gitssh

import (
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// dialPatience is how long a connection may take to come about.
const dialPatience = 20 * time.Second

// guard keeps connections to addresses that users name away from what only
// this machine and its cluster may reach. It looks at the address that is
// really called, after names were looked up, so no name leads past it.
type guard struct {
	allowed   []netip.Prefix
	forbidden func() []netip.Prefix
}

func (g guard) dialer() *net.Dialer {
	return &net.Dialer{Timeout: dialPatience, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !g.allows(at.Addr()) {
			return refused("The address %s is one of this machine, its cluster or its cloud, from which nothing is fetched. Its operator can allow it with SLIPWAY_FETCH_ALLOWED.", address)
		}
		return nil
	}}
}

// inside are addresses that are special everywhere, beside those that
// netip.Addr knows: this host, where clouds hand out credentials, and where
// IPv4 addresses hide in IPv6.
func inside() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("255.255.255.255/32"),
		netip.MustParsePrefix("100.100.100.200/32"), netip.MustParsePrefix("fd00:ec2::/32"), netip.MustParsePrefix("168.63.129.16/32"),
		netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
	}
}

func (g guard) allows(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(a) }
	if slices.ContainsFunc(g.allowed, in) {
		return true
	}
	if a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() || slices.ContainsFunc(inside(), in) {
		return false
	}
	return g.forbidden == nil || !slices.ContainsFunc(g.forbidden(), in)
}
