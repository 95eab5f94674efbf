package control_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func TestTransfer(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1")
	k.settle()
	transfer := func(who control.Actor, to string) error { return k.Transfer(t.Context(), who, app, to) }
	fails(t, transfer(k.bobby, "bobby"), platform.NotFound, "No App matches")
	fails(t, transfer(k.alice, "nothere"), platform.NotFound, "No Workspace matches")
	require.NoError(t, transfer(k.alice, "alice"), "it is there already")
	require.Len(t, k.cluster.Calls("Apply"), 1)

	require.NoError(t, transfer(k.alice, "bobby"))
	k.settle()
	require.Equal(t, "bobby", k.cluster.Owner(app))
	require.Equal(t, "bobby", k.cluster.Running(app)["web"].Env["DRYCC_WORKSPACE"])
	require.Equal(t, 2, k.cluster.Running(app)["web"].Version, "no new release")
	_, err := k.FindApp(t.Context(), k.alice, app)
	fails(t, err, platform.NotFound, "No App matches")
	fails(t, transfer(k.alice, "alice"), platform.NotFound, "No App matches")

	carol := k.user("carol") // has no workspace yet
	_, err = k.TransferToUser(t.Context(), k.bobby, app, "nobody")
	fails(t, err, platform.NotFound, "No User matches")
	a, err := k.TransferToUser(t.Context(), k.bobby, app, "carol")
	require.NoError(t, err)
	require.Equal(t, "carol", a.Workspace)
	_, err = k.FindApp(t.Context(), carol, app)
	require.NoError(t, err)
	k.settle()
	require.Equal(t, "carol", k.cluster.Owner(app))
}

func TestTransferBeforeAnythingRuns(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	require.NoError(t, k.Transfer(t.Context(), k.alice, app, "bobby"))
	k.settle()
	require.Equal(t, "bobby", k.cluster.Owner(app))
	work, err := k.store.ListWork(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, work)
}
