package platform

import (
	"fmt"
	"strings"
)

// Spec describes the machines behind a family of plans.
type Spec struct {
	ID       string
	CPU      SpecCPU
	Memory   SpecMemory
	GPU      SpecGPU // part of the features; empty when there is none
	Network  string
	Disabled bool
}

// SpecCPU is the processor of a Spec, in the words of its maker.
type SpecCPU struct {
	Name         string
	Cores        int
	Clock, Boost string
	Threads      int
}

// SpecMemory is the memory of a Spec.
type SpecMemory struct{ Size, Type string }

// SpecGPU is the graphics processor of a Spec.
type SpecGPU struct {
	Name                   string
	TMUs, ROPs, Cores      int
	MemorySize, MemoryType string
}

// LimitPlan says how much one container may use. CPU is in whole cores and
// Memory in GiB, as users choose them; the other amounts follow from these.
type LimitPlan struct {
	ID       string
	Spec     Spec
	CPU      int
	Memory   int
	Disabled bool
}

const (
	gib          = int64(1) << 30
	defaultSpec  = "std1"
	ephemeralMax = 4 * gib
	ephemeralMin = 2 * gib
)

// DefaultPlanID names the plan that process types have when none is chosen.
const DefaultPlanID = "std1.large.c1m1"

// Specs lists the specs on offer.
func Specs() []Spec {
	return []Spec{{
		ID:      defaultSpec,
		CPU:     SpecCPU{Name: "Unknown CPU", Cores: 32, Clock: "3100MHz", Boost: "3700MHz", Threads: 64},
		Memory:  SpecMemory{Size: "64GB", Type: "DDR4-ECC"},
		GPU:     SpecGPU{Name: "Unknown Integrated GPU", TMUs: 1, ROPs: 1, Cores: 128, MemorySize: "shared", MemoryType: "shared"},
		Network: "10G",
	}}
}

// LimitPlans lists the plans on offer, smallest first: 1 to 64 cores, each
// with one, two, four and eight GiB a core.
func LimitPlans() []LimitPlan {
	spec := Specs()[0]
	var plans []LimitPlan
	for cpu := 1; cpu <= 64; cpu *= 2 {
		for ratio := 1; ratio <= 8; ratio *= 2 {
			memory := cpu * ratio
			id := fmt.Sprintf("%s.large.c%dm%d", defaultSpec, cpu, memory)
			plans = append(plans, LimitPlan{ID: id, Spec: spec, CPU: cpu, Memory: memory})
		}
	}
	return plans
}

// FindLimitPlan returns the plan named id and whether it exists and is enabled.
func FindLimitPlan(id string) (LimitPlan, bool) {
	if !strings.HasPrefix(id, defaultSpec+".") {
		return LimitPlan{}, false
	}
	for _, p := range LimitPlans() {
		if p.ID == id && !p.Disabled {
			return p, true
		}
	}
	return LimitPlan{}, false
}

// CPUMillis returns the most a container may use and what is set aside for
// it, in thousandths of a core.
func (p LimitPlan) CPUMillis() (limit, request int64) {
	return int64(p.CPU) * 1000, int64(p.CPU) * 250
}

// MemoryBytes returns the most a container may use and what is set aside.
func (p LimitPlan) MemoryBytes() (limit, request int64) {
	return int64(p.Memory) * gib, int64(p.Memory) * gib / 2
}

// EphemeralBytes returns the same for local disk.
func (p LimitPlan) EphemeralBytes() (limit, request int64) { return ephemeralMax, ephemeralMin }
