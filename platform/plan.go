package platform

// Spec describes the machines behind a family of plans.
type Spec struct {
	ID       string
	CPU      SpecCPU
	Memory   SpecMemory
	GPU      SpecGPU // part of the features; empty when there is none
	Network  string
	Keywords []string // more words that it is found by
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
	ID           string
	Spec         Spec
	CPU          int
	Memory       int
	GPU, Network int // shares of the spec's features
	Disabled     bool
	Priority     int               // the lowest that is enabled is the default
	NodeSelector map[string]string // labels of the nodes that have such machines

	limits, requests amounts // zero fields follow from CPU and Memory
}

// amounts are CPU in thousandths of a core, and bytes.
type amounts struct{ cpu, memory, ephemeral int64 }

const (
	gib          = int64(1) << 30
	defaultSpec  = "std1"
	ephemeralMax = 4 * gib
	ephemeralMin = 2 * gib
)

// DefaultPlanID names the plan that process types have when none is chosen and
// the operator brought no plans of his own.
const DefaultPlanID = "std1.large.c1m1"

// CPUMillis returns the most a container may use and what is set aside for
// it, in thousandths of a core.
func (p LimitPlan) CPUMillis() (limit, request int64) {
	return both(p.limits.cpu, p.requests.cpu, int64(p.CPU)*1000, int64(p.CPU)*250)
}

// MemoryBytes returns the most a container may use and what is set aside.
func (p LimitPlan) MemoryBytes() (limit, request int64) {
	return both(p.limits.memory, p.requests.memory, int64(p.Memory)*gib, int64(p.Memory)*gib/2)
}

// EphemeralBytes returns the same for local disk.
func (p LimitPlan) EphemeralBytes() (limit, request int64) {
	return both(p.limits.ephemeral, p.requests.ephemeral, ephemeralMax, ephemeralMin)
}

// both are the amounts given, or else the usual ones; a usual request is never
// more than the limit.
func both(limit, request, usualLimit, usualRequest int64) (int64, int64) {
	if limit == 0 {
		limit = usualLimit
	}
	if request == 0 {
		request = min(usualRequest, limit)
	}
	return limit, request
}
