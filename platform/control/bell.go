package control

import (
	"context"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// bell tells those who listen that an app has new events. A ring that nobody
// waits for is kept, several are one.
type bell struct {
	mu        sync.Mutex
	listeners map[string]map[chan struct{}]bool // by app
}

func newBell() *bell { return &bell{listeners: map[string]map[chan struct{}]bool{}} }

// listen returns what gets an element after events of app, and what ends that.
func (b *bell) listen(app string) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listeners[app] == nil {
		b.listeners[app] = map[chan struct{}]bool{}
	}
	b.listeners[app][ch] = true
	return ch, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if delete(b.listeners[app], ch); len(b.listeners[app]) == 0 {
			delete(b.listeners, app)
		}
	}
}

func (b *bell) ring(app string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ch := range b.listeners[app] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// ringing is a Store that rings after what writes events.
type ringing struct {
	Store
	bell *bell
}

// AddRelease rings for the app of r.
func (s ringing) AddRelease(ctx context.Context, r platform.Release, b *platform.Build, c *platform.Config) (platform.Release, error) {
	defer s.bell.ring(r.App)
	return s.Store.AddRelease(ctx, r, b, c)
}

// SetReleaseState rings for app.
func (s ringing) SetReleaseState(ctx context.Context, app string, version int, c platform.Condition, deployed []string) error {
	defer s.bell.ring(app)
	return s.Store.SetReleaseState(ctx, app, version, c, deployed)
}

// Supersede rings for app.
func (s ringing) Supersede(ctx context.Context, app string, version int, at time.Time) error {
	defer s.bell.ring(app)
	return s.Store.Supersede(ctx, app, version, at)
}

// SetStructure rings for app.
func (s ringing) SetStructure(ctx context.Context, app string, structure map[string]int, at time.Time) error {
	defer s.bell.ring(app)
	return s.Store.SetStructure(ctx, app, structure, at)
}

// SaveSettings rings for the app of set.
func (s ringing) SaveSettings(ctx context.Context, set platform.Settings) error {
	defer s.bell.ring(set.App)
	return s.Store.SaveSettings(ctx, set)
}

// AddBuildRun rings for the app of r.
func (s ringing) AddBuildRun(ctx context.Context, r platform.BuildRun, runner string) error {
	defer s.bell.ring(r.App)
	return s.Store.AddBuildRun(ctx, r, runner)
}

// EndBuildRun rings for the app of r and for who follows the run's log.
func (s ringing) EndBuildRun(ctx context.Context, r platform.BuildRun) error {
	defer s.bell.ring(logBell(r.UUID))
	defer s.bell.ring(r.App)
	return s.Store.EndBuildRun(ctx, r)
}

// AppendEvent rings for the app of e.
func (s ringing) AppendEvent(ctx context.Context, e Event) (int64, error) {
	defer s.bell.ring(e.App)
	return s.Store.AppendEvent(ctx, e)
}

// DeleteApp rings for the app.
func (s ringing) DeleteApp(ctx context.Context, id string) error {
	defer s.bell.ring(id)
	return s.Store.DeleteApp(ctx, id)
}
