package control

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The settings of building from source.
const (
	settingBuildsAtOnce = "SLIPWAY_BUILDS_AT_ONCE"
	settingBuildTimeout = "SLIPWAY_BUILD_TIMEOUT"      // seconds
	settingBuildRuns    = "SLIPWAY_BUILD_HISTORY"      // runs of an app
	settingBuildSource  = "SLIPWAY_BUILD_SOURCE_LIMIT" // MB
)

// BuildNames lists the settings that ParseBuilds reads.
func BuildNames() []string {
	return []string{settingBuildsAtOnce, settingBuildTimeout, settingBuildRuns, settingBuildSource}
}

// ParseBuilds reads the settings by name; an empty text is the default. The
// error names the setting at fault.
func ParseBuilds(get func(name string) string) (BuildOptions, error) {
	var o BuildOptions
	var seconds, megabytes int
	for _, s := range []struct {
		name string
		into *int
	}{
		{settingBuildsAtOnce, &o.AtOnce}, {settingBuildTimeout, &seconds}, {settingBuildRuns, &o.Runs}, {settingBuildSource, &megabytes},
	} {
		text := strings.TrimSpace(get(s.name))
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return BuildOptions{}, fmt.Errorf("%s is %q: use a whole number from 1", s.name, text)
		}
		*s.into = n
	}
	o.Timeout, o.MaxSource = time.Duration(seconds)*time.Second, int64(megabytes)<<20
	return o, nil
}
