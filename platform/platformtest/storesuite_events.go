package platformtest

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func suiteEvents(t *testing.T, f fixture) {
	f.app("hello")
	f.end(f.release("hello", "two", "web"), platform.ReleaseSucceeded, "")
	require.NoError(t, f.DeleteApp(f.ctx, "hello"))
	id, err := f.AppendEvent(f.ctx, control.Event{App: "other", Object: "thing", Action: "happen", Data: []byte(`{"a":1}`), Created: day(7)})
	require.NoError(t, err)
	all, err := f.ListEvents(f.ctx, "", 0, 100)
	require.NoError(t, err)
	var told []string
	for i, e := range all {
		told = append(told, e.Object+" "+e.Action)
		require.True(t, json.Valid(e.Data))
		require.True(t, i == 0 || e.ID > all[i-1].ID)
	}
	require.Equal(t, []string{"release create", "app create", "release create", "release succeed", "app delete", "thing happen"}, told)
	last, err := f.ListEvents(f.ctx, "other", id-1, 10)
	require.NoError(t, err)
	require.Equal(t, []control.Event{{ID: id, App: "other", Object: "thing", Action: "happen", Data: []byte(`{"a":1}`), Created: day(7)}}, last)
	some, err := f.ListEvents(f.ctx, "hello", all[0].ID, 2)
	require.NoError(t, err)
	require.Len(t, some, 2)
	newest, err := f.LastEvents(f.ctx, "hello", 2)
	require.NoError(t, err)
	require.Equal(t, all[3:5], newest, "the newest two of that app, oldest first")
	none, err := f.LastEvents(f.ctx, "absent", 2)
	require.NoError(t, err)
	require.Empty(t, none)
}

func suiteCancelled(t *testing.T, f fixture) {
	f.app("hello")
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	_, err := f.FindApp(ctx, "hello")
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, f.SetStructure(ctx, "hello", map[string]int{"web": 1}, day(3)), context.Canceled)
	a, err := f.FindApp(f.ctx, "hello")
	require.NoError(t, err)
	require.Empty(t, a.Structure)
}
