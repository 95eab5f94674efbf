package api

import (
	"fmt"
	"strconv"
	"strings"
)

// The settings of the rate limits, as "600/min"; sec, min, hour and day are
// the units.
const (
	throttleAnonymous = "DRYCC_THROTTLE_ANON" // requests without credentials, of one address
	throttleUser      = "DRYCC_THROTTLE_USER" // requests with the same credentials
)

// LimitNames lists the settings that ParseLimits reads.
func LimitNames() []string { return []string{throttleAnonymous, throttleUser} }

// ParseLimits reads the rate limits from settings by name; an empty text is
// the default. The error names the setting at fault.
func ParseLimits(get func(name string) string) (Limits, error) {
	limits := DefaultLimits()
	for _, s := range []struct {
		name string
		into *Rate
	}{{throttleAnonymous, &limits.Anonymous}, {throttleUser, &limits.Token}} {
		text := strings.TrimSpace(get(s.name))
		if text == "" {
			continue
		}
		r, err := ParseRate(text)
		if err != nil {
			return Limits{}, fmt.Errorf("%s: %w", s.name, err)
		}
		*s.into = r
	}
	// Many users share an address; it may ask what one of them may at least.
	if limits.Remote.PerSecond < limits.Token.PerSecond {
		limits.Remote = limits.Token
	}
	return limits, nil
}

// ParseRate reads "600/min": so many a unit, and as many at once.
func ParseRate(s string) (Rate, error) {
	count, unit, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(strings.TrimSpace(count))
	if err != nil || n < 1 || n > 1e9 {
		return Rate{}, fmt.Errorf("%q is no rate: write a number and a unit, such as 600/min", s)
	}
	seconds := 0.0
	switch strings.TrimSpace(unit) {
	case "s", "sec", "second":
		seconds = 1
	case "m", "min", "minute":
		seconds = 60
	case "h", "hour":
		seconds = 60 * 60
	case "d", "day":
		seconds = 24 * 60 * 60
	default:
		return Rate{}, fmt.Errorf("%q has no unit: write sec, min, hour or day behind the number, such as 600/min", s)
	}
	return Rate{PerSecond: float64(n) / seconds, Burst: n}, nil
}
