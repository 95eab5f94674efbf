package drycc

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is one row of the table: what is asked, who answers, and the words
// for the reference.
type route struct {
	method  string
	pattern string // segments; "{name}" or a literal with "{name}" at its end
	open    bool   // answers without a token
	secret  bool   // the path holds a secret and stays out of the log
	paged   bool   // takes limit and offset
	service bool   // answers to the service key only
	rest    bool   // the last variable takes the rest of the path, slashes included
	socket  bool   // changes to the websocket protocol
	run     func(h *Handler, r *request) (answer, error)
	doc     routeDoc
	// serve answers by itself, all methods and without a token, instead of run.
	serve func(h *Handler, w http.ResponseWriter, r *request)

	// optional answers without a token as well, but asks who it is when there
	// is one.
	optional bool
}

// anyMethod is the method of a route that takes every one.
const anyMethod = "ANY"

// segment is one part of a pattern: a literal, with a variable after it or not.
type segment struct {
	literal  string
	variable string
}

// path is a pattern with all routes on it.
type path struct {
	segments []segment
	rest     bool
	routes   []route
}

// router finds the routes of a path. Patterns are tried in the order of the
// table, literals before variables.
type router struct {
	paths []path
}

// found is the outcome of a match; no routes when nothing fits.
type found struct {
	routes []route
	params map[string]string
}

// newRouter groups the table by pattern.
func newRouter(table []route) router {
	var rt router
	index := map[string]int{}
	for _, r := range table {
		i, ok := index[r.pattern]
		if !ok {
			i = len(rt.paths)
			index[r.pattern] = i
			rt.paths = append(rt.paths, path{segments: parsePattern(r.pattern), rest: r.rest})
		}
		rt.paths[i].routes = append(rt.paths[i].routes, r)
	}
	slices.SortStableFunc(rt.paths, func(a, b path) int { return variables(a) - variables(b) })
	return rt
}

// variables counts the variables of a path.
func variables(p path) (n int) {
	for _, s := range p.segments {
		if s.variable != "" {
			n++
		}
	}
	return n
}

// parsePattern reads "/v2/apps/{app}/releases/v{version}/".
func parsePattern(pattern string) []segment {
	var out []segment
	for _, part := range strings.Split(strings.Trim(pattern, "/"), "/") {
		literal, rest, ok := strings.Cut(part, "{")
		s := segment{literal: literal}
		if ok {
			s.variable = strings.TrimSuffix(rest, "}")
		}
		out = append(out, s)
	}
	return out
}

// match finds the pattern that an escaped path fits, with or without a slash
// at its end.
func (rt router) match(escaped string) found {
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(escaped, "/"), "/"), "/")
	for i, p := range parts {
		plain, err := url.PathUnescape(p)
		if err != nil {
			return found{}
		}
		parts[i] = plain
	}
	for _, p := range rt.paths {
		if params, ok := p.fits(parts); ok {
			return found{routes: p.routes, params: params}
		}
	}
	return found{}
}

// fits compares the parts of a path with the pattern.
func (p path) fits(parts []string) (map[string]string, bool) {
	if last := len(p.segments) - 1; p.rest && len(parts) > last {
		parts = append(slices.Clone(parts[:last]), strings.Join(parts[last:], "/"))
	}
	if len(parts) != len(p.segments) {
		return nil, false
	}
	params := map[string]string{}
	for i, s := range p.segments {
		rest, ok := strings.CutPrefix(parts[i], s.literal)
		if !ok || (rest == "") != (s.variable == "") {
			return nil, false
		}
		if s.variable != "" {
			params[s.variable] = rest
		}
	}
	return params, true
}

// method finds the route for a method. HEAD is GET without the body, which
// net/http leaves off.
func (f found) method(method string) (route, bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, r := range f.routes {
		if r.method == method || r.method == anyMethod {
			return r, true
		}
	}
	return route{}, false
}

// open reports that a method answers without a token. For methods that the
// path does not have, it is so when all others do: strangers learn nothing.
func (f found) open(method string) bool {
	if r, ok := f.method(method); ok {
		return r.open
	}
	return !slices.ContainsFunc(f.routes, func(r route) bool { return !r.open })
}

// anonymous reports a request without credentials to a route that takes them
// or leaves them.
func (f found) anonymous(r *http.Request) bool {
	rt, ok := f.method(r.Method)
	return ok && rt.optional && r.Header.Get("Authorization") == ""
}

// service reports that the path answers to the service key only.
func (f found) service() bool { return f.routes[0].service }

// secret reports that the path holds a secret.
func (f found) secret() bool { return f.routes[0].secret }

// allow is the value of the Allow header.
func (f found) allow() string {
	var methods []string
	for _, r := range f.routes {
		methods = append(methods, r.method)
		if r.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	return strings.Join(append(methods, http.MethodOptions), ", ")
}
