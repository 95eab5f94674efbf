package control

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

const (
	// logHead and logTail are how much of a run's log is kept, in bytes: its
	// beginning and its end. How a build began tells what it was, how it ended
	// tells why.
	logHead = 1 << 20
	logTail = 3 << 20
	// logPieceSize is how much is written to the store at once.
	logPieceSize = 32 << 10
	// logPending bounds what waits while the store is away.
	logPending = 1 << 20
	// logGather is how long lines are gathered for one piece.
	logGather = 200 * time.Millisecond
	// logPatience is how long the last lines may take to reach the store.
	logPatience = 10 * time.Second
)

// buildLog writes what a run says to its pusher and to the store. What a
// slow store can't take is left out of the stored log; the build never waits
// for it.
type buildLog struct {
	c      *Controller
	run    platform.BuildRun
	ended  func(platform.BuildState) // hears the run's state with every piece
	more   chan struct{}             // has an element when something is pending
	stop   chan struct{}
	closed sync.WaitGroup

	out struct { // what the pusher sees
		sync.Mutex
		w     io.Writer // nil when the pusher has gone
		spoke bool      // since the last beat
	}
	mu      sync.Mutex
	pending []byte
	at      int64 // where pending begins in the log
}

func (c *Controller) openBuildLog(run platform.BuildRun, w io.Writer, ended func(platform.BuildState)) *buildLog {
	l := &buildLog{c: c, run: run, ended: ended, more: make(chan struct{}, 1), stop: make(chan struct{})}
	l.out.w = w
	l.closed.Go(l.keep)
	l.closed.Go(l.beat)
	return l
}

// Write never fails: a pusher who has gone is noticed by the context.
func (l *buildLog) Write(p []byte) (int, error) {
	l.show(p, true)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, p...)
	if over := len(l.pending) - logPending; over > 0 {
		l.pending = l.pending[over:]
		l.at += int64(over)
	}
	select {
	case l.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (l *buildLog) show(p []byte, spoke bool) {
	l.out.Lock()
	defer l.out.Unlock()
	l.out.spoke = l.out.spoke || spoke
	if l.out.w == nil {
		return
	}
	if _, err := l.out.w.Write(p); err != nil {
		l.out.w = nil
	}
}

// say writes a line of the platform's own.
func (l *buildLog) say(format string, args ...any) {
	_, _ = fmt.Fprintf(l, "---> "+format+"\n", args...) // never fails
}

// beat shows the pusher a sign of life while nothing is said, so that no
// connection is given up, and looks whether the run was ended elsewhere.
func (l *buildLog) beat() {
	tick := time.NewTicker(l.c.building.Beat)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		l.out.Lock()
		silent := !l.out.spoke
		l.out.spoke = false
		l.out.Unlock()
		if silent {
			l.show([]byte("...\n"), false)
			l.look()
		}
	}
}

func (l *buildLog) look() {
	ctx, cancel := context.WithTimeout(context.Background(), logPatience)
	defer cancel()
	if run, err := l.c.store.FindBuildRun(ctx, l.run.App, l.run.UUID); err == nil {
		l.ended(run.State)
	}
}

// keep brings what is pending to the store.
func (l *buildLog) keep() {
	for {
		select {
		case <-l.more:
		case <-l.stop:
			return
		}
		pause := time.NewTimer(logGather)
		select {
		case <-pause.C:
		case <-l.stop:
			pause.Stop()
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), logPatience)
		if l.flush(ctx) != nil { // said again when there is more, and at the end
			l.c.log.WithField("app", l.run.App).WithField("build", l.run.UUID).Warn("a build's log does not reach the store")
		}
		cancel()
	}
}

// flush writes what is pending. keep and close call it, one after the other.
func (l *buildLog) flush(ctx context.Context) error {
	for {
		l.mu.Lock()
		p := LogPiece{Start: l.at, Text: append([]byte(nil), l.pending[:min(len(l.pending), logPieceSize)]...)}
		l.mu.Unlock()
		if len(p.Text) == 0 {
			return nil
		}
		if err := l.put(ctx, p); err != nil {
			return err
		}
		l.mu.Lock()
		if done := p.Start + int64(len(p.Text)) - l.at; done > 0 { // else all of it was given up meanwhile
			l.pending = l.pending[done:]
			l.at += done
		}
		l.mu.Unlock()
	}
}

func (l *buildLog) put(ctx context.Context, p LogPiece) error {
	state, err := l.c.store.AddBuildLog(ctx, l.run.UUID, p, logHead, logTail)
	if err != nil {
		return err
	}
	l.c.bell.ring(logBell(l.run.UUID))
	l.ended(state)
	return nil
}

// close writes the rest, and an empty piece that says that this is all.
func (l *buildLog) close() {
	close(l.stop)
	l.closed.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), logPatience)
	defer cancel()
	err := l.flush(ctx)
	if err == nil {
		err = l.put(ctx, LogPiece{Start: l.at})
	}
	if err != nil && platform.CodeOf(err) != platform.NotFound { // gone with its app
		l.c.log.WithField("app", l.run.App).WithField("build", l.run.UUID).WithError(err).Warn("the end of a build's log is lost")
	}
}

// logBell is what the bell rings for when a run has said something.
func logBell(run string) string { return "build/" + run }

const (
	// logBatch is how many pieces are read at once.
	logBatch = 32
	// logPoll is how often a log is looked at that another server writes.
	logPoll = time.Second
)

// BuildLog copies the log of a run to w; with follow it goes on until the
// run's release has ended or ctx has, whose error it then returns.
func (c *Controller) BuildLog(ctx context.Context, actor Actor, app, id string, follow bool, w io.Writer) error {
	if _, err := c.FindBuildRun(ctx, actor, app, id); err != nil {
		return err
	}
	rung, deaf := c.bell.listen(logBell(id))
	defer deaf()
	tick := time.NewTicker(logPoll)
	defer tick.Stop()
	r := logReader{c: c, app: app, run: id, w: w}
	for last := !follow; ; {
		end, err := r.read(ctx)
		if end || last || err != nil {
			return err
		}
		if last, err = r.over(ctx); err != nil {
			return err
		}
		if last {
			continue // once more: it may have said something before it ended
		}
		select {
		case <-rung:
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// logReader is how far somebody has read a log.
type logReader struct {
	c        *Controller
	app, run string
	w        io.Writer
	at       int64
}

// read copies what is new and reports whether that was the end.
func (r *logReader) read(ctx context.Context) (end bool, err error) {
	for {
		list, err := r.c.store.ReadBuildLog(ctx, r.run, r.at, logBatch)
		if err != nil {
			return false, err
		}
		for _, p := range list {
			if len(p.Text) == 0 {
				return true, nil
			}
			if left := p.Start - r.at; left > 0 {
				if _, err := fmt.Fprintf(r.w, "\n[%d bytes of the log are not kept]\n", left); err != nil {
					return false, err
				}
				r.at = p.Start
			}
			if _, err := r.w.Write(p.Text[r.at-p.Start:]); err != nil {
				return false, err
			}
			r.at = p.Start + int64(len(p.Text))
		}
		if len(list) < logBatch {
			return false, nil
		}
	}
}

// over reports that nobody writes the log any more: its run has ended, nothing
// here has it, and its release, if any, has ended too. That is so when the
// server was killed, which left the log without an end.
func (r *logReader) over(ctx context.Context) (bool, error) {
	if r.c.builds.alive(r.run) {
		return false, nil
	}
	run, err := r.c.store.FindBuildRun(ctx, r.app, r.run)
	if err != nil || !run.State.Ended() || run.Version == 0 {
		return err == nil && run.State.Ended(), err
	}
	rel, err := r.c.store.FindRelease(ctx, r.app, run.Version)
	return err == nil && rel.State != platform.ReleasePending && rel.State != platform.ReleaseDeploying, err
}
