package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// BuildOptions steer building from source. The zero value has the defaults.
type BuildOptions struct {
	AtOnce  int           // builds that run at a time; default 1
	Timeout time.Duration // of one build, waiting apart; default 30 minutes
	Runs    int           // runs that are remembered of each app, logs included; default 20
	// Runner tells the runs of this server from those of others on the same
	// database. It stays the same over a restart; default "controller".
	Runner string
	Beat   time.Duration // how long a pusher may see nothing; default 10 s
	Folder string        // where uploaded source waits; default the system's
	// MaxSource is how many bytes an uploaded source tree may have, before and
	// after unpacking; default 1 GiB.
	MaxSource int64
}

func (o BuildOptions) withDefaults() BuildOptions {
	if o.AtOnce <= 0 {
		o.AtOnce = 1
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Minute
	}
	if o.Runs <= 0 {
		o.Runs = 20
	}
	if o.Runner == "" {
		o.Runner = "controller"
	}
	if o.Beat <= 0 {
		o.Beat = 10 * time.Second
	}
	if o.Folder == "" {
		o.Folder = os.TempDir()
	}
	if o.MaxSource <= 0 {
		o.MaxSource = 1 << 30
	}
	return o
}

// maxWaiting bounds the builds that wait; each may hold a connection and a
// source tree.
const maxWaiting = 200

// builds are the runs that this server has.
type builds struct {
	queue *buildQueue

	mu      sync.Mutex
	live    map[string]*liveRun // by UUID
	stopped bool
	trees   int             // source trees on our disk
	idle    []chan struct{} // closed when no run is live
	group   sync.WaitGroup  // of those in live, and what comes after them
}

// liveRun is a run under way here.
type liveRun struct {
	app    string
	cancel context.CancelCauseFunc
}

func newBuilds(limit int) *builds {
	return &builds{queue: newBuildQueue(limit), live: map[string]*liveRun{}}
}

func errStopping() error {
	return platform.Errorf(platform.Unavailable, "The platform was stopped during the build. Push again.")
}

// begin lets ctx end with the run's, and has to be taken back with end.
func (b *builds) begin(ctx context.Context, run platform.BuildRun) (context.Context, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return nil, errStopping()
	}
	if b.queue.length() >= maxWaiting {
		return nil, platform.Errorf(platform.Throttled, "Too many builds are waiting. Try again later.")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	b.live[run.UUID] = &liveRun{run.App, cancel}
	b.group.Add(1)
	return ctx, nil
}

func (b *builds) end(run string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.live[run]; l != nil {
		l.cancel(nil)
		delete(b.live, run)
		b.group.Done()
		b.tellIdle()
	}
}

func (b *builds) tellIdle() {
	if len(b.live) > 0 {
		return
	}
	for _, ch := range b.idle {
		close(ch)
	}
	b.idle = nil
}

// wait returns when no run is under way, or with ctx's error.
func (b *builds) wait(ctx context.Context) error {
	ch := make(chan struct{})
	b.mu.Lock()
	b.idle = append(b.idle, ch)
	b.tellIdle()
	b.mu.Unlock()
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *builds) takeTree() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.trees >= maxTrees {
		return false
	}
	b.trees++
	return true
}

func (b *builds) freeTree() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trees--
}

func (b *builds) alive(run string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.live[run] != nil
}

// cancel ends a run, if it is here.
func (b *builds) cancel(run string, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.live[run]; l != nil {
		l.cancel(cause)
	}
}

// cancelApp ends the runs of an app.
func (b *builds) cancelApp(app string, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.live {
		if l.app == app {
			l.cancel(cause)
		}
	}
}

func (b *builds) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = false
}

// stop ends all runs and waits for them.
func (b *builds) stop() {
	b.mu.Lock()
	b.stopped = true
	for _, l := range b.live {
		l.cancel(errStopping())
	}
	b.mu.Unlock()
	b.group.Wait()
}

// endLeft ends the runs that an earlier process of this server left open. One
// whose release was recorded has ended with it.
func (c *Controller) endLeft(ctx context.Context) error {
	list, err := c.store.ListOpenBuildRuns(ctx, c.building.Runner)
	if err != nil {
		return err
	}
	for _, run := range list {
		if c.builds.alive(run.UUID) {
			continue
		}
		run.State, run.Message, run.Ended = platform.BuildCanceled, "The platform was stopped during the build. Push again.", c.now()
		err := c.store.EndBuildRun(ctx, run)
		if code := platform.CodeOf(err); err != nil && code != platform.NotFound && code != platform.Conflict {
			return err
		}
	}
	return nil
}

// ListBuildRuns lists an app's attempts to build, newest first.
func (c *Controller) ListBuildRuns(ctx context.Context, actor Actor, app string, p Page) ([]platform.BuildRun, int, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return nil, 0, err
	}
	return c.store.ListBuildRuns(ctx, app, p)
}

// FindBuildRun finds an attempt to build.
func (c *Controller) FindBuildRun(ctx context.Context, actor Actor, app, id string) (platform.BuildRun, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return platform.BuildRun{}, err
	}
	return c.store.FindBuildRun(ctx, app, id)
}

// CancelBuild ends a run that waits or builds. One that has made its release
// can't be canceled, which is a Conflict.
func (c *Controller) CancelBuild(ctx context.Context, actor Actor, app, id string) (platform.BuildRun, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Member); err != nil {
		return platform.BuildRun{}, err
	}
	run, err := c.store.FindBuildRun(ctx, app, id)
	if err != nil {
		return run, err
	}
	run.State, run.Message, run.Ended = platform.BuildCanceled, "Canceled by "+actor.User.Username+".", c.now()
	// Recorded first: another server that has the run makes no release of it
	// from now on, and ends it when it looks next.
	if err := c.store.EndBuildRun(ctx, run); err != nil {
		return platform.BuildRun{}, err
	}
	c.builds.cancel(id, errCanceled(run.Message))
	return run, nil
}

func errCanceled(message string) error {
	return platform.Errorf(platform.Conflict, "The build was canceled. %s", message)
}

// SubmitSource is PushSource for a pusher who does not wait: it returns when
// the run is recorded and has the tree removed at its end. Who wants to know
// follows the run's log. The tree is removed as well when there is an error.
func (c *Controller) SubmitSource(ctx context.Context, username, app string, s Source) (platform.BuildRun, error) {
	return c.submit(ctx, username, app, s, func() {})
}

func (c *Controller) submit(ctx context.Context, username, app string, s Source, removed func()) (platform.BuildRun, error) {
	remove := func() {
		defer removed()
		c.removeTree(app, s.Tar)
	}
	// What it goes on with has nothing to do with the request any more.
	run, inner, err := c.accept(ctx, context.WithoutCancel(ctx), username, app, s)
	if err != nil {
		remove()
		return run, err
	}
	c.builds.group.Go(func() {
		defer remove()
		// How it ends is in its record.
		_, _ = c.carryOut(inner, run, given(s), io.Discard)
	})
	return run, nil
}

func noBuilder() error {
	return platform.Errorf(platform.Unavailable, "This platform has no builder: it deploys images only.")
}

// accept checks that a push is allowed and records its run. The context that it
// returns comes from inner and ends with the run; carryOut has to be called.
func (c *Controller) accept(ctx, inner context.Context, username, app string, s Source) (platform.BuildRun, context.Context, error) {
	fail := func(err error) (platform.BuildRun, context.Context, error) { return platform.BuildRun{}, nil, err }
	actor, err := c.pusher(ctx, username)
	if err != nil {
		return fail(err)
	}
	a, err := c.appFor(ctx, actor, app, platform.Member)
	if err != nil {
		return fail(err)
	}
	switch {
	case a.Deleting:
		return fail(platform.Errorf(platform.Conflict, "%s is being deleted", app))
	case c.builder == nil:
		return fail(noBuilder())
	case len(s.SHA) > maxSHA:
		return fail(platform.FieldErrorf("sha", "Ensure this field has no more than %d characters.", maxSHA))
	}
	run := platform.BuildRun{
		UUID: newUUID(), App: app, User: username, Origin: s.Origin, Ref: s.Ref, SHA: s.SHA, Delivery: s.delivery,
		State: platform.BuildQueued, Created: c.now(),
	}
	if inner, err = c.builds.begin(inner, run); err != nil {
		return fail(err)
	}
	if err := c.store.AddBuildRun(ctx, run, c.building.Runner); err != nil {
		c.builds.end(run.UUID)
		if unsure(err) { // it may be there, and nobody has it
			run.State, run.Message = platform.BuildCanceled, "It was not recorded that this build was asked for."
			c.endRun(run)
		}
		return fail(err)
	}
	if err := c.store.PruneBuildRuns(ctx, app, c.building.Runs); err != nil {
		c.log.WithField("app", app).WithError(err).Warn("forgetting old builds")
	}
	return run, inner, nil
}

// endTries is how often the end of a run is tried to be recorded before it is
// left to the next start.
const endTries = 5

// endRun records how a run has ended, also when its pusher has gone. It
// returns the error of a run that was ended elsewhere.
func (c *Controller) endRun(run platform.BuildRun) error {
	ctx, cancel := context.WithTimeout(context.Background(), logPatience)
	defer cancel()
	run.Ended = c.now()
	for n := 1; ; n++ {
		err := c.store.EndBuildRun(ctx, run)
		if !unsure(err) || n == endTries || ctx.Err() != nil {
			if unsure(err) {
				c.log.WithField("app", run.App).WithField("build", run.UUID).WithError(err).Error("recording the end of a build")
			}
			return err
		}
		pause(ctx, c.backoff(n))
	}
}

// outcome is how a run that failed is recorded.
func (c *Controller) outcome(ctx context.Context, run platform.BuildRun, cause error) (platform.BuildRun, error) {
	if ended := context.Cause(ctx); ended != nil { // whatever came of it
		cause = ended
	}
	run.State = platform.BuildFailed
	var e *platform.Error
	var needless superfluous
	switch {
	case errors.As(cause, &needless):
		run.State, run.Message = platform.BuildCanceled, needless.message
	case errors.As(cause, &e) && e.Code != platform.Internal:
		run.Message = e.Message
		if e.Field != "" {
			run.Message = e.Field + ": " + e.Message
		}
		if ctx.Err() != nil && e.Code != platform.Invalid {
			run.State = platform.BuildCanceled
		}
	case ctx.Err() != nil:
		run.State, run.Message = platform.BuildCanceled, "The one who pushed went away before the build had ended."
	default:
		c.log.WithField("app", run.App).WithField("build", run.UUID).WithError(cause).Error("building")
		run.Message = "An internal error occurred; the controller's log says why."
	}
	return run, cause
}

func (c *Controller) errTimeout() error {
	return platform.Errorf(platform.Invalid, "The build took longer than %s, which SLIPWAY_BUILD_TIMEOUT allows.", c.building.Timeout)
}

// failed records why a run made no release and tells the pusher.
func (c *Controller) failed(ctx context.Context, run platform.BuildRun, l *buildLog, cause error) error {
	run, cause = c.outcome(ctx, run, cause)
	if err := c.endRun(run); platform.CodeOf(err) == platform.Conflict {
		if found, err := c.store.FindBuildRun(context.WithoutCancel(ctx), run.App, run.UUID); err == nil {
			run = found
			cause = errCanceled(run.Message)
		}
	}
	word := "failed"
	if run.State == platform.BuildCanceled {
		word = "canceled"
	}
	l.say("Build %s: %s", word, run.Message)
	if platform.CodeOf(cause) == platform.Internal && ctx.Err() == nil {
		return fmt.Errorf("app %s: build %s: %w", run.App, run.UUID, cause)
	}
	return cause
}
