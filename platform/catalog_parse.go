package platform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// The JSON that ParseCatalog reads.
type (
	rawCatalog struct {
		Specs []rawSpec `json:"specs"`
		Plans []rawPlan `json:"plans"`
	}
	rawSpec struct {
		ID  string `json:"id"`
		CPU struct {
			Name    string `json:"name"`
			Cores   int    `json:"cores"`
			Clock   string `json:"clock"`
			Boost   string `json:"boost"`
			Threads int    `json:"threads"`
		} `json:"cpu"`
		Memory   rawMemory `json:"memory"`
		Features struct {
			GPU struct {
				Name   string    `json:"name"`
				TMUs   int       `json:"tmus"`
				ROPs   int       `json:"rops"`
				Cores  int       `json:"cores"`
				Memory rawMemory `json:"memory"`
			} `json:"gpu"`
			Network string `json:"network"`
		} `json:"features"`
		Keywords []string `json:"keywords"`
		Disabled bool     `json:"disabled"`
	}
	rawMemory struct {
		Size string `json:"size"`
		Type string `json:"type"`
	}
	rawPlan struct {
		ID       string `json:"id"`
		Spec     string `json:"spec"`
		CPU      int    `json:"cpu"`
		Memory   int    `json:"memory"`
		Features struct {
			GPU     int `json:"gpu"`
			Network int `json:"network"`
		} `json:"features"`
		Disabled     bool              `json:"disabled"`
		Priority     *int              `json:"priority"` // default: its place in the list
		Limits       map[string]string `json:"limits"`
		Requests     map[string]string `json:"requests"`
		NodeSelector map[string]string `json:"node_selector"`
	}
)

// ParseCatalog reads specs and plans from JSON:
//
//	{"specs": [{"id": "std1", "cpu": {"name": "…", "cores": 32}, "memory": {"size": "64GB"}}],
//	 "plans": [{"id": "std1.small", "spec": "std1", "cpu": 1, "memory": 1,
//	            "limits": {"cpu": "500m", "memory": "256Mi", "ephemeral-storage": "1Gi"},
//	            "requests": {"cpu": "50m"}, "node_selector": {"disk": "ssd"}}]}
//
// cpu and memory, in cores and GiB, are what users see; limits and requests,
// in the quantities of Kubernetes, follow from them unless given. The error
// says which entry is wrong.
func ParseCatalog(data []byte) (Catalog, error) {
	var raw rawCatalog
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&raw); err != nil {
		return Catalog{}, fmt.Errorf("limits: %s", jsonProblem(err))
	}
	var c Catalog
	for _, r := range raw.Specs {
		if r.ID == "" || slices.ContainsFunc(c.specs, func(s Spec) bool { return s.ID == r.ID }) {
			return Catalog{}, fmt.Errorf("limits: spec %q: each spec needs an id of its own", r.ID)
		}
		c.specs = append(c.specs, r.spec())
	}
	for i, r := range raw.Plans {
		p, err := r.plan(c, i)
		if err != nil {
			return Catalog{}, fmt.Errorf("limits: plan %q: %w", r.ID, err)
		}
		c.plans = append(c.plans, p)
	}
	if c.Default().ID == "" {
		return Catalog{}, fmt.Errorf("limits: there has to be an enabled plan")
	}
	return c, nil
}

func (r rawSpec) spec() Spec {
	gpu := r.Features.GPU
	return Spec{
		ID: r.ID, CPU: SpecCPU(r.CPU), Memory: SpecMemory(r.Memory), Network: r.Features.Network,
		GPU:      SpecGPU{gpu.Name, gpu.TMUs, gpu.ROPs, gpu.Cores, gpu.Memory.Size, gpu.Memory.Type},
		Keywords: r.Keywords, Disabled: r.Disabled,
	}
}

func (r rawPlan) plan(c Catalog, place int) (LimitPlan, error) {
	if r.ID == "" {
		return LimitPlan{}, fmt.Errorf("it needs an id")
	}
	if _, err := c.FindPlan(r.ID); err == nil {
		return LimitPlan{}, fmt.Errorf("it is there twice")
	}
	spec, err := c.FindSpec(r.Spec)
	if err != nil {
		return LimitPlan{}, fmt.Errorf("there is no spec %q", r.Spec)
	}
	if r.CPU < 1 || r.Memory < 1 {
		return LimitPlan{}, fmt.Errorf("cpu and memory have to be at least 1")
	}
	for key, value := range r.NodeSelector {
		if err := ValidateTag(key, value); err != nil {
			return LimitPlan{}, err
		}
	}
	p := LimitPlan{
		ID: r.ID, Spec: spec, CPU: r.CPU, Memory: r.Memory, GPU: r.Features.GPU, Network: r.Features.Network,
		Disabled: r.Disabled, Priority: place, NodeSelector: r.NodeSelector,
	}
	if r.Priority != nil {
		p.Priority = *r.Priority
	}
	if p.limits, err = parseAmounts(r.Limits); err != nil {
		return LimitPlan{}, err
	}
	if p.requests, err = parseAmounts(r.Requests); err != nil {
		return LimitPlan{}, err
	}
	return p, p.checkRequests()
}

func (p LimitPlan) checkRequests() error {
	for _, amount := range []func() (int64, int64){p.CPUMillis, p.MemoryBytes, p.EphemeralBytes} {
		if limit, request := amount(); request > limit {
			return fmt.Errorf("it requests more than its limit: give both under limits and requests")
		}
	}
	return nil
}

func parseAmounts(in map[string]string) (amounts, error) {
	var a amounts
	for _, name := range slices.Sorted(maps.Keys(in)) {
		var err error
		switch name {
		case "cpu":
			a.cpu, err = ParseMillis(in[name])
		case "memory":
			a.memory, err = ParseBytes(in[name])
		case "ephemeral-storage":
			a.ephemeral, err = ParseBytes(in[name])
		default:
			err = fmt.Errorf("limits and requests can hold cpu, memory and ephemeral-storage")
		}
		if err != nil {
			return amounts{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return a, nil
}
