package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// LimitSpecs lists the specs on offer that all of keywords lead to. They are
// no secret: every user may see them.
func (c *Controller) LimitSpecs(keywords []string) []platform.Spec { return c.plans.Specs(keywords) }

// FindLimitSpec returns one spec; an unknown one is NotFound.
func (c *Controller) FindLimitSpec(id string) (platform.Spec, error) { return c.plans.FindSpec(id) }

// LimitPlans lists the plans on offer that the filter lets through.
func (c *Controller) LimitPlans(f platform.PlanFilter) []platform.LimitPlan {
	return c.plans.Plans(f)
}

// FindLimitPlan returns one plan; an unknown one is NotFound.
func (c *Controller) FindLimitPlan(id string) (platform.LimitPlan, error) {
	return c.plans.FindPlan(id)
}

// fitLimits turns bounds given as amounts into plans: the smallest that has
// at least as much. Of what was not given a process type keeps what its plan
// has, unless a plan is named as well, which then wins.
func (c *Controller) fitLimits(old platform.Config, ch ConfigChange) (map[string]*string, error) {
	if len(ch.Memory)+len(ch.CPU) == 0 {
		return ch.Limits, nil
	}
	out := cloneMap(ch.Limits)
	ptypes := slices.Collect(maps.Keys(ch.Memory))
	ptypes = slices.AppendSeq(ptypes, maps.Keys(ch.CPU))
	slices.Sort(ptypes)
	for _, ptype := range slices.Compact(ptypes) {
		if _, named := ch.Limits[ptype]; named {
			continue
		}
		plan, err := c.fit(old.Limits[ptype], ch.CPU, ch.Memory, ptype)
		if err != nil {
			return nil, err
		}
		out[ptype] = &plan
	}
	return out, nil
}

func (c *Controller) fit(now string, cpus, memories map[string]*string, ptype string) (string, error) {
	plan := Deployment{plans: c.plans}.limit(now)
	cpu, _ := plan.CPUMillis()
	memory, _ := plan.MemoryBytes()
	standard := c.plans.Default()
	var err error
	if given, ok := cpus[ptype]; ok {
		cpu, _ = standard.CPUMillis()
		if given != nil {
			if cpu, err = platform.ParseMillis(upper(*given)); err != nil {
				return "", platform.FieldErrorf("cpu", "%s", err)
			}
		}
	}
	if given, ok := memories[ptype]; ok {
		memory, _ = standard.MemoryBytes()
		if given != nil {
			if memory, err = platform.ParseBytes(upper(*given)); err != nil {
				return "", platform.FieldErrorf("memory", "%s", err)
			}
		}
	}
	fitting, ok := c.plans.Fitting(cpu, memory)
	if !ok {
		return "", platform.FieldErrorf("limits", "No limit plan for %s has that much; see the limit plans", ptype)
	}
	return fitting.ID, nil
}

// upper is what comes last in "100M/200M": the older form of a request and a
// limit in one, of which a plan's limit is what counts.
func upper(s string) string {
	return strings.TrimSpace(s[strings.LastIndexByte(s, '/')+1:])
}

// ParseLimits reads the setting LIMITS: the JSON of a catalog, or the path of
// a file with it. Empty is the default catalog.
func ParseLimits(get func(name string) string, read func(path string) ([]byte, error)) (platform.Catalog, error) {
	value := strings.TrimSpace(get("LIMITS"))
	if value == "" {
		return platform.DefaultCatalog(), nil
	}
	if strings.HasPrefix(value, "{") {
		return platform.ParseCatalog([]byte(value))
	}
	data, err := read(value)
	if err != nil {
		return platform.Catalog{}, fmt.Errorf("LIMITS: %w", err)
	}
	return platform.ParseCatalog(data)
}
