package control

import (
	"maps"
	"slices"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// untangle reads the shape in which the newest client takes health checks
// away. It names the probe where the process type belongs:
//
//	{"livenessProbe": {"livenessProbe": null}}
//
// The probe is then web's, for which health checks are when nobody says
// otherwise, or that of the one process type that has it.
func untangle(old platform.Config, ch map[string]map[string]any) (map[string]map[string]any, error) {
	out := maps.Clone(ch)
	for _, name := range slices.Sorted(maps.Keys(ch)) {
		value, there := ch[name][name]
		if !isProbe(name) || !there || value != nil || len(ch[name]) != 1 {
			continue
		}
		ptype, err := bearer(old, name)
		if err != nil {
			return nil, err
		}
		delete(out, name)
		inner := cloneMap(out[ptype])
		inner[name] = nil
		out[ptype] = inner
	}
	return out, nil
}

func isProbe(name string) bool {
	return name == "livenessProbe" || name == "readinessProbe" || name == "startupProbe"
}

// bearer finds the process type whose probe is meant when none was named.
func bearer(old platform.Config, probe string) (string, error) {
	var ptypes []string
	for _, ptype := range slices.Sorted(maps.Keys(old.Healthcheck)) {
		if _, has := old.Healthcheck[ptype][probe]; has {
			ptypes = append(ptypes, ptype)
		}
	}
	switch {
	case slices.Contains(ptypes, platform.WebPtype):
		return platform.WebPtype, nil
	case len(ptypes) == 1:
		return ptypes[0], nil
	case len(ptypes) == 0:
		return "", missing(probe, "healthcheck")
	}
	return "", platform.Errorf(platform.Unprocessable, "%s is set for %s: name the process type", probe, strings.Join(ptypes, ", "))
}
