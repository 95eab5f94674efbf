package platformtest

import (
	"context"
	"io"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Builder counts the builds of b as steps. A build that is under way when the
// process dies dies with it.
func (c *Crash) Builder(b control.Builder) control.Builder { return crashBuilder{b, c} }

type crashBuilder struct {
	control.Builder
	c *Crash
}

func (b crashBuilder) Build(ctx context.Context, order control.BuildOrder, log io.Writer) (control.NewBuild, error) {
	return stepOf(b.c, func() (control.NewBuild, error) { return b.Builder.Build(ctx, order, log) })
}

func (s crashStore) AddBuildRun(ctx context.Context, r platform.BuildRun, runner string) error {
	return s.c.step(func() error { return s.Store.AddBuildRun(ctx, r, runner) })
}

func (s crashStore) StartBuildRun(ctx context.Context, uuid string, at time.Time) error {
	return s.c.step(func() error { return s.Store.StartBuildRun(ctx, uuid, at) })
}

func (s crashStore) EndBuildRun(ctx context.Context, r platform.BuildRun) error {
	return s.c.step(func() error { return s.Store.EndBuildRun(ctx, r) })
}

func (s crashStore) PruneBuildRuns(ctx context.Context, app string, keep int) error {
	return s.c.step(func() error { return s.Store.PruneBuildRuns(ctx, app, keep) })
}

// AddBuildLog is no step: how often it is called depends on the time.
func (s crashStore) AddBuildLog(ctx context.Context, uuid string, p control.LogPiece, head, tail int64) (platform.BuildState, error) {
	if s.c.Died() {
		return "", killed()
	}
	return s.Store.AddBuildLog(ctx, uuid, p, head, tail)
}
