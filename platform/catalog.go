package platform

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Catalog is the specs and plans on offer. The zero value offers none; make
// one with DefaultCatalog or ParseCatalog.
type Catalog struct {
	specs []Spec
	plans []LimitPlan // as they are listed
}

// DefaultCatalog offers one spec with 28 plans: 1 to 64 cores, each with one,
// two, four and eight GiB a core.
func DefaultCatalog() Catalog {
	spec := Spec{
		ID:      defaultSpec,
		CPU:     SpecCPU{Name: "Universal CPU", Cores: 32, Clock: "3100MHz", Boost: "3700MHz", Threads: 64},
		Memory:  SpecMemory{Size: "64GB", Type: "DDR4-ECC"},
		GPU:     SpecGPU{Name: "Integrated GPU", TMUs: 1, ROPs: 1, Cores: 128, MemorySize: "shared", MemoryType: "shared"},
		Network: "10G",
	}
	c := Catalog{specs: []Spec{spec}}
	for cpu := 1; cpu <= 64; cpu *= 2 {
		for ratio := 1; ratio <= 8; ratio *= 2 {
			memory := cpu * ratio
			c.plans = append(c.plans, LimitPlan{
				ID: fmt.Sprintf("%s.large.c%dm%d", defaultSpec, cpu, memory), Spec: spec,
				CPU: cpu, Memory: memory, GPU: 1, Network: 1, Priority: len(c.plans),
			})
		}
	}
	return c
}

// Specs lists the enabled specs that all of keywords lead to: each has to
// occur in the spec's id, names or keywords, whatever its case.
func (c Catalog) Specs(keywords []string) []Spec {
	var out []Spec
	for _, s := range c.specs {
		if !s.Disabled && s.matches(keywords) {
			out = append(out, s)
		}
	}
	return out
}

// Keywords splits what a user searches for into words.
func Keywords(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func (s Spec) matches(keywords []string) bool {
	text := strings.ToLower(strings.Join(append([]string{
		s.ID, s.CPU.Name, s.CPU.Clock, s.CPU.Boost, s.Memory.Size, s.Memory.Type,
		s.GPU.Name, s.GPU.MemorySize, s.GPU.MemoryType, s.Network,
	}, s.Keywords...), " "))
	for _, k := range keywords {
		if !strings.Contains(text, strings.ToLower(k)) {
			return false
		}
	}
	return true
}

// FindSpec returns the spec named id, disabled ones too. An unknown one is
// NotFound.
func (c Catalog) FindSpec(id string) (Spec, error) {
	i := slices.IndexFunc(c.specs, func(s Spec) bool { return s.ID == id })
	if i < 0 {
		return Spec{}, Errorf(NotFound, "No LimitSpec matches the given query.")
	}
	return c.specs[i], nil
}

// PlanFilter narrows a list of plans; zero fields do not.
type PlanFilter struct {
	CPU, Memory int
	Spec        string
}

// Plans lists the enabled plans that the filter lets through.
func (c Catalog) Plans(f PlanFilter) []LimitPlan {
	var out []LimitPlan
	for _, p := range c.plans {
		if p.offered() && (f.CPU == 0 || f.CPU == p.CPU) && (f.Memory == 0 || f.Memory == p.Memory) &&
			(f.Spec == "" || f.Spec == p.Spec.ID) {
			out = append(out, p)
		}
	}
	return out
}

func (p LimitPlan) offered() bool { return !p.Disabled && !p.Spec.Disabled }

// FindPlan returns the plan named id, disabled ones too. An unknown one is
// NotFound.
func (c Catalog) FindPlan(id string) (LimitPlan, error) {
	i := slices.IndexFunc(c.plans, func(p LimitPlan) bool { return p.ID == id })
	if i < 0 {
		return LimitPlan{}, Errorf(NotFound, "No LimitPlan matches the given query.")
	}
	return c.plans[i], nil
}

// Default is the enabled plan of the lowest priority, which new apps get. It
// is empty only for an empty catalog.
func (c Catalog) Default() LimitPlan {
	plans := c.Plans(PlanFilter{})
	if len(plans) == 0 {
		return LimitPlan{}
	}
	return slices.MinFunc(plans, func(a, b LimitPlan) int { return cmp.Compare(a.Priority, b.Priority) })
}

// ValidateLimit checks that plan exists and is enabled.
func (c Catalog) ValidateLimit(plan string) error {
	p, err := c.FindPlan(plan)
	if err != nil || !p.offered() {
		return FieldErrorf("limits", "The limit plan %s does not exist", plan)
	}
	return nil
}

// Fitting is the smallest enabled plan with at least so much CPU, in
// thousandths of a core, and so many bytes of memory; false when none is
// large enough.
func (c Catalog) Fitting(cpu, memory int64) (LimitPlan, bool) {
	var best LimitPlan
	found := false
	for _, p := range c.Plans(PlanFilter{}) {
		hasCPU, _ := p.CPUMillis()
		hasMemory, _ := p.MemoryBytes()
		if hasCPU < cpu || hasMemory < memory {
			continue
		}
		if !found || p.smaller(best) {
			best, found = p, true
		}
	}
	return best, found
}

func (p LimitPlan) smaller(q LimitPlan) bool {
	pc, _ := p.CPUMillis()
	qc, _ := q.CPUMillis()
	pm, _ := p.MemoryBytes()
	qm, _ := q.MemoryBytes()
	return cmp.Or(cmp.Compare(pc, qc), cmp.Compare(pm, qm), cmp.Compare(p.Priority, q.Priority)) < 0
}
