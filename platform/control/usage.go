package control

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
)

// AppMetrics are numbers of an app at one moment.
type AppMetrics struct {
	App     string
	Version int            // of the newest release
	State   string         // of the newest release
	Wanted  map[string]int // process type → replicas
	Pods    []platform.Pod
	Usage   []platform.PodUsage // none when the nodes do not answer
}

// AppMetrics gathers what is known of an app now.
func (c *Controller) AppMetrics(ctx context.Context, actor Actor, app string) (AppMetrics, error) {
	a, err := c.appFor(ctx, actor, app, platform.Viewer)
	if err != nil {
		return AppMetrics{}, err
	}
	m := AppMetrics{App: app, Wanted: a.Structure}
	r, err := c.store.FindRelease(ctx, app, 0)
	if err != nil {
		return m, err
	}
	m.Version, m.State = r.Version, string(r.State)
	if m.Pods, err = c.cluster.Pods(ctx, app); err != nil {
		return m, err
	}
	if m.Usage, err = c.cluster.Usage(ctx, app); err != nil {
		// The rest is worth having without it.
		c.log.WithField("app", app).WithError(err).Warn("reading what the pods use")
		m.Usage = nil
	}
	return m, nil
}
