package platformtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func suiteTransfer(t *testing.T, f fixture) {
	a := f.app("hello")
	f.user("bobby")
	f.workspace("bobby", "bobby")
	f.code(platform.NotFound, f.SetWorkspace(f.ctx, "hello", "nothere", day(3)))
	f.code(platform.NotFound, f.SetWorkspace(f.ctx, "nothere", "bobby", day(3)))
	found, err := f.FindApp(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, a.Workspace, found.Workspace)

	require.NoError(t, f.SetWorkspace(f.ctx, "hello", "bobby", day(3)))
	found, err = f.FindApp(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, "bobby", found.Workspace)
	require.Equal(t, day(3), found.Updated)
	require.Equal(t, a.Number, found.Number)
	_, total, err := f.ListApps(f.ctx, control.AppFilter{Username: "bobby"}, control.Page{})
	require.NoError(t, err)
	require.Equal(t, 1, total)
	events, err := f.ListEvents(f.ctx, "hello", 0, 100)
	require.NoError(t, err)
	last := events[len(events)-1]
	require.Equal(t, []string{"app", "transfer"}, []string{last.Object, last.Action})
	require.JSONEq(t, `{"workspace": "bobby"}`, string(last.Data))
}
