package drycc

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// routeWire is a route. Rules are those of the Gateway API.
type routeWire struct {
	ID       int64        `json:"id"`
	App      string       `json:"app"`
	Name     string       `json:"name"`
	Kind     string       `json:"kind"`
	Parents  []parentWire `json:"parent_refs"`
	Rules    []ruleWire   `json:"rules"`
	Routable bool         `json:"routable"`
	Created  stamp        `json:"created"`
	Updated  stamp        `json:"updated"`
}

type parentWire struct {
	Name string `json:"name"`
	Port number `json:"port"`
}

type ruleWire struct {
	Name     string        `json:"name,omitempty"`
	Matches  []matchWire   `json:"matches,omitempty"`
	Filters  []filterWire  `json:"filters,omitempty"`
	Backends []backendWire `json:"backendRefs,omitempty"`
}

type backendWire struct {
	Group     string `json:"group,omitempty"`
	Kind      string `json:"kind,omitempty"`
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
	Port      number `json:"port"`
	Weight    *int   `json:"weight,omitempty"`
}

// matchWire is a match of either kind: method is a word in an HTTPRoute and an
// object in a GRPCRoute.
type matchWire struct {
	Path    *valueMatchWire  `json:"path,omitempty"`
	Method  json.RawMessage  `json:"method,omitempty"`
	Headers []namedMatchWire `json:"headers,omitempty"`
	Query   []namedMatchWire `json:"queryParams,omitempty"`
}

type valueMatchWire struct {
	Type  string `json:"type,omitempty"`
	Value string `json:"value"`
}

type namedMatchWire struct {
	Type  string `json:"type,omitempty"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

type callMatchWire struct {
	Type    string `json:"type,omitempty"`
	Service string `json:"service,omitempty"`
	Method  string `json:"method,omitempty"`
}

type filterWire struct {
	Type            string        `json:"type"`
	RequestHeaders  *headersWire  `json:"requestHeaderModifier,omitempty"`
	ResponseHeaders *headersWire  `json:"responseHeaderModifier,omitempty"`
	Redirect        *redirectWire `json:"requestRedirect,omitempty"`
	Rewrite         *rewriteWire  `json:"urlRewrite,omitempty"`
}

type headersWire struct {
	Set    []headerWire `json:"set,omitempty"`
	Add    []headerWire `json:"add,omitempty"`
	Remove []string     `json:"remove,omitempty"`
}

type headerWire struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type redirectWire struct {
	Scheme   string    `json:"scheme,omitempty"`
	Hostname string    `json:"hostname,omitempty"`
	Path     *pathWire `json:"path,omitempty"`
	Port     number    `json:"port,omitempty"`
	Status   number    `json:"statusCode,omitempty"`
}

type rewriteWire struct {
	Hostname string    `json:"hostname,omitempty"`
	Path     *pathWire `json:"path,omitempty"`
}

type pathWire struct {
	Type   string  `json:"type"`
	Full   *string `json:"replaceFullPath,omitempty"`
	Prefix *string `json:"replacePrefixMatch,omitempty"`
}

// routeRequest is a whole route, or in the guide's form one that leads to a
// process type.
type routeRequest struct {
	echoed
	ID       json.RawMessage `json:"id"`
	Routable json.RawMessage `json:"routable"`
	Name     string          `json:"name"`
	Kind     string          `json:"kind"`
	Parents  []parentWire    `json:"parent_refs"`
	Rules    json.RawMessage `json:"rules"`
	Ptype    string          `json:"ptype"`
	Port     number          `json:"port"`
	Weight   *int            `json:"weight"`
}

// backend is the one of the guide's form.
func (b routeRequest) backend() platform.Backend {
	out := platform.Backend{Service: b.Ptype, Port: int(b.Port), Weight: b.Weight}
	if out.Service == "" {
		out.Service = platform.WebPtype
	}
	return out
}

// route converts a request.
func (b routeRequest) route(name string) (control.NewRoute, error) {
	n := control.NewRoute{Name: name, Kind: b.Kind}
	for _, p := range b.Parents {
		n.Parents = append(n.Parents, platform.ParentRef{Name: p.Name, Port: int(p.Port)})
	}
	raw, err := unwrap("rules", b.Rules)
	if err != nil {
		return n, err
	}
	var rules []ruleWire
	if err := decodeMember("rules", camelCase(raw), &rules); err != nil {
		return n, err
	}
	for _, r := range rules {
		rule, err := r.rule()
		if err != nil {
			return n, err
		}
		n.Rules = append(n.Rules, rule)
	}
	return n, nil
}

// camelCase renames members such as backend_refs, as the newest library writes
// them, to the Gateway API's own names. What is no JSON comes back as it is,
// for the decoder to refuse.
func camelCase(raw json.RawMessage) json.RawMessage {
	if !bytes.Contains(raw, []byte("_")) {
		return raw
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || dec.More() {
		return raw
	}
	out, err := json.Marshal(camelCaseOf(v))
	if err != nil {
		return raw
	}
	return out
}

func camelCaseOf(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = camelCaseOf(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			words := strings.Split(key, "_")
			for i, w := range words {
				if i > 0 && w != "" {
					words[i] = strings.ToUpper(w[:1]) + w[1:]
				}
			}
			out[strings.Join(words, "")] = camelCaseOf(value)
		}
		return out
	}
	return v
}

func (w ruleWire) rule() (platform.RouteRule, error) {
	r := platform.RouteRule{Name: w.Name}
	for _, m := range w.Matches {
		match, err := m.match()
		if err != nil {
			return r, err
		}
		r.Matches = append(r.Matches, match)
	}
	for _, f := range w.Filters {
		filter, err := f.filter()
		if err != nil {
			return r, err
		}
		r.Filters = append(r.Filters, filter)
	}
	for _, b := range w.Backends {
		if b.Group != "" || b.Kind != "" && b.Kind != "Service" || b.Namespace != "" {
			return r, platform.FieldErrorf("rules", "backendRefs can only be services of the app itself: leave group and namespace out.")
		}
		r.Backends = append(r.Backends, platform.Backend{Service: b.Name, Port: int(b.Port), Weight: b.Weight})
	}
	return r, nil
}

func (w matchWire) match() (platform.RouteMatch, error) {
	var m platform.RouteMatch
	if w.Path != nil {
		m.Path = &platform.ValueMatch{Type: w.Path.Type, Value: w.Path.Value}
		if m.Path.Value == "" {
			m.Path.Value = "/"
		}
	}
	switch raw := bytes.TrimSpace(w.Method); {
	case len(raw) == 0 || string(raw) == "null":
	case raw[0] == '{':
		var call callMatchWire
		if err := decodeMember("rules", raw, &call); err != nil {
			return m, err
		}
		m.Call = &platform.CallMatch{Type: call.Type, Service: call.Service, Method: call.Method}
	default:
		if err := decodeMember("rules", raw, &m.Method); err != nil {
			return m, err
		}
	}
	for _, h := range w.Headers {
		m.Headers = append(m.Headers, platform.NamedMatch(h))
	}
	for _, q := range w.Query {
		m.Query = append(m.Query, platform.NamedMatch(q))
	}
	return m, nil
}

func (w filterWire) filter() (platform.RouteFilter, error) {
	f := platform.RouteFilter{Type: w.Type}
	set := 0
	for _, given := range []struct {
		kind string
		ok   bool
	}{{platform.FilterRequestHeaders, w.RequestHeaders != nil}, {platform.FilterResponseHeaders, w.ResponseHeaders != nil},
		{platform.FilterRedirect, w.Redirect != nil}, {platform.FilterRewrite, w.Rewrite != nil}} {
		if given.ok {
			set++
		}
		if given.ok && given.kind != w.Type {
			return f, platform.FieldErrorf("rules", "A filter has only the member that belongs to its type.")
		}
	}
	if set == 0 {
		return f, nil // the type alone decides what is wrong
	}
	switch {
	case w.RequestHeaders != nil:
		f.Headers = w.RequestHeaders.change()
	case w.ResponseHeaders != nil:
		f.Headers = w.ResponseHeaders.change()
	case w.Redirect != nil:
		f.Redirect = &platform.Redirect{Scheme: w.Redirect.Scheme, Hostname: w.Redirect.Hostname, Port: int(w.Redirect.Port), Status: int(w.Redirect.Status)}
		path, err := w.Redirect.Path.change()
		f.Redirect.Path = path
		return f, err
	case w.Rewrite != nil:
		path, err := w.Rewrite.Path.change()
		f.Rewrite = &platform.Rewrite{Hostname: w.Rewrite.Hostname, Path: path}
		return f, err
	}
	return f, nil
}

func (w headersWire) change() *platform.HeaderChange {
	h := &platform.HeaderChange{Remove: w.Remove}
	for _, v := range w.Set {
		h.Set = append(h.Set, platform.NameValue(v))
	}
	for _, v := range w.Add {
		h.Add = append(h.Add, platform.NameValue(v))
	}
	return h
}

func (w *pathWire) change() (*platform.PathChange, error) {
	switch {
	case w == nil:
		return nil, nil
	case w.Type == platform.ReplaceFull && w.Full != nil && w.Prefix == nil:
		return &platform.PathChange{Type: w.Type, Value: *w.Full}, nil
	case w.Type == platform.ReplacePrefix && w.Prefix != nil && w.Full == nil:
		return &platform.PathChange{Type: w.Type, Value: *w.Prefix}, nil
	}
	return nil, platform.FieldErrorf("rules", "A path of a filter has a type, %s or %s, and the member replaceFullPath or replacePrefixMatch that belongs to it.",
		platform.ReplaceFull, platform.ReplacePrefix)
}

func (h *Handler) changeParent(r *request, change parentChange) (answer, error) {
	body, err := decode[parentRequest](r)
	if err == nil {
		err = required("gateway", body.Gateway)
	}
	if err != nil {
		return answer{}, err
	}
	if err := change(r.Context(), r.who, r.params["app"], r.params["name"], platform.ParentRef{Name: body.Gateway, Port: int(body.Port)}); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
