package edge

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/slipway-paas/slipway/platform"
)

// Shelf keeps what an ACME client has to remember: accounts with their keys,
// and challenges that are under way, for all servers of the platform to
// answer. Names are paths without a slash at either end. Values are secrets.
type Shelf interface {
	PutItem(ctx context.Context, name string, value []byte, at time.Time) error
	// FindItem is NotFound when there is none.
	FindItem(ctx context.Context, name string) (value []byte, at time.Time, err error)
	// ListItems lists the names below a name, in order.
	ListItems(ctx context.Context, below string) ([]string, error)
	// DeleteItems removes a name and all below it; none is no error.
	DeleteItems(ctx context.Context, name string) error
	// TakeLock gives owner the lock until some time, or more time when it has
	// it. False when somebody else has it and its time is not over.
	TakeLock(ctx context.Context, name, owner string, now, until time.Time) (bool, error)
	// FreeLock gives a lock back; one that is somebody else's by now stays.
	FreeLock(ctx context.Context, name, owner string) error
}

const (
	// lockLease is how long the lock of a server that died keeps others out.
	lockLease = time.Minute
	lockAsk   = 200 * time.Millisecond
)

// challengesBelow is where challenges are, by host: whoever set one, every
// server finds it by the host that is asked.
const challengesBelow = "challenges"

// storage is a certmagic.Storage on a part of the shelf. Each account has its
// own part: certmagic tells accounts apart by mail address only.
type storage struct {
	shelf Shelf
	part  string // "accounts/<id>"
	now   func() time.Time

	mu   *sync.Mutex
	held map[string]lease
}

// lease is a lock that is held.
type lease struct {
	owner string
	stop  context.CancelFunc // of its renewal
	done  chan struct{}
}

var _ certmagic.Storage = storage{}

func newStorage(shelf Shelf, part string, now func() time.Time) storage {
	return storage{shelf: shelf, part: part, now: now, mu: &sync.Mutex{}, held: map[string]lease{}}
}

// name is where a key of certmagic's is kept.
func (s storage) name(key string) string {
	dir, file := path.Split(key)
	if path.Base(dir) == "challenge_tokens" {
		return path.Join(challengesBelow, strings.TrimSuffix(file, ".json"), path.Base(s.part))
	}
	return path.Join(s.part, key)
}

// Store keeps a value.
func (s storage) Store(ctx context.Context, key string, value []byte) error {
	return s.shelf.PutItem(ctx, s.name(key), value, s.now())
}

// Load returns a value; fs.ErrNotExist without one.
func (s storage) Load(ctx context.Context, key string) ([]byte, error) {
	value, _, err := s.shelf.FindItem(ctx, s.name(key))
	return value, missing(err)
}

func missing(err error) error {
	if platform.CodeOf(err) == platform.NotFound {
		return fs.ErrNotExist
	}
	return err
}

// Delete removes a key and all below it. A challenge is taken away also when
// the try that set it has been cut off.
func (s storage) Delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockLease)
	defer cancel()
	return s.shelf.DeleteItems(ctx, s.name(key))
}

// Exists reports whether there is a key, or one below it.
func (s storage) Exists(ctx context.Context, key string) bool {
	_, err := s.Stat(ctx, key)
	return err == nil
}

// List lists the keys below one, and without recursive only the next part of
// each.
func (s storage) List(ctx context.Context, below string, recursive bool) ([]string, error) {
	names, err := s.shelf.ListItems(ctx, s.name(below))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fs.ErrNotExist
	}
	var keys []string
	for _, name := range names {
		key := strings.TrimPrefix(name, s.part+"/")
		if !recursive {
			rest := strings.TrimPrefix(key, below+"/")
			next, _, _ := strings.Cut(rest, "/")
			key = path.Join(below, next)
		}
		if len(keys) == 0 || keys[len(keys)-1] != key {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// Stat tells of a key.
func (s storage) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	value, at, err := s.shelf.FindItem(ctx, s.name(key))
	if err == nil {
		return certmagic.KeyInfo{Key: key, Modified: at, Size: int64(len(value)), IsTerminal: true}, nil
	}
	if err = missing(err); !errors.Is(err, fs.ErrNotExist) {
		return certmagic.KeyInfo{}, err
	}
	below, err := s.shelf.ListItems(ctx, s.name(key))
	if err == nil && len(below) == 0 {
		err = fs.ErrNotExist
	}
	return certmagic.KeyInfo{Key: key}, err
}

// Lock waits for a lock and keeps it until Unlock. The lock of a process that
// died is free after a minute.
func (s storage) Lock(ctx context.Context, name string) error {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never returns an error
	owner, full := hex.EncodeToString(id[:]), path.Join(s.part, name)
	tick := time.NewTicker(lockAsk)
	defer tick.Stop()
	for {
		taken, err := s.shelf.TakeLock(ctx, full, owner, s.now(), s.now().Add(lockLease))
		if err != nil {
			return fmt.Errorf("lock %s: %w", full, err)
		}
		if taken {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := lease{owner: owner, stop: stop, done: make(chan struct{})}
	go s.renew(renewing, full, l)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[name] = l
	return nil
}

// renew keeps a lock for as long as it is held.
func (s storage) renew(ctx context.Context, full string, l lease) {
	defer close(l.done)
	tick := time.NewTicker(lockLease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// Without effect while the store is away; the lease then runs out.
		if ours, err := s.shelf.TakeLock(ctx, full, l.owner, s.now(), s.now().Add(lockLease)); err == nil && !ours {
			return
		}
	}
}

// Unlock gives a lock back.
func (s storage) Unlock(ctx context.Context, name string) error {
	s.mu.Lock()
	l, held := s.held[name]
	delete(s.held, name)
	s.mu.Unlock()
	if !held {
		return nil
	}
	l.stop()
	<-l.done
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockLease)
	defer cancel()
	return s.shelf.FreeLock(ctx, path.Join(s.part, name), l.owner)
}
