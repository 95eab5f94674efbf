package api

import (
	"context"
	"sync"
)

// longLived keeps account of the answers that have no end of their own: logs
// that are followed, terminals. http.Server knows nothing of connections that
// were taken over, so a server that stops has to end them itself.
type longLived struct {
	stopping context.Context // ends when the server begins to stop
	stop     context.CancelFunc

	mu      sync.Mutex
	open    int
	changed chan struct{} // gets an element when one is over
}

type longLivedKey struct{}

func newLongLived() *longLived {
	l := &longLived{changed: make(chan struct{}, 1)}
	l.stopping, l.stop = context.WithCancel(context.Background())
	return l
}

// LongLived is called by a route whose answer may go on for hours. The context
// that it returns ends with ctx and when the server begins to stop; the
// function has to be called when the answer is over, for which a server that
// stops waits. Outside of a Server the context is ctx.
func LongLived(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	l, ok := ctx.Value(longLivedKey{}).(*longLived)
	if !ok {
		return ctx, cancel
	}
	l.add(1)
	forget := context.AfterFunc(l.stopping, cancel)
	return ctx, func() {
		forget()
		cancel()
		l.add(-1)
	}
}

func (l *longLived) add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open += n
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *longLived) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// wait returns when none is open, or when ctx ends.
func (l *longLived) wait(ctx context.Context) {
	for l.count() > 0 {
		select {
		case <-l.changed:
		case <-ctx.Done():
			return
		}
	}
}
