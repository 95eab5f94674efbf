package control

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

const (
	defaultLogLines = 100
	maxLogLines     = 10000
	eventBatch      = 100
)

// AppLog hands the newest lines of an app's log to emit, oldest first: what
// its processes say, and what the platform did. With follow it goes on with
// new lines until ctx ends or emit fails, whose error it returns. emit is
// never called twice at once. lines 0 or less means 100.
func (c *Controller) AppLog(ctx context.Context, actor Actor, app string, lines int, follow bool, emit func(platform.LogLine) error) error {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return err
	}
	if lines <= 0 {
		lines = defaultLogLines
	}
	rung, deaf := c.bell.listen(app)
	defer deaf()
	since := c.now()
	known, lastEvent, err := c.logSoFar(ctx, app, min(lines, maxLogLines))
	if err != nil {
		return err
	}
	after := map[string]time.Time{}
	for _, l := range known {
		if l.Pod != "" && l.Time.After(after[l.Pod]) {
			after[l.Pod] = l.Time
		}
	}
	for _, l := range tail(known, lines) {
		if err := emit(l); err != nil {
			return err
		}
	}
	if !follow {
		return nil
	}
	return c.followLog(ctx, app, logPlace{since, after, lastEvent}, rung, emit)
}

// logSoFar joins the lines of pods and events by time, and returns the ID of
// the last event among them.
func (c *Controller) logSoFar(ctx context.Context, app string, lines int) ([]platform.LogLine, int64, error) {
	events, err := c.store.LastEvents(ctx, app, min(lines, maxPage))
	if err != nil {
		return nil, 0, err
	}
	out, err := c.cluster.Logs(ctx, app, lines)
	if err != nil {
		return nil, 0, err
	}
	var last int64
	for _, e := range events {
		last = e.ID
		out = append(out, lineOf(e))
	}
	slices.SortStableFunc(out, func(a, b platform.LogLine) int { return a.Time.Compare(b.Time) })
	return out, last, nil
}

const maxPage = 1000

func tail(list []platform.LogLine, n int) []platform.LogLine {
	return list[max(0, len(list)-n):]
}

// logPlace is how far a log has been told.
type logPlace struct {
	since time.Time
	after map[string]time.Time // by pod
	event int64                // ID of the last
}

// followLog joins the two sources as they come. Whichever ends ends the other.
func (c *Controller) followLog(ctx context.Context, app string, from logPlace, rung <-chan struct{}, emit func(platform.LogLine) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	serial := func(l platform.LogLine) error {
		mu.Lock()
		defer mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
		return emit(l)
	}
	var group sync.WaitGroup
	group.Go(func() { cancel(c.followEvents(ctx, app, from.event, rung, serial)) })
	err := c.cluster.FollowLogs(ctx, app, from.since, from.after, serial)
	cancel(err)
	group.Wait()
	return context.Cause(ctx)
}

// followEvents tells of events after last whenever the bell rings.
func (c *Controller) followEvents(ctx context.Context, app string, last int64, rung <-chan struct{}, emit func(platform.LogLine) error) error {
	for {
		select {
		case <-rung:
		case <-ctx.Done():
			return ctx.Err()
		}
		for more := true; more; {
			events, err := c.store.ListEvents(ctx, app, last, eventBatch)
			if err != nil {
				return err
			}
			for _, e := range events {
				last = e.ID
				if err := emit(lineOf(e)); err != nil {
					return err
				}
			}
			more = len(events) == eventBatch
		}
	}
}

// lineOf words an event for the app's log.
func lineOf(e Event) platform.LogLine {
	return platform.LogLine{Time: e.Created, Text: wordsOf(e)}
}

// eventData is what the events of releases hold.
type eventData struct {
	Version   int
	By        int
	Summary   string
	Exception string
	Ptypes    []string
	Name      string
	User      string
	Ptype     string // of a step
	SHA       string // of a build
	Message   string // of a build
}

func wordsOf(e Event) string {
	if e.Object == "scale" {
		return scaleWords(e)
	}
	var d eventData
	// Data of other kinds of events may not fit; their name is told then.
	_ = json.Unmarshal(e.Data, &d)
	switch {
	case e.Object == "release" && e.Action == "create":
		return d.Summary
	case e.Object == "release" && e.Action == string(platform.ReleaseDeploying):
		return fmt.Sprintf("deploying v%d (%s)", d.Version, strings.Join(d.Ptypes, ", "))
	case e.Object == "release" && e.Action == string(platform.ReleaseSucceeded):
		return fmt.Sprintf("v%d deployed (%s)", d.Version, strings.Join(d.Ptypes, ", "))
	case e.Object == "release" && e.Action == string(platform.ReleaseCrashed):
		return fmt.Sprintf("v%d crashed: %s", d.Version, firstLine(d.Exception))
	case e.Object == "release" && e.Action == string(platform.ReleaseSuperseded):
		return fmt.Sprintf("v%d gave way to v%d", d.Version, d.By)
	case e.Object == "release" && e.Action == eventStep:
		return fmt.Sprintf("running the step of %s for v%d", d.Ptype, d.Version)
	case e.Object == "build" && e.Action == "create":
		return fmt.Sprintf("%s pushed %.7s", d.User, d.SHA)
	case e.Object == "build":
		return fmt.Sprintf("build %s: %s", e.Action, firstLine(d.Message))
	case e.Object == "app" && e.Action == "create":
		return "app created"
	case e.Object == "settings":
		return "settings changed"
	case e.Object == "run":
		return fmt.Sprintf("%s ran a command as %s", d.User, d.Name)
	}
	return strings.TrimSpace(e.Object + " " + e.Action)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func scaleWords(e Event) string {
	var counts map[string]int
	if json.Unmarshal(e.Data, &counts) != nil {
		return "scaled"
	}
	parts := []string{"scaled"}
	for _, p := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s=%d", p, counts[p]))
	}
	return strings.Join(parts, " ")
}
