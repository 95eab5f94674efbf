package platform

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Kinds of routes.
const (
	HTTPRoute = "HTTPRoute"
	GRPCRoute = "GRPCRoute"
	TCPRoute  = "TCPRoute" // every connection of a port
	TLSRoute  = "TLSRoute" // connections by the host name in the clear of their TLS, which stays unopened
)

// Bounds of one route, as the Gateway API sets them.
const (
	maxRules    = 16
	maxMatches  = 64
	maxBackends = 16
	maxFilters  = 16
	maxHeaders  = 16
	maxParents  = 32
	maxValueLen = 1024
)

// Route sends the requests that arrive at gateways on to services. It has the
// host names of its process types; rules tell requests apart beyond that.
//
// The store keeps it as JSON by the names of its fields: renaming one needs a
// migration.
type Route struct {
	ID      int64
	App     string
	Name    string
	Kind    string
	Parents []ParentRef
	Rules   []RouteRule
	Created time.Time
	Updated time.Time
}

// ParentRef is one port of a gateway.
type ParentRef struct {
	Name string
	Port int
}

// RouteRule sends what any of the matches fits, or all when there are none, to
// the backends by weight.
type RouteRule struct {
	Name     string        `json:",omitempty"`
	Matches  []RouteMatch  `json:",omitempty"`
	Filters  []RouteFilter `json:",omitempty"`
	Backends []Backend
}

// RouteMatch fits a request when all that it names does. Path, Method and
// Query belong to HTTPRoutes, Call to GRPCRoutes.
type RouteMatch struct {
	Path    *ValueMatch  `json:",omitempty"`
	Method  string       `json:",omitempty"`
	Headers []NamedMatch `json:",omitempty"`
	Query   []NamedMatch `json:",omitempty"`
	Call    *CallMatch   `json:",omitempty"`
}

// ValueMatch compares a path; Type is PathPrefix (also when empty), Exact or
// RegularExpression.
type ValueMatch struct{ Type, Value string }

// NamedMatch compares a header or query parameter; Type is Exact (also when
// empty) or RegularExpression.
type NamedMatch struct{ Type, Name, Value string }

// CallMatch compares the method of a gRPC call.
type CallMatch struct{ Type, Service, Method string }

// RouteFilter changes requests or answers on their way. Exactly the member
// that belongs to Type is set.
type RouteFilter struct {
	Type     string        // RequestHeaderModifier, ResponseHeaderModifier, RequestRedirect, URLRewrite
	Headers  *HeaderChange `json:",omitempty"`
	Redirect *Redirect     `json:",omitempty"`
	Rewrite  *Rewrite      `json:",omitempty"`
}

// HeaderChange sets, adds and removes headers.
type HeaderChange struct {
	Set, Add []NameValue `json:",omitempty"`
	Remove   []string    `json:",omitempty"`
}

// NameValue is a header.
type NameValue struct{ Name, Value string }

// Redirect answers with another address instead of sending the request on.
type Redirect struct {
	Scheme, Hostname string      `json:",omitempty"`
	Path             *PathChange `json:",omitempty"`
	Port             int         `json:",omitempty"`
	Status           int         `json:",omitempty"` // 301 or 302; 0 is 302
}

// Rewrite changes host name and path of what is sent on.
type Rewrite struct {
	Hostname string      `json:",omitempty"`
	Path     *PathChange `json:",omitempty"`
}

// PathChange replaces a path; Type is ReplaceFullPath or ReplacePrefixMatch.
type PathChange struct{ Type, Value string }

// Backend is one port of a Service of the app. Weight nil counts as 1.
type Backend struct {
	Service string
	Port    int
	Weight  *int `json:",omitempty"`
}

// ValidateRoute checks all that a route says by itself. Whether its gateways
// and services exist is for who knows them.
func ValidateRoute(r Route, open []GatewayPort) error {
	if err := validateKind(r.Kind, open); err != nil {
		return err
	}
	if err := validateStream(r); err != nil {
		return err
	}
	if len(r.Parents) > maxParents {
		return FieldErrorf("parent_refs", "Give at most %d gateways with their ports.", maxParents)
	}
	for i, p := range r.Parents {
		if slices.Contains(r.Parents[:i], p) {
			return FieldErrorf("parent_refs", "%s:%d is there twice.", p.Name, p.Port)
		}
	}
	if len(r.Rules) == 0 || len(r.Rules) > maxRules {
		return FieldErrorf("rules", "Give 1 to %d rules.", maxRules)
	}
	matches := 0
	for _, rule := range r.Rules {
		if err := validateRule(r.Kind, rule); err != nil {
			return err
		}
		matches += len(rule.Matches)
	}
	if matches > 2*maxMatches {
		return FieldErrorf("rules", "Give at most %d matches in all.", 2*maxMatches)
	}
	return nil
}

func validateRule(kind string, rule RouteRule) error {
	if rule.Name != "" && (len(rule.Name) > maxHostname || ValidateHostname(rule.Name) != nil) {
		return FieldErrorf("rules", "the name %s of a rule does not look valid.", quote(rule.Name))
	}
	if len(rule.Matches) > maxMatches || len(rule.Filters) > maxFilters || len(rule.Backends) > maxBackends {
		return FieldErrorf("rules", "A rule has at most %d matches, %d filters and %d backendRefs.", maxMatches, maxFilters, maxBackends)
	}
	redirects := slices.ContainsFunc(rule.Filters, func(f RouteFilter) bool { return f.Redirect != nil })
	if len(rule.Backends) == 0 && !redirects {
		return FieldErrorf("rules", "Each rule needs 1 to %d backendRefs.", maxBackends)
	}
	if len(rule.Backends) > 0 && redirects {
		return FieldErrorf("rules", "A rule that redirects sends nothing on: leave its backendRefs out.")
	}
	for _, m := range rule.Matches {
		if err := validateMatch(kind, m); err != nil {
			return err
		}
	}
	if err := validateFilters(kind, rule); err != nil {
		return err
	}
	for _, b := range rule.Backends {
		if err := validateBackend(b); err != nil {
			return err
		}
	}
	return nil
}

func validateBackend(b Backend) error {
	if b.Service == "" || len(b.Service) > 2*maxLabel+1 || !plain(b.Service) {
		return FieldErrorf("rules", "backendRefs need the name of a service of the app.")
	}
	if b.Port < 1 || b.Port > 65535 {
		return FieldErrorf("rules", "The port of backend %s has to be between 1 and 65535.", b.Service)
	}
	if b.Weight != nil && (*b.Weight < 0 || *b.Weight > 1000000) {
		return FieldErrorf("rules", "The weight of backend %s has to be between 0 and 1000000.", b.Service)
	}
	return nil
}

// plain reports lower-case letters, digits and hyphens only.
func plain(s string) bool {
	for _, c := range []byte(s) {
		if !isLower(c) && !isDigit(c) && c != '-' {
			return false
		}
	}
	return s != ""
}

// httpMethods are those that a match may name.
func httpMethods() []string {
	return []string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}
}

func validateMatch(kind string, m RouteMatch) error {
	if kind == GRPCRoute && (m.Path != nil || m.Method != "" || m.Query != nil) || kind == HTTPRoute && m.Call != nil {
		return FieldErrorf("rules", "A match of a %s cannot name that.", kind)
	}
	if m.Method != "" && !slices.Contains(httpMethods(), m.Method) {
		return FieldErrorf("rules", "%s is no HTTP method; use one of %s.", quote(m.Method), strings.Join(httpMethods(), ", "))
	}
	if m.Path != nil {
		if err := validatePath(*m.Path); err != nil {
			return err
		}
	}
	if m.Call != nil {
		if err := validateCall(*m.Call); err != nil {
			return err
		}
	}
	for _, list := range [][]NamedMatch{m.Headers, m.Query} {
		if len(list) > maxHeaders {
			return FieldErrorf("rules", "A match has at most %d headers and query parameters.", maxHeaders)
		}
		for _, n := range list {
			if err := validateNamed(n); err != nil {
				return err
			}
		}
	}
	return nil
}

func validatePath(p ValueMatch) error {
	if len(p.Value) > maxValueLen {
		return FieldErrorf("rules", "A path has at most %d characters.", maxValueLen)
	}
	switch p.Type {
	case "", "PathPrefix", "Exact":
		return validatePlainPath(p.Value)
	case "RegularExpression":
		return validateExpression(p.Value)
	}
	return FieldErrorf("rules", "%s is no type of a path; use PathPrefix, Exact or RegularExpression.", quote(p.Type))
}

// validatePlainPath accepts an absolute path as the Gateway API does.
func validatePlainPath(path string) error {
	ok := strings.HasPrefix(path, "/")
	for i := 0; ok && i < len(path); i++ {
		c := path[i]
		if c == '%' {
			ok = i+2 < len(path) && isHexDigit(path[i+1]) && isHexDigit(path[i+2])
			continue
		}
		ok = isAlnum(c) || strings.IndexByte("-._~!$&'()*+,;=:@/", c) >= 0
	}
	for _, bad := range []string{"//", "/./", "/../"} {
		ok = ok && !strings.Contains(path, bad)
	}
	if !ok || strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..") {
		return FieldErrorf("rules", "%s is no path: it begins with / and has no empty, . or .. parts.", quote(path))
	}
	return nil
}

func isHexDigit(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

func validateExpression(text string) error {
	if _, err := regexp.Compile(text); err != nil || text == "" || strings.ContainsAny(text, "\x00\r\n") {
		return FieldErrorf("rules", "%s is no regular expression.", quote(text))
	}
	return nil
}

func validateNamed(n NamedMatch) error {
	if err := validateToken(n.Name); err != nil {
		return err
	}
	if n.Value == "" || len(n.Value) > maxValueLen || strings.ContainsAny(n.Value, "\x00\r\n") {
		return FieldErrorf("rules", "The value for %s is missing, too long, or holds characters that it may not have.", n.Name)
	}
	switch n.Type {
	case "", "Exact":
		return nil
	case "RegularExpression":
		return validateExpression(n.Value)
	}
	return FieldErrorf("rules", "%s is no type of a match; use Exact or RegularExpression.", quote(n.Type))
}

// validateToken checks the name of a header or query parameter.
func validateToken(name string) error {
	ok := name != "" && len(name) <= 256
	for i := 0; ok && i < len(name); i++ {
		ok = isAlnum(name[i]) || strings.IndexByte("!#$%&'*+-.^_`|~", name[i]) >= 0
	}
	if !ok {
		return FieldErrorf("rules", "%s is no name of a header or query parameter.", quote(name))
	}
	return nil
}

func validateCall(c CallMatch) error {
	if c.Service == "" && c.Method == "" {
		return FieldErrorf("rules", "A method match needs a service, a method, or both.")
	}
	for _, s := range []string{c.Service, c.Method} {
		if len(s) > maxValueLen {
			return FieldErrorf("rules", "A method match has at most %d characters.", maxValueLen)
		}
		ok := true
		for i := 0; ok && i < len(s); i++ {
			ok = isAlnum(s[i]) || s[i] == '.' || s[i] == '_'
		}
		switch {
		case c.Type == "RegularExpression" && s != "":
			if err := validateExpression(s); err != nil {
				return err
			}
		case (c.Type == "" || c.Type == "Exact") && !ok:
			return FieldErrorf("rules", "%s is no gRPC service or method.", quote(s))
		case c.Type != "" && c.Type != "Exact" && c.Type != "RegularExpression":
			return FieldErrorf("rules", "%s is no type of a method match; use Exact or RegularExpression.", quote(c.Type))
		}
	}
	return nil
}
