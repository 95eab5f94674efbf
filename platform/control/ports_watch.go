package control

import "context"

// Watching is what the cluster tells of itself.
type Watching interface {
	// Replicas returns how many of each deployed process type of an app the
	// cluster is told to run now, read from the cluster itself.
	Replicas(ctx context.Context, app string) (map[string]int, error)
	// FollowReplicas calls seen with the wanted replicas of every deployed
	// process type of every app, and again whenever that number changes,
	// whoever changed it. It returns when ctx is over, with nil, or with the
	// error that keeps it from following. Calls of seen do not overlap.
	FollowReplicas(ctx context.Context, seen func(app, ptype string, replicas int)) error
	// NodesMatch reports whether there is a node that carries all labels.
	NodesMatch(ctx context.Context, labels map[string]string) (bool, error)
}
