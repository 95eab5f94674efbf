package control

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/slipway-paas/slipway/platform"
)

// edit is a new value or, when gone, its removal.
type edit[V any] struct {
	value V
	gone  bool
}

func pointers(ch map[string]map[string]*string) map[string]map[string]edit[string] {
	out := make(map[string]map[string]edit[string], len(ch))
	for ptype, fields := range ch {
		if fields == nil {
			out[ptype] = nil
			continue
		}
		out[ptype] = make(map[string]edit[string], len(fields))
		for k, v := range fields {
			e := edit[string]{gone: v == nil}
			if v != nil {
				e.value = *v
			}
			out[ptype][k] = e
		}
	}
	return out
}

func anys(ch map[string]map[string]any) map[string]map[string]edit[any] {
	out := make(map[string]map[string]edit[any], len(ch))
	for ptype, fields := range ch {
		if fields == nil {
			out[ptype] = nil
			continue
		}
		out[ptype] = make(map[string]edit[any], len(fields))
		for k, v := range fields {
			out[ptype][k] = edit[any]{value: normal(v), gone: v == nil}
		}
	}
	return out
}

// nested merges a field with a map for each process type; a nil inner map
// takes all of it away.
func nested[V any](m *merger, field string, have map[string]map[string]V, ch map[string]map[string]edit[V]) error {
	f := platform.FieldChange{Field: field}
	for _, ptype := range slices.Sorted(maps.Keys(ch)) {
		was, had := have[ptype]
		if ch[ptype] == nil {
			if !had {
				return missing(ptype, field)
			}
			delete(have, ptype)
			f.Deleted = append(f.Deleted, ptype)
			continue
		}
		now, err := mergeInner(field, was, ch[ptype])
		if err != nil {
			return err
		}
		switch {
		case len(now) == 0 && had:
			delete(have, ptype)
			f.Deleted = append(f.Deleted, ptype)
		case len(now) == 0:
		case !had:
			have[ptype] = now
			f.Added = append(f.Added, ptype)
		case !reflect.DeepEqual(was, now):
			have[ptype] = now
			f.Changed = append(f.Changed, ptype)
		}
	}
	m.note(f)
	return nil
}

func mergeInner[V any](field string, was map[string]V, ch map[string]edit[V]) (map[string]V, error) {
	now := cloneMap(was)
	for _, key := range slices.Sorted(maps.Keys(ch)) {
		e := ch[key]
		if !e.gone {
			now[key] = e.value
			continue
		}
		if _, ok := now[key]; !ok {
			return nil, missing(key, field)
		}
		delete(now, key)
	}
	return now, nil
}

// normal gives numbers the one type that they have when read back from the
// store, so that old and new compare by value.
func normal(v any) any {
	switch t := v.(type) {
	case int:
		return float64(t)
	case int64:
		return float64(t)
	case json.Number:
		f, _ := t.Float64() // checked to be a number before
		return f
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, inner := range t {
			out[k] = normal(inner)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, inner := range t {
			out[i] = normal(inner)
		}
		return out
	}
	return v
}
