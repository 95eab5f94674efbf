package follow_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/follow"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
)

func unharmed(string) {}

// TestTheSameIsLeftAlone also removes what following had left.
func TestTheSameIsLeftAlone(t *testing.T) {
	n := newNode(t)
	n.put("upgrade/next", oldProgram)
	n.look(n.agent(oldProgram))
	require.Zero(t, n.downloads)
	require.Empty(t, n.started)
	require.Equal(t, lifecycle.Ready, n.state)
	require.NoFileExists(t, filepath.Join(n.dir, "upgrade/next"))
}

func TestAnotherIsFetchedAndStarted(t *testing.T) {
	n := newNode(t)
	a := n.agent(oldProgram)
	n.offered = newProgram
	n.put("upgrade/next.part", "half of a download that was cut off")
	n.look(a)
	require.Zero(t, n.downloads, "its turn has not come")
	require.Equal(t, lifecycle.Working, n.state)
	require.Contains(t, n.message, "runs v1.0.0, the cluster v2.0.0")
	n.look(a)
	require.Equal(t, []string{newProgram}, n.started)
	info, err := os.Stat(follow.Program(n.record()))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o755), info.Mode().Perm())
	n.look(a)
	require.Len(t, n.started, 1, "it runs already")

	require.NoError(t, n.run(n.change(newProgram, unharmed)))
	require.Equal(t, upgrade.Committed, n.last().Phase)
	require.Equal(t, 1, n.restarts)
	a = n.boot()
	n.look(a)
	require.Equal(t, lifecycle.Ready, n.state)
	require.Equal(t, "runc of "+newProgram, n.read("bin/runc"))
	require.NoFileExists(t, follow.Program(n.record()))
	left, err := os.ReadDir(filepath.Join(n.dir, "checkpoints"))
	require.NoError(t, err)
	require.Empty(t, left, "it goes back by following")
}

func TestTheServerGoesBack(t *testing.T) {
	n := newNode(t)
	n.put("slipway", newProgram)
	a := n.agent(newProgram)
	n.look(a)
	n.look(a)
	require.Equal(t, []string{oldProgram}, n.started)
	require.NoError(t, n.run(n.change(oldProgram, unharmed)))
	n.look(n.boot())
	require.Equal(t, lifecycle.Ready, n.state)
	require.Equal(t, oldProgram, n.read("slipway"))
}

func TestAnUnsettledServerIsWaitedFor(t *testing.T) {
	n := newNode(t)
	a := n.agent(oldProgram)
	n.offered, n.unsettled = newProgram, true
	for range 9 {
		n.look(a)
	}
	require.Zero(t, n.downloads)
	require.Contains(t, n.message, "when that is settled")
	n.unsettled = false
	n.look(a)
	n.look(a)
	require.Len(t, n.started, 1)
}

func TestAProgramWithAWrongSumIsRefused(t *testing.T) {
	n := newNode(t)
	a := n.agent(oldProgram)
	n.offered, n.sent = newProgram, "something else"
	n.look(a)
	n.now = n.now.Add(time.Minute)
	require.ErrorContains(t, a.Look(t.Context()), "its sha256 is another")
	require.Empty(t, n.started)
	left, err := filepath.Glob(filepath.Join(n.dir, "upgrade/next*"))
	require.NoError(t, err)
	require.Empty(t, left)
	n.look(a)
	require.Equal(t, 1, n.downloads, "not again at once")
	require.Equal(t, lifecycle.Failed, n.state)
	require.Contains(t, n.message, "its sha256 is another")

	n.sent = newProgram
	n.now = n.now.Add(2 * time.Minute)
	n.look(a)
	require.Equal(t, []string{newProgram}, n.started)
}

func TestADiskWithoutRoom(t *testing.T) {
	n := newNode(t)
	a := n.agent(oldProgram)
	n.offered, n.free = newProgram, 1<<20
	n.look(a)
	n.now = n.now.Add(time.Minute)
	require.ErrorContains(t, a.Look(t.Context()), "1 MB free")
	require.Zero(t, n.downloads)
}

func TestAnotherKindOfMachine(t *testing.T) {
	n := newNode(t)
	a := n.agent(oldProgram)
	n.arch = "vax"
	n.offered = newProgram
	n.look(a)
	require.Equal(t, lifecycle.Failed, n.state)
	require.Contains(t, n.message, "bring slipway v2.0.0")
	require.Zero(t, n.downloads)
}

func TestASilentServerIsToldOfAfterAWhile(t *testing.T) {
	n := newNode(t)
	a := n.agent(oldProgram)
	n.look(a)
	n.away = errors.New("no route")
	n.look(a)
	require.Equal(t, lifecycle.Ready, n.state, "it may be restarting")
	n.now = n.now.Add(time.Hour)
	require.ErrorContains(t, a.Look(t.Context()), "no route")
	n.away = nil
	n.look(a)
	require.Equal(t, lifecycle.Ready, n.state)
}

// TestNotWellWithTheNewOne brings the old one back, which is not forgotten.
func TestNotWellWithTheNewOne(t *testing.T) {
	n := newNode(t)
	a := n.agent(oldProgram)
	n.offered, n.ready[newProgram] = newProgram, false
	n.look(a)
	n.look(a)
	err := n.run(n.change(newProgram, unharmed))
	require.ErrorContains(t, err, "v1.0.0 runs again, because of: the node is not ready")
	n.isOld()
	require.Equal(t, 2, n.restarts)

	for range 5 {
		a = n.boot() // also after restarts
		n.look(a)
		n.now = n.now.Add(time.Hour)
	}
	require.Len(t, n.started, 1, "not tried again")
	require.Equal(t, lifecycle.Failed, n.state)
	require.Contains(t, n.message, "the cluster v2.0.0: the node is not ready; it is tried again at")

	n.offered = "a third program"
	n.look(a)
	n.look(a)
	require.Len(t, n.started, 2, "another one is")
}

// TestAFailureIsForgotten when the server runs what runs here.
func TestAFailureIsForgotten(t *testing.T) {
	n := newNode(t)
	n.ready[newProgram] = false
	require.Error(t, n.run(n.change(newProgram, unharmed)))
	a := n.boot()
	n.look(a)
	require.Equal(t, lifecycle.Ready, n.state)
	n.offered = newProgram
	n.look(a)
	n.look(a)
	require.Len(t, n.started, 1)
}

// TestAHostThatCannotCarryIt is left as it is.
func TestAHostThatCannotCarryIt(t *testing.T) {
	n := newNode(t)
	c := n.change(newProgram, unharmed)
	c.Check = func(context.Context) error { return errors.New("the kernel is too old") }
	err := n.run(c)
	require.ErrorContains(t, err, "the kernel is too old (nothing was changed; v1.0.0 runs on)")
	n.isOld()
	require.Zero(t, n.restarts)
	n.offered = newProgram
	n.look(n.boot())
	require.Contains(t, n.message, "the kernel is too old")
}

// TestAProgramThatEndsWithoutAWord is written down by the agent.
func TestAProgramThatEndsWithoutAWord(t *testing.T) {
	n := newNode(t)
	a := n.agent(oldProgram)
	n.offered = newProgram
	n.look(a)
	n.look(a)
	n.alive = false
	n.look(a)
	require.Equal(t, upgrade.RolledBack, n.last().Phase)
	require.Contains(t, n.message, "it ended before it had begun: see /var/log/slipway/upgrade.log")
	require.Len(t, n.started, 1)
	n.now = n.now.Add(2 * time.Minute)
	n.look(a)
	require.Len(t, n.started, 2)
	require.Equal(t, 1, n.downloads, "it is still there")
}

// TestKilledAtEachStep ends the new program there. The agent, the one that ran or
// one that was started meanwhile, recovers, and follows in the end.
func TestKilledAtEachStep(t *testing.T) {
	for _, at := range []string{"check", "stage", "binary", "restart", "well"} {
		for _, reboot := range []bool{false, true} {
			t.Run(at+map[bool]string{true: " and power cut"}[reboot], func(t *testing.T) {
				n := newNode(t)
				a := n.agent(oldProgram)
				n.offered = newProgram
				n.look(a)
				n.look(a)
				err := n.run(n.change(newProgram, func(step string) {
					if step == at {
						panic(errKilled)
					}
				}))
				require.ErrorIs(t, err, errKilled)
				n.recover(t, a, at == "well" || reboot)
				n.isOld()
				require.Equal(t, upgrade.RolledBack, n.last().Phase)
				require.True(t, n.last().WasCutOff())

				a = n.boot()
				n.now = n.now.Add(2 * time.Minute)
				n.look(a)
				n.look(a)
				require.Len(t, n.started, 2)
				require.NoError(t, n.run(n.change(newProgram, unharmed)))
				n.look(n.boot())
				require.Equal(t, lifecycle.Ready, n.state)
				require.Equal(t, newProgram, n.read("slipway"))
			})
		}
	}
}

// recover is what agents do by themselves until nothing is unfinished. restarted
// says that the installed one was started before anybody looked.
func (n *node) recover(t *testing.T, a *follow.Agent, restarted bool) {
	t.Helper()
	if restarted {
		a = n.boot()
	}
	for range 4 {
		n.now = n.now.Add(30 * time.Second)
		err := a.Look(t.Context())
		if errors.Is(err, upgrade.ErrCutOff) {
			a = n.boot() // its process ends and is started anew
			continue
		}
		require.NoError(t, err)
	}
}

// TestTheNewAgentNoticesThatItsWatcherIsGone: it runs already when the program
// that looks at it is killed.
func TestTheNewAgentNoticesThatItsWatcherIsGone(t *testing.T) {
	n := newNode(t)
	n.offered = newProgram
	release, err := n.record().Hold()
	require.NoError(t, err)
	c := n.change(newProgram, unharmed)
	require.NoError(t, c.Upgrade.Prepare(t.Context(), 1))
	require.NoError(t, c.Upgrade.Snapshot(t.Context()))
	require.NoError(t, c.Apply(t.Context()))
	a := n.boot()
	n.look(a)
	n.look(a)
	require.Equal(t, newProgram, n.read("slipway"), "somebody looks at it")
	require.Zero(t, n.asked)
	require.Equal(t, lifecycle.Working, n.state)
	require.Equal(t, "from v1.0.0 to v2.0.0: applying", n.message)
	require.NoError(t, release())
	n.look(a)
	n.now = n.now.Add(time.Minute)
	require.ErrorIs(t, a.Look(t.Context()), upgrade.ErrCutOff)
	n.boot()
	n.isOld()
}
