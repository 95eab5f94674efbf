package control

import (
	"context"
	"slices"
	"sync"
)

// buildQueue lets so many builds run at a time, and one of each app. Apps get
// their turns fairly: a build's tag is one more than that of the build before
// it of the same app, but not less than that of the build begun last; the
// lowest tag comes first, and the first to come among equals. So an app with
// ten builds waiting and one with a single one are served in turns, and nobody
// waits for ever.
type buildQueue struct {
	mu      sync.Mutex
	limit   int
	busy    map[string]bool  // apps with a build under way
	next    map[string]int64 // the tag of an app's next build
	now     int64            // tag of the build begun last
	waiting []*buildTicket   // by tag
	resting bool             // none begins
	rested  chan struct{}    // closed when none runs, while somebody waits for it
}

// buildTicket is one build's place in the queue.
type buildTicket struct {
	app   string
	tag   int64
	turn  chan struct{} // closed when its turn has come
	moved chan struct{} // gets an element when its place changed
}

func newBuildQueue(limit int) *buildQueue {
	return &buildQueue{limit: max(limit, 1), busy: map[string]bool{}, next: map[string]int64{}}
}

// enter takes a place for a build of app; leave has to be called for it.
func (q *buildQueue) enter(app string) *buildTicket {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := &buildTicket{app: app, tag: max(q.now, q.next[app]), turn: make(chan struct{}), moved: make(chan struct{}, 1)}
	q.next[app] = t.tag + 1
	i := slices.IndexFunc(q.waiting, func(o *buildTicket) bool { return o.tag > t.tag })
	if i < 0 {
		i = len(q.waiting)
	}
	q.waiting = slices.Insert(q.waiting, i, t)
	q.settle()
	return t
}

// leave gives the place back, before its turn or after. Idempotent.
func (q *buildQueue) leave(t *buildTicket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, t)
	switch {
	case i >= 0:
		q.waiting = slices.Delete(q.waiting, i, i+1)
	case t.app != "":
		delete(q.busy, t.app)
	}
	t.app = ""
	q.settle()
}

// settle begins what may begin and tells the others that they moved.
func (q *buildQueue) settle() {
	if q.rested != nil && len(q.busy) == 0 {
		close(q.rested)
		q.rested = nil
	}
	for i := 0; i < len(q.waiting) && len(q.busy) < q.limit && !q.resting; {
		t := q.waiting[i]
		if q.busy[t.app] {
			i++
			continue
		}
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.busy[t.app] = true
		q.now = max(q.now, t.tag)
		close(t.turn)
	}
	for app, tag := range q.next {
		if tag <= q.now || len(q.waiting)+len(q.busy) == 0 {
			delete(q.next, app) // as if it had never been
		}
	}
	for _, t := range q.waiting {
		select {
		case t.moved <- struct{}{}:
		default:
		}
	}
}

// rest keeps builds from beginning and waits until none runs, or ctx ends,
// whose error it then returns. resume lets them begin again. One may rest at a
// time.
func (q *buildQueue) rest(ctx context.Context) (resume func(), err error) {
	rested := make(chan struct{})
	q.mu.Lock()
	q.resting, q.rested = true, rested
	q.settle()
	q.mu.Unlock()
	resume = func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.resting, q.rested = false, nil
		q.settle()
	}
	select {
	case <-rested:
		return resume, nil
	case <-ctx.Done():
		resume()
		return nil, ctx.Err()
	}
}

// before counts the builds that run or come before t's turn.
func (q *buildQueue) before(t *buildTicket) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return max(slices.Index(q.waiting, t), 0) + len(q.busy)
}

// length counts the builds that wait.
func (q *buildQueue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}
