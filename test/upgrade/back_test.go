//go:build e2e

package upgrade

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

// impatient makes an upgrade that hangs fail soon.
func (s *site) impatient(t *testing.T) {
	t.Helper()
	config := s.file("/etc/slipway/config.yaml")
	data, err := os.ReadFile(config)
	require.NoError(t, err)
	if !bytes.Contains(data, []byte("upgrade-patience")) {
		require.NoError(t, os.WriteFile(config, append(data, "upgrade-patience: 40\n"...), 0o644))
	}
}

// same compares what was seen, and says where it differs in few words.
func same(t *testing.T, was, is seen) {
	t.Helper()
	assert.Equal(t, was.releases, is.releases)
	assert.Equal(t, was.pods, is.pods)
	assert.Empty(t, differing(was.database, is.database), "the controller's database")
	assert.Empty(t, differing(was.objects, is.objects), "the cluster's objects")
}

// differing lists the lines that only one side has, cut short.
func differing(a, b string) []string {
	count := map[string]int{}
	for line := range strings.Lines(a) {
		count[line]++
	}
	for line := range strings.Lines(b) {
		count[line]--
	}
	var list []string
	for line, n := range count {
		if n != 0 {
			list = append(list, fmt.Sprintf("%+d %.300s", -n, line))
		}
	}
	slices.Sort(list)
	return list
}

// takesBack upgrades to a binary whose chart is broken: the version before has
// to come back by itself with its data.
func (s *site) takesBack(t *testing.T, program string) {
	s.put(t, program, newProgram)
	s.impatient(t)
	was := s.look(t)
	stop := appliance.Prober{URL: s.m.URL(app, "/"), PerSecond: 50, Machine: s.m}.Start(t.Context())
	r := s.run(t, 1, newProgram, "upgrade")
	t.Logf("prober while an upgrade failed and was taken back: %s", stop())
	t.Logf("taken back in %.1fs\n%s%s", r.Took.Seconds(), r.Stderr, r.Stdout)
	assert.Contains(t, r.Stderr, "was taken back")
	assert.Contains(t, r.Stderr, "regiztry", "it says why")
	s.well(t)
	same(t, was, s.look(t))
	s.deploysStill(t)
}

// deploysStill deploys once more, which the gateway has to notice.
func (s *site) deploysStill(t *testing.T) {
	t.Helper()
	latest, err := s.client.Latest(t.Context(), app)
	require.NoError(t, err)
	require.NoError(t, s.client.SetConfig(t.Context(), app, map[string]string{"ROUND": fmt.Sprint(latest.Version)}))
	_, err = s.client.WaitRelease(t.Context(), app, latest.Version, deployLimit)
	require.NoError(t, err)
	_, err = s.client.WaitPods(t.Context(), app, 1, deployLimit) // the one before has ended
	require.NoError(t, err)
	s.uses(t)
}

// phase is how far the upgrade has come, by its record.
func (s *site) phase() string {
	data, err := os.ReadFile(s.file("/var/lib/slipway/upgrade/state.json"))
	if err != nil {
		return ""
	}
	var state struct{ Phase string }
	_ = json.Unmarshal(data, &state) // replaced as a whole
	return state.Phase
}

// begin starts an upgrade and returns once its record says phase.
func (s *site) begin(t *testing.T, phase string) (ended chan appliance.Result) {
	t.Helper()
	require.NoError(t, os.RemoveAll(s.file("/var/lib/slipway/upgrade/state.json")))
	ended = make(chan appliance.Result, 1)
	go func() {
		r, _ := s.m.Run(context.WithoutCancel(t.Context()), newProgram, "upgrade")
		ended <- r
	}()
	var early *appliance.Result
	require.NoError(t, appliance.Eventually(t.Context(), 3*time.Minute, func(context.Context) error {
		select {
		case r := <-ended:
			early = &r
			return nil
		default:
		}
		if now := s.phase(); now != phase {
			return fmt.Errorf("the record says %q", now)
		}
		return nil
	}))
	if early != nil {
		require.Fail(t, "the upgrade ended before it was "+phase, "exit %d\n%s%s", early.Code, early.Stdout, early.Stderr)
	}
	return ended
}

// killUpgrade ends the upgrade's program and nothing else.
func (s *site) killUpgrade(t *testing.T) {
	t.Helper()
	killed := 0
	for _, pid := range s.host.Processes() {
		line, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "cmdline"))
		if err == nil && strings.HasPrefix(string(line), newProgram) {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
			killed++
		}
	}
	require.Equal(t, 1, killed)
}

// phases are those in which the upgrade's program is killed: the one in which
// only the server can notice, or all with UPGRADE_KILLS=all.
func phases() []string {
	if os.Getenv("UPGRADE_KILLS") == "all" {
		return []string{"preparing", "stopping", "applying", "verifying"}
	}
	return []string{"verifying"}
}

// killedIn kills the upgrade's program in a phase. The version before has to come
// back: by itself while a server runs, and else with the service's next start.
func (s *site) killedIn(t *testing.T, phase, present string) {
	s.put(t, house.Another(t, present), newProgram)
	was, installed := s.look(t), s.sum(t)
	ended := s.begin(t, phase)
	if phase == "verifying" {
		_, err := s.client.Call(t.Context(), "POST", "/apps/", map[string]string{"id": "lost-app"}, nil)
		assert.ErrorContains(t, err, "being upgraded", "changes are held back")
	}
	s.killUpgrade(t)
	<-ended
	if phase != "verifying" {
		s.run(t, 0, "systemctl", "restart", "slipway.service")
	}
	start := time.Now()
	require.NoError(t, appliance.Eventually(t.Context(), 2*time.Minute, func(context.Context) error {
		if now := s.phase(); now != "rolled-back" {
			return fmt.Errorf("the record says %q", now)
		}
		return nil
	}))
	t.Logf("the version before was back after %.1fs", time.Since(start).Seconds())
	s.well(t)
	assert.Equal(t, installed, s.sum(t))
	same(t, was, s.look(t))
	s.deploysStill(t)
}

// sum is that of the installed binary.
func (s *site) sum(t *testing.T) string {
	t.Helper()
	return strings.Fields(s.run(t, 0, "sha256sum", appliance.Binary).Stdout)[0]
}

// powerCut pulls the plug in the middle of an installation.
func (s *site) powerCut(t *testing.T, present string) {
	s.put(t, house.Another(t, present), newProgram)
	was, installed := s.look(t), s.sum(t)
	s.begin(t, "applying")
	require.NoError(t, appliance.Eventually(t.Context(), time.Minute, func(context.Context) error {
		if s.sum(t) == installed {
			return fmt.Errorf("the binary is not in its place yet")
		}
		return nil
	}))
	require.NoError(t, s.host.Reboot(t.Context()))
	require.NoError(t, appliance.Eventually(t.Context(), 2*time.Minute, func(context.Context) error {
		if now := s.phase(); now != "rolled-back" {
			return fmt.Errorf("the record says %q", now)
		}
		return nil
	}))
	s.well(t)
	assert.Equal(t, installed, s.sum(t))
	is := s.look(t)
	assert.Equal(t, was.releases, is.releases)
	assert.Empty(t, differing(was.database, is.database), "the controller's database")
	s.deploysStill(t)
}

// rollBack takes back the upgrade that was committed first of all.
func (s *site) rollBack(t *testing.T) {
	s.put(t, house.Another(t, house.Program(t)), newProgram)
	installed := s.sum(t)
	releases := s.look(t).releases
	s.run(t, 0, newProgram, "upgrade")
	assert.NotEqual(t, installed, s.sum(t))
	s.deploysStill(t)
	r := s.run(t, 1, appliance.Binary, "upgrade", "--rollback")
	assert.Contains(t, r.Stderr, "give --yes")
	r = s.run(t, 0, appliance.Binary, "upgrade", "--rollback", "--yes")
	t.Logf("%s%s", r.Stderr, r.Stdout)
	assert.Equal(t, installed, s.sum(t))
	s.well(t)
	assert.Equal(t, releases, s.look(t).releases, "what was deployed since is gone, as it was told")
	s.deploysStill(t)
}
