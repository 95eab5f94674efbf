package control_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func TestCreateApp(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	a, err := k.CreateApp(t.Context(), k.alice, control.NewApp{ID: app})
	require.NoError(t, err)
	require.Equal(t, "alice", a.Workspace)
	require.Positive(t, a.Number)
	require.NotNil(t, k.cluster.Running(app), "the namespace is there before the answer")
	c, err := k.FindConfig(t.Context(), k.alice, app, 0)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"web": "std1.large.c1m1", "run": "std1.large.c1m1"}, c.Limits)
	s, err := k.FindSettings(t.Context(), k.alice, app)
	require.NoError(t, err)
	require.True(t, s.Routable && s.Autodeploy && s.Autorollback)
	made, err := k.CreateApp(t.Context(), k.alice, control.NewApp{})
	require.NoError(t, err)
	require.Regexp(t, `^[a-z]{6}-[a-z]{8}$`, made.ID)
	list, total, err := k.ListApps(t.Context(), k.alice, control.AppFilter{Search: "hell"}, control.Page{})
	require.NoError(t, err)
	require.Equal(t, 1, total)
	require.Equal(t, app, list[0].ID)
	_, total, err = k.ListApps(t.Context(), k.bobby, control.AppFilter{}, control.Page{})
	require.NoError(t, err)
	require.Zero(t, total)
}

func TestCreateAppRefuses(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.create(app)
	k.cluster.AddNamespace("foreign")
	for _, tc := range []struct {
		id      string
		code    platform.Code
		message string
	}{
		{"Bad", platform.Invalid, "App name must start with an alphabetic character"},
		{"kube-system", platform.Invalid, "kube-system is a reserved name."},
		{app, platform.Invalid, "Application with this id already exists."},
		{"foreign", platform.Conflict, "foreign already exists as a namespace in this kuberenetes setup"},
	} {
		_, err := k.CreateApp(t.Context(), k.alice, control.NewApp{ID: tc.id})
		fails(t, err, tc.code, tc.message)
	}
	_, err := k.CreateApp(t.Context(), k.bobby, control.NewApp{ID: app})
	fails(t, err, platform.Invalid, "Application with this id already exists.")
	k.cluster.Fail("NamespaceExists", platform.Errorf(platform.Unavailable, "away"))
	_, err = k.CreateApp(t.Context(), k.alice, control.NewApp{ID: "another"})
	fails(t, err, platform.Unavailable, "away")
}

// An app whose namespace can't be made is taken back whole.
func TestCreateAppTakenBack(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	away := platform.Errorf(platform.Unavailable, "away")
	k.cluster.FailNext("EnsureApp", away)
	_, err := k.CreateApp(t.Context(), k.alice, control.NewApp{ID: app})
	fails(t, err, platform.Unavailable, "away")
	_, err = k.FindApp(t.Context(), k.alice, app)
	fails(t, err, platform.NotFound, "No App")
	work, err := k.store.ListWork(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, work)

	k.cluster.FailNext("EnsureApp", away)
	k.cluster.FailNext("DeleteApp", away, away)
	_, err = k.CreateApp(t.Context(), k.alice, control.NewApp{ID: app})
	fails(t, err, platform.Unavailable, "away")
	fails(t, k.Scale(t.Context(), k.alice, app, map[string]int{"web": 1}), platform.Conflict, "hello is being deleted")
	k.run()
	k.settle()
	k.create(app)
}

func TestDeleteApp(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1")
	k.settle()
	require.NoError(t, k.DeleteApp(t.Context(), k.alice, app))
	require.Nil(t, k.cluster.Running(app))
	_, err := k.FindApp(t.Context(), k.alice, app)
	fails(t, err, platform.NotFound, "No App matches the given query.")
	fails(t, k.DeleteApp(t.Context(), k.alice, app), platform.NotFound, "No App")
	k.create(app)
	require.Equal(t, 1, k.release(0).Version)
}

// A removal does not wait for a deploy that may take minutes.
func TestDeleteAppInterruptsDeploy(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	gate := k.cluster.HoldBefore("Apply")
	k.deploy("img:1")
	<-gate.Reached
	require.NoError(t, k.DeleteApp(t.Context(), k.alice, app))
	k.settle()
	require.Nil(t, k.cluster.Running(app))
	require.Len(t, k.cluster.Calls("Apply"), 1)
}

// When the cluster is away the removal is promised and kept later.
func TestDeleteAppLater(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.create(app)
	k.cluster.FailNext("DeleteApp", platform.Errorf(platform.Unavailable, "away"), errors.New("odd"))
	fails(t, k.DeleteApp(t.Context(), k.alice, app), platform.Unavailable, "away")
	a, err := k.FindApp(t.Context(), k.alice, app)
	require.NoError(t, err)
	require.True(t, a.Deleting)
	_, err = k.Deploy(t.Context(), k.alice, app, control.NewBuild{Image: "img", Stack: "container"})
	fails(t, err, platform.Conflict, "hello is being deleted")
	_, err = k.CreateApp(t.Context(), k.alice, control.NewApp{ID: app})
	fails(t, err, platform.Invalid, "already exists")
	k.run()
	k.settle()
	_, err = k.FindApp(t.Context(), k.alice, app)
	fails(t, err, platform.NotFound, "No App")
}

// A caller that goes away leaves nothing locked or half done.
func TestGivenUpCalls(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	gate := k.cluster.HoldBefore("Apply")
	k.deploy("img:1")
	<-gate.Reached
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, k.Restart(ctx, k.alice, app, nil), context.Canceled)
	_, err := k.CreateApp(ctx, k.alice, control.NewApp{ID: "another"})
	require.ErrorIs(t, err, context.Canceled)
	gate.Open()
	k.settle()
	require.Equal(t, []platform.ReleaseState{succeeded}, k.states())
	require.NoError(t, k.Restart(t.Context(), k.alice, app, nil))
}
