package control

import (
	"context"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

const (
	// certLook is how often all apps are looked at, whatever their timers say:
	// another server on the same database may have changed them.
	certLook = time.Hour
	// certTries is how many domains are tried at the same time.
	certTries = 16
)

// certTimer knows when to look at the certificates of which apps. Beside it
// run the tries; what an app waits for in its queue never waits for those.
//
//	worked on ──mark──► marked ──┐
//	        timer ──────────────►├─ look ──► due ──► try ──► queue of the app
//	        every hour, all ────►┘
type certTimer struct {
	mu     sync.Mutex
	marked map[string]bool      // apps to look at now
	next   map[string]time.Time // when to look at an app again
	trying map[string]bool      // domains
	own    map[string]time.Time // when the queue of an app was told that a certificate of our own is old
	all    time.Time            // when all apps are to be looked at
	looks  int                  // looks under way
	moves  int                  // counts marks and looks
	wake   chan struct{}
	idle   []chan struct{} // closed when nothing is marked, looked at or tried
	slots  chan struct{}
	turns  *keyed // held, by account, while a try may show that it works again
}

func newCertTimer() *certTimer {
	return &certTimer{
		marked: map[string]bool{}, next: map[string]time.Time{}, trying: map[string]bool{}, own: map[string]time.Time{},
		wake: make(chan struct{}, 1), slots: make(chan struct{}, certTries), turns: newKeyed(),
	}
}

// mark makes an app be looked at soon.
func (t *certTimer) mark(app string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.marked[app] = true
	t.moves++
	t.ring()
}

// moved counts what has happened.
func (t *certTimer) moved() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.moves
}

func (t *certTimer) ring() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// take returns the apps to look at now, and whether that is to be all.
func (t *certTimer) take(now time.Time) (apps []string, all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for app, at := range t.next {
		if !now.Before(at) {
			t.marked[app] = true
		}
	}
	for app := range t.marked {
		apps = append(apps, app)
		delete(t.marked, app)
		delete(t.next, app)
	}
	if all = !now.Before(t.all); all {
		t.all = now.Add(certLook)
	}
	t.looks++
	t.moves++
	return apps, all
}

// start has all apps looked at.
func (t *certTimer) start() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = time.Time{}
}

// putAll has all apps looked at again at some time.
func (t *certTimer) putAll(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = at
}

// tellOwn reports whether the queue of an app may be told once more. What
// could not be done does not become a loop.
func (t *certTimer) tellOwn(app string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, told := t.own[app]; told && now.Before(last.Add(certLook)) {
		return false
	}
	t.own[app] = now
	return true
}

// looked ends what take began.
func (t *certTimer) looked() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.looks--
	t.tellIdle()
}

// put keeps when to look at an app again; zero is not before the next time
// that all are looked at.
func (t *certTimer) put(app string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at.IsZero() {
		delete(t.next, app)
		return
	}
	t.next[app] = at
}

// wait is how long nothing is to be done, at most an hour.
func (t *certTimer) wait(now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	wait := max(t.all.Sub(now), time.Second)
	for _, at := range t.next {
		wait = min(wait, max(at.Sub(now), time.Second))
	}
	return wait
}

// begin is false when the domain is being tried already.
func (t *certTimer) begin(domain string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.trying[domain] {
		return false
	}
	t.trying[domain] = true
	return true
}

// end has the app looked at for what comes next.
func (t *certTimer) end(app, domain string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.trying, domain)
	t.marked[app] = true
	t.moves++
	t.ring()
}

func (t *certTimer) busyLocked() bool {
	return t.all.IsZero() || len(t.marked)+len(t.trying)+t.looks > 0
}

func (t *certTimer) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.busyLocked()
}

func (t *certTimer) tellIdle() {
	if t.busyLocked() {
		return
	}
	for _, ch := range t.idle {
		close(ch)
	}
	t.idle = nil
}

// settled waits until nothing is marked or tried, or until ctx ends.
func (t *certTimer) settled(ctx context.Context) error {
	ch := make(chan struct{})
	t.mu.Lock()
	t.idle = append(t.idle, ch)
	t.tellIdle()
	t.mu.Unlock()
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keepCerts looks at certificates until ctx ends and all tries have.
func (c *Controller) keepCerts(ctx context.Context) {
	var tries sync.WaitGroup
	defer tries.Wait()
	for ctx.Err() == nil {
		c.lookAtCerts(ctx, &tries)
		select {
		case <-ctx.Done():
		case <-c.certs.wake:
		case <-c.edge.After(c.certs.wait(c.now())):
		}
	}
}

// lookAtCerts starts the tries that are due.
func (c *Controller) lookAtCerts(ctx context.Context, tries *sync.WaitGroup) {
	apps, all := c.certs.take(c.now())
	defer c.certs.looked()
	if all {
		listed, err := c.store.ListAuto(ctx)
		if err != nil {
			c.putOffCerts(ctx, apps, err)
			c.certs.putAll(c.now().Add(c.edge.CertBackoff(1)))
			return
		}
		apps = append(apps, listed...)
	}
	holds, err := c.holds(ctx)
	if err != nil {
		c.putOffCerts(ctx, apps, err)
		return
	}
	seen := map[string]bool{}
	for _, app := range apps {
		if seen[app] || ctx.Err() != nil {
			continue
		}
		seen[app] = true
		if err := c.lookAtApp(ctx, app, holds, tries); err != nil {
			c.putOffCerts(ctx, []string{app}, err)
		}
	}
}

// putOffCerts comes back to apps that could not be looked at.
func (c *Controller) putOffCerts(ctx context.Context, apps []string, err error) {
	if ctx.Err() != nil {
		return
	}
	c.log.WithError(err).Warn("looking at certificates is put off")
	at := c.now().Add(c.edge.CertBackoff(1))
	for _, app := range apps {
		c.certs.put(app, at)
	}
}

// lookAtApp starts the tries of one app and keeps when to look again. While
// the cluster has yet to show the app nothing is tried: the authority would
// ask a domain that does not lead here.
func (c *Controller) lookAtApp(ctx context.Context, app string, holds map[string]CertHold, tries *sync.WaitGroup) error {
	e, err := c.store.FindEdge(ctx, app)
	if platform.CodeOf(err) == platform.NotFound {
		return nil
	}
	if err != nil || !e.TLS.Auto() {
		return err
	}
	if open, err := c.openWork(ctx, app, WorkEdge); err != nil || open != nil {
		return err // done, it is looked at again
	}
	now := c.now()
	var next time.Time
	own := false
	for _, w := range c.wantedCerts(e, holds) {
		switch {
		case now.Before(w.due):
			if next.IsZero() || w.due.Before(next) {
				next = w.due
			}
		case w.own:
			own = true
		case c.certs.begin(w.domain):
			w.app = app
			tries.Go(func() {
				defer c.certs.end(app, w.domain)
				c.tryCert(ctx, w)
			})
		}
	}
	c.certs.put(app, next)
	if !own || !c.certs.tellOwn(app, now) {
		return nil
	}
	if _, err := c.store.AddWork(ctx, Work{App: app, Kind: WorkEdge}); err != nil {
		return err
	}
	c.queue.add(app)
	return nil
}
