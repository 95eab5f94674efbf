//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

// ledger is where an installation writes down each step before it begins.
const ledger = "/var/lib/slipway/ledger/changes.jsonl"

// TestKilledAnywhere kills the installer in each of its steps, twice: as the
// step begins, and somewhere in it. Whatever it left, running it again has to
// end with one whole platform, and a killed removal with none.
func TestKilledAnywhere(t *testing.T) {
	m := thisMachine(t)
	before := house.Photograph(t, m)
	house.Must(t, "install", func(t *testing.T) { killInstalls(t, m) })
	house.Must(t, "one of everything", func(t *testing.T) {
		house.Well(t, m, time.Minute)
		charts(t, m)
		servers, err := m.Servers(t.Context(), "server")
		require.NoError(t, err)
		assert.Len(t, servers, 1)
		supervisors, err := m.Servers(t.Context(), "supervise")
		require.NoError(t, err)
		assert.LessOrEqual(t, len(supervisors), 1, "an init system supervises, or one process of ours")
		c := house.Login(t, m)
		_, err = c.CreateApp(t.Context(), "after", "")
		require.NoError(t, err)
	})
	house.Must(t, "uninstall", func(t *testing.T) { killUninstalls(t, m, before) })
}

// killInstalls installs again and again, killing each run in a step (or
// moment) in which none was killed before, until one ends by itself.
func killInstalls(t *testing.T, m *appliance.Machine) {
	kills := map[string]int{}
	for run := 1; ; run++ {
		require.Less(t, run, 60, "kills so far: %v", kills)
		cmd := m.Command(t.Context(), []string{"SLIPWAY_BINARY=" + house.Program(t)}, "sh", installScript(t))
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		require.NoError(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		step, err := killInNewStep(t.Context(), cmd, ended, kills, run == 1)
		if step != "" {
			kills[step]++
			t.Logf("run %d: killed in %q", run, step)
			continue
		}
		require.NoError(t, err, "run %d:\n%s", run, stderr.String())
		break
	}
	assert.Greater(t, len(kills), 4, "an installation has more steps than %v", kills)
}

// killInNewStep watches the ledger and kills the process in the first step that
// has not had its two kills. It returns that step, or how the process ended.
func killInNewStep(ctx context.Context, cmd *exec.Cmd, ended <-chan error, kills map[string]int, early bool) (string, error) {
	began := ledgerSize()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		step := stepAfter(began)
		if early {
			step = "the start"
		}
		switch n := kills[step]; {
		case step == "" || n >= 2:
		case n == 1 || early:
			// Anywhere in the step: chance finds what nobody thought of.
			select {
			case err := <-ended:
				return "", err
			case <-time.After(time.Duration(rand.IntN(1500)) * time.Millisecond):
			}
			fallthrough
		default:
			err := cmd.Process.Kill()
			<-ended
			return step, err
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(ctx.Err(), cmd.Process.Kill())
		case err := <-ended:
			return "", err
		case <-tick.C:
		}
	}
}

func ledgerSize() int64 {
	info, err := os.Stat(ledger)
	if err != nil {
		return 0
	}
	return info.Size()
}

// stepAfter is the step that was begun last after a place in the ledger.
func stepAfter(offset int64) string {
	b, err := os.ReadFile(ledger)
	if err != nil || int64(len(b)) < offset {
		return ""
	}
	step := ""
	for _, line := range bytes.Split(b[offset:], []byte("\n")) {
		var r struct{ Event, Step string }
		if json.Unmarshal(line, &r) == nil && r.Event == "step" {
			step = r.Step
		}
	}
	return step
}

// killUninstalls kills removals after ever longer times, then lets one end.
func killUninstalls(t *testing.T, m *appliance.Machine, before appliance.Picture) {
	for _, after := range []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second, 5 * time.Second} {
		if _, err := os.Stat(appliance.Binary); err != nil {
			break // a removal that came so far has little left to do
		}
		cmd := m.Command(t.Context(), nil, appliance.Binary, "uninstall", "--yes")
		require.NoError(t, cmd.Start())
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		t.Logf("removal killed after %s: %v", after, err)
		if err == nil {
			break
		}
	}
	r, err := m.Run(t.Context(), house.Program(t), "uninstall", "--yes")
	require.NoError(t, err)
	assert.Equal(t, 0, r.Code, "%s%s", r.Stdout, r.Stderr)
	house.Unchanged(t, m, before)
}
