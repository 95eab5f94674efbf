package vhost

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
	httpmuxer "github.com/traefik/traefik/v3/pkg/muxer/http"
)

func newRules(t testing.TB) *Rules {
	t.Helper()
	r, err := NewRules()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSplit(t *testing.T) {
	for _, tc := range []struct {
		name  string
		rules map[string]string
		want  []Group
	}{
		{"none", nil, []Group{{}}},
		{
			"one name", map[string]string{"a": "Host(`A.example.com`) && PathPrefix(`/`)"},
			[]Group{{}, {[]string{"a.example.com"}, []string{"a"}}},
		},
		{
			"names of one router share its group",
			map[string]string{"a": "(Host(`a.example.com`) || Host(`b.example.com.`)) && PathPrefix(`/`)"},
			[]Group{{}, {[]string{"a.example.com", "b.example.com"}, []string{"a"}}},
		},
		{
			"a name of two routers has both",
			map[string]string{"a": "Host(`a.example.com`) || Host(`b.example.com`)", "b": "Host(`b.example.com`) && Method(`GET`)"},
			[]Group{{}, {[]string{"a.example.com"}, []string{"a"}}, {[]string{"b.example.com"}, []string{"a", "b"}}},
		},
		{
			"a wildcard is with the names it fits",
			map[string]string{
				"a": "Host(`a.example.com`)", "b": "Host(`b.example.org`)",
				"wild": "HostRegexp(`^[a-z0-9-\\.]+\\.example\\.com$`) && Path(`/x`)",
			},
			[]Group{{nil, []string{"wild"}}, {[]string{"a.example.com"}, []string{"a", "wild"}}, {[]string{"b.example.org"}, []string{"b"}}},
		},
		{
			"a rule without names is everywhere",
			map[string]string{"a": "Host(`a.example.com`)", "ping": "PathPrefix(`/ping`)"},
			[]Group{{nil, []string{"ping"}}, {[]string{"a.example.com"}, []string{"a", "ping"}}},
		},
		{
			"not is no name",
			map[string]string{"a": "Host(`a.example.com`)", "not": "!Host(`a.example.com`)"},
			[]Group{{nil, []string{"not"}}, {[]string{"a.example.com"}, []string{"a"}}},
		},
		{
			"what is not understood is everywhere",
			map[string]string{"a": "Host(`a.example.com`)", "odd": "Host("},
			[]Group{{nil, []string{"odd"}}, {[]string{"a.example.com"}, []string{"a", "odd"}}},
		},
	} {
		if got := newRules(t).Split(tc.rules); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s:\n got %v\nwant %v", tc.name, got, tc.want)
		}
	}
}

// Rules that are gone are forgotten, those that stay are not read again.
func TestSplitRemembersOneConfiguration(t *testing.T) {
	r := newRules(t)
	r.Split(map[string]string{"a": "Host(`a`)", "b": "Host(`b`)"})
	kept := r.known["Host(`a`)"].tree
	r.Split(map[string]string{"a": "Host(`a`)", "c": "Host(`c`)"})
	if len(r.known) != 2 || r.known["Host(`a`)"].tree != kept || kept == nil {
		t.Error(r.known)
	}
}

// Whatever the rules: a request reaches the router that Traefik's own muxer
// would choose among all of them.
func TestSameRouterAsAllRulesInTurn(t *testing.T) {
	parser, err := httpmuxer.NewSyntaxParser()
	if err != nil {
		t.Fatal(err)
	}
	muxer := func(rules map[string]string, names []string) http.Handler {
		m := httpmuxer.NewMuxer(parser)
		for _, name := range names {
			h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(name)) })
			// Priorities differ: of equal ones any may come first.
			if err := m.AddRoute(rules[name], "", 10*len(rules[name])+len(name), h); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		rules, all := map[string]string{}, []string(nil)
		for i := range 1 + random.IntN(8) {
			name := "r" + strings.Repeat("x", i)
			rules[name], all = randomRule(random, 3), append(all, name)
		}
		whole := muxer(rules, all)
		split := NewHandler(newRules(t).Split(rules), func(names []string) http.Handler { return muxer(rules, names) })
		for range 20 {
			host, path := randomHost(random), "/"+string(rune('p'+random.IntN(3)))
			if want, got := ask(whole, host, path), ask(split, host, path); got != want {
				t.Fatalf("%s%s: %s instead of %s of %v", host, path, got, want, rules)
			}
		}
	}
}

func ask(h http.Handler, host, path string) string {
	r := httptest.NewRequest(http.MethodGet, "http://"+host+path, nil)
	w := httptest.NewRecorder()
	requestdecorator.New(nil).ServeHTTP(w, r, h.ServeHTTP)
	return fmt.Sprint(w.Code, " ", w.Body)
}

func randomHost(random *rand.Rand) string {
	host := string(rune('a'+random.IntN(4))) + []string{".test", ".b.test", ".B.TEST", "", ".test.", ".test:8080"}[random.IntN(6)]
	return host
}

func randomRule(random *rand.Rand, depth int) string {
	if depth > 0 && random.IntN(2) == 0 {
		operator := []string{" && ", " || "}[random.IntN(2)]
		return "(" + randomRule(random, depth-1) + operator + randomRule(random, depth-1) + ")"
	}
	leaf := []string{
		fmt.Sprintf("Host(`%s`)", strings.TrimSuffix(randomHost(random), ":8080")),
		"HostRegexp(`^[a-z0-9-\\.]+\\.test$`)",
		"HostRegexp(`^a`)",
		fmt.Sprintf("PathPrefix(`/%c`)", 'p'+random.IntN(3)),
	}[random.IntN(4)]
	if random.IntN(6) == 0 {
		return "!" + leaf
	}
	return leaf
}

func TestGroupWithoutHandlerIsNotFound(t *testing.T) {
	h := NewHandler([]Group{{}}, func([]string) http.Handler { return nil })
	if got := ask(h, "a.test", "/"); !strings.HasPrefix(got, "404") {
		t.Error(got)
	}
}

// What is done anew for each changed route, with 500 names in parts of 16.
func BenchmarkSplit(b *testing.B) {
	rules := map[string]string{}
	for i := range 32 {
		var hosts []string
		for j := range 16 {
			hosts = append(hosts, fmt.Sprintf("Host(`d%d.bench.test`)", 16*i+j))
		}
		rules[fmt.Sprintf("r%d", i)] = "(" + strings.Join(hosts, " || ") + ") && PathPrefix(`/`)"
	}
	r := newRules(b)
	for b.Loop() {
		r.Split(rules)
	}
}
