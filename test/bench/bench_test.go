//go:build e2e

package bench

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

const (
	domain = "slipway.localhost"
	// Both hosts have the same name and address, one after the other: the
	// engine's configuration is the same file.
	address = "172.31.77.80"
	settle  = 60 * time.Second // idle time before memory is measured
)

func TestMain(m *testing.M) { os.Exit(house.Main(m, "make bench")) }

// rows collect a report.
type rows struct {
	other string // what Slipway is measured against
	lines []string
}

func (r *rows) add(what, ours, other, ratio, goal string) {
	r.lines = append(r.lines, strings.Join([]string{what, ours, other, ratio, goal}, "\t"))
}

func (r *rows) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "\nmeasured\tSlipway\t%s\tratio\tgoal\n", r.other)
	for _, l := range r.lines {
		fmt.Fprintln(w, l)
	}
	_ = w.Flush()
	return b.String()
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func megabytes(n int64) string { return fmt.Sprintf("%d MB", n/1000/1000) }

// measured is what both kinds of host are asked.
type measured struct {
	node, platform time.Duration // after the start of the program
	memory         map[string]int64
	disk           int64
}

func TestBench(t *testing.T) {
	program := house.Program(t)
	report := &rows{other: "plain k3s"}
	t.Cleanup(func() { fmt.Println(report) })

	var ours, plain measured
	engine := t.TempDir() // what plain k3s needs of the installed one
	t.Run("slipway", func(t *testing.T) {
		h, m := boot(t)
		installSlipway(t, h, m, program, report)
		keepEngine(t, h, engine)
		ours = measure(t, h, "slipway.service", func(ctx context.Context) error {
			_, err := m.Slipway(ctx, "status")
			return err
		})
		deploys(t, h, m, report)
	})
	t.Run("k3s", func(t *testing.T) {
		h, _ := boot(t)
		installPlain(t, h, program, engine)
		plain = measure(t, h, "plain.service", func(context.Context) error { return nil })
	})
	compare(report, program, ours, plain)
}

// boot makes the host both are measured on.
func boot(t *testing.T) (*harness.Host, *appliance.Machine) {
	t.Helper()
	return house.Bare(t, harness.Options{Name: "edbench", Address: address}, domain)
}

// compare writes the rows that have both sides.
func compare(report *rows, program string, ours, plain measured) {
	ratio := func(a, b float64) string {
		if b == 0 {
			return "-"
		}
		return fmt.Sprintf("%.2f", a/b)
	}
	report.add("start to node ready", seconds(ours.node), seconds(plain.node), ratio(ours.node.Seconds(), plain.node.Seconds()), "≤ 1.20")
	report.add("start to platform ready", seconds(ours.platform), "-", "-", "≤ 45 s")
	report.add("data on disk", megabytes(ours.disk), megabytes(plain.disk), ratio(float64(ours.disk), float64(plain.disk)), "")
	if info, err := os.Stat(program); err == nil {
		report.add("the program file", megabytes(info.Size()), "same file", "-", "≤ 400 MB")
	}
	var all, engine int64
	for _, p := range sorted(ours.memory) {
		report.add("memory (PSS): "+p, megabytes(ours.memory[p]), orDash(plain.memory[p]), "-", "")
		all += ours.memory[p]
	}
	for _, n := range plain.memory {
		engine += n
	}
	report.add("memory (PSS): all", megabytes(all), megabytes(engine), ratio(float64(all), float64(engine)), "≤ 900 MB")
}

func orDash(n int64) string {
	if n == 0 {
		return "-"
	}
	return megabytes(n)
}
