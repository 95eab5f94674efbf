package platformtest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

// migrating deploys a build whose web and worker have run steps.
func migrating(image string) func(ctx context.Context, h *house) error {
	const dryccfile = `{"pipeline": {
		"web.yaml": {"kind": "pipeline", "ptype": "web", "run": {"args": ["migrate"]}, "deploy": {}},
		"worker.yaml": {"kind": "pipeline", "ptype": "worker", "run": {"args": ["prepare"]}, "deploy": {}}}}`
	return func(ctx context.Context, h *house) error {
		_, err := h.core.Deploy(ctx, h.actor, app, control.NewBuild{Image: image, Stack: "container", Dryccfile: []byte(dryccfile)})
		return err
	}
}

func stepStory() []step {
	return []step{
		story()[0],
		{"deploy", migrating("registry.test/hello:1"), atVersion(2)},
		{"step fails", migrating("registry.test/unready:1"), atVersion(3)},
		{"deploy on", migrating("registry.test/hello:2"), atVersion(4)},
	}
}

// A process that is killed before or after any call runs each step of a
// release once, and ends where one that was not killed does.
func TestKillDuringSteps(t *testing.T) {
	t.Parallel()
	play := func(t *testing.T, crash *platformtest.Crash) {
		h := newHouse(t)
		h.cluster.RefuseStep(func(d control.Deployment, j control.Job) error {
			if strings.Contains(d.Build.Image, "unready") {
				return &control.RolloutError{Ptype: j.For, Kind: "RunFailed", Reason: "it ended with code 1", Restored: true}
			}
			return nil
		})
		h.start(crash)
		h.play(stepStory(), crash)
		defer h.stop()
		var ran []string
		for _, s := range h.cluster.Started(app) {
			ran = append(ran, s.Name)
		}
		require.Equal(t, []string{
			"hello-run-v2-1-web", "hello-run-v2-1-worker", "hello-run-v3-1-web", "hello-run-v4-1-web", "hello-run-v4-1-worker",
		}, ran, "each once, in order")
		for version, state := range map[int]platform.ReleaseState{2: "succeed", 3: "crashed", 4: "succeed"} {
			r, err := h.store.FindRelease(t.Context(), app, version)
			require.NoError(t, err)
			require.Equal(t, state, r.State, "v%d", version)
			require.Len(t, r.Conditions, 1)
		}
		require.Equal(t, 4, h.cluster.Running(app)["web"].Version)
		require.Empty(t, h.cluster.Overlaps())
		work, err := h.store.ListWork(t.Context(), "")
		require.NoError(t, err)
		require.Empty(t, work)
	}
	count := platformtest.NewCrash(0, false)
	play(t, count)
	require.Greater(t, count.Steps(), 20)
	for at := 1; at <= count.Steps(); at += stride() {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d after=%v", at, after), func(t *testing.T) {
				t.Parallel()
				play(t, platformtest.NewCrash(at, after))
			})
		}
	}
}
