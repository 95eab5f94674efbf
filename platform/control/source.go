package control

import (
	"context"
	"io"

	"github.com/slipway-paas/slipway/platform"
)

// Source is a source tree to build.
type Source struct {
	Origin string // platform.OriginGit…
	Ref    string // "refs/heads/main"; empty when it was no push
	SHA    string // of the commit
	Tar    string // path of the tree as an uncompressed tar file, the caller's to remove

	delivery string // the sum of the call of a build hook that it comes from
	owned    bool   // the tree is removed at the end of the run
}

// PushSource builds a source tree for the user who pushed it and deploys what
// came out. It writes the log that the pusher reads to log and returns when
// the release has ended or ctx has; the log is kept as well, see BuildLog. A
// build that fails or is canceled makes no release: it is Invalid when the
// source is at fault or the time was up, a Conflict when somebody canceled it,
// and ctx's error when the pusher has gone. Once there is a release there is
// no error, also when it then failed to deploy: its state tells.
//
//	queued ──turn──► running ──built──► succeeded, with the release  ─► rolled out
//	   │                │  └──────────► failed
//	   └────────────────┴─────────────► canceled
func (c *Controller) PushSource(ctx context.Context, username, app string, s Source, log io.Writer) (platform.Release, error) {
	run, ctx, err := c.accept(ctx, ctx, username, app, s)
	if err != nil {
		return platform.Release{}, err
	}
	return c.carryOut(ctx, run, given(s), log)
}

// sourceOf gets the source of a run, which may take a while. Also when there
// is an error the tree may be there.
type sourceOf func(ctx context.Context, l *buildLog) (Source, error)

// given is a source that is there.
func given(s Source) sourceOf {
	return func(context.Context, *buildLog) (Source, error) { return s, nil }
}

// carryOut takes a run from its source to the end of its release.
func (c *Controller) carryOut(ctx context.Context, run platform.BuildRun, get sourceOf, log io.Writer) (platform.Release, error) {
	defer c.builds.end(run.UUID)
	l := c.openBuildLog(run, log, func(state platform.BuildState) {
		if state == platform.BuildCanceled {
			c.builds.cancel(run.UUID, errCanceled("It was canceled from another server."))
		}
	})
	defer l.close()
	s, err := get(ctx, l)
	if s.owned {
		defer c.removeTree(run.App, s.Tar)
	}
	if err != nil {
		return platform.Release{}, c.failed(ctx, run, l, err)
	}
	l.say("Starting build... but first, coffee!")
	r, err := c.build(ctx, run, s, l)
	if err != nil {
		return platform.Release{}, c.failed(ctx, run, l, err)
	}
	return c.watchRelease(ctx, r, l), nil
}

// build waits for the run's turn, builds and records the release.
func (c *Controller) build(ctx context.Context, run platform.BuildRun, s Source, l *buildLog) (platform.Release, error) {
	n, err := c.buildInTurn(ctx, run, s, l)
	if err != nil {
		return platform.Release{}, err
	}
	l.say("Build complete.")
	l.say("Launching App...")
	return c.releaseRun(ctx, run, s, n)
}

// buildInTurn holds a place in the queue until the images are made.
func (c *Controller) buildInTurn(ctx context.Context, run platform.BuildRun, s Source, l *buildLog) (NewBuild, error) {
	if err := c.awaitStart(ctx, l); err != nil {
		return NewBuild{}, err
	}
	t := c.builds.queue.enter(run.App)
	defer c.builds.queue.leave(t)
	if err := c.awaitTurn(ctx, t, l); err != nil {
		return NewBuild{}, err
	}
	if err := c.store.StartBuildRun(ctx, run.UUID, c.now()); err != nil {
		return NewBuild{}, err
	}
	order, err := c.order(ctx, run, s)
	if err != nil {
		return NewBuild{}, err
	}
	timed, cancel := context.WithTimeoutCause(ctx, c.building.Timeout, c.errTimeout())
	defer cancel()
	n, err := c.builder.Build(timed, order, l)
	if ended := context.Cause(timed); ended != nil {
		err = ended // also of a build that came out all the same
	}
	return n, err
}

// awaitStart waits until Run has taken up what was left: the builder and what
// it needs are not ready before.
func (c *Controller) awaitStart(ctx context.Context, l *buildLog) error {
	select {
	case <-c.resumed:
		return nil
	default:
		l.say("Waiting: the platform is starting")
	}
	select {
	case <-c.resumed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// awaitTurn tells the pusher how many come before, whenever that changes.
func (c *Controller) awaitTurn(ctx context.Context, t *buildTicket, l *buildLog) error {
	told := 0
	for {
		select {
		case <-t.turn:
			return nil
		default:
		}
		if n := c.builds.queue.before(t); n != told && n > 0 {
			told = n
			l.say("Waiting: %s before yours", counted(n, "build"))
		}
		select {
		case <-t.turn:
			return nil
		case <-t.moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// order gathers what the builder has to know.
func (c *Controller) order(ctx context.Context, run platform.BuildRun, s Source) (BuildOrder, error) {
	a, err := c.store.FindApp(ctx, run.App)
	if err != nil {
		return BuildOrder{}, err
	}
	newest, err := c.store.FindRelease(ctx, run.App, 0)
	if err != nil {
		return BuildOrder{}, err
	}
	base, err := c.latest(ctx, run.App)
	if err != nil {
		return BuildOrder{}, err
	}
	cfg, err := c.store.FindConfig(ctx, base.Config)
	if err != nil {
		return BuildOrder{}, err
	}
	values := map[string]string{}
	for _, v := range cfg.Values {
		if v.Group == platform.GlobalGroup {
			values[v.Name] = v.Value
		}
	}
	return BuildOrder{ID: run.UUID, App: a, SHA: s.SHA, Tar: s.Tar, Config: values, Release: newest.Version + 1}, nil
}

// releaseRun makes the release of a run, which ends the run in the same
// transaction. When the answer got lost the run's record tells whether there
// is a release.
func (c *Controller) releaseRun(ctx context.Context, run platform.BuildRun, s Source, n NewBuild) (platform.Release, error) {
	actor, err := c.pusher(ctx, run.User)
	if err != nil {
		return platform.Release{}, err
	}
	n.SHA, n.ownRegistry, n.run = s.SHA, true, run.UUID
	_, err = c.Deploy(ctx, actor, run.App, n)
	if err != nil && !unsure(err) {
		return platform.Release{}, err
	}
	lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), logPatience)
	defer cancel()
	for tries := 1; ; tries++ {
		found, look := c.store.FindBuildRun(lasting, run.App, run.UUID)
		if look == nil && found.Version > 0 {
			var r platform.Release
			if r, look = c.store.FindRelease(lasting, run.App, found.Version); look == nil {
				return r, nil
			}
		}
		if look == nil || tries == endTries || lasting.Err() != nil {
			return platform.Release{}, err
		}
		pause(lasting, c.backoff(tries))
	}
}
