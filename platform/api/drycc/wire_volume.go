package drycc

import (
	"encoding/json"

	"github.com/slipway-paas/slipway/platform"
)

// masked stands for a secret that is not shown again.
const masked = "********"

// volumeWire is a volume. Parameters are below the name of the type.
type volumeWire struct {
	UUID       string                       `json:"uuid"`
	App        string                       `json:"app"`
	Name       string                       `json:"name"`
	Size       string                       `json:"size"`
	Path       map[string]string            `json:"path"`
	Type       string                       `json:"type"`
	Parameters map[string]map[string]string `json:"parameters"`
	Created    stamp                        `json:"created"`
	Updated    stamp                        `json:"updated"`
}

func toVolume(v platform.Volume) volumeWire {
	w := volumeWire{
		UUID: v.UUID, App: v.App, Name: v.Name, Size: v.Size, Path: orEmpty(v.Path), Type: string(v.Type),
		Parameters: map[string]map[string]string{}, Created: stamp(v.Created), Updated: stamp(v.Updated),
	}
	if len(v.Parameters) == 0 {
		return w
	}
	shown := map[string]string{}
	for name, value := range v.Parameters {
		if name == "secret_key" {
			value = masked
		}
		shown[name] = value
	}
	w.Parameters[w.Type] = shown
	return w
}

// loose is a text that may also arrive as a number, true or false.
type loose string

// UnmarshalJSON reads a string, a number, true or false.
func (s *loose) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case 't', 'f':
		*s = loose(data)
		return nil
	case '{', '[':
		return &valueError{"Expected a text, a number, true or false, but got an object or a list."}
	}
	return (*text)(s).UnmarshalJSON(data)
}

// scalars reads an object of scalars; null members are left out.
func scalars(member string, raw json.RawMessage) (map[string]string, error) {
	var in map[string]*loose
	if err := decodeNested(member, raw, &in); err != nil {
		return nil, err
	}
	return plainMap(in), nil
}

func plainMap(in map[string]*loose) map[string]string {
	if in == nil {
		return nil
	}
	out := map[string]string{}
	for name, value := range in {
		if value != nil {
			out[name] = string(*value)
		}
	}
	return out
}

// volumeParameters reads {"nfs": {"server": …}} for a volume of that type.
func volumeParameters(t platform.VolumeType, raw json.RawMessage) (map[string]string, error) {
	var in map[string]map[string]*loose
	if err := decodeNested("parameters", raw, &in); err != nil {
		return nil, err
	}
	for name, fields := range in {
		if name != string(t) && len(fields) > 0 {
			return nil, platform.FieldErrorf("parameters", "These are of type %q, and the volume is of type %s.", name, t)
		}
	}
	return plainMap(in[string(t)]), nil
}

// resourceWire is a resource.
type resourceWire struct {
	UUID    string            `json:"uuid"`
	Owner   string            `json:"owner"`
	App     string            `json:"app"`
	Name    string            `json:"name"`
	Plan    string            `json:"plan"`
	Data    map[string]string `json:"data"`
	Options map[string]string `json:"options"`
	Status  *string           `json:"status"`
	Binding *string           `json:"binding"`
	Message *string           `json:"message"`
	Created stamp             `json:"created"`
	Updated stamp             `json:"updated"`
}

func toResource(r platform.Resource) resourceWire {
	return resourceWire{
		UUID: r.UUID, Owner: r.Owner, App: r.App, Name: r.Name, Plan: r.Plan, Data: orEmpty(r.Data), Options: orEmpty(r.Options),
		Status: optional(string(r.Status)), Binding: optional(string(r.Binding)), Message: optional(r.Message),
		Created: stamp(r.Created), Updated: stamp(r.Updated),
	}
}

// catalogServiceWire is a service of the catalog.
type catalogServiceWire struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Updateable bool   `json:"updateable"`
}

func toResourceService(s platform.ResourceService) catalogServiceWire {
	return catalogServiceWire{s.ID, s.Name, s.Updateable}
}

// servicePlanWire is a plan of a service.
type servicePlanWire struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

func toServicePlan(p platform.ResourcePlan) servicePlanWire {
	return servicePlanWire{p.ID, p.Name, p.Description}
}

// addonWire is a resource as the newest clients see it.
type addonWire struct {
	UUID       string            `json:"uuid"`
	Name       string            `json:"name"`
	App        string            `json:"app"`
	Plan       string            `json:"plan"`
	Kind       string            `json:"kind"`
	Multiplier int               `json:"multiplier"`
	Parameters map[string]string `json:"parameters"`
	Created    stamp             `json:"created"`
	Updated    stamp             `json:"updated"`
}

func toAddon(r platform.Resource) addonWire {
	kind, plan, _ := platform.SplitPlan(r.Plan) // checked when it was made
	return addonWire{
		UUID: r.UUID, Name: r.Name, App: r.App, Plan: plan, Kind: kind, Multiplier: 1,
		Parameters: orEmpty(r.Options), Created: stamp(r.Created), Updated: stamp(r.Updated),
	}
}

// addonClassWire is a service with its plans.
type addonClassWire struct {
	Name       string            `json:"name"`
	Updateable bool              `json:"updateable"`
	Plans      []servicePlanWire `json:"plans"`
}
