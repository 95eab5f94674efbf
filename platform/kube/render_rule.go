package kube

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/slipway-paas/slipway/platform"
)

// optional is nil for an empty string.
func optional[T ~string](s string) *T {
	if s == "" {
		return nil
	}
	return ptr(T(s))
}

func renderHTTPRule(rule platform.RouteRule) gatewayv1.HTTPRouteRule {
	out := gatewayv1.HTTPRouteRule{Name: optional[gatewayv1.SectionName](rule.Name)}
	for _, m := range rule.Matches {
		out.Matches = append(out.Matches, renderMatch(m))
	}
	if len(out.Matches) == 0 {
		out.Matches = []gatewayv1.HTTPRouteMatch{anyPath()}
	}
	for _, f := range rule.Filters {
		out.Filters = append(out.Filters, renderFilter(f))
	}
	for _, b := range rule.Backends {
		out.BackendRefs = append(out.BackendRefs, gatewayv1.HTTPBackendRef{BackendRef: renderBackend(b)})
	}
	return out
}

func renderBackend(b platform.Backend) gatewayv1.BackendRef {
	weight := int32(1)
	if b.Weight != nil {
		weight = int32(*b.Weight)
	}
	return gatewayv1.BackendRef{
		BackendObjectReference: gatewayv1.BackendObjectReference{
			Group: ptr(gatewayv1.Group("")), Kind: ptr(gatewayv1.Kind("Service")),
			Name: gatewayv1.ObjectName(b.Service), Port: ptr(gatewayv1.PortNumber(b.Port)),
		},
		Weight: &weight,
	}
}

func renderMatch(m platform.RouteMatch) gatewayv1.HTTPRouteMatch {
	out := anyPath()
	if m.Path != nil {
		out.Path = &gatewayv1.HTTPPathMatch{Type: ptr(gatewayv1.PathMatchPathPrefix), Value: ptr(m.Path.Value)}
		if m.Path.Type != "" {
			out.Path.Type = ptr(gatewayv1.PathMatchType(m.Path.Type))
		}
	}
	out.Method = optional[gatewayv1.HTTPMethod](m.Method)
	for _, h := range m.Headers {
		out.Headers = append(out.Headers, gatewayv1.HTTPHeaderMatch{
			Type: ptr(gatewayv1.HeaderMatchType(orExact(h.Type))), Name: gatewayv1.HTTPHeaderName(h.Name), Value: h.Value,
		})
	}
	for _, q := range m.Query {
		out.QueryParams = append(out.QueryParams, gatewayv1.HTTPQueryParamMatch{
			Type: ptr(gatewayv1.QueryParamMatchType(orExact(q.Type))), Name: gatewayv1.HTTPHeaderName(q.Name), Value: q.Value,
		})
	}
	return out
}

func orExact(kind string) string {
	if kind == "" {
		return "Exact"
	}
	return kind
}

func renderFilter(f platform.RouteFilter) gatewayv1.HTTPRouteFilter {
	out := gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterType(f.Type)}
	switch {
	case f.Headers != nil && f.Type == platform.FilterRequestHeaders:
		out.RequestHeaderModifier = renderHeaders(*f.Headers)
	case f.Headers != nil:
		out.ResponseHeaderModifier = renderHeaders(*f.Headers)
	case f.Redirect != nil:
		out.RequestRedirect = &gatewayv1.HTTPRequestRedirectFilter{
			Scheme: optional[string](f.Redirect.Scheme), Hostname: optional[gatewayv1.PreciseHostname](f.Redirect.Hostname),
			Path: renderPathChange(f.Redirect.Path),
		}
		if f.Redirect.Port > 0 {
			out.RequestRedirect.Port = ptr(gatewayv1.PortNumber(f.Redirect.Port))
		}
		if f.Redirect.Status > 0 {
			out.RequestRedirect.StatusCode = ptr(f.Redirect.Status)
		}
	case f.Rewrite != nil:
		out.URLRewrite = &gatewayv1.HTTPURLRewriteFilter{
			Hostname: optional[gatewayv1.PreciseHostname](f.Rewrite.Hostname), Path: renderPathChange(f.Rewrite.Path),
		}
	}
	return out
}

func renderPathChange(p *platform.PathChange) *gatewayv1.HTTPPathModifier {
	switch {
	case p == nil:
		return nil
	case p.Type == platform.ReplaceFull:
		return &gatewayv1.HTTPPathModifier{Type: gatewayv1.FullPathHTTPPathModifier, ReplaceFullPath: ptr(p.Value)}
	}
	return &gatewayv1.HTTPPathModifier{Type: gatewayv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: ptr(p.Value)}
}

func renderHeaders(h platform.HeaderChange) *gatewayv1.HTTPHeaderFilter {
	list := func(values []platform.NameValue) (out []gatewayv1.HTTPHeader) {
		for _, v := range values {
			out = append(out, gatewayv1.HTTPHeader{Name: gatewayv1.HTTPHeaderName(v.Name), Value: v.Value})
		}
		return out
	}
	return &gatewayv1.HTTPHeaderFilter{Set: list(h.Set), Add: list(h.Add), Remove: h.Remove}
}

func renderGRPCRule(rule platform.RouteRule) gatewayv1.GRPCRouteRule {
	out := gatewayv1.GRPCRouteRule{Name: optional[gatewayv1.SectionName](rule.Name)}
	for _, m := range rule.Matches {
		var match gatewayv1.GRPCRouteMatch
		if m.Call != nil {
			match.Method = &gatewayv1.GRPCMethodMatch{
				Type:    ptr(gatewayv1.GRPCMethodMatchType(orExact(m.Call.Type))),
				Service: optional[string](m.Call.Service), Method: optional[string](m.Call.Method),
			}
		}
		for _, h := range m.Headers {
			match.Headers = append(match.Headers, gatewayv1.GRPCHeaderMatch{
				Type: ptr(gatewayv1.GRPCHeaderMatchType(orExact(h.Type))), Name: gatewayv1.GRPCHeaderName(h.Name), Value: h.Value,
			})
		}
		out.Matches = append(out.Matches, match)
	}
	for _, f := range rule.Filters {
		filter := gatewayv1.GRPCRouteFilter{Type: gatewayv1.GRPCRouteFilterType(f.Type)}
		if f.Type == platform.FilterRequestHeaders {
			filter.RequestHeaderModifier = renderHeaders(*f.Headers)
		} else {
			filter.ResponseHeaderModifier = renderHeaders(*f.Headers)
		}
		out.Filters = append(out.Filters, filter)
	}
	for _, b := range rule.Backends {
		out.BackendRefs = append(out.BackendRefs, gatewayv1.GRPCBackendRef{BackendRef: renderBackend(b)})
	}
	return out
}
