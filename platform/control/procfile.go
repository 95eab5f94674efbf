package control

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
)

// procfile is the Procfile of a new build. One that is missing although the
// build before had one is, as the operator chose, what was meant, a mistake
// that is a Conflict, or made good from the build before.
func (c *Controller) procfile(ctx context.Context, base platform.Release, n NewBuild) (map[string]string, error) {
	if len(n.Procfile) > 0 || len(n.Dryccfile) > 0 || base.Build == "" || (!c.tuning.reject && !c.tuning.keep) {
		return n.Procfile, nil
	}
	before, err := c.store.FindBuild(ctx, base.Build)
	if err != nil || len(before.Procfile) == 0 {
		return n.Procfile, err
	}
	if c.tuning.reject {
		return nil, platform.Errorf(platform.Conflict, "The last build had a Procfile and this one has none. To deploy, send a Procfile.")
	}
	return before.Procfile, nil
}
