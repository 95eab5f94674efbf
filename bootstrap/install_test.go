package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"
	"testing"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/host/hosttest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInstallThenUninstall(t *testing.T) {
	w := newWorld(t)
	files, machine := w.files(), w.machine()
	require.NoError(t, w.install())
	assert.Contains(t, w.host.Nodes, "/usr/local/bin/slipway")
	assert.Equal(t, uint32(0o600), w.host.Nodes["/etc/slipway/credentials"].Perm)
	assert.Empty(t, w.host.Match("/var/lib/slipway/ledger", "correct-horse"), "a secret is in the ledger")

	res, err := w.uninstall(false)
	require.NoError(t, err)
	assert.Empty(t, res.Diff)
	assert.Equal(t, files, w.files())
	assert.Equal(t, machine, w.machine())
}

func TestInstallAgainChangesNothing(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.install())
	before := w.standing()
	w.host.Forget()
	require.NoError(t, w.install())
	assert.Equal(t, before, w.standing())
	for _, c := range w.host.Changes() {
		assert.Regexp(t, `^(append /var/lib/slipway/ledger/|wait for )`, c)
	}
}

func TestInstallRestartsOnANewBinary(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.install())
	want := w.standing()
	w.host.Put("/root/slipway", "a newer binary")
	w.host.Forget()
	require.NoError(t, w.install())
	assert.Contains(t, w.host.Changes(), "service start")
	assert.Equal(t, "a newer binary", w.host.Nodes["/usr/local/bin/slipway"].Data)
	assert.Equal(t, want, w.standing(), "the replaced files are folded into their first record")
	assert.Empty(t, w.host.Match("/var/lib/slipway/ledger/backup", ""), "backups of our own files are dropped")
}

func TestInstallKeepsWhatWasThere(t *testing.T) {
	w := newWorld(t)
	w.host.Put("/etc/rancher/k3s/config.yaml", "the owner's")
	w.host.Put("/var/lib/cni/networks/mine/1", "the owner's")
	w.host.Put("/run/containerd/s/other", "the owner's")
	w.host.Put("/etc/cni/net.d/10-mine.conf", "the owner's")
	start := w.svc.OnStart
	w.svc.OnStart = func() {
		start()
		w.host.Put("/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/1/address", "unix:///run/containerd/s/abc")
	}
	files := w.files()
	require.NoError(t, w.install())
	assert.Equal(t, "disable: all\n", w.host.Nodes["/etc/rancher/k3s/config.yaml"].Data)
	res, err := w.uninstall(false)
	require.NoError(t, err)
	assert.Equal(t, files, w.files())
	assert.Empty(t, res.Diff)
}

// countChanges runs f on a fresh world and returns how many changes it takes.
func countChanges(t *testing.T, prepare, f func(w *world) error) int {
	w := newWorld(t)
	if prepare != nil {
		require.NoError(t, prepare(w))
	}
	w.host.Forget()
	require.NoError(t, f(w))
	return len(w.host.Changes())
}

func TestInstallKilledAtEveryChange(t *testing.T) {
	straight := newWorld(t)
	before := straight.files()
	require.NoError(t, straight.install())
	want, wantLedger := straight.files(), straight.standing()
	sort.Strings(wantLedger)
	total := len(straight.host.Changes())
	require.Greater(t, total, 50)
	for n := range total {
		for _, torn := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d torn=%v", n, torn), func(t *testing.T) {
				w := newWorld(t)
				w.host.DieAt, w.host.Torn = n, torn
				require.ErrorIs(t, w.install(), hosttest.ErrDead)
				w.host.Revive()
				require.NoError(t, w.install())
				assert.Equal(t, want, w.files())
				got := w.standing()
				sort.Strings(got)
				assert.Equal(t, wantLedger, got)
				res, err := w.uninstall(false)
				require.NoError(t, err)
				assert.Empty(t, res.Diff)
				assert.Equal(t, before, w.files())
			})
		}
	}
}

func TestInstallKilledThenUninstalled(t *testing.T) {
	total := countChanges(t, nil, (*world).install)
	for n := range total {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			before := w.files()
			w.host.DieAt = n
			require.ErrorIs(t, w.install(), hosttest.ErrDead)
			w.host.Revive()
			_, err := w.uninstall(false)
			require.NoError(t, err)
			assert.Equal(t, before, w.files())
		})
	}
}

// TestInstallKilledTwice loses power in the run after a loss of power too.
func TestInstallKilledTwice(t *testing.T) {
	want := newWorld(t)
	require.NoError(t, want.install())
	total := len(want.host.Changes())
	for first := 0; first < total; first += 7 {
		for second := 1; second < total; second += 17 {
			w := newWorld(t)
			w.host.DieAt = first
			require.ErrorIs(t, w.install(), hosttest.ErrDead)
			w.host.Revive()
			w.host.Forget()
			w.host.DieAt = second
			if err := w.install(); err != nil {
				require.ErrorIs(t, err, hosttest.ErrDead)
			}
			w.host.Revive()
			require.NoError(t, w.install(), "%d then %d", first, second)
			require.Equal(t, want.files(), w.files(), "%d then %d", first, second)
			w.standing()
		}
	}
}

func TestInstallFailsAtEveryChange(t *testing.T) {
	straight := newWorld(t)
	require.NoError(t, straight.install())
	want, total := straight.files(), len(straight.host.Changes())
	errBroken := errors.New("the disk is broken")
	for n := range total {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			calls := 0
			w.host.Fail = func(call string) error {
				if changing(call) {
					calls++
				}
				if calls == n+1 && changing(call) {
					return errBroken
				}
				return nil
			}
			err := w.install()
			require.ErrorIs(t, err, errBroken)
			var step *StepError
			if errors.As(err, &step) {
				require.NoError(t, step.Undo)
				l, err := OpenLedger(w.host, "/var/lib/slipway/ledger", fixedClock)
				require.NoError(t, err)
				for _, c := range l.Changes() {
					assert.NotEqual(t, step.Step, c.Step, "the failed step was not undone: %s", c.Path)
				}
			}
			w.host.Fail = nil
			require.NoError(t, w.install())
			assert.Equal(t, want, w.files())
			w.standing()
		})
	}
}

// changing tells changes from looks by their text.
func changing(call string) bool {
	for _, verb := range []string{"write ", "append ", "mkdir ", "remove ", "symlink ", "run ", "service ", "wait "} {
		if len(call) > len(verb) && call[:len(verb)] == verb {
			return true
		}
	}
	return strings.HasPrefix(call, "sysctl ") && strings.Contains(call, "=")
}

func TestPreflightFailureChangesNothing(t *testing.T) {
	w := newWorld(t)
	errNot := errors.New("port 80 is in use")
	err := Install{Deps: w.deps, Progress: w.quiet(), Clock: fixedClock,
		Preflight: func(_ context.Context, own bool) error { assert.False(t, own); return errNot }}.Run(context.Background())
	require.ErrorIs(t, err, errNot)
	assert.Empty(t, w.host.Changes())
}

func TestPreflightKnowsItsOwn(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.install())
	err := Install{Deps: w.deps, Progress: w.quiet(), Clock: fixedClock,
		Preflight: func(_ context.Context, own bool) error { assert.True(t, own); return nil }}.Run(context.Background())
	require.NoError(t, err)
}

func TestTwoInstallsAtOnce(t *testing.T) {
	w := newWorld(t)
	release, err := w.host.Lock(NewPaths(w.deps.Settings).Lock)
	require.NoError(t, err)
	require.ErrorIs(t, w.install(), host.ErrLocked)
	assert.Empty(t, w.host.Changes())
	require.NoError(t, release())
	require.NoError(t, w.install())
}

func TestInstallGivesUpOnAServerThatKeepsEnding(t *testing.T) {
	w := newWorld(t)
	crashing := &crashingService{Service: w.svc}
	w.deps.Service = crashing
	w.deps.NodeReady = Part{Name: "node ready", Do: func(ctx context.Context, _ func(string)) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	err := w.install()
	require.ErrorContains(t, err, "the server keeps ending: exit status 1")
	require.ErrorContains(t, err, "journalctl -u slipway")
	assert.Contains(t, w.host.Nodes, "/etc/systemd/system/slipway.service", "finished steps stay")
}

type crashingService struct {
	*hosttest.Service
	restarts int
}

func (c *crashingService) Status(context.Context) (host.Status, error) {
	c.restarts++
	return host.Status{Installed: true, Restarts: c.restarts, Detail: "exit status 1"}, nil
}

func TestSkipStart(t *testing.T) {
	w := newWorld(t)
	w.deps.Settings.SkipStart = true
	require.NoError(t, w.install())
	assert.NotContains(t, w.host.Changes(), "service start")
	assert.NotContains(t, w.host.Changes(), "wait for node ready")
	assert.Contains(t, w.host.Nodes, "/etc/systemd/system/slipway.service")
}

func TestWithoutRights(t *testing.T) {
	w := newWorld(t)
	w.host.Fail = func(call string) error {
		if strings.HasPrefix(call, "read /var/lib/slipway") || strings.HasPrefix(call, "lock ") {
			return fs.ErrPermission
		}
		return nil
	}
	require.ErrorContains(t, w.install(), "run it as root (sudo)")
	_, err := w.uninstall(false)
	require.ErrorContains(t, err, "run it as root (sudo)")
	assert.Empty(t, w.host.Changes())
}
