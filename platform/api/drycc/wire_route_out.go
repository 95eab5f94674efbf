package drycc

import (
	"context"
	"encoding/json"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// parentChange attaches a route to a gateway or ends that.
type parentChange func(ctx context.Context, who control.Actor, app, name string, parent platform.ParentRef) error

// toRoute converts a route; routable says whether its app takes requests from
// outside.
func toRoute(r platform.Route, routable bool) routeWire {
	w := routeWire{ID: r.ID, App: r.App, Name: r.Name, Kind: r.Kind, Routable: routable, Created: stamp(r.Created), Updated: stamp(r.Updated)}
	w.Parents = convertAll(r.Parents, func(p platform.ParentRef) parentWire { return parentWire{p.Name, number(p.Port)} })
	w.Rules = convertAll(r.Rules, toRule)
	return w
}

func toRule(r platform.RouteRule) ruleWire {
	return ruleWire{
		Name: r.Name, Matches: convertAll(r.Matches, toMatch), Filters: convertAll(r.Filters, toFilter),
		Backends: convertAll(r.Backends, func(b platform.Backend) backendWire {
			return backendWire{Kind: "Service", Name: b.Service, Port: number(b.Port), Weight: b.Weight}
		}),
	}
}

func toMatch(m platform.RouteMatch) matchWire {
	var w matchWire
	if m.Path != nil {
		w.Path = &valueMatchWire{m.Path.Type, m.Path.Value}
	}
	// Strings and plain structs always encode.
	switch {
	case m.Call != nil:
		w.Method, _ = json.Marshal(callMatchWire(*m.Call))
	case m.Method != "":
		w.Method, _ = json.Marshal(m.Method)
	}
	w.Headers = convertAll(m.Headers, func(n platform.NamedMatch) namedMatchWire { return namedMatchWire(n) })
	w.Query = convertAll(m.Query, func(n platform.NamedMatch) namedMatchWire { return namedMatchWire(n) })
	return w
}

func toFilter(f platform.RouteFilter) filterWire {
	w := filterWire{Type: f.Type}
	switch {
	case f.Headers != nil && f.Type == platform.FilterRequestHeaders:
		w.RequestHeaders = toHeaders(*f.Headers)
	case f.Headers != nil:
		w.ResponseHeaders = toHeaders(*f.Headers)
	case f.Redirect != nil:
		r := f.Redirect
		w.Redirect = &redirectWire{r.Scheme, r.Hostname, toPath(r.Path), number(r.Port), number(r.Status)}
	case f.Rewrite != nil:
		w.Rewrite = &rewriteWire{f.Rewrite.Hostname, toPath(f.Rewrite.Path)}
	}
	return w
}

func toHeaders(h platform.HeaderChange) *headersWire {
	header := func(v platform.NameValue) headerWire { return headerWire(v) }
	return &headersWire{convertAll(h.Set, header), convertAll(h.Add, header), h.Remove}
}

func toPath(p *platform.PathChange) *pathWire {
	switch {
	case p == nil:
		return nil
	case p.Type == platform.ReplaceFull:
		return &pathWire{Type: p.Type, Full: &p.Value}
	}
	return &pathWire{Type: p.Type, Prefix: &p.Value}
}
