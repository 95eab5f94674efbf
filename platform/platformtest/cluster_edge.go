package platformtest

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Deny lets Expose fail with what f returns for an exposure, unless nil.
func (c *Cluster) Deny(f func(control.Exposure) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deny = f
}

// Exposed returns what an app shows to the outside.
func (c *Cluster) Exposed(app string) control.Exposure {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.exposed[app]
}

// Expose keeps what the app shows to the outside unless it is denied.
func (c *Cluster) Expose(ctx context.Context, x control.Exposure) error {
	return c.do(ctx, Call{Name: "Expose", App: x.App.ID}, func() error {
		if c.apps[x.App.ID] == nil {
			return platform.Errorf(platform.NotFound, "namespace %s not found", x.App.ID)
		}
		if c.deny != nil {
			if err := c.deny(x); err != nil {
				return err
			}
		}
		c.exposed[x.App.ID] = x
		return nil
	})
}
