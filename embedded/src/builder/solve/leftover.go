package main

import (
	"context"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
)

const (
	leftoverPatience = 5 * time.Second
	leftoverLook     = 100 * time.Millisecond
)

// dropLeftovers gives back what steps have written that did not come to their
// end: nothing can be built on it, and it may be large. BuildKit would keep it
// until its cache is full. The steps before them stay in the cache.
func dropLeftovers(ctx context.Context, daemon *client.Client, since time.Time, commands []string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leftoverPatience)
	defer cancel()
	for len(commands) > 0 {
		records, err := daemon.DiskUsage(ctx)
		if err != nil {
			return // it is still within what the cache may take
		}
		left := false
		for _, r := range records {
			if r.CreatedAt.Before(since) || !wroteBy(r.Description, commands) {
				continue
			}
			left = true
			if !r.InUse {
				_ = daemon.Prune(ctx, nil, client.WithFilter([]string{"id==" + r.ID}))
			}
		}
		if !left {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(leftoverLook): // until the build has let go of it
		}
	}
}

// wroteBy reports whether a record of the cache is what one of the commands
// wrote.
func wroteBy(description string, commands []string) bool {
	description = oneLine(description)
	if !strings.HasPrefix(description, "mount ") {
		return false
	}
	for _, c := range commands {
		if strings.HasSuffix(description, c) {
			return true
		}
	}
	return false
}

// unfinished lists the commands of RUN steps that began and did not end well.
func (p *progress) unfinished() []string {
	var out []string
	for _, st := range p.steps {
		_, command, found := strings.Cut(st.name, "] RUN ")
		if !found || !st.shown || (st.done && st.failed == "") {
			continue
		}
		for strings.HasPrefix(command, "--") {
			_, command, _ = strings.Cut(command, " ")
		}
		if command != "" {
			out = append(out, command)
		}
	}
	return out
}
