package control

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// throttle slows down password guessing. Failures are counted for each pair of
// user and remote address, for each user, and for each remote; past a counter's
// allowance every further failure doubles the wait, up to 15 minutes. A counter
// forgets after an hour without failure. A user's own counter is generous, so
// that strangers elsewhere can't lock somebody out with a few guesses.
type throttle struct {
	mu    sync.Mutex
	clock func() time.Time
	seen  map[string]*failures
}

type failures struct {
	count int
	last  time.Time
	until time.Time
}

const (
	pairAllowance   = 10
	userAllowance   = 50
	remoteAllowance = 50
	throttleMemory  = time.Hour
	throttleMax     = 15 * time.Minute
	throttleEntries = 30000 // some 4 MB at worst
)

func newThrottle(clock func() time.Time) *throttle {
	return &throttle{clock: clock, seen: map[string]*failures{}}
}

type counter struct {
	key       string
	allowance int
}

// counters lists what an attempt counts for. One that names no user, such as
// presenting a foreign token, counts for its address alone.
func counters(username, remote string) []counter {
	remote = network(remote)
	from := counter{"from\x00" + remote, remoteAllowance}
	if username == "" {
		return []counter{from}
	}
	return []counter{
		from,
		{"user\x00" + username, userAllowance},
		{"pair\x00" + username + "\x00" + remote, pairAllowance},
	}
}

// network is what one client has of addresses: an IPv4 address, or the /64
// that every IPv6 client can choose from.
func network(remote string) string {
	addr, err := netip.ParseAddr(remote)
	if err != nil || !addr.Is6() || addr.Is4In6() {
		return remote
	}
	prefix, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return remote
	}
	return prefix.String()
}

// allow counts the attempt as a failure until succeed takes that back, so that
// guesses made at the same time can't slip past the limit together. The error
// is Throttled and says how long to wait.
func (t *throttle) allow(username, remote string) error {
	return t.attempt(counters(username, remote)...)
}

// attempt is allow for counters of its own.
func (t *throttle) attempt(counts ...counter) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock()
	for _, c := range counts {
		if f := t.seen[c.key]; f != nil && now.Before(f.until) {
			seconds := int(f.until.Sub(now)/time.Second) + 1
			return platform.Errorf(platform.Throttled, "Request was throttled. Expected available in %s.", plural(seconds))
		}
	}
	t.forget(now)
	for _, c := range counts {
		t.fail(c, now)
	}
	return nil
}

func plural(seconds int) string {
	if seconds == 1 {
		return "1 second"
	}
	return fmt.Sprintf("%d seconds", seconds)
}

func (t *throttle) fail(c counter, now time.Time) {
	f := t.seen[c.key]
	if f == nil || now.Sub(f.last) > throttleMemory {
		f = &failures{}
		t.seen[c.key] = f
	}
	f.count++
	f.last = now
	if over := f.count - c.allowance; over >= 0 {
		f.until = now.Add(min(time.Second<<min(over, 20), throttleMax))
	}
}

// succeed clears the pair and takes back this attempt from the others, which
// keep what else they saw.
func (t *throttle) succeed(username, remote string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := counters(username, remote)
	if len(all) == 3 {
		delete(t.seen, all[2].key)
	}
	t.takeBack(all[:min(len(all), 2)])
}

// pardon takes an attempt back that nobody could judge.
func (t *throttle) pardon(username, remote string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.takeBack(counters(username, remote))
}

func (t *throttle) takeBack(attempt []counter) {
	for _, c := range attempt {
		if f := t.seen[c.key]; f != nil {
			f.count--
			if f.count < c.allowance {
				f.until = time.Time{}
			}
			if f.count <= 0 {
				delete(t.seen, c.key)
			}
		}
	}
}

// forget keeps the map bounded: past its size the stale entries go, and if
// that is not enough, all that block nobody.
func (t *throttle) forget(now time.Time) {
	if len(t.seen) < throttleEntries {
		return
	}
	for key, f := range t.seen {
		if now.Sub(f.last) > throttleMemory {
			delete(t.seen, key)
		}
	}
	for key, f := range t.seen {
		if len(t.seen) < throttleEntries*3/4 {
			return
		}
		if !now.Before(f.until) {
			delete(t.seen, key)
		}
	}
}
