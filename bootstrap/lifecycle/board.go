package lifecycle

import (
	"context"
	"sync"
	"time"
)

// State is how one part of the platform is doing.
type State string

const (
	Waiting State = "waiting" // its turn has not come
	Working State = "working"
	Ready   State = "ready"
	Failed  State = "failed" // will be tried again
)

// Entry is one line of the board.
type Entry struct {
	Name    string    `json:"name"`
	State   State     `json:"state"`
	Message string    `json:"message,omitempty"` // progress or reason, without secrets
	Since   time.Time `json:"since"`
}

// Board is where the server's parts say how they are doing, and what
// "slipway status" and "slipway install" read. Safe for concurrent use.
type Board struct {
	mu      sync.Mutex
	entries []Entry
	changed chan struct{} // closed and replaced at each change
	now     func() time.Time
}

// NewBoard makes a board with a waiting line for each name.
func NewBoard(now func() time.Time, names ...string) *Board {
	b := &Board{changed: make(chan struct{}), now: now}
	for _, name := range names {
		b.entries = append(b.entries, Entry{Name: name, State: Waiting, Since: now()})
	}
	return b
}

// Set writes one line; a name not seen before is added at the end.
func (b *Board) Set(name string, s State, message string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := 0
	for i < len(b.entries) && b.entries[i].Name != name {
		i++
	}
	if i == len(b.entries) {
		b.entries = append(b.entries, Entry{Name: name})
	}
	e := &b.entries[i]
	if e.State == s && e.Message == message {
		return
	}
	if e.State != s {
		e.Since = b.now()
	}
	e.State, e.Message = s, message
	close(b.changed)
	b.changed = make(chan struct{})
}

// Snapshot returns the lines and a channel that closes at the next change.
func (b *Board) Snapshot() ([]Entry, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Entry(nil), b.entries...), b.changed
}

// Watch calls f with the board now and after each change until f says stop or
// ctx ends.
func (b *Board) Watch(ctx context.Context, f func([]Entry) (stop bool)) error {
	for {
		entries, changed := b.Snapshot()
		if f(entries) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// AllReady reports whether every line is ready.
func AllReady(entries []Entry) bool {
	for _, e := range entries {
		if e.State != Ready {
			return false
		}
	}
	return len(entries) > 0
}
