//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
)

// domain is the default: it resolves to loopback without any DNS.
const domain = "slipway.localhost"

func TestMain(m *testing.M) {
	harness.Init()
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "these tests install on this machine: run them as root (sudo make test-e2e)")
		os.Exit(1)
	}
	if err := harness.Sweep(); err != nil {
		fmt.Fprintln(os.Stderr, "hosts of an earlier run:", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := sweep(); err != nil {
		fmt.Fprintln(os.Stderr, "remove hosts:", err)
		code = 1
	}
	os.Exit(code)
}

// sweep removes what is left of all hosts.
func sweep() error {
	if keep() {
		return nil
	}
	return harness.Sweep()
}

// clean removes an appliance from this machine. An installation that never got
// its program in place is removed by the one under test. That the machine then
// differs from long ago is not asked here: a killed run may have left more than
// an appliance.
func clean(ctx context.Context) error {
	m := appliance.Here(domain)
	program := appliance.Binary
	if _, err := os.Stat(program); err != nil {
		if _, err := os.Stat("/var/lib/slipway"); err != nil {
			return nil
		}
		if program, err = underTest(); err != nil {
			return err
		}
	}
	r, err := m.Run(ctx, program, "uninstall", "--yes")
	if err != nil || r.Code == 0 {
		return err
	}
	if _, err := os.Stat("/var/lib/slipway/ledger"); err == nil {
		return fmt.Errorf("%s uninstall: exit %d: %s%s", program, r.Code, r.Stdout, r.Stderr)
	}
	fmt.Printf("cleaned up; what differs from before that installation:\n%s", r.Stdout)
	return nil
}

func keep() bool { return os.Getenv("KEEP") != "" }

// underTest is the path of the binary that the tests install.
func underTest() (string, error) {
	path := os.Getenv("SLIPWAY")
	if path == "" {
		path = "../../bin/slipway"
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("no binary to test: run make build first: %w", err)
	}
	return path, nil
}

func binary(t *testing.T) string {
	t.Helper()
	path, err := underTest()
	require.NoError(t, err)
	return path
}

// installScript is install.sh of this checkout.
func installScript(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../install.sh")
	require.NoError(t, err)
	return path
}

// thisMachine hands out the machine without what a killed run has left on it,
// and afterwards reports a failure and removes what was installed.
func thisMachine(t *testing.T) *appliance.Machine {
	t.Helper()
	require.NoError(t, clean(t.Context()), "leftovers of an earlier run")
	m := appliance.Here(domain)
	t.Cleanup(func() {
		if !keep() {
			assert.NoError(t, clean(context.Background()))
		}
	})
	explain(t, m) // cleanups run in reverse: this one first
	return m
}

// explain prints the state of the machine when the test has failed.
func explain(t *testing.T, m *appliance.Machine) {
	t.Cleanup(func() {
		if t.Failed() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			t.Log(m.Report(ctx))
		}
	})
}

// must runs a subtest and ends the whole test when it fails: the steps build on
// one another.
func must(t *testing.T, name string, step func(t *testing.T)) {
	t.Helper()
	start := time.Now()
	if !t.Run(name, step) {
		t.FailNow()
	}
	t.Logf("%-50s %5.1fs", name, time.Since(start).Seconds())
}

// should runs a subtest that later ones do not need. What explains a failure is
// gathered at once: the uninstall at the end would take it away.
func should(t *testing.T, m *appliance.Machine, name string, step func(t *testing.T)) {
	t.Helper()
	start := time.Now()
	t.Run(name, func(t *testing.T) {
		explain(t, m)
		step(t)
	})
	t.Logf("%-50s %5.1fs", name, time.Since(start).Seconds())
}

// photograph takes a picture of the machine without Slipway's help.
func photograph(t *testing.T, m *appliance.Machine) appliance.Picture {
	t.Helper()
	p, err := m.Photograph(t.Context())
	require.NoError(t, err)
	return p
}

// unchanged checks that the machine looks as in the picture from before. What
// the kernel does in the background after a removal may take a moment.
func unchanged(t *testing.T, m *appliance.Machine, before appliance.Picture) {
	t.Helper()
	assert.NoError(t, appliance.Eventually(t.Context(), 10*time.Second, func(ctx context.Context) error {
		after, err := m.Photograph(ctx)
		if err != nil {
			return err
		}
		if diff := before.Diff(after); len(diff) > 0 {
			return fmt.Errorf("%d differences:\n%s", len(diff), strings.Join(diff, "\n"))
		}
		return nil
	}))
}

// install runs install.sh with the binary under test.
func install(t *testing.T, m *appliance.Machine, args ...string) appliance.Result {
	t.Helper()
	r, err := m.RunEnv(t.Context(), []string{"SLIPWAY_BINARY=" + binary(t)}, "sh", append([]string{installScript(t)}, args...)...)
	require.NoError(t, err)
	return r
}

// well checks that status says so.
func well(t *testing.T, m *appliance.Machine, limit time.Duration) {
	t.Helper()
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) error {
		_, err := m.Slipway(ctx, "status")
		return err
	}))
}

// login returns a client for the admin.
func login(t *testing.T, m *appliance.Machine) *appliance.Client {
	t.Helper()
	username, password, err := m.Credentials(t.Context())
	require.NoError(t, err)
	c := appliance.NewClient(m)
	require.NoError(t, c.Login(t.Context(), username, password))
	return c
}

// uninstall removes everything and expects an empty diff, by its word and ours.
func uninstall(t *testing.T, m *appliance.Machine, before appliance.Picture) {
	t.Helper()
	r, err := m.Run(t.Context(), appliance.Binary, "uninstall", "--yes")
	require.NoError(t, err)
	assert.Equal(t, 0, r.Code, "uninstall says:\n%s%s", r.Stdout, r.Stderr)
	t.Logf("uninstall took %.1fs", r.Took.Seconds())
	unchanged(t, m, before)
}
