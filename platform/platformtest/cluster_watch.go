package platformtest

import (
	"context"
	"slices"
)

// watching is what a Cluster tells to who follows it.
type watching struct {
	wake  chan struct{} // has an element when sightings may not be empty
	seen  []sighting
	nodes []map[string]string
	set   bool // nodes were given; else every label is there
}

type sighting struct {
	app, ptype string
	replicas   int
}

// SetNodes says which labels the nodes carry, one map for each node. Until it
// is called there is a node with every label.
func (c *Cluster) SetNodes(nodes ...map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes, c.set = nodes, true
}

// ScaleOutside changes replicas behind the controller's back, as kubectl or
// an autoscaler would.
func (c *Cluster) ScaleOutside(app, ptype string, replicas int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.apps[app][ptype]
	r.Replicas = replicas
	c.apps[app][ptype] = r
	c.tell(app, ptype, replicas)
}

// tell lets the follower hear of a number. The lock is held.
func (c *Cluster) tell(app, ptype string, replicas int) {
	c.seen = append(c.seen, sighting{app, ptype, replicas})
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Replicas returns what runs of an app.
func (c *Cluster) Replicas(_ context.Context, app string) (map[string]int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]int{}
	for ptype, r := range c.apps[app] {
		out[ptype] = r.Replicas
	}
	return out, c.errors["Replicas"]
}

// FollowReplicas tells seen what runs and what is told of later.
func (c *Cluster) FollowReplicas(ctx context.Context, seen func(app, ptype string, replicas int)) error {
	c.mu.Lock()
	if err := c.errors["FollowReplicas"]; err != nil {
		c.mu.Unlock()
		return err
	}
	c.seen = nil
	for app, running := range c.apps {
		for ptype, r := range running {
			c.tell(app, ptype, r.Replicas)
		}
	}
	c.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.wake:
		}
		c.mu.Lock()
		all := c.seen
		c.seen = nil
		c.mu.Unlock()
		for _, s := range all {
			seen(s.app, s.ptype, s.replicas)
		}
	}
}

// NodesMatch reports a node with all labels.
func (c *Cluster) NodesMatch(_ context.Context, labels map[string]string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.errors["NodesMatch"]; err != nil || !c.set {
		return err == nil, err
	}
	return slices.ContainsFunc(c.nodes, func(node map[string]string) bool {
		for key, value := range labels {
			if have, ok := node[key]; !ok || have != value {
				return false
			}
		}
		return true
	}), nil
}
