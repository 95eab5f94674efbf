package gitssh

import (
	"fmt"
	"strconv"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// ParseLimits reads the limits that an operator may set; get gives the value
// of a setting by its name, empty for the default. An error names the setting.
func ParseLimits(get func(name string) string) (Limits, error) {
	var l Limits
	for name, field := range map[string]*int64{
		"SLIPWAY_GIT_PUSH_SIZE": &l.Pack, "SLIPWAY_GIT_TREE_SIZE": &l.Tree, "SLIPWAY_GIT_REPOSITORY_SIZE": &l.Repo,
	} {
		value := get(name)
		if value == "" {
			continue
		}
		size, err := platform.ParseBytes(value)
		if err != nil {
			return Limits{}, fmt.Errorf("%s: %w", name, err)
		}
		*field = size
	}
	if value := get("SLIPWAY_GIT_TIMEOUT"); value != "" {
		minutes, err := strconv.Atoi(value)
		if err != nil || minutes < 1 {
			return Limits{}, fmt.Errorf("SLIPWAY_GIT_TIMEOUT: %q is no number of minutes", value)
		}
		l.Transfer = time.Duration(minutes) * time.Minute
	}
	return l, nil
}
