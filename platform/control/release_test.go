package control_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func TestRollback(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	rollback := func(version int, ptypes ...string) (platform.Release, error) {
		return k.Rollback(t.Context(), k.alice, app, version, ptypes)
	}
	_, err := rollback(0)
	fails(t, err, platform.Invalid, "Cannot roll back to initial release.")
	k.deploy("img:1")
	k.settle()
	_, err = rollback(0)
	fails(t, err, platform.Invalid, "Cannot roll back to initial release.")
	k.set("A", "1")
	k.settle()
	k.deploy("broken:1")
	k.settle()
	for version, message := range map[int]string{
		-1: "version cannot be below 0", 1: "Cannot roll back to initial release.", 4: "Cannot roll back to failed release.",
	} {
		_, err := rollback(version)
		fails(t, err, platform.Invalid, message)
	}
	_, err = rollback(99)
	fails(t, err, platform.NotFound, "No Release matches the given query.")
	_, err = rollback(2, "nothere")
	fails(t, err, platform.Invalid, "process type nothere is not exists")
	r, err := rollback(0)
	require.NoError(t, err)
	require.Equal(t, 5, r.Version)
	require.Equal(t, "alice rolled back to v2", r.Summary, "v4 failed, so v3 is the latest")
	k.settle()
	web := k.cluster.Running(app)["web"]
	require.Equal(t, 5, web.Version)
	require.NotContains(t, web.Env, "A")
	require.Equal(t, []platform.ReleaseState{succeeded, succeeded, crashed, succeeded}, k.states())
}

// With autodeploy off releases wait until somebody deploys them; a rollback
// is such a wish by itself.
func TestAutodeployOff(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	fails(t, k.DeployRelease(t.Context(), k.alice, app, nil, false), platform.Invalid, "there are no builds available for deploy")
	k.settings(control.SettingsChange{Autodeploy: ptr(false)})
	k.deploy("img:1", "web", "worker")
	k.deploy("img:2", "web", "worker")
	k.settle()
	require.Equal(t, []platform.ReleaseState{pending, pending}, k.states())
	require.Empty(t, k.cluster.Running(app))
	k.stop()
	k.renew()
	k.run()
	k.settle()
	require.Equal(t, []platform.ReleaseState{pending, pending}, k.states(), "a restart is not a wish")
	fails(t, k.DeployRelease(t.Context(), k.alice, app, []string{"nothere"}, false), platform.Invalid, "process type nothere is not exists")
	require.NoError(t, k.DeployRelease(t.Context(), k.alice, app, []string{"web"}, false))
	k.settle()
	require.Equal(t, []platform.ReleaseState{superseded, succeeded}, k.states())
	require.Len(t, k.cluster.Running(app), 1)
	require.Equal(t, []string{"web"}, k.release(3).DeployedPtypes)
	require.NoError(t, k.DeployRelease(t.Context(), k.alice, app, nil, false))
	k.settle()
	require.Len(t, k.cluster.Running(app), 2)
	require.Len(t, k.release(3).Conditions, 2)
	k.deploy("img:3", "web")
	k.settle()
	require.Len(t, k.cluster.Running(app), 2)
	require.NoError(t, k.DeployRelease(t.Context(), k.alice, app, nil, false))
	k.settle()
	require.Len(t, k.cluster.Running(app), 2, "what is gone from the build stays until it is cleaned")
	_, err := k.Rollback(t.Context(), k.alice, app, 3, nil)
	require.NoError(t, err)
	k.settle()
	require.Equal(t, 5, k.cluster.Running(app)["web"].Version)
	k.deploy("img:4", "web")
	k.settings(control.SettingsChange{Autodeploy: ptr(true)})
	k.settle()
	require.Equal(t, succeeded, k.release(6).State, "turning it on deploys what waits")
	require.Len(t, k.cluster.Running(app), 1, "and what is gone goes")
}

func TestDeployReleaseWhileBusy(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	gate := k.cluster.HoldBefore("Apply")
	k.deploy("img:1", "web", "worker", "clock")
	<-gate.Reached
	again := func(force bool, ptypes ...string) error {
		return k.DeployRelease(t.Context(), k.alice, app, ptypes, force)
	}
	fails(t, again(false), platform.Invalid, "there is an executing pipeline, please wait or force deploy")
	require.NoError(t, again(true, "web"))
	require.NoError(t, again(true, "clock"))
	fails(t, again(false), platform.Invalid, "there is an executing pipeline")
	gate.Open()
	k.settle()
	calls := k.cluster.Calls("Apply")
	require.Len(t, calls, 2, "both wishes at once")
	require.Equal(t, []string{"clock", "web"}, calls[1].Ptypes)
	require.Equal(t, 2, calls[1].Version)
	gate = k.cluster.HoldBefore("Apply")
	require.NoError(t, again(true, "web"))
	<-gate.Reached
	require.NoError(t, again(true, "web"))
	require.NoError(t, again(true))
	require.NoError(t, again(true, "web"))
	gate.Open()
	k.settle()
	calls = k.cluster.Calls("Apply")
	require.Len(t, calls, 4)
	require.Len(t, calls[3].Ptypes, 3, "all includes some")
	require.Equal(t, succeeded, k.release(2).State)
}

// A release of some process types neither hides an older one of all, nor is
// it what the others go back to.
func TestPartialReleases(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1", "web", "worker")
	k.settle()
	gate := k.cluster.HoldBefore("Apply")
	k.deploy("img:2", "web", "worker")
	<-gate.Reached
	k.set("A", "1") // v4, all
	_, err := k.Rollback(t.Context(), k.alice, app, 2, []string{"web"})
	require.NoError(t, err) // v5, web only
	gate.Open()
	k.settle()
	require.Equal(t, []platform.ReleaseState{succeeded, succeeded, succeeded, succeeded}, k.states())
	running := k.cluster.Running(app)
	require.Equal(t, 5, running["web"].Version)
	require.Equal(t, "img:1", running["web"].Image)
	require.Equal(t, 4, running["worker"].Version)
	k.deploy("broken:1", "web", "worker")
	k.settle()
	calls := k.cluster.Calls("Apply")
	last := calls[len(calls)-2:]
	require.Equal(t, []int{4, 5}, []int{last[0].Version, last[1].Version}, "each goes back to its own")
	require.Equal(t, [][]string{{"worker"}, {"web"}}, [][]string{last[0].Ptypes, last[1].Ptypes})
}

// Whoever asks for a deploy and then waits for the release's end must not see
// the end of an earlier one.
func TestForcedDeployIsUnderWayAtOnce(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web")
	k.settle()
	k.stop() // the queue takes nothing
	require.NoError(t, k.DeployRelease(t.Context(), k.alice, app, nil, true))
	require.Equal(t, deploying, k.release(2).State)

	k.run()
	k.settle()
	require.Equal(t, succeeded, k.release(2).State)
	require.Len(t, k.release(2).Conditions, 2)

	gate := k.cluster.HoldBefore("Apply")
	require.NoError(t, k.DeployRelease(t.Context(), k.alice, app, nil, true))
	<-gate.Reached
	require.NoError(t, k.DeployRelease(t.Context(), k.alice, app, nil, true))
	next := k.cluster.HoldBefore("Apply")
	gate.Open()
	<-next.Reached
	require.Equal(t, deploying, k.release(2).State)
	require.Len(t, k.release(2).Conditions, 3)
	next.Open()
	k.settle()
	require.Equal(t, succeeded, k.release(2).State)
}
