package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// The names by which deploys are tuned: in the settings of the platform for
// all apps, and in an app's config for that app, which wins.
const (
	tuneBatches = "DRYCC_DEPLOY_BATCHES"
	tuneTimeout = "DRYCC_DEPLOY_TIMEOUT"
	tunePull    = "IMAGE_PULL_POLICY"
	tuneHistory = "KUBERNETES_DEPLOYMENTS_REVISION_HISTORY_LIMIT"
	tuneGrace   = "KUBERNETES_POD_TERMINATION_GRACE_PERIOD_SECONDS"
)

// The names that only the platform has.
const (
	tuneTags     = "DRYCC_DEFAULT_CONFIG_TAGS"
	tuneReject   = "DRYCC_DEPLOY_REJECT_IF_PROCFILE_MISSING"
	tuneRemove   = "DRYCC_DEPLOY_PROCFILE_MISSING_REMOVE"
	tuneReserved = "RESERVED_NAMES"
)

// TuningNames lists the settings that ParseTuning reads.
func TuningNames() []string {
	return []string{
		tuneBatches, tuneTimeout, tunePull, tuneHistory, tuneGrace,
		tuneTags, tuneReject, tuneRemove, tuneReserved,
	}
}

// Tuning is what the operator sets for the apps of the platform. The zero
// value is the default of every setting.
type Tuning struct {
	values map[string]string // those that an app's config can override
	tags   map[string]string // of process types that have none
	reject bool              // a build without Procfile after one with
	keep   bool              // process types whose Procfile is gone
	names  []string          // more names that nobody may take
}

// ParseTuning reads settings by name; an empty text is the default. The error
// names the setting that cannot be used.
func ParseTuning(get func(name string) string) (Tuning, error) {
	t := Tuning{values: map[string]string{}}
	for _, name := range []string{tuneBatches, tuneTimeout, tunePull, tuneHistory, tuneGrace} {
		value := get(name)
		if value == "" {
			continue
		}
		if err := checkTuning(name, value); err != nil {
			return Tuning{}, err
		}
		t.values[name] = value
	}
	var err error
	if t.tags, err = parseTags(get(tuneTags)); err != nil {
		return Tuning{}, err
	}
	if t.reject, err = parseSwitch(tuneReject, get(tuneReject), false); err != nil {
		return Tuning{}, err
	}
	remove, err := parseSwitch(tuneRemove, get(tuneRemove), true)
	if err != nil {
		return Tuning{}, err
	}
	t.keep = !remove
	for _, name := range strings.Split(get(tuneReserved), ",") {
		if name = strings.TrimSpace(name); name != "" {
			t.names = append(t.names, name)
		}
	}
	return t, nil
}

func checkTuning(name, value string) error {
	switch name {
	case tunePull:
		if pullPolicy(value) == "" {
			return fmt.Errorf("%s=%s: use Always or IfNotPresent", name, value)
		}
	case tuneGrace:
		if platform.ValidateGrace(value) != nil {
			return fmt.Errorf("%s=%s: use a number of seconds", name, value)
		}
	case tuneHistory:
		if _, err := strconv.ParseUint(value, 10, 16); err != nil {
			return fmt.Errorf("%s=%s: use a number of revisions", name, value)
		}
	default:
		if positive(value, 0) == 0 {
			return fmt.Errorf("%s=%s: use a number between 1 and %d", name, value, maxRollout)
		}
	}
	return nil
}

func parseTags(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	var tags map[string]string
	if err := json.Unmarshal([]byte(text), &tags); err != nil {
		return nil, fmt.Errorf(`%s: use JSON such as {"role": "worker"}`, tuneTags)
	}
	for key, value := range tags {
		if err := platform.ValidateTag(key, value); err != nil {
			return nil, fmt.Errorf("%s: %w", tuneTags, err)
		}
	}
	return tags, nil
}

func parseSwitch(name, value string, otherwise bool) (bool, error) {
	if value == "" {
		return otherwise, nil
	}
	on, err := strconv.ParseBool(strings.ToLower(value))
	if err != nil {
		return false, fmt.Errorf("%s=%s: use true or false", name, value)
	}
	return on, nil
}

// value is what tunes an app with this environment: its own config where that
// makes sense, else the platform's setting, else empty.
func (t Tuning) value(env map[string]string, name string) string {
	if own := env[name]; own != "" && checkTuning(name, own) == nil {
		return own
	}
	return t.values[name]
}

// number is value for the settings that are numbers.
func (t Tuning) number(env map[string]string, name string, otherwise int) int {
	n, err := strconv.Atoi(t.value(env, name))
	if err != nil {
		return otherwise
	}
	return n
}

func (t Tuning) history(env map[string]string) *int {
	n := t.number(env, tuneHistory, -1)
	if n < 0 {
		return nil
	}
	return &n
}

// defaultPull is the guide's: a tag that moves is looked up again only where
// the node has no image of that name.
const defaultPull = "IfNotPresent"

func (t Tuning) pull(env map[string]string) string {
	if p := pullPolicy(t.value(env, tunePull)); p != "" {
		return p
	}
	return defaultPull
}

// grace is how long a pod of ptype may take to stop.
func (t Tuning) grace(cfg platform.Config, ptype string) time.Duration {
	otherwise := t.number(nil, tuneGrace, platform.DefaultGrace)
	return cfg.GraceOr(ptype, time.Duration(otherwise)*time.Second)
}

// selector is the labels of the nodes that a process type may run on: those of
// its plan's machines and its tags, or the platform's when it has none.
func (t Tuning) selector(plan platform.LimitPlan, tags map[string]string) map[string]string {
	if len(tags) == 0 {
		tags = t.tags
	}
	if len(plan.NodeSelector) == 0 {
		return tags
	}
	out := maps.Clone(plan.NodeSelector)
	maps.Copy(out, tags)
	return out
}

// timeout is how long one rollout may take: the time for one batch of pods
// times the batches, and what the probes wait before they first ask.
func (t Tuning) timeout(env map[string]string, healthcheck map[string]any) time.Duration {
	seconds := t.number(env, tuneTimeout, defaultRollout) * t.number(env, tuneBatches, 1)
	return time.Duration(min(seconds, maxRollout)+initialDelay(healthcheck)) * time.Second
}

// initialDelay is the longer of the delays of the liveness and readiness
// probes, and all that a startup probe allows, in seconds.
func initialDelay(healthcheck map[string]any) int {
	longest := 0
	for _, name := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
		probe, _ := healthcheck[name].(map[string]any)
		delay := seconds(probe, "initialDelaySeconds", 0)
		if name == "startupProbe" && len(probe) > 0 {
			delay += seconds(probe, "periodSeconds", 10) * seconds(probe, "failureThreshold", 3)
		}
		longest = max(longest, delay)
	}
	return min(longest, maxRollout)
}

func seconds(probe map[string]any, key string, otherwise int) int {
	if n, ok := platform.WholeNumber(probe[key]); ok && n >= 0 {
		return min(n, maxRollout)
	}
	return otherwise
}

// reservedNames are the patterns of names that the operator keeps back.
func (t Tuning) reservedNames() []string {
	var out []string
	for _, name := range t.names {
		out = append(out, "^"+regexp.QuoteMeta(name)+"$")
	}
	return slices.Compact(out)
}
