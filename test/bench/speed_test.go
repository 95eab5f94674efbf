//go:build e2e

package bench

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pairing is the load of both in the same rounds.
type pairing struct{ ours, plain []load }

// comparison is the gateway next to nginx, over HTTP and HTTPS.
type comparison struct{ http, https pairing }

// compare has both answer in turns, so that what else the machine does meets
// both alike. BENCH_ROUNDS and BENCH_SECONDS make it shorter or longer.
func (e *edge) compare(t *testing.T) comparison {
	t.Helper()
	var c comparison
	name := e.plain.site.name
	for range setting(t, "BENCH_ROUNDS", 5) {
		c.http.ours = append(c.http.ours, e.shoot(t, "traefik", "http://"+name+"/"))
		c.http.plain = append(c.http.plain, e.shoot(t, "nginx", fmt.Sprintf("http://%s:%d/", name, e.plain.plainPort)))
		c.https.ours = append(c.https.ours, e.shoot(t, "traefik", "https://"+name+"/"))
		c.https.plain = append(c.https.plain, e.shoot(t, "nginx", fmt.Sprintf("https://%s:%d/", name, e.plain.securePort)))
	}
	return c
}

// shoot runs wrk against a program in the host's network, in a mount namespace
// of its own: there the name is in /etc/hosts, so that it is in the TLS greeting
// too.
func (e *edge) shoot(t *testing.T, program, url string) load {
	t.Helper()
	script := `mount --bind "$0" /etc/hosts && exec wrk -t1 -c32 --latency "$@"`
	duration := fmt.Sprintf("-d%ds", setting(t, "BENCH_SECONDS", 10))
	pids := e.processes(t, program)
	before := spent(pids)
	l := parseLoad(t, e.h.Network(t.Context(), "unshare", "--mount", "sh", "-c", script, e.hosts, duration, url))
	l.cost = time.Duration(float64(spent(pids)-before) / l.requests)
	return l
}

// processes are those of the program that answers: the host's own, or nginx and
// its workers.
func (e *edge) processes(t *testing.T, program string) []int {
	t.Helper()
	if program == "nginx" {
		return append(children(e.plain.pid), e.plain.pid)
	}
	var all []int
	for _, pid := range e.h.Processes() {
		if partOf(pid) == program {
			all = append(all, pid)
		}
	}
	require.NotEmpty(t, all, program)
	return all
}

// children are the processes that a process started.
func children(pid int) []int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)) // none when it is gone
	var all []int
	for _, word := range strings.Fields(string(b)) {
		if n, err := strconv.Atoi(word); err == nil {
			all = append(all, n)
		}
	}
	return all
}

// spent is the processor time of processes so far, which tells more than the
// rate does when the machine is not ours alone.
func spent(pids []int) time.Duration {
	const tick = 10 * time.Millisecond // USER_HZ, the same on every Linux
	var sum time.Duration
	for _, pid := range pids {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // none when it is gone
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if len(fields) < 13 {
			continue
		}
		for _, field := range fields[11:13] { // in user and in system mode
			n, _ := strconv.ParseInt(field, 10, 64)
			sum += time.Duration(n) * tick
		}
	}
	return sum
}

// ratio is the one of the middle round: one that was disturbed on one side only
// counts for nothing.
func (p pairing) ratio() float64 {
	var all []float64
	for i := range p.ours {
		all = append(all, p.ours[i].rate/p.plain[i].rate)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// middle are the middle rate, the middle p99 and the middle cost.
func middle(all []load) load {
	by := func(compare func(a, b load) int) load {
		sorted := slices.SortedFunc(slices.Values(all), compare)
		return sorted[len(sorted)/2]
	}
	return load{
		rate: by(func(a, b load) int { return cmp.Compare(a.rate, b.rate) }).rate,
		p99:  by(func(a, b load) int { return cmp.Compare(a.p99, b.p99) }).p99,
		cost: by(func(a, b load) int { return cmp.Compare(a.cost, b.cost) }).cost,
	}
}

// tell writes the rows of a comparison.
func (c comparison) tell(report *rows, when string) {
	for _, p := range []struct {
		name string
		pairing
	}{{"HTTP", c.http}, {"HTTPS", c.https}} {
		a, b := middle(p.ours), middle(p.plain)
		report.add(p.name+" requests a second, "+when, fmt.Sprintf("%.0f", a.rate), fmt.Sprintf("%.0f", b.rate), fmt.Sprintf("%.2f", p.ratio()), "")
		report.add(p.name+" p99, "+when, milliseconds(a.p99), milliseconds(b.p99), fmt.Sprintf("%.2f", a.p99.Seconds()/b.p99.Seconds()), "")
		report.add(p.name+" processor time a request, "+when, microseconds(a.cost), microseconds(b.cost), fmt.Sprintf("%.2f", a.cost.Seconds()/b.cost.Seconds()), "")
	}
}

func microseconds(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }

// relate compares throughput with many domains to that with one. Each is taken
// as a share of nginx's in the same rounds, which knows one domain all the time.
func relate(report *rows, one, many comparison) {
	share := func(a, b pairing) string { return strconv.FormatFloat(b.ratio()/a.ratio(), 'f', 2, 64) }
	report.add("HTTP throughput kept with many domains", "-", "-", share(one.http, many.http), "≥ 0.90")
	report.add("HTTPS throughput kept with many domains", "-", "-", share(one.https, many.https), "≥ 0.90")
	cost := func(a, b pairing) string {
		return strconv.FormatFloat(middle(b.ours).cost.Seconds()/middle(a.ours).cost.Seconds(), 'f', 2, 64)
	}
	report.add("HTTP processor time with many domains next to one", "-", "-", cost(one.http, many.http), "")
	report.add("HTTPS processor time with many domains next to one", "-", "-", cost(one.https, many.https), "")
}
