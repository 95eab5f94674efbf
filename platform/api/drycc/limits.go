package drycc

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Limits are the specs and plans on offer; every user may see them.
type Limits interface {
	LimitSpecs(keywords []string) []platform.Spec
	FindLimitSpec(id string) (platform.Spec, error)
	LimitPlans(f platform.PlanFilter) []platform.LimitPlan
	FindLimitPlan(id string) (platform.LimitPlan, error)
}

// limitRoutes are the specs and plans.
func limitRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/limits/specs/", paged: true, run: (*Handler).listSpecs, doc: routeDoc{
			summary: "The kinds of machines that plans are of.", who: user,
			query: "keywords: only those that all of these words lead to, std1,ddr4", status: 200, response: "page of Spec"}},
		{method: "GET", pattern: "/v2/limits/specs/{spec}/", run: (*Handler).findSpec, doc: routeDoc{
			summary: "One spec.", who: user, status: 200, response: "Spec"}},
		{method: "GET", pattern: "/v2/limits/plans/", paged: true, run: (*Handler).listPlans, doc: routeDoc{
			summary: "The plans that process types can have.", who: user,
			query: "cpu, memory: only those with so many cores, so many GiB; spec-id: only those of a spec", status: 200, response: "page of Plan"}},
		{method: "GET", pattern: "/v2/limits/plans/{plan}/", run: (*Handler).findPlan, doc: routeDoc{
			summary: "One plan.", who: user, status: 200, response: "Plan"}},
	}
}

func (h *Handler) listSpecs(r *request) (answer, error) {
	all := h.core.LimitSpecs(platform.Keywords(r.URL.Query().Get("keywords")))
	return paged(r, cut(all, r.page()), len(all), toSpec), nil
}

func (h *Handler) findSpec(r *request) (answer, error) {
	s, err := h.core.FindLimitSpec(r.params["spec"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toSpec(s)}, nil
}

func (h *Handler) listPlans(r *request) (answer, error) {
	q := r.URL.Query()
	f := platform.PlanFilter{Spec: q.Get("spec-id")}
	var err error
	if f.CPU, err = count(q, "cpu"); err != nil {
		return answer{}, err
	}
	if f.Memory, err = count(q, "memory"); err != nil {
		return answer{}, err
	}
	all := h.core.LimitPlans(f)
	return paged(r, cut(all, r.page()), len(all), toPlan), nil
}

func (h *Handler) findPlan(r *request) (answer, error) {
	p, err := h.core.FindLimitPlan(r.params["plan"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toPlan(p)}, nil
}

// count reads a number from the query; absent and 0 do not narrow.
func count(q url.Values, name string) (int, error) {
	text := q.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, platform.FieldErrorf(name, "Enter a whole number.")
	}
	return n, nil
}

// cut takes one page out of a list that is whole.
func cut[T any](all []T, p control.Page) []T {
	from := min(p.Offset, len(all))
	return all[from:min(from+p.Limit, len(all))]
}

// specWire is a spec. Clients read gpu and its memory without asking whether
// they are there.
type specWire struct {
	ID       string           `json:"id"`
	CPU      specCPUWire      `json:"cpu"`
	Memory   specMemoryWire   `json:"memory"`
	Features specFeaturesWire `json:"features"`
	Disabled bool             `json:"disabled"`
}

type specCPUWire struct {
	Name    string `json:"name"`
	Cores   int    `json:"cores"`
	Clock   string `json:"clock"`
	Boost   string `json:"boost"`
	Threads int    `json:"threads"`
}

type specMemoryWire struct {
	Size string `json:"size"`
	Type string `json:"type"`
}

type specFeaturesWire struct {
	GPU     specGPUWire `json:"gpu"`
	Network string      `json:"network"`
}

type specGPUWire struct {
	Name   string         `json:"name"`
	TMUs   int            `json:"tmus"`
	ROPs   int            `json:"rops"`
	Cores  int            `json:"cores"`
	Memory specMemoryWire `json:"memory"`
}

func toSpec(s platform.Spec) specWire {
	return specWire{
		ID: s.ID, CPU: specCPUWire(s.CPU), Memory: specMemoryWire(s.Memory), Disabled: s.Disabled,
		Features: specFeaturesWire{Network: s.Network, GPU: specGPUWire{
			Name: s.GPU.Name, TMUs: s.GPU.TMUs, ROPs: s.GPU.ROPs, Cores: s.GPU.Cores,
			Memory: specMemoryWire{s.GPU.MemorySize, s.GPU.MemoryType},
		}},
	}
}

// planWire is a plan: cpu in cores, memory in GiB.
type planWire struct {
	ID       string           `json:"id"`
	Spec     specWire         `json:"spec"`
	CPU      int              `json:"cpu"`
	Memory   int              `json:"memory"`
	Features planFeaturesWire `json:"features"`
	Disabled bool             `json:"disabled"`
}

type planFeaturesWire struct {
	GPU     int `json:"gpu"`
	Network int `json:"network"`
}

func toPlan(p platform.LimitPlan) planWire {
	return planWire{
		ID: p.ID, Spec: toSpec(p.Spec), CPU: p.CPU, Memory: p.Memory,
		Features: planFeaturesWire{p.GPU, p.Network}, Disabled: p.Disabled,
	}
}
