package control

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// logins are the logins that have begun and whose token was not fetched yet.
// They live in memory: a client whose controller restarts logs in again.
//
//	put ─────────────────► proven ──► take
//	open ──► prove ──────►   ▲
//	  └────► leave ──► back ─┘         (by way of an identity provider)
type logins struct {
	mu      sync.Mutex
	clock   func() time.Time
	proven  map[string]pendingLogin // by login key; the user is known
	open    map[string]pendingLogin // by login key; the browser has not been there yet
	abroad  map[string]trip         // by state; the browser is at the identity provider
	perHost map[string]int          // open logins by network of the client
}

type pendingLogin struct {
	username string
	remote   string
	begun    time.Time
	expires  time.Time
}

// trip is a browser's way to an identity provider and back.
type trip struct {
	loginKey, redirect, secret string
	browser                    string // what the browser has to bring back beside the state
	expires                    time.Time
}

const (
	loginLife   = 30 * time.Minute
	maxPending  = 10000
	maxPerHost  = 200 // open logins of one network
	loginKeyLen = 16  // bytes, twice as many hex digits
	stateLen    = 32
)

const tooManyLogins = "Too many logins are waiting to be completed. Try again later."

func newLogins(clock func() time.Time) *logins {
	return &logins{clock: clock, proven: map[string]pendingLogin{}, open: map[string]pendingLogin{},
		abroad: map[string]trip{}, perHost: map[string]int{}}
}

// put remembers username and returns the key that fetches its token once.
func (l *logins) put(username string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	if len(l.proven) >= maxPending {
		return "", platform.Errorf(platform.Throttled, tooManyLogins)
	}
	key, now := randomHex(loginKeyLen), l.clock()
	l.proven[key] = pendingLogin{username: username, begun: now, expires: now.Add(loginLife)}
	return key, nil
}

// begin remembers a login that a browser is to complete. Anybody can begin
// one, so they have room of their own, and each network only some of it.
func (l *logins) begin(remote string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	host := network(remote)
	if len(l.open) >= maxPending || l.perHost[host] >= maxPerHost {
		return "", platform.Errorf(platform.Throttled, tooManyLogins)
	}
	key, now := randomHex(loginKeyLen), l.clock()
	l.open[key] = pendingLogin{remote: remote, begun: now, expires: now.Add(loginLife)}
	l.perHost[host]++
	return key, nil
}

// find returns an open login.
func (l *logins) find(key string) (pendingLogin, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.open[key]
	return p, ok && !l.clock().After(p.expires)
}

// prove says who an open login is; false when it is not open (any more).
func (l *logins) prove(key, username string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.open[key]
	if !ok || l.clock().After(p.expires) {
		return false
	}
	l.close(key, p)
	p.username = username
	l.proven[key] = p
	return true
}

// take returns the user of key and forgets it; false when unknown, expired or
// still open.
func (l *logins) take(key string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.proven[key]
	delete(l.proven, key)
	return p.username, ok && !l.clock().After(p.expires)
}

// leave remembers a browser that goes to the identity provider and returns the
// state under which it comes back.
func (l *logins) leave(t trip) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	if len(l.abroad) >= maxPending {
		return "", platform.Errorf(platform.Throttled, tooManyLogins)
	}
	state := randomHex(stateLen)
	t.expires = l.clock().Add(loginLife)
	l.abroad[state] = t
	return state, nil
}

// keep adds the provider's secret to a trip.
func (l *logins) keep(state, secret string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t, ok := l.abroad[state]; ok {
		t.secret = secret
		l.abroad[state] = t
	}
}

// back ends a trip; false when the state is unknown, expired, or brought by
// another browser than the one that left. Every state works once.
func (l *logins) back(state, browser string) (trip, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.abroad[state]
	if !ok || subtle.ConstantTimeCompare([]byte(t.browser), []byte(browser)) != 1 || browser == "" {
		return trip{}, false
	}
	delete(l.abroad, state)
	return t, !l.clock().After(t.expires)
}

func (l *logins) close(key string, p pendingLogin) {
	delete(l.open, key)
	host := network(p.remote)
	if l.perHost[host]--; l.perHost[host] <= 0 {
		delete(l.perHost, host)
	}
}

// sweep forgets what has expired, once there is enough of it to matter.
func (l *logins) sweep() {
	now := l.clock()
	if len(l.open) >= maxPerHost {
		for key, p := range l.open {
			if now.After(p.expires) {
				l.close(key, p)
			}
		}
	}
	if len(l.proven) >= maxPending {
		for key, p := range l.proven {
			if now.After(p.expires) {
				delete(l.proven, key)
			}
		}
	}
	if len(l.abroad) >= maxPending {
		for state, t := range l.abroad {
			if now.After(t.expires) {
				delete(l.abroad, state)
			}
		}
	}
}

func randomHex(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never returns an error
	return hex.EncodeToString(raw)
}
