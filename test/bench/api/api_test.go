//go:build e2e

package api

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	apps, releases = 1000, 20
	turns          = 5
	turn           = 1500 * time.Millisecond
)

// kind is one kind of request that both servers are asked.
type kind struct {
	name string
	read bool
	ask  request
}

func kinds() []kind {
	some := func(n int) string { return appID(n * 37 % apps) }
	return []kind{
		{"GET /v2/apps/{app}/", true, request{"GET", func(n int) string { return "/v2/apps/" + some(n) + "/" }, nil}},
		{"GET /v2/apps/ (100 of 1000)", true, request{"GET", func(int) string { return "/v2/apps/" }, nil}},
		{"GET /v2/apps/{app}/releases/", true, request{"GET", func(n int) string { return "/v2/apps/" + some(n) + "/releases/" }, nil}},
		{"POST /v2/apps/{app}/config/", false, request{"POST", func(n int) string { return "/v2/apps/" + some(n) + "/config/" },
			func(int) string { return fmt.Sprintf(`{"values": {"NOW": "%d"}}`, time.Now().UnixNano()) }}},
	}
}

// goal is how much of the bare handler's rate our reads reach at least.
const goal = 0.5

// TestAgainstBare prints what the API manages next to the bare handler, and
// fails when reads, all kinds of them taken together, miss the goal.
func TestAgainstBare(t *testing.T) {
	file, key := seed(t, apps, releases)
	servers := []*process{start(t, "ours", file), start(t, "bare", file)}
	table := newTable("request\tours/s\tp50\tp99\tcpu\tbare/s\tp50\tp99\tcpu\trate ratio\tcpu ratio")
	var reads []float64
	for _, k := range kinds() {
		if k.read {
			require.JSONEq(t, servers[1].get(k.ask.path(7), key), servers[0].get(k.ask.path(7), key), "both answer the same: %s", k.name)
		}
	}
	for _, k := range kinds() {
		results := make([]sample, len(servers))
		for n := range turns + 1 {
			for i, s := range servers {
				got := s.load(k.ask, key, turn)
				if n > 0 { // the first turn warms both up
					results[i].add(got)
				}
			}
		}
		o, b := &results[0], &results[1]
		ratio := o.rate() / b.rate()
		if k.read {
			reads = append(reads, ratio)
		}
		table.add("%s\t%s\t%s\t%.2f\t%.2f", k.name, o, b, ratio, float64(b.cost())/float64(max(o.cost(), 1)))
	}
	mean := 0.0
	for _, r := range reads {
		mean += r / float64(len(reads))
	}
	table.add("all reads\t\t\t\t\t\t\t\t\t%.2f\t(goal %.1f)", mean, goal)
	table.print()
}

// TestManyApps shows that a page of apps costs the same in a database with a
// hundred times as many.
func TestManyApps(t *testing.T) {
	table := newTable("GET /v2/apps/\tper second\tp50\tp99\tcpu\tpeak memory")
	sizes := []int{100, 10_000}
	servers, keys := make([]*process, len(sizes)), make([]string, len(sizes))
	for i, size := range sizes {
		var file string
		file, keys[i] = seed(t, size, 2)
		servers[i] = start(t, "ours", file)
	}
	ask := request{"GET", func(int) string { return "/v2/apps/" }, nil}
	results := make([]sample, len(sizes))
	for n := range turns + 1 {
		for i, s := range servers {
			if got := s.load(ask, keys[i], turn); n > 0 {
				results[i].add(got)
			}
		}
	}
	memory := make([]int64, len(sizes))
	for i, size := range sizes {
		memory[i] = servers[i].peak()
		table.add("%d apps\t%s\t%d MB", size, &results[i], memory[i]>>20)
	}
	few, many := &results[0], &results[1]
	table.add("ratio\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f", many.rate()/few.rate(), float64(many.quantile(.5))/float64(few.quantile(.5)),
		float64(many.quantile(.99))/float64(few.quantile(.99)), float64(many.cost())/float64(few.cost()), float64(memory[1])/float64(memory[0]))
	table.print()
	assert.Less(t, float64(memory[1]), 1.25*float64(memory[0]), "a page takes more memory where there are more apps")
}

// String is the columns of a sample.
func (s *sample) String() string {
	return fmt.Sprintf("%.0f\t%s\t%s\t%s", s.rate(), micro(s.quantile(.5)), micro(s.quantile(.99)), micro(s.cost()))
}

func micro(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }

// table is what a bench prints.
type table struct{ lines []string }

func newTable(head string) *table { return &table{[]string{"\n" + head}} }

func (t *table) add(format string, args ...any) {
	t.lines = append(t.lines, fmt.Sprintf(format, args...))
}

func (t *table) print() {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, strings.Join(t.lines, "\n")) // to the terminal
	_ = w.Flush()
}
