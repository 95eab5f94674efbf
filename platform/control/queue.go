package control

import (
	"context"
	"sync"
	"time"
)

// queue hands out app ids, each to one worker at a time and in the order in
// which they came. An app that is added while a worker has it comes round
// again, so no wake-up is lost; it holds each app at most once, so it is no
// longer than there are apps.
//
//	add ──► waiting ──► next ──► active ──► done
//	           ▲                    │ added again meanwhile
//	           └────────────────────┘
type queue struct {
	mu      sync.Mutex
	order   []string
	waiting map[string]bool
	active  map[string]bool
	again   map[string]bool
	timers  map[string]*time.Timer
	wake    chan struct{}   // has an element when order may not be empty
	idle    []chan struct{} // closed when nothing is due any more
	closed  bool
}

func newQueue() *queue {
	return &queue{
		waiting: map[string]bool{}, active: map[string]bool{}, again: map[string]bool{},
		timers: map[string]*time.Timer{}, wake: make(chan struct{}, 1),
	}
}

// add makes app due now.
func (q *queue) add(app string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.addLocked(app)
}

func (q *queue) addLocked(app string) {
	switch {
	case q.waiting[app]:
	case q.active[app]:
		q.again[app] = true
	default:
		q.waiting[app] = true
		q.order = append(q.order, app)
		q.signal()
	}
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// addAfter makes app due after d, unless it becomes due earlier.
func (q *queue) addAfter(app string, d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.timers[app] != nil {
		return
	}
	q.timers[app] = time.AfterFunc(d, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.timers, app)
		if !q.closed {
			q.addLocked(app)
		}
		q.tellIdle()
	})
}

// next waits for an app; false when ctx ends.
func (q *queue) next(ctx context.Context) (string, bool) {
	for {
		q.mu.Lock()
		if len(q.order) > 0 && ctx.Err() == nil {
			app := q.order[0]
			q.order = q.order[1:]
			delete(q.waiting, app)
			q.active[app] = true
			if len(q.order) > 0 {
				q.signal() // another worker may take the next one
			}
			q.mu.Unlock()
			return app, true
		}
		q.mu.Unlock()
		select {
		case <-q.wake:
		case <-ctx.Done():
			return "", false
		}
	}
}

// done gives app back; it comes round again if it was added meanwhile.
func (q *queue) done(app string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.active, app)
	if q.again[app] {
		delete(q.again, app)
		q.addLocked(app)
	}
	q.tellIdle()
}

func (q *queue) tellIdle() {
	if len(q.order)+len(q.active)+len(q.timers) > 0 {
		return
	}
	for _, ch := range q.idle {
		close(ch)
	}
	q.idle = nil
}

// quiet reports that nothing is due, being worked on or put off.
func (q *queue) quiet() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.order)+len(q.active)+len(q.timers) == 0
}

// wait returns when nothing is due or being worked on, or with ctx's error.
func (q *queue) wait(ctx context.Context) error {
	ch := make(chan struct{})
	q.mu.Lock()
	q.idle = append(q.idle, ch)
	q.tellIdle()
	q.mu.Unlock()
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends the timers; open lets them run again.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for app, t := range q.timers {
		t.Stop()
		delete(q.timers, app)
	}
}

func (q *queue) open() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = false
}
