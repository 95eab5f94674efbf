package api

import (
	"crypto/sha256"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is a token bucket: so many requests a second, and so many at once.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Limits are the rate limits of the listener. A request with credentials is
// held against Token (of those credentials) and against Remote (of its
// address, so that made-up credentials do not help); one without is held
// against Anonymous (of its address).
type Limits struct {
	Anonymous Rate
	Token     Rate
	Remote    Rate
	// Keys is how many buckets are remembered at least; never more than twice
	// as many are kept. Those unused for longest are forgotten first.
	Keys int
}

// DefaultLimits are generous: a person or a CI run never meets them.
func DefaultLimits() Limits {
	return Limits{
		Anonymous: Rate{PerSecond: 20, Burst: 200},
		Token:     Rate{PerSecond: 50, Burst: 400},
		Remote:    Rate{PerSecond: 200, Burst: 1000},
		Keys:      4096,
	}
}

// orDefault fills the zero fields.
func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ have, want *Rate }{
		{&l.Anonymous, &d.Anonymous}, {&l.Token, &d.Token}, {&l.Remote, &d.Remote},
	} {
		if *f.have == (Rate{}) {
			*f.have = *f.want
		}
	}
	if l.Keys == 0 {
		l.Keys = d.Keys
	}
	return l
}

// bucketKey names a bucket; credentials appear as their hash only.
type bucketKey struct {
	kind byte // 'a' anonymous, 't' token, 'r' remote
	sum  [sha256.Size]byte
}

// limiter keeps two generations of buckets. New and used buckets live in the
// young one; when that is full it becomes the old one, and what was in the old
// one and not used since is forgotten. So memory is bounded and no sweep runs.
type limiter struct {
	limits Limits

	mu    sync.Mutex
	young map[bucketKey]*rate.Limiter
	old   map[bucketKey]*rate.Limiter
}

// newLimiter returns a limiter with no buckets.
func newLimiter(l Limits) *limiter {
	return &limiter{limits: l, young: map[bucketKey]*rate.Limiter{}, old: map[bucketKey]*rate.Limiter{}}
}

// allow takes one request from the buckets it belongs to. When one is empty it
// takes nothing and says how long to wait.
func (l *limiter) allow(now time.Time, remote, credentials string) (time.Duration, bool) {
	if credentials == "" {
		return l.take(now, bucketKey{'a', sha256.Sum256([]byte(remote))}, l.limits.Anonymous)
	}
	if wait, ok := l.take(now, bucketKey{'r', sha256.Sum256([]byte(remote))}, l.limits.Remote); !ok {
		return wait, false
	}
	return l.take(now, bucketKey{'t', sha256.Sum256([]byte(credentials))}, l.limits.Token)
}

// take takes one request from one bucket.
func (l *limiter) take(now time.Time, key bucketKey, r Rate) (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key, r)
	if b.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - b.TokensAt(now)
	return time.Duration(missing / r.PerSecond * float64(time.Second)), false
}

// bucket finds or makes the bucket and keeps it young.
func (l *limiter) bucket(key bucketKey, r Rate) *rate.Limiter {
	if b, ok := l.young[key]; ok {
		return b
	}
	b, ok := l.old[key]
	if !ok {
		b = rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)
	}
	if len(l.young) >= l.limits.Keys {
		l.old, l.young = l.young, make(map[bucketKey]*rate.Limiter)
	}
	l.young[key] = b
	return b
}
