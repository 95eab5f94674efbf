package platformtest_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/identity"
	"github.com/slipway-paas/slipway/platform/platformtest"
	"github.com/slipway-paas/slipway/platform/store"
)

const app = "hello"

// stride is how many steps lie between two kills: in the short tests every
// fifth step has one, in those of "make test-heavy" each.
func stride() int {
	if testing.Short() {
		return 5
	}
	return 1
}

// house is a controller over a real store and the fake cluster.
type house struct {
	t       *testing.T
	path    string
	cluster *platformtest.Cluster
	catalog *platformtest.Catalog
	actor   control.Actor
	hooks   control.DeployHooks
	builder *platformtest.Builder // nil: none

	store *store.Store
	core  *control.Controller
	stop  func()
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, path: filepath.Join(t.TempDir(), "slipway.db"), cluster: platformtest.NewCluster(), catalog: platformtest.NewCatalog()}
	for _, name := range []string{"redis", "mysql"} {
		h.catalog.Offer(platform.ResourceService{ID: "id-of-" + name, Name: name, Updateable: true},
			map[string]string{strings.ToUpper(name) + "_PASSWORD": "of " + name},
			platform.ResourcePlan{Name: "small"}, platform.ResourcePlan{Name: "large"})
	}
	h.cluster.Refuse(func(d control.Deployment) error {
		if strings.Contains(d.Build.Image, "broken") {
			return &control.RolloutError{Ptype: "web", Pod: "hello-web-1", Kind: "CrashLoopBackOff", Reason: "it exits with code 1"}
		}
		return nil
	})
	return h
}

// start opens the store and runs a controller; crash may be nil.
func (h *house) start(crash *platformtest.Crash) {
	var err error
	h.store, err = store.Open(h.t.Context(), h.path, make([]byte, store.KeySize))
	require.NoError(h.t, err)
	if h.actor.User.Username == "" {
		u, err := h.store.CreateUser(h.t.Context(), platform.User{Username: "admin", IsActive: true}, "")
		require.NoError(h.t, err)
		_, err = h.store.CreateWorkspace(h.t.Context(), platform.Workspace{UUID: "w", ID: "admin"}, "admin")
		require.NoError(h.t, err)
		_, err = h.store.CreateWorkspace(h.t.Context(), platform.Workspace{UUID: "o", ID: "other"}, "admin")
		require.NoError(h.t, err)
		h.actor = control.Actor{User: u}
	}
	options := control.Options{
		Store: h.store, Cluster: h.cluster, Identity: identity.New(), Domain: "example.test", Hooks: h.hooks,
		Catalog: h.catalog,
		Backoff: func(int) time.Duration { return time.Millisecond },
	}
	if h.builder != nil {
		options.Builder = h.builder
	}
	if crash != nil {
		if h.builder != nil {
			options.Builder = crash.Builder(h.builder)
		}
		options.Store, options.Cluster, options.Catalog = crash.Store(h.store), crash.Cluster(h.cluster), crash.Catalog(h.catalog)
	}
	h.core, err = control.New(options)
	require.NoError(h.t, err)
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- h.core.Run(ctx) }()
	h.stop = func() {
		cancel()
		require.NoError(h.t, <-done)
		require.NoError(h.t, h.store.Close())
	}
}

// settle waits until the queue is idle or the process has died.
func (h *house) settle(crash *platformtest.Crash) {
	ctx, cancel := context.WithCancel(h.t.Context())
	defer cancel()
	idle, core := make(chan error, 1), h.core
	go func() { idle <- core.Idle(ctx) }()
	if crash == nil {
		require.NoError(h.t, <-idle)
		return
	}
	select {
	case err := <-idle:
		require.NoError(h.t, err)
	case <-crash.Dead():
	}
}

func (h *house) versions() int {
	r, err := h.store.FindRelease(h.t.Context(), app, 0)
	if platform.CodeOf(err) == platform.NotFound {
		return 0
	}
	require.NoError(h.t, err)
	return r.Version
}

// step is something a user does. done tells from the store whether it was
// recorded, for a user whose connection broke.
type step struct {
	name string
	do   func(ctx context.Context, h *house) error
	done func(h *house) bool
}

func text(s string) *string { return &s }

func deploy(image string, procfile map[string]string) func(ctx context.Context, h *house) error {
	return func(ctx context.Context, h *house) error {
		_, err := h.core.Deploy(ctx, h.actor, app, control.NewBuild{Image: image, Stack: "container", Procfile: procfile})
		return err
	}
}

func atVersion(n int) func(h *house) bool {
	return func(h *house) bool { return h.versions() >= n }
}

func story() []step {
	both := map[string]string{"web": "serve", "worker": "work"}
	return []step{
		{"create", func(ctx context.Context, h *house) error {
			_, err := h.core.CreateApp(ctx, h.actor, control.NewApp{ID: app})
			return err
		}, atVersion(1)},
		{"deploy", deploy("registry.test/hello:1", both), atVersion(2)},
		{"config", func(ctx context.Context, h *house) error {
			_, err := h.core.ChangeConfig(ctx, h.actor, app, control.ConfigChange{
				Values: []control.ValueChange{{Name: "GREETING", Value: text("hi"), Group: "global"}},
			}, true)
			return err
		}, atVersion(3)},
		{"broken deploy", deploy("registry.test/broken:1", both), atVersion(4)},
		{"scale", func(ctx context.Context, h *house) error {
			return h.core.Scale(ctx, h.actor, app, map[string]int{"web": 3, "worker": 1})
		}, func(h *house) bool {
			a, err := h.store.FindApp(h.t.Context(), app)
			require.NoError(h.t, err)
			return a.Structure["web"] == 3
		}},
		{"settings", func(ctx context.Context, h *house) error {
			off := false
			_, err := h.core.ChangeSettings(ctx, h.actor, app, control.SettingsChange{Routable: &off})
			return err
		}, func(h *house) bool {
			s, err := h.store.FindSettings(h.t.Context(), app)
			require.NoError(h.t, err)
			return !s.Routable
		}},
		{"transfer", func(ctx context.Context, h *house) error {
			return h.core.Transfer(ctx, h.actor, app, "other")
		}, func(h *house) bool {
			a, err := h.store.FindApp(h.t.Context(), app)
			require.NoError(h.t, err)
			return a.Workspace == "other"
		}},
		{"web only", deploy("registry.test/hello:2", nil), atVersion(5)},
		{"rollback", func(ctx context.Context, h *house) error {
			_, err := h.core.Rollback(ctx, h.actor, app, 3, nil)
			return err
		}, atVersion(6)},
		{"deploy again", func(ctx context.Context, h *house) error {
			return h.core.DeployRelease(ctx, h.actor, app, nil, true)
		}, func(h *house) bool {
			r, err := h.store.FindRelease(h.t.Context(), app, 6)
			require.NoError(h.t, err)
			return len(r.Conditions) > 1
		}},
	}
}

// play lets a user go through the story; one whose call fails looks whether it
// was recorded and repeats it if not. The process dies of crash, and the next
// one of the first of more, and so on.
func (h *house) play(steps []step, crash *platformtest.Crash, more ...*platformtest.Crash) {
	for _, s := range steps {
		err := s.do(h.t.Context(), h)
		h.settle(crash)
		if crash == nil || !crash.Died() {
			require.NoError(h.t, err, s.name)
			continue
		}
		for done := false; !done; {
			for crash != nil && crash.Died() {
				h.stop()
				crash = nil
				if len(more) > 0 {
					crash, more = more[0], more[1:]
				}
				h.start(crash)
				h.settle(crash)
			}
			if done = s.done(h); !done {
				err = s.do(h.t.Context(), h)
				h.settle(crash)
				done = err == nil && (crash == nil || !crash.Died())
			}
		}
	}
	if crash != nil {
		h.stop()
		h.start(nil)
		h.settle(nil)
	}
}

// check is what has to be true at the end, whatever happened on the way.
func (h *house) check() {
	ctx := h.t.Context()
	list, total, err := h.store.ListReleases(ctx, app, nil, control.Page{})
	require.NoError(h.t, err)
	require.Equal(h.t, 6, total)
	states := []platform.ReleaseState{"pending", "succeed", "succeed", "crashed", "succeed", "succeed"}
	for i, r := range list {
		n := len(list) - i
		require.Equal(h.t, n, r.Version)
		require.Equal(h.t, states[n-1], r.State, "v%d", n)
		require.Len(h.t, r.Conditions, []int{0, 1, 1, 1, 1, 2}[n-1], "v%d", n)
	}
	require.Equal(h.t,
		"CrashLoopBackOff: There was a problem deploying v4. Rolling back to release v3. process type web: it exits with code 1",
		list[2].Exception)
	work, err := h.store.ListWork(ctx, "")
	require.NoError(h.t, err)
	require.Empty(h.t, work)
	running := h.cluster.Running(app)
	require.Len(h.t, running, 2)
	require.Equal(h.t, 6, running["web"].Version)
	require.Equal(h.t, "registry.test/hello:1", running["web"].Image)
	require.Equal(h.t, "hi", running["web"].Env["GREETING"])
	require.Equal(h.t, 3, running["web"].Replicas)
	require.Equal(h.t, 0, running["worker"].Replicas, "gone with v5, back with v6, not scaled")
	require.False(h.t, running["web"].Routed)
	require.Equal(h.t, "other", running["web"].Env["DRYCC_WORKSPACE"])
	require.Equal(h.t, "other", h.cluster.Owner(app))
	require.Empty(h.t, h.cluster.Overlaps())
}

// A process that is killed before or after any step, and started again, ends
// in the same state as one that was not.
func TestKillAtEveryStep(t *testing.T) {
	t.Parallel()
	calm := newHouse(t)
	count := platformtest.NewCrash(0, false)
	calm.start(count)
	calm.play(story(), count)
	calm.check()
	calm.stop()
	steps := count.Steps()
	require.Greater(t, steps, 30)
	for at := 1; at <= steps; at += stride() {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d after=%v", at, after), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				crash := platformtest.NewCrash(at, after)
				h.start(crash)
				h.play(story(), crash)
				h.check()
				h.stop()
			})
		}
	}
}

// A process that dies again while it makes good.
func TestKillTwice(t *testing.T) {
	t.Parallel()
	for at := 2; at <= 44; at += 6 {
		for again := 1; again <= 3; again++ {
			t.Run(fmt.Sprintf("step %d then %d", at, again), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				first, second := platformtest.NewCrash(at, true), platformtest.NewCrash(again, at%2 == 0)
				h.start(first)
				h.play(story(), first, second)
				h.check()
				h.stop()
			})
		}
	}
}

// The same for the removal of an app, which ends with nothing left.
func TestKillWhileDeleting(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 3; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d after=%v", at, after), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				h.start(nil)
				h.play(story()[:2], nil)
				h.stop()
				crash := platformtest.NewCrash(at, after)
				h.start(crash)
				err := h.core.DeleteApp(t.Context(), h.actor, app)
				require.Error(t, err)
				require.True(t, crash.Died())
				h.stop()
				h.start(nil)
				h.settle(nil)
				if at == 1 && !after {
					require.NoError(t, h.core.DeleteApp(t.Context(), h.actor, app), "it was not recorded")
				}
				require.Zero(t, h.versions())
				require.Nil(t, h.cluster.Running(app))
				work, err := h.store.ListWork(t.Context(), "")
				require.NoError(t, err)
				require.Empty(t, work)
				_, err = h.core.CreateApp(t.Context(), h.actor, control.NewApp{ID: app})
				require.NoError(t, err, "the name is free again")
				h.stop()
			})
		}
	}
}
