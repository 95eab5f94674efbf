package platformtest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

func (h *house) volume(name string) (platform.Volume, bool) {
	v, err := h.store.FindVolume(h.t.Context(), app, name)
	if platform.CodeOf(err) == platform.NotFound {
		return platform.Volume{}, false
	}
	require.NoError(h.t, err)
	return v, true
}

func addVolume(name string) step {
	return step{"add " + name, func(ctx context.Context, h *house) error {
		_, err := h.core.CreateVolume(ctx, h.actor, app, control.NewVolume{Name: name, Size: "1G"})
		return err
	}, func(h *house) bool { _, there := h.volume(name); return there }}
}

func mountVolume(name string, path *string) step {
	want := ""
	if path != nil {
		want = *path
	}
	return step{"mount " + name, func(ctx context.Context, h *house) error {
		_, err := h.core.MountVolume(ctx, h.actor, app, name, map[string]*string{"web": path})
		return err
	}, func(h *house) bool { v, _ := h.volume(name); return v.Path["web"] == want }}
}

func volumeStory() []step {
	return append(story()[:2], addVolume("data"), addVolume("spare"), mountVolume("data", text("/data")),
		step{"expand", func(ctx context.Context, h *house) error {
			_, err := h.core.ExpandVolume(ctx, h.actor, app, "data", "2G")
			return err
		}, func(h *house) bool { v, _ := h.volume("data"); return v.Size == "2G" }},
		mountVolume("spare", text("/spare")), mountVolume("spare", nil),
		step{"remove", func(ctx context.Context, h *house) error {
			return h.core.DeleteVolume(ctx, h.actor, app, "spare")
		}, func(h *house) bool { v, there := h.volume("spare"); return !there || v.Deleting }},
	)
}

func (h *house) checkVolumes() {
	require.Equal(h.t, 2, h.versions(), "volumes make no release")
	require.Equal(h.t, map[string]string{"data": "2G"}, h.cluster.Volumes(app))
	_, there := h.volume("spare")
	require.False(h.t, there)
	require.Equal(h.t, []platform.Mount{{Volume: "data", Path: "/data"}}, h.cluster.Running(app)["web"].Mounts)
	require.Empty(h.t, h.cluster.Running(app)["worker"].Mounts)
	work, err := h.store.ListWork(h.t.Context(), "")
	require.NoError(h.t, err)
	require.Empty(h.t, work)
	require.Empty(h.t, h.cluster.Overlaps())
}

func TestKillWithVolumes(t *testing.T) {
	t.Parallel()
	killEverywhere(t, 25, volumeStory, (*house).checkVolumes)
}

// killEverywhere plays a story once for each of its steps, killed before or
// after it, and checks how it ends.
func killEverywhere(t *testing.T, least int, story func() []step, check func(*house)) {
	calm := newHouse(t)
	count := platformtest.NewCrash(0, false)
	calm.start(count)
	calm.play(story(), count)
	check(calm)
	calm.stop()
	require.Greater(t, count.Steps(), least)
	for at := 1; at <= count.Steps(); at += stride() {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d after=%v", at, after), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				crash := platformtest.NewCrash(at, after)
				h.start(crash)
				h.play(story(), crash)
				check(h)
				h.stop()
			})
		}
	}
}

func (h *house) resource(name string) platform.Resource {
	r, err := h.store.FindResource(h.t.Context(), app, name)
	if platform.CodeOf(err) != platform.NotFound {
		require.NoError(h.t, err)
	}
	return r
}

func addResource(name string) step {
	return step{"create " + name, func(ctx context.Context, h *house) error {
		_, err := h.core.CreateResource(ctx, h.actor, app, control.NewResource{Name: name, Plan: name + ":small"})
		return err
	}, func(h *house) bool { return h.resource(name).UUID != "" }}
}

func bindResource(name string) step {
	return step{"bind " + name, func(ctx context.Context, h *house) error {
		_, err := h.core.BindResource(ctx, h.actor, app, name)
		return err
	}, func(h *house) bool { return h.resource(name).Binding != "" }}
}

func resourceStory() []step {
	return append(story()[:2], addResource("redis"), addResource("mysql"), bindResource("redis"), bindResource("mysql"),
		step{"update", func(ctx context.Context, h *house) error {
			_, err := h.core.UpdateResource(ctx, h.actor, app, "redis", control.ResourceChange{Plan: "redis:large"})
			return err
		}, func(h *house) bool { return h.resource("redis").Plan == "redis:large" }},
		step{"unbind", func(ctx context.Context, h *house) error {
			_, err := h.core.UnbindResource(ctx, h.actor, app, "mysql")
			return err
		}, func(h *house) bool { b := h.resource("mysql").Binding; return b != platform.ResourceReady }},
		step{"destroy", func(ctx context.Context, h *house) error {
			return h.core.DestroyResource(ctx, h.actor, app, "mysql")
		}, func(h *house) bool {
			r := h.resource("mysql")
			return r.UUID == "" || r.Status == platform.ResourceDeleting
		}},
	)
}

func (h *house) checkResources() {
	require.Equal(h.t, 5, h.versions(), "two bindings and one that was taken back")
	require.Equal(h.t, map[string]string{"redis": "redis:large"}, h.catalog.Made())
	require.True(h.t, h.catalog.Bound("redis"))
	require.False(h.t, h.catalog.Bound("mysql"))
	r := h.resource("redis")
	require.Equal(h.t, platform.ResourceReady, r.Status)
	require.Equal(h.t, platform.ResourceReady, r.Binding)
	require.Equal(h.t, map[string]string{"REDIS_PASSWORD": "of redis"}, r.Data)
	running := h.cluster.Running(app)["web"]
	require.Equal(h.t, 5, running.Version)
	require.Equal(h.t, "of redis", running.Env["REDIS_PASSWORD"])
	require.NotContains(h.t, running.Env, "MYSQL_PASSWORD")
	work, err := h.store.ListWork(h.t.Context(), "")
	require.NoError(h.t, err)
	require.Empty(h.t, work)
}

func TestKillWithResources(t *testing.T) {
	t.Parallel()
	killEverywhere(t, 35, resourceStory, (*house).checkResources)
}
