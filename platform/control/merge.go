package control

import (
	"maps"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

// merger applies a change to a copy of a config and notes what it did.
type merger struct {
	out     platform.Config
	changes []platform.FieldChange
}

func cloneConfig(c platform.Config) platform.Config {
	c.Values = slices.Clone(c.Values)
	refs := make(map[string][]string, len(c.ValuesRefs))
	for ptype, groups := range c.ValuesRefs {
		refs[ptype] = slices.Clone(groups)
	}
	c.ValuesRefs = refs
	c.Limits = cloneMap(c.Limits)
	c.TerminationGrace = cloneMap(c.TerminationGrace)
	c.Tags = cloneNested(c.Tags)
	c.Registry = cloneNested(c.Registry)
	c.Healthcheck = cloneNested(c.Healthcheck)
	c.Lifecycle = cloneNested(c.Lifecycle)
	return c
}

func cloneMap[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}

func cloneNested[V any](m map[string]map[string]V) map[string]map[string]V {
	out := make(map[string]map[string]V, len(m))
	for k, v := range m {
		out[k] = cloneMap(v)
	}
	return out
}

// mergeConfig checks a change and applies it. It is pure but for the reserved
// names; the result has no UUID of its own yet.
func (c *Controller) mergeConfig(a platform.App, old platform.Config, ch ConfigChange, merge bool) (platform.Config, []platform.FieldChange, error) {
	var err error
	if ch.Healthcheck, err = untangle(old, ch.Healthcheck); err != nil {
		return platform.Config{}, nil, err
	}
	if ch.Limits, err = c.fitLimits(old, ch); err != nil {
		return platform.Config{}, nil, err
	}
	if err := c.checkChange(ch); err != nil {
		return platform.Config{}, nil, err
	}
	m := merger{out: cloneConfig(old)}
	m.values(ch.Values, merge)
	m.attach(ch.ValuesRefs)
	steps := []func() error{
		func() error { return m.plain("limits", m.out.Limits, ch.Limits, a.Structure) },
		func() error {
			return m.plain("termination_grace_period", m.out.TerminationGrace, ch.TerminationGrace, a.Structure)
		},
		func() error { return nested(&m, "tags", m.out.Tags, pointers(ch.Tags)) },
		func() error { return nested(&m, "registry", m.out.Registry, pointers(ch.Registry)) },
		func() error { return nested(&m, "healthcheck", m.out.Healthcheck, anys(ch.Healthcheck)) },
		func() error { return nested(&m, "lifecycle", m.out.Lifecycle, anys(ch.Lifecycle)) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return platform.Config{}, nil, err
		}
	}
	return m.out, m.changes, nil
}

func (m *merger) note(f platform.FieldChange) {
	if !f.Empty() {
		m.changes = append(m.changes, f)
	}
}

// valueID tells one variable from another.
type valueID struct{ name, group, ptype string }

func idOf(v platform.ConfigValue) valueID { return valueID{v.Name, v.Group, v.Ptype} }

// values merges variables: null takes away and does not mind a missing one, an
// empty text takes an existing one away and makes a new one that is empty.
func (m *merger) values(changes []ValueChange, merge bool) {
	if len(changes) == 0 {
		return
	}
	before := map[valueID]string{}
	for _, v := range m.out.Values {
		before[idOf(v)] = v.Value
	}
	if !merge {
		named := map[valueID]bool{}
		for _, ch := range changes {
			named[valueID{"", ch.Group, ch.Ptype}] = true
		}
		m.out.Values = slices.DeleteFunc(m.out.Values, func(v platform.ConfigValue) bool {
			return named[valueID{"", v.Group, v.Ptype}]
		})
	}
	for _, ch := range changes {
		m.value(ch)
	}
	slices.SortFunc(m.out.Values, compareValues)
	m.note(diffValues(before, m.out.Values))
}

func (m *merger) value(ch ValueChange) {
	id := valueID{ch.Name, ch.Group, ch.Ptype}
	i := slices.IndexFunc(m.out.Values, func(v platform.ConfigValue) bool { return idOf(v) == id })
	switch {
	case i < 0 && ch.Value != nil:
		m.out.Values = append(m.out.Values, platform.ConfigValue{Name: ch.Name, Value: *ch.Value, Group: ch.Group, Ptype: ch.Ptype})
	case i < 0:
	case ch.Value == nil || *ch.Value == "":
		m.out.Values = slices.Delete(m.out.Values, i, i+1)
	default:
		m.out.Values[i].Value = *ch.Value
	}
}

func compareValues(a, b platform.ConfigValue) int {
	for _, pair := range [][2]string{{a.Group, b.Group}, {a.Ptype, b.Ptype}, {a.Name, b.Name}} {
		if pair[0] != pair[1] {
			if pair[0] < pair[1] {
				return -1
			}
			return 1
		}
	}
	return 0
}

func diffValues(before map[valueID]string, after []platform.ConfigValue) platform.FieldChange {
	f := platform.FieldChange{Field: "values"}
	for _, v := range after {
		was, had := before[idOf(v)]
		if !had {
			f.Added = append(f.Added, v.Name)
		} else if was != v.Value {
			f.Changed = append(f.Changed, v.Name)
		}
		delete(before, idOf(v))
	}
	for id := range before {
		f.Deleted = append(f.Deleted, id.name)
	}
	return f
}

// attach adds groups to process types.
func (m *merger) attach(refs map[string][]string) {
	f := platform.FieldChange{Field: "values_refs"}
	for ptype, groups := range refs {
		had := m.out.ValuesRefs[ptype]
		now := slices.Clone(had)
		for _, g := range groups {
			if !slices.Contains(now, g) {
				now = append(now, g)
			}
		}
		if len(now) == len(had) {
			continue
		}
		m.out.ValuesRefs[ptype] = now
		if len(had) == 0 {
			f.Added = append(f.Added, ptype)
		} else {
			f.Changed = append(f.Changed, ptype)
		}
	}
	m.note(f)
}

func (m *merger) detach(refs map[string][]string) error {
	f := platform.FieldChange{Field: "values_refs"}
	for ptype, groups := range refs {
		for _, g := range groups {
			i := slices.Index(m.out.ValuesRefs[ptype], g)
			if i < 0 {
				return missing(g, "values_refs")
			}
			m.out.ValuesRefs[ptype] = slices.Delete(m.out.ValuesRefs[ptype], i, i+1)
		}
		if len(m.out.ValuesRefs[ptype]) == 0 {
			delete(m.out.ValuesRefs, ptype)
			f.Deleted = append(f.Deleted, ptype)
		} else {
			f.Changed = append(f.Changed, ptype)
		}
	}
	m.note(f)
	return nil
}

func missing(key, field string) error {
	return platform.Errorf(platform.Unprocessable, "%s does not exist under %s", key, field)
}

// plain merges a field with one text for each process type. A process type in
// use keeps its setting.
func (m *merger) plain(field string, have map[string]string, ch map[string]*string, used map[string]int) error {
	f := platform.FieldChange{Field: field}
	for _, ptype := range slices.Sorted(maps.Keys(ch)) {
		value := ch[ptype]
		was, had := have[ptype]
		switch {
		case value == nil && !had:
			return missing(ptype, field)
		case value == nil:
			if _, ok := used[ptype]; ok {
				return platform.Errorf(platform.Unprocessable, "the %s has already been used and cannot be deleted", ptype)
			}
			delete(have, ptype)
			f.Deleted = append(f.Deleted, ptype)
		case !had:
			have[ptype] = *value
			f.Added = append(f.Added, ptype)
		case was != *value:
			have[ptype] = *value
			f.Changed = append(f.Changed, ptype)
		}
	}
	m.note(f)
	return nil
}
