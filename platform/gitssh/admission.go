package gitssh

import (
	"net"
	"net/netip"
	"sync"
)

// admission counts open connections, in all and by address.
type admission struct {
	total, perAddress int

	mu   sync.Mutex
	open int
	by   map[netip.Prefix]int
}

func newAdmission(total, perAddress int) *admission {
	return &admission{total: total, perAddress: perAddress, by: map[netip.Prefix]int{}}
}

// enter lets a connection in, or says no. leave takes it out again.
func (a *admission) enter(remote net.Addr) (leave func(), ok bool) {
	key := origin(remote)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open >= a.total || a.by[key] >= a.perAddress {
		return nil, false
	}
	a.open++
	a.by[key]++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.open--
		if a.by[key]--; a.by[key] == 0 {
			delete(a.by, key)
		}
	}, true
}

// origin is who counts as one: an IPv4 address, or the network of 64 bits that
// one owner of IPv6 addresses has.
func origin(remote net.Addr) netip.Prefix {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	address := tcp.AddrPort().Addr().Unmap()
	bits := 32
	if address.Is6() {
		bits = 64
	}
	prefix, err := address.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
