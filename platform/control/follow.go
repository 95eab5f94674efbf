package control

import (
	"context"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// follow takes over what is scaled outside of this program, by the cluster's
// autoscaler or by hand, into the apps' structure, until ctx ends.
//
//	cluster ──seen──► sighted ──differs──► queue ──► observe ──► structure
//	                     └─ same as recorded: our own doing, or old news
//
// What was seen only says where to look: by the time an app's turn comes,
// nothing of ours is under way for it, and what the cluster says then counts.
func (c *Controller) follow(ctx context.Context) {
	for n := 1; ctx.Err() == nil; n++ {
		err := c.cluster.FollowReplicas(ctx, func(app, ptype string, replicas int) {
			n = 1
			c.sighted(ctx, app, ptype, replicas)
		})
		if ctx.Err() != nil {
			return
		}
		c.log.WithError(err).Warn("following what the cluster runs; trying again")
		wait := time.NewTimer(c.backoff(n))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
		}
	}
}

func (c *Controller) sighted(ctx context.Context, app, ptype string, replicas int) {
	a, err := c.store.FindApp(ctx, app)
	if platform.CodeOf(err) == platform.NotFound {
		return
	}
	if err == nil && a.Structure[ptype] == replicas {
		return
	}
	c.setLook(app, true)
	// With work of ours open this is most likely what the cluster said before
	// it: who does that work must not find the app taken.
	if work, err := c.store.ListWork(ctx, app); err == nil && len(work) > 0 {
		return
	}
	c.queue.add(app)
}

func (c *Controller) setLook(app string, wanted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wanted {
		c.looks[app] = true
	} else {
		delete(c.looks, app)
	}
}

func (c *Controller) wantsLook(app string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.looks[app]
}

// observe records what the cluster is told to run. The caller holds the app's
// changes. With work of ours still open nothing is recorded: that work will
// have the last word.
func (c *Controller) observe(ctx context.Context, app string) error {
	c.setLook(app, false)
	live, err := c.cluster.Replicas(ctx, app)
	if err == nil {
		err = c.adopt(ctx, app, live)
	}
	if err != nil {
		c.setLook(app, true)
	}
	return err
}

func (c *Controller) adopt(ctx context.Context, app string, live map[string]int) error {
	unlock, err := c.records.lock(ctx, app)
	if err != nil {
		return err
	}
	defer unlock()
	work, err := c.store.ListWork(ctx, app)
	if err != nil || len(work) > 0 {
		return err
	}
	a, err := c.store.FindApp(ctx, app)
	if platform.CodeOf(err) == platform.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	structure, changed := cloneMap(a.Structure), false
	for ptype, n := range live {
		if had, known := a.Structure[ptype]; known && had != n {
			structure[ptype], changed = n, true
		}
	}
	if !changed {
		return nil
	}
	c.log.WithField("app", app).WithField("structure", structure).Info("scaled outside of the platform")
	return c.store.SetStructure(ctx, app, structure, c.now())
}
