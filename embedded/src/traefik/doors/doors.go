// Package doors opens the ports of a gateway when it has something to say there.
//
// Where another gateway serves on the same ports, one that starts keeps its own
// shut until it has routes: the kernel shares connections out among all that
// listen, and those of the newcomer would wait for it while the other could
// answer. Where nobody serves they are opened at once, so that connections wait
// instead of being refused.
package doors

import (
	"context"
	"net"
	"sync"
	"time"
)

// Set is open ports, to which connections come that wait until Start.
type Set[R any] struct {
	Switch      func(routers R) // from now on requests go these ways
	Start, Stop func()
}

// Doors are the ports of one gateway; R is what tells requests their way.
type Doors[R any] struct {
	Make func() (Set[R], error) // opens the ports

	mu     sync.Mutex
	set    *Set[R]
	latest *R
}

// Switch has requests go other ways, now or as soon as the ports are open.
func (d *Doors[R]) Switch(routers R) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.latest = &routers
	if d.set != nil {
		d.set.Switch(routers)
	}
}

// Open opens the ports once; connections wait.
func (d *Doors[R]) Open() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.set != nil {
		return nil
	}
	set, err := d.Make()
	if err != nil {
		return err
	}
	d.set = &set
	if d.latest != nil {
		set.Switch(*d.latest)
	}
	return nil
}

// Start answers connections.
func (d *Doors[R]) Start() error {
	if err := d.Open(); err != nil {
		return err
	}
	d.set.Start()
	return nil
}

// Stop ends what is open, after the requests under way.
func (d *Doors[R]) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.set != nil {
		d.set.Stop()
	}
}

// knock is how long somebody on this host may take to open.
const knock = 500 * time.Millisecond

// Served reports whether somebody takes connections at an address to listen at,
// as in ":80".
func Served(ctx context.Context, address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, knock)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
