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
		"SLIPWAY_GIT_PUSH_SIZE": &l.Pack, "SLIPWAY_GIT_REPOSITORY_SIZE": &l.Repo,
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
	for name, set := range map[string]func(n int){
		"SLIPWAY_GIT_TIMEOUT":        func(n int) { l.Transfer = time.Duration(n) * time.Minute },
		"SLIPWAY_BUILD_SOURCE_LIMIT": func(n int) { l.Tree = int64(n) << 20 },
		"SLIPWAY_BUILD_SOURCE_FILES": func(n int) { l.Files = n },
	} {
		value := get(name)
		if value == "" {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return Limits{}, fmt.Errorf("%s: %q is no number from 1 on", name, value)
		}
		set(n)
	}
	return l, nil
}
