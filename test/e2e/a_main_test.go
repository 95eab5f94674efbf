//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

// domain is the default: it resolves to loopback without any DNS.
const domain = "slipway.localhost"

func TestMain(m *testing.M) { os.Exit(house.Main(m, "make test-e2e")) }

// clean removes an appliance from this machine. An installation that never got
// its program in place is removed by the one under test. That the machine then
// differs from long ago is not asked here: a killed run may have left more than
// an appliance.
func clean(ctx context.Context, underTest string) error {
	m := appliance.Here(domain)
	program := appliance.Binary
	if _, err := os.Stat(program); err != nil {
		if _, err := os.Stat("/var/lib/slipway"); err != nil {
			return nil
		}
		program = underTest
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
	program := house.Program(t)
	require.NoError(t, clean(t.Context(), program), "leftovers of an earlier run")
	m := appliance.Here(domain)
	t.Cleanup(func() {
		if !house.Keep() {
			assert.NoError(t, clean(context.Background(), program))
		}
	})
	house.Explain(t, m) // cleanups run in reverse: this one first
	return m
}

// should runs a subtest that later ones do not need. What explains a failure is
// gathered at once: the uninstall at the end would take it away.
func should(t *testing.T, m *appliance.Machine, name string, step func(t *testing.T)) {
	t.Helper()
	start := time.Now()
	t.Run(name, func(t *testing.T) {
		house.Explain(t, m)
		step(t)
	})
	house.Took(t, name, start)
}

// install runs install.sh with the binary under test.
func install(t *testing.T, m *appliance.Machine, args ...string) appliance.Result {
	t.Helper()
	r, err := m.RunEnv(t.Context(), []string{"SLIPWAY_BINARY=" + house.Program(t)}, "sh", append([]string{installScript(t)}, args...)...)
	require.NoError(t, err)
	return r
}

// uninstall removes everything and expects an empty diff, by its word and ours.
func uninstall(t *testing.T, m *appliance.Machine, before appliance.Picture) {
	t.Helper()
	r, err := m.Run(t.Context(), appliance.Binary, "uninstall", "--yes")
	require.NoError(t, err)
	assert.Equal(t, 0, r.Code, "uninstall says:\n%s%s", r.Stdout, r.Stderr)
	t.Logf("uninstall took %.1fs", r.Took.Seconds())
	house.Unchanged(t, m, before)
}
