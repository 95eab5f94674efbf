package control

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// Run takes up what was left unfinished, then works until ctx ends and returns
// when all work has stopped. Only one Run at a time.
func (c *Controller) Run(ctx context.Context) error {
	if !c.start() {
		return errors.New("control: Run is already running")
	}
	defer c.stopped()
	defer c.builds.stop()
	if err := c.resumeAll(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil
	}
	c.resumeOnce.Do(func() { close(c.resumed) })
	var workers sync.WaitGroup
	for range c.workers {
		workers.Go(func() { c.work(ctx) })
	}
	workers.Go(func() { c.hooks.run(ctx) })
	workers.Go(func() { c.follow(ctx) })
	workers.Go(func() { c.keepCerts(ctx) })
	workers.Go(func() { c.keepImages(ctx) })
	workers.Wait()
	return nil
}

// Idle waits until Run has taken up what was left and nothing is due, being
// worked on or put off, or until ctx ends, whose error it then returns.
func (c *Controller) Idle(ctx context.Context) error {
	select {
	case <-c.resumed:
		if err := c.builds.wait(ctx); err != nil {
			return err
		}
		for quiet := false; !quiet; {
			if err := c.queue.wait(ctx); err != nil {
				return err
			}
			if err := c.certs.settled(ctx); err != nil {
				return err
			}
			// Each may give work to the other.
			moves := c.certs.moved()
			quiet = c.queue.quiet() && !c.certs.busy() && c.certs.moved() == moves
		}
		return c.hooks.wait(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Controller) start() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running {
		return false
	}
	c.running = true
	c.certs.start()
	c.queue.open()
	c.builds.open()
	return true
}

func (c *Controller) stopped() {
	c.queue.stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = false
}

// resumeAll is resume for as long as the store or the cluster is away.
func (c *Controller) resumeAll(ctx context.Context) error {
	for n := 1; ; n++ {
		err := c.resume(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if platform.CodeOf(err) != platform.Unavailable {
			return err
		}
		c.log.WithError(err).Warn("the store or the cluster is away; waiting for it")
		wait := time.NewTimer(c.backoff(n))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
		}
	}
}

// resume makes every app due that has an unfinished release or open work. An
// app whose last release succeeded is left alone.
func (c *Controller) resume(ctx context.Context) error {
	if err := c.hooks.open(ctx); err != nil {
		return err
	}
	if err := c.endLeft(ctx); err != nil {
		return err
	}
	if err := c.adoptCluster(ctx); err != nil {
		return err
	}
	if err := c.adoptDomain(ctx); err != nil {
		return err
	}
	work, err := c.store.ListWork(ctx, "")
	if err != nil {
		return err
	}
	for _, w := range work {
		c.queue.add(w.App)
	}
	unfinished, err := c.store.ListUnfinished(ctx, "")
	if err != nil {
		return err
	}
	for _, r := range unfinished {
		c.queue.add(r.App)
	}
	return nil
}

func (c *Controller) work(ctx context.Context) {
	for {
		app, ok := c.queue.next(ctx)
		if !ok {
			return
		}
		err := c.reconcile(ctx, app)
		c.settleTries(ctx, app, err)
		c.certs.mark(app)
		c.queue.done(app)
	}
}

// settleTries brings an app back later when something was away. Nothing that
// was recorded is ever given up for that reason.
func (c *Controller) settleTries(ctx context.Context, app string, err error) {
	c.mu.Lock()
	if err == nil {
		delete(c.tries, app)
	} else {
		c.tries[app]++
	}
	n := c.tries[app]
	c.mu.Unlock()
	if err == nil || ctx.Err() != nil {
		return
	}
	wait := c.backoff(n)
	c.log.WithField("app", app).WithError(err).WithField("retry_in", wait).Warn("work on the app is put off")
	c.queue.addAfter(app, wait)
}

// interrupt cancels what is being done for app right now.
func (c *Controller) interrupt(app string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.cancels[app]; cancel != nil {
		cancel()
	}
}

// reconcile does all that is to be done for an app, one step after the other.
// An error means: try again later.
func (c *Controller) reconcile(ctx context.Context, app string) error {
	free, err := c.changes.lock(ctx, app)
	if err != nil {
		return nil // ctx ended
	}
	defer free()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	c.setCancel(app, cancel)
	defer c.setCancel(app, nil)
	for {
		more, err := c.step(inner, app)
		if inner.Err() != nil {
			return nil // stopping, or interrupted by who will make it due again
		}
		if err != nil || !more {
			return err
		}
	}
}

func (c *Controller) setCancel(app string, cancel context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel == nil {
		delete(c.cancels, app)
	} else {
		c.cancels[app] = cancel
	}
}

// step does the most urgent thing for an app and reports whether to look again.
func (c *Controller) step(ctx context.Context, app string) (bool, error) {
	a, work, err := c.outlook(ctx, app)
	if err != nil || a.ID == "" {
		return false, err
	}
	if w := pick(work, WorkDelete); w != nil {
		return false, c.resumeDelete(ctx, app)
	}
	if w := pick(work, WorkEnsure); w != nil {
		if err := c.cluster.EnsureApp(ctx, a); err != nil {
			return false, err
		}
		return true, c.store.DoneWork(ctx, w.ID)
	}
	if w := pick(work, WorkDeploy); w != nil {
		return true, c.acceptDeploy(ctx, *w)
	}
	// Before a deploy, which may take minutes.
	if pick(work, WorkEdge) != nil {
		return true, c.reexpose(ctx, app)
	}
	if pick(work, WorkVolumes) != nil {
		return true, c.ensureVolumes(ctx, a)
	}
	// Before a release brings the recorded numbers back.
	if len(work) == 0 && c.wantsLook(app) {
		return true, c.observe(ctx, app)
	}
	r, err := c.claim(ctx, app)
	if err != nil {
		return false, err
	}
	switch {
	case r != nil && r.State == platform.ReleasePending:
		return true, c.nothingNew(ctx, *r)
	case r != nil:
		return true, c.rollOut(ctx, *r)
	case pick(work, WorkApply) != nil:
		return true, c.reapply(ctx, app)
	case pick(work, WorkScale) != nil:
		return true, c.scaleNow(ctx, app)
	case pick(work, WorkDiscard) != nil:
		return true, c.discardVolumes(ctx, app)
	case pick(work, WorkResources) != nil:
		return true, c.serveResources(ctx, a)
	}
	return false, nil
}

func pick(list []Work, kind WorkKind) *Work {
	for i := range list {
		if list[i].Kind == kind {
			return &list[i]
		}
	}
	return nil
}

func (c *Controller) openWork(ctx context.Context, app string, kind WorkKind) (*Work, error) {
	list, err := c.store.ListWork(ctx, app)
	return pick(list, kind), err
}

// outlook reads an app and its open work. Work for an app that is gone is
// dropped, and the App is empty.
func (c *Controller) outlook(ctx context.Context, app string) (platform.App, []Work, error) {
	unlock, err := c.records.lock(ctx, app)
	if err != nil {
		return platform.App{}, nil, err
	}
	defer unlock()
	work, err := c.store.ListWork(ctx, app)
	if err != nil {
		return platform.App{}, nil, err
	}
	a, err := c.store.FindApp(ctx, app)
	if platform.CodeOf(err) != platform.NotFound {
		return a, work, err
	}
	for _, w := range work {
		if err := c.store.DoneWork(ctx, w.ID); err != nil {
			return platform.App{}, nil, err
		}
	}
	return platform.App{}, nil, nil
}

func (c *Controller) resumeDelete(ctx context.Context, app string) error {
	unlock, err := c.records.lock(ctx, app)
	if err != nil {
		return err
	}
	defer unlock()
	return c.finishDelete(ctx, app)
}
