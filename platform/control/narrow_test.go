package control_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// lastApply is the version and process types that the cluster was last given.
func (k *kit) lastApply() control.Deployment {
	calls := k.cluster.Calls("Apply")
	require.NotEmpty(k.t, calls)
	last := calls[len(calls)-1]
	d := control.Deployment{Release: platform.Release{Version: last.Version}}
	for _, p := range last.Ptypes {
		d.Processes = append(d.Processes, control.Process{Ptype: p})
	}
	return d
}

func (k *kit) applied(version int, ptypes ...string) {
	k.t.Helper()
	k.settle()
	d := k.lastApply()
	var got []string
	for _, p := range d.Processes {
		got = append(got, p.Ptype)
	}
	require.Equal(k.t, version, d.Release.Version)
	require.Equal(k.t, ptypes, got)
	require.Equal(k.t, ptypes, k.release(version).DeployedPtypes)
	require.Equal(k.t, succeeded, k.release(version).State)
}

// A release deploys the process types that it changes and leaves the others.
func TestOnlyWhatChangesIsDeployed(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	change := func(ch control.ConfigChange) {
		t.Helper()
		_, err := k.ChangeConfig(t.Context(), k.alice, app, ch, true)
		require.NoError(t, err)
	}
	k.deploy("img:1", "web", "worker")
	k.applied(2, "web", "worker")
	change(control.ConfigChange{Values: []control.ValueChange{{Name: "A", Value: ptr("1"), Ptype: "worker"}}})
	k.applied(3, "worker")
	require.Equal(t, 2, k.cluster.Running(app)["web"].Version)
	change(control.ConfigChange{Healthcheck: map[string]map[string]any{"web": {"livenessProbe": map[string]any{"tcpSocket": map[string]any{"port": 80}}}}})
	k.applied(4, "web")
	k.set("B", "1") // the group of all
	k.applied(5, "web", "worker")

	// A group that nobody refers to, and limits of one-off commands: nothing runs differently.
	calls := len(k.cluster.Calls("Apply"))
	change(control.ConfigChange{Values: []control.ValueChange{{Name: "C", Value: ptr("1"), Group: "unused"}}})
	change(control.ConfigChange{Limits: map[string]*string{"run": ptr("std1.large.c1m2")}})
	k.settle()
	require.Len(t, k.cluster.Calls("Apply"), calls)
	require.Equal(t, succeeded, k.release(7).State)
	require.Empty(t, k.release(7).DeployedPtypes)
	require.Len(t, k.release(7).Conditions, 1)

	k.deploy("img:1", "web", "worker") // the same again is a release, and nothing to do
	k.settle()
	require.Len(t, k.cluster.Calls("Apply"), calls)
	k.deploy("img:1", "web") // one less
	k.settle()
	require.Len(t, k.cluster.Calls("Apply"), calls)
	require.NotContains(t, k.cluster.Running(app), "worker")
	k.deploy("img:2", "web", "worker")
	k.applied(10, "web", "worker")
}

// What a failed release leaves is not trusted, and force repeats what is done.
func TestWhatIsNotCertainIsDeployed(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1", "web", "worker")
	k.settle()
	k.deploy("broken:1", "web", "worker")
	k.settle()
	k.deploy("img:1", "web", "worker")
	k.applied(4, "web", "worker")

	calls := len(k.cluster.Calls("Apply"))
	require.NoError(t, k.DeployRelease(t.Context(), k.alice, app, nil, false))
	k.settle()
	require.Len(t, k.cluster.Calls("Apply"), calls, "it runs already")
	require.NoError(t, k.DeployRelease(t.Context(), k.alice, app, []string{"web"}, true))
	k.applied(4, "web")
	require.NoError(t, k.DeployRelease(t.Context(), k.alice, app, nil, true))
	k.applied(4, "web", "worker")

	// A part that was rolled back says nothing of the rest.
	k.deploy("img:2", "web", "worker")
	k.settle()
	_, err := k.Rollback(t.Context(), k.alice, app, 4, []string{"worker"})
	require.NoError(t, err)
	k.applied(6, "worker")
	require.Equal(t, "img:2", k.cluster.Running(app)["web"].Image)
	k.set("A", "1")
	k.applied(7, "web", "worker")
	require.Equal(t, "img:1", k.cluster.Running(app)["web"].Image)
}
