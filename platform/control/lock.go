package control

import (
	"context"
	"sync"
)

// keyed is a set of locks, one a key, that exist only while they are in use.
type keyed struct {
	mu    sync.Mutex
	locks map[string]*keyedLock
}

type keyedLock struct {
	held chan struct{} // full while somebody holds the lock
	refs int
}

func newKeyed() *keyed { return &keyed{locks: map[string]*keyedLock{}} }

func (k *keyed) enter(key string) *keyedLock {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.locks[key]
	if l == nil {
		l = &keyedLock{held: make(chan struct{}, 1)}
		k.locks[key] = l
	}
	l.refs++
	return l
}

func (k *keyed) leave(key string, l *keyedLock) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.refs--; l.refs == 0 {
		delete(k.locks, key)
	}
}

func (k *keyed) unlocker(key string, l *keyedLock) func() {
	return func() {
		<-l.held
		k.leave(key, l)
	}
}

// lock waits for key and returns what releases it, or ctx's error.
func (k *keyed) lock(ctx context.Context, key string) (func(), error) {
	l := k.enter(key)
	select {
	case l.held <- struct{}{}:
		return k.unlocker(key, l), nil
	case <-ctx.Done():
		k.leave(key, l)
		return nil, ctx.Err()
	}
}

// tryLock is lock without waiting; false when somebody else holds key.
func (k *keyed) tryLock(key string) (func(), bool) {
	l := k.enter(key)
	select {
	case l.held <- struct{}{}:
		return k.unlocker(key, l), true
	default:
		k.leave(key, l)
		return nil, false
	}
}
