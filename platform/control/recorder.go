package control

import (
	"context"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// recorder is a Store that has the queue look at an app when the answer to a
// change of it got lost: whether it was recorded is not known then, and nobody
// else would take it up before the next start.
type recorder struct {
	Store
	look func(app string)
}

// unsure reports an error after which a change may or may not be recorded.
func unsure(err error) bool {
	switch platform.CodeOf(err) {
	case platform.Unavailable, platform.Internal:
		return true
	}
	return false
}

func (r recorder) check(app string, err error) error {
	if unsure(err) {
		r.look(app)
	}
	return err
}

// AddRelease looks after the release it adds.
func (r recorder) AddRelease(ctx context.Context, rel platform.Release, b *platform.Build, c *platform.Config) (platform.Release, error) {
	out, err := r.Store.AddRelease(ctx, rel, b, c)
	return out, r.check(rel.App, err)
}

// AddWork looks after the work it adds.
func (r recorder) AddWork(ctx context.Context, w Work) (Work, error) {
	out, err := r.Store.AddWork(ctx, w)
	return out, r.check(w.App, err)
}

// CreateApp looks after the app it makes.
func (r recorder) CreateApp(ctx context.Context, a platform.App, c platform.Config, rel platform.Release, s platform.Settings) (platform.App, error) {
	out, err := r.Store.CreateApp(ctx, a, c, rel, s)
	return out, r.check(a.ID, err)
}

// SetStructure looks after the numbers it sets.
func (r recorder) SetStructure(ctx context.Context, app string, structure map[string]int, at time.Time) error {
	return r.check(app, r.Store.SetStructure(ctx, app, structure, at))
}

// SaveSettings looks after the switches it saves.
func (r recorder) SaveSettings(ctx context.Context, s platform.Settings) error {
	return r.check(s.App, r.Store.SaveSettings(ctx, s))
}
