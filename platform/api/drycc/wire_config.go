package drycc

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// globalGroup is the group whose values every process type gets. Values in
// the documented map form, which has no group, go there.
const globalGroup = "global"

// configWire is a config.
type configWire struct {
	UUID             string                       `json:"uuid"`
	App              string                       `json:"app"`
	Values           []valueWire                  `json:"values"`
	ValuesRefs       map[string][]string          `json:"values_refs"`
	Limits           map[string]string            `json:"limits"`
	Tags             map[string]map[string]string `json:"tags"`
	Registry         map[string]map[string]string `json:"registry"`
	Healthcheck      map[string]map[string]any    `json:"healthcheck"`
	Lifecycle        map[string]map[string]any    `json:"lifecycle"`
	TerminationGrace map[string]string            `json:"termination_grace_period"`
	Created          stamp                        `json:"created"`
	Updated          stamp                        `json:"updated"`
}

// valueWire is one variable; it has a group or a process type, never both.
type valueWire struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Group string `json:"group,omitempty"`
	Ptype string `json:"ptype,omitempty"`
}

func toConfig(c platform.Config) configWire {
	return configWire{
		UUID: c.UUID, App: c.App,
		Values: convertAll(c.Values, func(v platform.ConfigValue) valueWire {
			return valueWire{v.Name, v.Value, v.Group, v.Ptype}
		}),
		ValuesRefs: orEmpty(c.ValuesRefs), Limits: orEmpty(c.Limits), Tags: orEmpty(c.Tags),
		Registry: orEmpty(c.Registry), Healthcheck: orEmpty(c.Healthcheck), Lifecycle: orEmpty(c.Lifecycle),
		TerminationGrace: orEmpty(c.TerminationGrace), Created: stamp(c.Created), Updated: stamp(c.Updated),
	}
}

// echoed are the read-only members of an object. Clients that read an object,
// change it and send it back include them; they change nothing.
type echoed struct {
	UUID    json.RawMessage `json:"uuid"`
	App     json.RawMessage `json:"app"`
	Owner   json.RawMessage `json:"owner"`
	Created json.RawMessage `json:"created"`
	Updated json.RawMessage `json:"updated"`
}

// configRequest is a partial config. Members stay raw, because each may come
// in more than one form.
type configRequest struct {
	echoed
	Values           json.RawMessage `json:"values"`
	ValuesRefs       json.RawMessage `json:"values_refs"`
	Limits           json.RawMessage `json:"limits"`
	Tags             json.RawMessage `json:"tags"`
	Registry         json.RawMessage `json:"registry"`
	Healthcheck      json.RawMessage `json:"healthcheck"`
	Lifecycle        json.RawMessage `json:"lifecycle"`
	TerminationGrace json.RawMessage `json:"termination_grace_period"`
	// Memory and CPU are the guide's older bounds.
	Memory json.RawMessage `json:"memory"`
	CPU    json.RawMessage `json:"cpu"`
}

// change converts the request.
func (c configRequest) change() (control.ConfigChange, error) {
	var out control.ConfigChange
	var limits, grace, memory, cpu map[string]*text
	var tags, registry map[string]map[string]*text
	values, err := decodeValues(c.Values)
	if err != nil {
		return out, err
	}
	out.Values = values
	for _, m := range []struct {
		name string
		raw  json.RawMessage
		into any
	}{
		{"values_refs", c.ValuesRefs, &out.ValuesRefs},
		{"limits", c.Limits, &limits},
		{"tags", c.Tags, &tags},
		{"registry", c.Registry, &registry},
		{"healthcheck", c.Healthcheck, &out.Healthcheck},
		{"lifecycle", c.Lifecycle, &out.Lifecycle},
		{"termination_grace_period", c.TerminationGrace, &grace},
		{"memory", c.Memory, &memory},
		{"cpu", c.CPU, &cpu},
	} {
		if err := decodeNested(m.name, m.raw, m.into); err != nil {
			return out, err
		}
	}
	out.Limits, out.TerminationGrace = pointers(limits), pointers(grace)
	out.Memory, out.CPU = pointers(memory), pointers(cpu)
	out.Tags, out.Registry = nested(tags), nested(registry)
	camelAll(out.Healthcheck)
	camelAll(out.Lifecycle)
	return out, nil
}

// decodeValues reads the list form [{name, value, group|ptype}] or the
// documented map form {NAME: value}.
func decodeValues(raw json.RawMessage) ([]control.ValueChange, error) {
	const field = "values"
	raw, err := unwrap(field, raw)
	if err != nil {
		return nil, err
	}
	if len(raw) > 0 && raw[0] == '{' {
		return decodeValueMap(field, raw)
	}
	var list []struct {
		Name  string          `json:"name"`
		Value json.RawMessage `json:"value"`
		Group *string         `json:"group"`
		Ptype *string         `json:"ptype"`
	}
	if err := decodeMember(field, raw, &list); err != nil {
		return nil, err
	}
	var out []control.ValueChange
	for _, v := range list {
		if (v.Group == nil) == (v.Ptype == nil) {
			return nil, platform.FieldErrorf(field, "%q needs either a group or a ptype.", v.Name)
		}
		if v.Value == nil {
			return nil, platform.FieldErrorf(field, "%q needs a value; null removes it.", v.Name)
		}
		var value *text
		if err := decodeText(field, v.Name, v.Value, &value); err != nil {
			return nil, err
		}
		change := control.ValueChange{Name: v.Name, Value: value.pointer()}
		if v.Group != nil {
			change.Group = *v.Group
		} else {
			change.Ptype = *v.Ptype
		}
		out = append(out, change)
	}
	return out, nil
}

// decodeText reads a value and names its variable, not the value, when it is
// no string.
func decodeText(field, name string, raw json.RawMessage, into **text) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return platform.FieldErrorf(field, "The value of %q has to be a string, a number or null.", name)
	}
	return nil
}

// decodeValueMap reads the map form, in the order in which the names stand.
func decodeValueMap(field string, raw []byte) ([]control.ValueChange, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return nil, decodeError(field, err)
	}
	var out []control.ValueChange
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, decodeError(field, err)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, decodeError(field, err)
		}
		var t *text
		key, _ := name.(string) // the decoder gives nothing else in this place
		if err := decodeText(field, key, value, &t); err != nil {
			return nil, err
		}
		out = append(out, control.ValueChange{Name: key, Value: t.pointer(), Group: globalGroup})
	}
	if _, err := dec.Token(); err != nil {
		return nil, decodeError(field, err)
	}
	if dec.More() {
		return nil, platform.FieldErrorf(field, "JSON parse error - there is more after the value.")
	}
	return out, nil
}

// pointers converts a map of optional texts; nil stays nil.
func pointers(in map[string]*text) map[string]*string {
	if in == nil {
		return nil
	}
	out := make(map[string]*string, len(in))
	for k, v := range in {
		out[k] = v.pointer()
	}
	return out
}

// nested is pointers, one level deeper. A null inner map stays nil.
func nested(in map[string]map[string]*text) map[string]map[string]*string {
	if in == nil {
		return nil
	}
	out := make(map[string]map[string]*string, len(in))
	for k, v := range in {
		out[k] = pointers(v)
	}
	return out
}

// camelAll turns the snake_case names that some clients use for probes and
// hooks (http_get, initial_delay_seconds) into Kubernetes' own, in place.
func camelAll(m map[string]map[string]any) {
	for ptype, inner := range m {
		if inner != nil {
			m[ptype], _ = camel(inner).(map[string]any)
		}
	}
}

// camel renames the keys of all objects inside v.
func camel(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, inner := range v {
			out[camelName(k)] = camel(inner)
		}
		return out
	case []any:
		for i := range v {
			v[i] = camel(v[i])
		}
	}
	return v
}

// camelName turns "http_get" into "httpGet".
func camelName(s string) string {
	parts := strings.Split(s, "_")
	for i, p := range parts[1:] {
		if p != "" {
			parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}
