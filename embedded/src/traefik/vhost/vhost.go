// Package vhost sorts the rules of routers by the host names that they fit, so
// that a request is held against the rules of its host instead of against all.
// Traefik tries one rule after the other, which with hundreds of domains costs
// more than all else it does for a request.
package vhost

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/traefik/traefik/v3/pkg/rules"
	"github.com/vulcand/predicate"
)

// Rules reads rules. It remembers those of the last configuration: from one to
// the next nearly all stay, and reading them is what takes longest. It is for
// one goroutine.
type Rules struct {
	parser predicate.Parser
	known  map[string]rule // by its text
	regexp map[string]*regexp.Regexp
}

// rule is what is known of a rule.
type rule struct {
	tree  *rules.Tree // nil: not understood
	hosts []string    // that it names
	only  bool        // whether it fits no others
}

// matchers are the words of Traefik's rules for HTTP.
func matchers() []string {
	return []string{
		"ClientIP", "Method", "Host", "HostRegexp", "Path", "PathRegexp", "PathPrefix",
		"Header", "HeaderRegexp", "Query", "QueryRegexp",
	}
}

// NewRules returns a reader that has read nothing.
func NewRules() (*Rules, error) {
	parser, err := rules.NewParser(matchers())
	if err != nil {
		return nil, fmt.Errorf("parser of routing rules: %w", err)
	}
	return &Rules{parser: parser}, nil
}

// Group is a set of host names and the routers whose rules may fit a request to
// any of them, by name and sorted. The first group of a list is for all names
// that no other group has; its Hosts are nil.
type Group struct{ Hosts, Routers []string }

// Split divides routers, given as rules by name, into groups. A router is in
// each group that has a name which its rule may fit; whether it does, with path
// and headers, is still for the router to say. A rule that is not understood
// may fit every name.
func (r *Rules) Split(routers map[string]string) []Group {
	r.learn(routers)
	byHost := map[string][]string{} // those that fit the named hosts only
	var others []string
	for name, text := range routers {
		known := r.known[text]
		if !known.only {
			others = append(others, name)
			continue
		}
		for _, host := range known.hosts {
			byHost[host] = append(byHost[host], name)
		}
	}
	slices.Sort(others)
	list := []Group{{Routers: others}}
	where := map[string]int{} // by the routers
	for _, host := range slices.Sorted(maps.Keys(byHost)) {
		names := byHost[host]
		for _, name := range others {
			if r.fits(r.known[routers[name]].tree, host) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		names = slices.Compact(names)
		key := strings.Join(names, "\n")
		i, ok := where[key]
		if !ok {
			i = len(list)
			where[key] = i
			list = append(list, Group{Routers: names})
		}
		list[i].Hosts = append(list[i].Hosts, host)
	}
	return list
}

// learn reads the rules that are new and forgets those that are gone.
func (r *Rules) learn(routers map[string]string) {
	before := r.known
	r.known, r.regexp = make(map[string]rule, len(routers)), map[string]*regexp.Regexp{}
	for _, text := range routers {
		known, ok := before[text]
		if !ok {
			known.tree = r.read(text)
			known.hosts, known.only = named(known.tree)
		}
		r.known[text] = known
	}
}

// read is nil for a rule that is not understood.
func (r *Rules) read(text string) *rules.Tree {
	parsed, err := r.parser.Parse(text)
	if err != nil {
		return nil
	}
	build, ok := parsed.(rules.TreeBuilder)
	if !ok {
		return nil
	}
	return build()
}

// named are the hosts that a rule names, if it fits no others: only is false
// for a rule that may fit others too.
func named(t *rules.Tree) (hosts []string, only bool) {
	switch {
	case t == nil:
		return nil, false
	case t.Matcher == "and":
		if hosts, only = named(t.RuleLeft); only {
			return hosts, true
		}
		return named(t.RuleRight)
	case t.Matcher == "or":
		left, ok := named(t.RuleLeft)
		if !ok {
			return nil, false
		}
		right, ok := named(t.RuleRight)
		return append(left, right...), ok
	case t.Matcher == "Host" && !t.Not && len(t.Value) == 1:
		return []string{Canonical(t.Value[0])}, true
	}
	return nil, false
}

// fits reports whether a rule may fit a request to the host: parts that look at
// anything else are taken as met.
func (r *Rules) fits(t *rules.Tree, host string) bool {
	switch {
	case t == nil:
		return true
	case t.Matcher == "and":
		return r.fits(t.RuleLeft, host) && r.fits(t.RuleRight, host)
	case t.Matcher == "or":
		return r.fits(t.RuleLeft, host) || r.fits(t.RuleRight, host)
	case t.Matcher == "Host" && len(t.Value) == 1:
		return (Canonical(t.Value[0]) == host) != t.Not
	case t.Matcher == "HostRegexp" && len(t.Value) == 1:
		re := r.compiled(t.Value[0])
		// A final dot of the request's host may make the difference.
		return re == nil || re.MatchString(host) != t.Not || re.MatchString(host+".") != t.Not
	}
	return true
}

// compiled is nil for an expression that cannot be.
func (r *Rules) compiled(text string) *regexp.Regexp {
	re, ok := r.regexp[text]
	if !ok {
		re, _ = regexp.Compile(text)
		r.regexp[text] = re
	}
	return re
}

// Canonical is a host name as names are compared here: lower case and without
// the final dot.
func Canonical(host string) string {
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
