package control_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest/pgtest"
)

// postgres is the PostgreSQL of all tests here.
var postgres pgtest.Cluster

func TestMain(m *testing.M) { os.Exit(postgres.Run(m)) }

// onBoth runs a test for each kind of database.
func onBoth(t *testing.T, run func(t *testing.T, location string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		run(t, filepath.Join(t.TempDir(), "slipway.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		run(t, postgres.Database(t))
	})
}

// Many changes at once: versions without gap or double, none lost, and the
// last one is what runs.
func TestManyChangesAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, location string) { manyChanges(t, newKitAt(t, location).run()) })
}

func manyChanges(t *testing.T, k *kit) {
	k.create(app)
	k.deploy("img:1")
	const n = 200
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			_, err := k.ChangeConfig(t.Context(), k.alice, app, control.ConfigChange{
				Values: []control.ValueChange{{Name: fmt.Sprintf("KEY_%d", i), Value: ptr("x"), Group: "global"}},
			}, true)
			if err != nil {
				t.Errorf("change %d: %v", i, err)
			}
		})
	}
	group.Wait()
	k.settle()
	list, total, err := k.ListReleases(t.Context(), k.alice, app, nil, control.Page{Limit: 1000})
	require.NoError(t, err)
	require.Equal(t, n+2, total)
	for i, r := range list {
		require.Equal(t, n+2-i, r.Version)
		if r.Version > 1 {
			require.Contains(t, []platform.ReleaseState{succeeded, superseded}, r.State)
		}
	}
	require.Equal(t, succeeded, list[0].State)
	web := k.cluster.Running(app)["web"]
	require.Equal(t, n+2, web.Version)
	for i := range n {
		require.Equal(t, "x", web.Env[fmt.Sprintf("KEY_%d", i)])
	}
	last := 0
	for _, call := range k.cluster.Calls("Apply") {
		require.Greater(t, call.Version, last, "never an older one over a newer one")
		last = call.Version
	}
}

// More apps than workers: all get their turn.
func TestManyAppsAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, location string) {
		manyApps(t, newKitAt(t, location, func(o *control.Options) { o.Workers = 3 }).run())
	})
}

func manyApps(t *testing.T, k *kit) {
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			id := fmt.Sprintf("many-%02d", i)
			_, err := k.CreateApp(t.Context(), k.alice, control.NewApp{ID: id})
			if err == nil {
				_, err = k.Deploy(t.Context(), k.alice, id, control.NewBuild{Image: "img", Stack: "container"})
			}
			if err != nil {
				t.Errorf("%s: %v", id, err)
			}
		})
	}
	group.Wait()
	k.settle()
	apps, total, err := k.ListApps(t.Context(), k.alice, control.AppFilter{}, control.Page{})
	require.NoError(t, err)
	require.Equal(t, 50, total)
	for _, a := range apps {
		r, err := k.FindRelease(t.Context(), k.alice, a.ID, 0)
		require.NoError(t, err)
		require.Equal(t, succeeded, r.State)
	}
}

// PostgreSQL ends at once and comes back, again and again, while changes come
// in: no release is lost, doubled or stuck, and what was acknowledged runs.
func TestPostgresRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	require.NoError(t, server.Create("own", ""))
	k := newKitAt(t, server.URL("own", ""), func(o *control.Options) { o.Workers = 4 }).run()
	apps := []string{"app-one", "app-two", "app-three"}
	for _, id := range apps {
		k.create(id)
		_, err := k.Deploy(t.Context(), k.alice, id, control.NewBuild{Image: "img", Stack: "container"})
		require.NoError(t, err)
	}
	const restarts, least = 3, 25 // changes of each app between two restarts
	kept := make([]*acknowledged, len(apps))
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for i, id := range apps {
		kept[i] = &acknowledged{more: make(chan struct{}, 1)}
		group.Go(func() { kept[i].change(ctx, k, id) })
	}
	for range restarts {
		for _, a := range kept {
			a.await(t, least)
		}
		require.NoError(t, server.Stop())
		require.NoError(t, server.Begin())
	}
	for _, a := range kept {
		a.await(t, least)
	}
	stop()
	group.Wait()
	k.settle()
	for i, id := range apps {
		k.checkKept(id, kept[i].list)
	}
	work, err := k.store.ListWork(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, work)
}

// acknowledged are the changes of one app that were answered as done.
type acknowledged struct {
	mu   sync.Mutex
	list []string
	seen int
	more chan struct{}
}

// change makes one change after the other, whatever comes of them.
func (a *acknowledged) change(ctx context.Context, k *kit, app string) {
	for n := 0; ctx.Err() == nil; n++ {
		name := fmt.Sprintf("KEY_%d", n)
		_, err := k.ChangeConfig(context.WithoutCancel(ctx), k.alice, app, control.ConfigChange{
			Values: []control.ValueChange{{Name: name, Value: ptr("x"), Group: "global"}},
		}, true)
		if err != nil {
			if platform.CodeOf(err) != platform.Unavailable {
				k.t.Errorf("%s %s: %v", app, name, err)
			}
			continue
		}
		a.mu.Lock()
		a.list = append(a.list, name)
		a.mu.Unlock()
		select {
		case a.more <- struct{}{}:
		default:
		}
	}
}

// await waits for n changes more than at the last call.
func (a *acknowledged) await(t *testing.T, n int) {
	t.Helper()
	patience := time.After(time.Minute)
	for {
		a.mu.Lock()
		have := len(a.list)
		if have >= a.seen+n {
			a.seen = have
			a.mu.Unlock()
			return
		}
		a.mu.Unlock()
		select {
		case <-a.more:
		case <-patience:
			require.FailNow(t, "changes stopped coming through")
		}
	}
}

// checkKept checks that all releases of an app have ended, in order, and that
// what runs is the last with every change that was acknowledged.
func (k *kit) checkKept(app string, names []string) {
	k.t.Helper()
	var list []platform.Release
	for {
		page, total, err := k.store.ListReleases(k.t.Context(), app, nil, control.Page{Limit: 1000, Offset: len(list)})
		require.NoError(k.t, err)
		if list = append(list, page...); len(list) == total {
			break
		}
	}
	require.Greater(k.t, len(list), len(names), app)
	for i, r := range list {
		require.Equal(k.t, len(list)-i, r.Version)
		if r.Version > 1 {
			require.Contains(k.t, []platform.ReleaseState{succeeded, superseded}, r.State, "%s v%d", app, r.Version)
		}
	}
	require.Equal(k.t, succeeded, list[0].State)
	web := k.cluster.Running(app)["web"]
	require.Equal(k.t, list[0].Version, web.Version)
	for _, name := range names {
		require.Equal(k.t, "x", web.Env[name], "%s %s", app, name)
	}
}

// The cluster is away for half a minute in the middle of many deploys: all are
// put off, none is called crashed, and all end well once it is back.
func TestClusterAwayForLong(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, location string) {
		var mu sync.Mutex
		waited := map[int]time.Duration{} // by try, as the queue would have waited
		tries := make(chan struct{}, 1000)
		k := newKitAt(t, location, func(o *control.Options) {
			o.Workers = 4
			o.Backoff = func(n int) time.Duration {
				mu.Lock()
				defer mu.Unlock()
				waited[n] = min(500*time.Millisecond<<min(n-1, 10), 15*time.Second)
				select {
				case tries <- struct{}{}:
				default:
				}
				return time.Millisecond
			}
		}).run()
		apps := []string{"app-one", "app-two", "app-three", "app-four", "app-five", "app-six"}
		for _, id := range apps {
			k.create(id)
		}
		k.cluster.Fail("Apply", platform.Errorf(platform.Unavailable, "the cluster does not answer"))
		for _, id := range apps {
			_, err := k.Deploy(t.Context(), k.alice, id, control.NewBuild{Image: "img", Stack: "container"})
			require.NoError(t, err, "a deploy is taken without the cluster")
		}
		away := func() (sum time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			for _, d := range waited {
				sum += d
			}
			return sum
		}
		for away() < 30*time.Second {
			<-tries
		}
		for _, id := range apps {
			r, err := k.FindRelease(t.Context(), k.alice, id, 0)
			require.NoError(t, err)
			require.Contains(t, []platform.ReleaseState{pending, deploying}, r.State)
		}
		k.cluster.Fail("Apply", nil)
		k.settle()
		for _, id := range apps {
			k.checkKept(id, nil)
		}
	})
}
