package rehome

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Interface is one of the host's with its addresses.
type Interface struct {
	Name      string
	Addresses []netip.Addr
}

// Interfaces lists the host's.
func Interfaces() ([]Interface, error) {
	found, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("network interfaces: %w", err)
	}
	var list []Interface
	for _, f := range found {
		addresses, err := f.Addrs()
		if err != nil {
			continue // it went away meanwhile
		}
		i := Interface{Name: f.Name}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				i.Addresses = append(i.Addresses, p.Addr().Unmap())
			}
		}
		list = append(list, i)
	}
	return list, nil
}

// Wanted is what is known of the address that the node should have.
type Wanted struct {
	Set    string // by the settings; empty when they leave it open
	Last   string // the node had; empty at the first start
	On     string // interface that Last was on; empty when not known
	Chosen string // that k3s would take: of the interface with the default route; empty when there is none
	// Inside are the networks of pods and services, whose addresses are not the
	// node's.
	Inside []netip.Prefix
}

// Gone says that the address of the node is not on this host any more, and why
// no other one could be taken for it.
type Gone struct {
	Address    string
	Candidates []string
}

// Error says what to run.
func (e *Gone) Error() string {
	if len(e.Candidates) == 0 {
		return fmt.Sprintf("the address of this node, %s, is not on any interface, and there is no other one; connect the network, then the server goes on by itself", e.Address)
	}
	return fmt.Sprintf("the address of this node, %s, is not on any interface any more, and any of %s may be the new one; run \"slipway rehome --ip %s\" with the one by which others reach this host",
		e.Address, strings.Join(e.Candidates, ", "), e.Candidates[0])
}

// Find is the address that the node has from now on, and its interface. An
// address that is still there stays. One that went away is replaced when there
// is no doubt by which: it is the only one left, or the only one of the
// interface that the old one was on. Else the error is a *Gone.
func Find(w Wanted, have []Interface) (address, on string, err error) {
	for _, a := range []string{w.Set, w.Last} {
		if a == "" {
			continue
		}
		if name := holder(have, a); name != "" {
			return a, name, nil
		}
	}
	old := w.Last
	if w.Set != "" {
		old = w.Set
	}
	if old == "" {
		if w.Chosen == "" {
			return "", "", fmt.Errorf("this host has no interface with a default route; set SLIPWAY_NODE_IP to the address by which others reach it")
		}
		return w.Chosen, holder(have, w.Chosen), nil
	}
	all, same := candidates(w, old, have)
	switch {
	case len(same) == 1:
		return same[0], w.On, nil
	case len(all) == 1:
		return all[0], holder(have, all[0]), nil
	}
	return "", "", &Gone{Address: old, Candidates: all}
}

// candidates are the addresses that could be the node's: all, and those on the
// interface that had the old one.
func candidates(w Wanted, old string, have []Interface) (all, same []string) {
	was, _ := netip.ParseAddr(old)
	for _, i := range have {
		if foreign(i.Name) {
			continue
		}
		for _, a := range i.Addresses {
			if !a.IsGlobalUnicast() || was.IsValid() && a.Is4() != was.Is4() ||
				slices.ContainsFunc(w.Inside, func(p netip.Prefix) bool { return p.Contains(a) }) {
				continue
			}
			all = append(all, a.String())
			if w.On != "" && i.Name == w.On {
				same = append(same, a.String())
			}
		}
	}
	return all, same
}

// Usable lists the addresses by which others may reach the host, each with its
// interface: "192.0.2.5 (eth0)".
func Usable(have []Interface, inside []netip.Prefix) (list []string) {
	for _, i := range have {
		all, _ := candidates(Wanted{Inside: inside}, "", []Interface{i})
		for _, a := range all {
			list = append(list, fmt.Sprintf("%s (%s)", a, i.Name))
		}
	}
	return list
}

// foreign are interfaces by which nobody outside reaches the host: bridges and
// tunnels of container networks.
func foreign(name string) bool {
	return slices.ContainsFunc([]string{"lo", "cni", "flannel", "veth", "docker", "br-", "virbr", "kube-", "podman", "lxc"},
		func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

func holder(have []Interface, address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	for _, i := range have {
		if slices.Contains(i.Addresses, a.Unmap()) {
			return i.Name
		}
	}
	return ""
}

// Has reports whether an address is on one of the interfaces.
func Has(have []Interface, address string) bool { return holder(have, address) != "" }
