package control

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// watchPoll is how often the state of a rollout is looked at.
const watchPoll = 2 * time.Second

// counted is "1 build" or "2 builds".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// watchRelease tells the pusher how a release is rolled out, until it has
// ended or ctx has, and returns what it knows of it last.
func (c *Controller) watchRelease(ctx context.Context, r platform.Release, l *buildLog) platform.Release {
	rung, deaf := c.bell.listen(r.App)
	defer deaf()
	tick := time.NewTicker(watchPoll)
	defer tick.Stop()
	w := rollout{c: c, l: l, release: r, pods: map[string]string{}}
	for {
		done, err := w.look(ctx)
		if done {
			return w.release
		}
		if err != nil && ctx.Err() == nil && platform.CodeOf(err) != platform.Unavailable {
			c.log.WithField("app", r.App).WithField("release", r.Version).WithError(err).Warn("watching a release")
			l.say("v%d is recorded; see how it ends with `drycc releases -a %s`", r.Version, r.App)
			return w.release
		}
		select {
		case <-rung:
		case <-tick.C:
		case <-ctx.Done():
			return w.release
		}
	}
}

// rollout is what a pusher was told of a release.
type rollout struct {
	c       *Controller
	l       *buildLog
	release platform.Release
	event   int64             // ID of the last one read
	pods    map[string]string // what was said of each process type
}

// look tells what is new and reports whether that was all.
func (w *rollout) look(ctx context.Context) (done bool, err error) {
	// The state first: what was noted before it changed is told before.
	r, err := w.c.store.FindRelease(ctx, w.release.App, w.release.Version)
	if err != nil {
		return false, err
	}
	w.release = r
	if err := w.tellEvents(ctx); err != nil {
		return false, err
	}
	switch r.State {
	case platform.ReleaseSucceeded:
		w.tellDone(ctx)
		return true, nil
	case platform.ReleaseCrashed:
		w.l.say("v%d crashed: %s", r.Version, r.Exception)
		w.l.say("The release is recorded, but it does not run. See `drycc releases info v%d -a %s`", r.Version, r.App)
		return true, nil
	case platform.ReleaseSuperseded:
		w.l.say("v%d gave way to a newer release before it was rolled out", r.Version)
		return true, nil
	case platform.ReleasePending:
		s, err := w.c.store.FindSettings(ctx, r.App)
		if err == nil && !s.Autodeploy {
			w.l.say("v%d waits, as autodeploy is off. Deploy it with `drycc releases deploy -a %s`", r.Version, r.App)
		}
		return err == nil && !s.Autodeploy, err
	}
	return false, w.tellPods(ctx)
}

// tellEvents words the steps of the release since the last look.
func (w *rollout) tellEvents(ctx context.Context) error {
	if w.event == 0 { // begins near its creation, which is among the newest
		events, err := w.c.store.LastEvents(ctx, w.release.App, eventBatch)
		if err != nil {
			return err
		}
		w.tell(events)
		return nil
	}
	for {
		events, err := w.c.store.ListEvents(ctx, w.release.App, w.event, eventBatch)
		if err != nil {
			return err
		}
		w.tell(events)
		if len(events) < eventBatch {
			return nil
		}
	}
}

func (w *rollout) tell(events []Event) {
	for _, e := range events {
		w.event = e.ID
		var d eventData
		if e.Object != "release" || json.Unmarshal(e.Data, &d) != nil || d.Version != w.release.Version {
			continue
		}
		switch e.Action {
		case string(platform.ReleaseDeploying):
			w.l.say("Rolling out v%d: %s", d.Version, strings.Join(d.Ptypes, ", "))
		case eventStep:
			w.l.say("Running the release step of %s", d.Ptype)
		}
	}
}

// eventStep is the event of a run step that is about to begin.
const eventStep = "step"

// tellPods says how far each process type is, whenever that changes.
func (w *rollout) tellPods(ctx context.Context) error {
	list, err := w.c.cluster.Ptypes(ctx, w.release.App)
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.Release != fmt.Sprintf("v%d", w.release.Version) {
			continue
		}
		text := fmt.Sprintf("%s: %d of %d ready", p.Name, min(p.Ready, p.UpToDate), p.Wanted)
		if w.pods[p.Name] != text {
			w.pods[p.Name] = text
			w.l.say("%s", text)
		}
	}
	return nil
}

// tellDone is the guide's end of a push, with the app's address.
func (w *rollout) tellDone(ctx context.Context) {
	r := w.release
	w.l.say("Done, %s:v%d deployed to Workflow", r.App, r.Version)
	if address := w.c.address(ctx, r); address != "" {
		w.l.say("%s", address)
	}
	w.l.say("Use 'drycc open' to view this application in your browser")
	w.l.say("To learn more, use 'drycc help' or visit https://www.drycc.cc")
}

// address is where an app answers, empty when it does not.
func (c *Controller) address(ctx context.Context, r platform.Release) string {
	s, err := c.store.FindSettings(ctx, r.App)
	if err != nil || !s.Routable {
		return ""
	}
	ptypes, err := c.ptypesOf(ctx, r.Build)
	if err != nil {
		return ""
	}
	e, err := c.store.FindEdge(ctx, r.App)
	if err != nil {
		return ""
	}
	scheme := "http"
	if e.TLS.Enforced() {
		scheme = "https"
	}
	for _, p := range ptypes {
		if p == platform.WebPtype {
			return scheme + "://" + c.Host(r.App)
		}
	}
	return ""
}
