package platform

import (
	"slices"
	"strings"
)

// The filters that the gateway carries out.
const (
	FilterRequestHeaders  = "RequestHeaderModifier"
	FilterResponseHeaders = "ResponseHeaderModifier"
	FilterRedirect        = "RequestRedirect"
	FilterRewrite         = "URLRewrite"
)

// PathChanges of redirects and rewrites.
const (
	ReplaceFull   = "ReplaceFullPath"
	ReplacePrefix = "ReplacePrefixMatch"
)

func validateFilters(kind string, rule RouteRule) error {
	var seen []string
	for _, f := range rule.Filters {
		if slices.Contains(seen, f.Type) || len(seen) > 0 && (f.Type == FilterRedirect && slices.Contains(seen, FilterRewrite) ||
			f.Type == FilterRewrite && slices.Contains(seen, FilterRedirect)) {
			return FieldErrorf("rules", "The filter %s cannot come twice, nor a redirect together with a rewrite.", quote(f.Type))
		}
		seen = append(seen, f.Type)
		if err := validateFilter(kind, f, rule); err != nil {
			return err
		}
	}
	return nil
}

func validateFilter(kind string, f RouteFilter, rule RouteRule) error {
	switch {
	case f.Type == FilterRequestHeaders || f.Type == FilterResponseHeaders:
		if f.Headers == nil {
			return FieldErrorf("rules", "The filter %s says nothing to change.", f.Type)
		}
		return validateHeaderChange(*f.Headers)
	case kind == HTTPRoute && f.Type == FilterRedirect && f.Redirect != nil:
		return validateRedirect(*f.Redirect, rule)
	case kind == HTTPRoute && f.Type == FilterRewrite && f.Rewrite != nil:
		if f.Rewrite.Hostname == "" && f.Rewrite.Path == nil {
			return FieldErrorf("rules", "The filter %s says nothing to change.", f.Type)
		}
		return validateTarget(f.Rewrite.Hostname, f.Rewrite.Path, rule)
	case kind == HTTPRoute:
		return FieldErrorf("rules", "the gateway cannot carry out the filter %s; it can %s, %s, %s and %s.", quote(f.Type),
			FilterRequestHeaders, FilterResponseHeaders, FilterRedirect, FilterRewrite)
	}
	return FieldErrorf("rules", "the gateway cannot carry out the filter %s for a %s; it can %s and %s.", quote(f.Type), kind,
		FilterRequestHeaders, FilterResponseHeaders)
}

func validateHeaderChange(h HeaderChange) error {
	if len(h.Set)+len(h.Add)+len(h.Remove) == 0 {
		return FieldErrorf("rules", "A header filter says nothing to change.")
	}
	if len(h.Set) > maxHeaders || len(h.Add) > maxHeaders || len(h.Remove) > maxHeaders {
		return FieldErrorf("rules", "A filter has at most %d headers to set, add and remove each.", maxHeaders)
	}
	for _, v := range append(slices.Clone(h.Set), h.Add...) {
		if err := validateToken(v.Name); err != nil {
			return err
		}
		if v.Value == "" || len(v.Value) > 4*maxValueLen || strings.ContainsAny(v.Value, "\x00\r\n") {
			return FieldErrorf("rules", "The value of header %s is missing, too long, or holds characters that it may not have.", v.Name)
		}
	}
	for _, name := range h.Remove {
		if err := validateToken(name); err != nil {
			return err
		}
	}
	return nil
}

func validateRedirect(r Redirect, rule RouteRule) error {
	if r.Scheme != "" && r.Scheme != "http" && r.Scheme != "https" {
		return FieldErrorf("rules", "The scheme of a redirect is http or https.")
	}
	if r.Status != 0 && r.Status != 301 && r.Status != 302 {
		return FieldErrorf("rules", "The statusCode of a redirect is 301 or 302.")
	}
	if r.Port < 0 || r.Port > 65535 {
		return FieldErrorf("rules", "The port of a redirect has to be between 1 and 65535.")
	}
	return validateTarget(r.Hostname, r.Path, rule)
}

func validateTarget(hostname string, path *PathChange, rule RouteRule) error {
	if hostname != "" && (strings.HasPrefix(hostname, "*") || ValidateHostname(hostname) != nil) {
		return FieldErrorf("rules", "The hostname %s of a filter does not look valid.", quote(hostname))
	}
	if path == nil {
		return nil
	}
	if path.Type != ReplaceFull && path.Type != ReplacePrefix {
		return FieldErrorf("rules", "%s is no change of a path; use %s or %s.", quote(path.Type), ReplaceFull, ReplacePrefix)
	}
	if len(path.Value) > maxValueLen || strings.ContainsAny(path.Value, "\x00\r\n") {
		return FieldErrorf("rules", "The new path of a filter is too long or holds characters that it may not have.")
	}
	prefixed := len(rule.Matches) == 1 && rule.Matches[0].Path != nil &&
		(rule.Matches[0].Path.Type == "" || rule.Matches[0].Path.Type == "PathPrefix")
	if path.Type == ReplacePrefix && !prefixed {
		return FieldErrorf("rules", "%s needs a rule with exactly one match, by PathPrefix.", ReplacePrefix)
	}
	return nil
}
