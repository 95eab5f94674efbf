package control

import (
	"context"
	"sync"

	"github.com/slipway-paas/slipway/platform"
)

// parts are loops that sleep until they are due. All are due at the start, as
// there may be work from before.
type parts struct {
	mu      sync.Mutex
	wakes   []chan struct{}
	waiting []bool // due and not begun
	working []bool
	idle    []chan struct{}
}

func newParts(n int) *parts {
	p := &parts{waiting: make([]bool, n), working: make([]bool, n)}
	for i := range n {
		p.wakes = append(p.wakes, make(chan struct{}, 1))
		p.due(i)
	}
	return p
}

// due makes a part work, once more if it does already.
func (p *parts) due(i int) {
	if i >= len(p.wakes) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[i] = true
	select {
	case p.wakes[i] <- struct{}{}:
	default:
	}
}

// run calls work for every part that is due, one call at a time for each,
// until ctx ends and all calls have returned.
func (p *parts) run(ctx context.Context, work func(ctx context.Context, i int)) {
	var all sync.WaitGroup
	for i := range p.wakes {
		all.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-p.wakes[i]:
				}
				p.begin(i)
				work(ctx, i)
				p.finish(i, ctx.Err() != nil)
			}
		})
	}
	all.Wait()
}

func (p *parts) begin(i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[i], p.working[i] = false, true
}

// finish ends a call; one that was cut short is due again at the next run.
func (p *parts) finish(i int, cut bool) {
	if cut {
		p.due(i)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.working[i] = false
	p.tellIdle()
}

func (p *parts) tellIdle() {
	for i := range p.wakes {
		if p.waiting[i] || p.working[i] {
			return
		}
	}
	for _, ch := range p.idle {
		close(ch)
	}
	p.idle = nil
}

// wait returns when no part is due or working, or with ctx's error.
func (p *parts) wait(ctx context.Context) error {
	ch := make(chan struct{})
	p.mu.Lock()
	p.idle = append(p.idle, ch)
	p.tellIdle()
	p.mu.Unlock()
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// noticing is a Store that gives notice of every new release.
type noticing struct {
	Store
	notice func()
}

// CreateApp gives notice of the first release.
func (n noticing) CreateApp(ctx context.Context, a platform.App, c platform.Config, r platform.Release, s platform.Settings) (platform.App, error) {
	defer n.notice()
	return n.Store.CreateApp(ctx, a, c, r, s)
}

// AddRelease gives notice of a release.
func (n noticing) AddRelease(ctx context.Context, r platform.Release, b *platform.Build, c *platform.Config) (platform.Release, error) {
	defer n.notice()
	return n.Store.AddRelease(ctx, r, b, c)
}
