package platformtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/control"
)

func suiteCluster(t *testing.T, f fixture) {
	f.app("other")
	f.app("hello")
	old, err := f.AddWork(f.ctx, control.Work{App: "hello", Kind: control.WorkApply})
	require.NoError(t, err)
	_, err = f.AddWork(f.ctx, control.Work{App: "hello", Kind: control.WorkDeploy, Version: 3})
	require.NoError(t, err)
	adopt := func(uid string, apps, work int) []control.Work {
		n, err := f.AdoptCluster(f.ctx, uid)
		require.NoError(t, err)
		require.Equal(t, apps, n, uid)
		list, err := f.ListWork(f.ctx, "")
		require.NoError(t, err)
		require.Len(t, list, work, uid)
		return list
	}
	adopt("first", 0, 2) // the apps were made for this one
	adopt("first", 0, 2)
	kinds := map[string][]control.WorkKind{}
	for _, w := range adopt("second", 2, 5) {
		require.NotEqual(t, old.ID, w.ID, "what was under way does not end the new work")
		kinds[w.App] = append(kinds[w.App], w.Kind)
	}
	require.ElementsMatch(t, []control.WorkKind{control.WorkEnsure, control.WorkApply}, kinds["other"])
	require.ElementsMatch(t, []control.WorkKind{control.WorkDeploy, control.WorkEnsure, control.WorkApply}, kinds["hello"])
	adopt("second", 0, 5)
	adopt("first", 2, 5)
}

func suiteDomain(t *testing.T, f fixture) {
	f.app("other")
	f.app("hello")
	_, err := f.AddWork(f.ctx, control.Work{App: "hello", Kind: control.WorkEdge})
	require.NoError(t, err)
	adopt := func(domain string, apps, work int) {
		n, err := f.AdoptDomain(f.ctx, domain)
		require.NoError(t, err)
		require.Equal(t, apps, n, domain)
		list, err := f.ListWork(f.ctx, "")
		require.NoError(t, err)
		require.Len(t, list, work, domain)
		for _, w := range list {
			require.Equal(t, control.WorkEdge, w.Kind)
		}
	}
	adopt("old.example.com", 0, 1) // the apps were made below it
	adopt("old.example.com", 0, 1)
	adopt("new.example.com", 2, 2)
	adopt("new.example.com", 0, 2)
}
