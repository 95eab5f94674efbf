package control

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// checkTags refuses tags that no node of the cluster carries: the process type
// could never be scheduled. Only process types whose tags change are asked
// about, so that a node that is away does not stop other changes.
func (c *Controller) checkTags(ctx context.Context, old, now platform.Config) error {
	for _, ptype := range slices.Sorted(maps.Keys(now.Tags)) {
		was, is := old.Tags[ptype], now.Tags[ptype]
		if len(is) == 0 || maps.Equal(was, is) {
			continue
		}
		found, err := c.cluster.NodesMatch(ctx, is)
		if err != nil {
			return err
		}
		if !found {
			return platform.Errorf(platform.Invalid, "%s", noNodes(was, is))
		}
	}
	return nil
}

func noNodes(was, is map[string]string) string {
	all, added := []string{}, []string{}
	for _, key := range slices.Sorted(maps.Keys(is)) {
		pair := key + "=" + is[key]
		all = append(all, pair)
		if value, had := was[key]; !had || value != is[key] {
			added = append(added, pair)
		}
	}
	text := "No nodes matched the provided labels: " + strings.Join(all, ", ")
	if len(was) > 0 && len(added) > 0 {
		text += " - Addition of " + strings.Join(added, ", ") + " is the cause"
	}
	return text
}
