package platformtest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func suiteReleases(t *testing.T, f fixture) {
	f.app("hello")
	f.release("hello", "one", "web")
	f.release("hello", "two", "web", "worker")
	f.release("hello", "three", "worker")
	versions := func(ptypes []string, p control.Page) []int {
		list, _, err := f.ListReleases(f.ctx, "hello", ptypes, p)
		require.NoError(t, err)
		out := []int{}
		for _, r := range list {
			out = append(out, r.Version)
		}
		return out
	}
	require.Equal(t, []int{4, 3, 2, 1}, versions(nil, control.Page{}))
	require.Equal(t, []int{3, 2}, versions(nil, control.Page{Limit: 2, Offset: 1}))
	require.Equal(t, []int{3, 2}, versions([]string{"web"}, control.Page{}))
	require.Equal(t, []int{3}, versions([]string{"worker", "web"}, control.Page{}))
	require.Equal(t, []int{}, versions([]string{"we%"}, control.Page{}))
	r, err := f.FindRelease(f.ctx, "hello", 3)
	require.NoError(t, err)
	require.Equal(t, "two", r.Summary)
	require.Equal(t, []string{"web", "worker"}, r.DeployedPtypes)
	_, err = f.FindRelease(f.ctx, "hello", 9)
	f.code(platform.NotFound, err)
	_, err = f.AddRelease(f.ctx, platform.Release{UUID: "x", App: "nothere", Config: "config-hello"}, nil, nil)
	f.code(platform.NotFound, err)
	_, err = f.AddRelease(f.ctx, platform.Release{UUID: "y", App: "hello", Config: "nothere"}, nil, nil)
	require.Error(t, err, "foreign keys hold")
	r, err = f.FindRelease(f.ctx, "hello", 0)
	require.NoError(t, err)
	require.Equal(t, 4, r.Version, "a failed write takes no version")
	unfinished, err := f.ListUnfinished(f.ctx, "")
	require.NoError(t, err)
	require.Len(t, unfinished, 3, "the first release has no build")
	unfinished, err = f.ListUnfinished(f.ctx, "nothere")
	require.NoError(t, err)
	require.Empty(t, unfinished)
}

func suiteContent(t *testing.T, f fixture) {
	f.app("hello")
	c := platform.Config{
		UUID: "c2", App: "hello",
		Values:     []platform.ConfigValue{{Name: "A", Value: "secret", Group: "global"}, {Name: "B", Value: "", Ptype: "web"}},
		ValuesRefs: map[string][]string{"web": {"g1", "g2"}}, Limits: map[string]string{"web": "std1.large.c1m1"},
		Tags:             map[string]map[string]string{"web": {"disk": "ssd"}},
		Registry:         map[string]map[string]string{"web": {"username": "u", "password": "p"}},
		Healthcheck:      map[string]map[string]any{"web": {"livenessProbe": map[string]any{"httpGet": map[string]any{"port": 80.0}}}},
		Lifecycle:        map[string]map[string]any{"web": {"stopSignal": "SIGINT"}},
		TerminationGrace: map[string]string{"web": "60"}, Created: day(3), Updated: day(3),
	}
	b := platform.Build{
		UUID: "b2", App: "hello", Image: "img", Stack: "container", SHA: "abc", Procfile: map[string]string{"web": "run"},
		Dockerfile: "FROM x", Dryccfile: []byte(`{"pipeline":{}}`), Created: day(3), Updated: day(3),
	}
	_, err := f.AddRelease(f.ctx, platform.Release{UUID: "r2", App: "hello", State: platform.ReleasePending, Config: "c2", Build: "b2", Created: day(3), Updated: day(3)}, &b, &c)
	require.NoError(t, err)
	gotB, err := f.FindBuild(f.ctx, "b2")
	require.NoError(t, err)
	require.Equal(t, b, gotB)
	gotC, err := f.FindConfig(f.ctx, "c2")
	require.NoError(t, err)
	require.Equal(t, c, gotC)
	_, err = f.FindBuild(f.ctx, "nothere")
	f.code(platform.NotFound, err)
	_, err = f.FindConfig(f.ctx, "nothere")
	f.code(platform.NotFound, err)
}

func suiteQueries(t *testing.T, f fixture) {
	f.app("hello")
	f.end(f.release("hello", "two", "web", "worker"), platform.ReleaseSucceeded, "")
	f.end(f.release("hello", "three", "web"), platform.ReleaseSucceeded, "")
	f.end(f.release("hello", "four", "web"), platform.ReleaseCrashed, "Timeout: slow")
	for _, tc := range []struct {
		q    control.ReleaseQuery
		want int
	}{
		{control.ReleaseQuery{}, 4},
		{control.ReleaseQuery{NotFailed: true}, 3},
		{control.ReleaseQuery{State: platform.ReleaseCrashed}, 4},
		{control.ReleaseQuery{State: platform.ReleaseSucceeded, Below: 3}, 2},
		{control.ReleaseQuery{State: platform.ReleaseSucceeded, Ptype: "worker"}, 2},
		{control.ReleaseQuery{Below: 2}, 1},
		{control.ReleaseQuery{Below: 2, Built: true}, 0},
		{control.ReleaseQuery{Ptype: "work"}, 0},
	} {
		r, err := f.LatestRelease(f.ctx, "hello", tc.q)
		if tc.want == 0 {
			f.code(platform.NotFound, err)
			continue
		}
		require.NoError(t, err, "%+v", tc.q)
		require.Equal(t, tc.want, r.Version, "%+v", tc.q)
	}
}

func suiteStates(t *testing.T, f fixture) {
	f.app("hello")
	r := f.release("hello", "two", "web")
	require.NoError(t, f.SetReleaseState(f.ctx, "hello", 2, platform.Condition{State: platform.ReleaseDeploying, Created: day(2)}, []string{"web", "worker"}))
	got, err := f.FindRelease(f.ctx, "hello", 2)
	require.NoError(t, err)
	require.Equal(t, platform.ReleaseDeploying, got.State)
	require.Equal(t, []string{"web", "worker"}, got.DeployedPtypes)
	require.Empty(t, got.Conditions, "only an end is a condition")
	f.end(r, platform.ReleaseCrashed, "Timeout: slow")
	f.end(r, platform.ReleaseSucceeded, "")
	got, err = f.FindRelease(f.ctx, "hello", 2)
	require.NoError(t, err)
	require.Equal(t, platform.ReleaseSucceeded, got.State)
	require.Empty(t, got.Exception)
	require.Equal(t, []string{"web", "worker"}, got.DeployedPtypes)
	require.Len(t, got.Conditions, 2)
	require.Equal(t, platform.ReleaseSucceeded, got.Conditions[0].State, "newest first")
	require.Equal(t, "Timeout: slow", got.Conditions[1].Exception)
	require.Equal(t, day(2), got.Conditions[1].Created)
	f.code(platform.NotFound, f.SetReleaseState(f.ctx, "hello", 9, platform.Condition{}, nil))
}

func suiteSupersede(t *testing.T, f fixture) {
	f.app("hello")
	f.release("hello", "two", "web")
	three := f.release("hello", "three", "web")
	f.end(three, platform.ReleaseCrashed, "Timeout: slow")
	require.NoError(t, f.SetReleaseState(f.ctx, "hello", 3, platform.Condition{State: platform.ReleaseDeploying}, nil))
	f.release("hello", "four", "web")
	require.NoError(t, f.SetReleaseState(f.ctx, "hello", 4, platform.Condition{State: platform.ReleaseDeploying}, []string{"worker"}))
	f.release("hello", "five", "web")
	require.NoError(t, f.Supersede(f.ctx, "hello", 5, day(4)))
	for version, want := range map[int]platform.ReleaseState{
		1: platform.ReleasePending, 2: platform.ReleaseSuperseded, 3: platform.ReleaseCrashed,
		4: platform.ReleaseSuperseded, 5: platform.ReleasePending,
	} {
		r, err := f.FindRelease(f.ctx, "hello", version)
		require.NoError(t, err)
		require.Equal(t, want, r.State, "v%d", version)
		touched := map[int][]string{3: {"web"}, 4: {"worker"}, 5: {"web"}}
		require.Equal(t, touched[version], r.DeployedPtypes, "v%d: one that waited has deployed nothing", version)
		if version == 3 {
			require.Equal(t, "Timeout: slow", r.Exception)
		}
	}
}

// suiteVersions adds releases at the same time: 1..n without gap or double.
func suiteVersions(t *testing.T, f fixture) {
	f.app("hello")
	const n = 200
	var group sync.WaitGroup
	errs := make(chan error, n)
	for i := range n {
		group.Go(func() {
			_, err := f.AddRelease(f.ctx, platform.Release{
				UUID: fmt.Sprintf("many-%d", i), App: "hello", State: platform.ReleasePending, Config: "config-hello", Created: day(1), Updated: day(1),
			}, nil, nil)
			errs <- err
		})
	}
	group.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	list, total, err := f.ListReleases(f.ctx, "hello", nil, control.Page{Limit: 1000})
	require.NoError(t, err)
	require.Equal(t, n+1, total)
	for i, r := range list {
		require.Equal(t, n+1-i, r.Version)
	}
}

// A release that is to be deployed again is deploying at once, also when an
// earlier deploy of it ends meanwhile.
func suiteDeployAgain(t *testing.T, f fixture) {
	f.app("hello")
	r := f.release("hello", "two", "web")
	state := func() platform.ReleaseState {
		found, err := f.FindRelease(f.ctx, "hello", r.Version)
		require.NoError(t, err)
		return found.State
	}
	again := func() control.Work {
		w, err := f.AddWork(f.ctx, control.Work{App: "hello", Kind: control.WorkDeploy, Version: r.Version})
		require.NoError(t, err)
		return w
	}
	again()
	require.Equal(t, platform.ReleasePending, state())
	f.end(r, platform.ReleaseSucceeded, "")
	require.Equal(t, platform.ReleaseDeploying, state())
	w := again()
	require.NoError(t, f.DoneWork(f.ctx, w.ID))
	f.end(r, platform.ReleaseCrashed, "it broke")
	require.Equal(t, platform.ReleaseCrashed, state())
	again()
	require.Equal(t, platform.ReleaseDeploying, state())
	_, err := f.AddWork(f.ctx, control.Work{App: "hello", Kind: control.WorkApply, Version: r.Version})
	require.NoError(t, err)
	found, err := f.FindRelease(f.ctx, "hello", r.Version)
	require.NoError(t, err)
	require.Len(t, found.Conditions, 2)
	require.NoError(t, f.Supersede(f.ctx, "hello", r.Version+1, day(3)))
	require.Equal(t, platform.ReleaseCrashed, state())
}
