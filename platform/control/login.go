package control

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// logins are the logins that have begun and whose token was not fetched yet.
// They live in memory: a client whose controller restarts logs in again.
type logins struct {
	mu      sync.Mutex
	clock   func() time.Time
	pending map[string]pendingLogin
}

type pendingLogin struct {
	username string
	expires  time.Time
}

const (
	loginLife   = 30 * time.Minute
	maxPending  = 10000
	loginKeyLen = 16 // bytes, twice as many hex digits
)

func newLogins(clock func() time.Time) *logins {
	return &logins{clock: clock, pending: map[string]pendingLogin{}}
}

// put remembers username and returns the key that fetches its token once.
func (l *logins) put(username string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	if len(l.pending) >= maxPending {
		for key, p := range l.pending {
			if now.After(p.expires) {
				delete(l.pending, key)
			}
		}
	}
	if len(l.pending) >= maxPending {
		return "", platform.Errorf(platform.Throttled, "Too many logins are waiting to be completed. Try again later.")
	}
	raw := make([]byte, loginKeyLen)
	_, _ = rand.Read(raw) // never returns an error
	key := hex.EncodeToString(raw)
	l.pending[key] = pendingLogin{username: username, expires: now.Add(loginLife)}
	return key, nil
}

// take returns the user of key and forgets it; false when unknown or expired.
func (l *logins) take(key string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.pending[key]
	delete(l.pending, key)
	return p.username, ok && !l.clock().After(p.expires)
}
