package platformtest_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

// push pushes a commit and reports whether the pusher was told that it was
// accepted, which nobody is when the process dies.
func (h *house) push(sha string, crash *platformtest.Crash) bool {
	ctx, cancel := context.WithCancel(h.t.Context())
	defer cancel()
	if crash != nil {
		over := make(chan struct{})
		defer close(over)
		go func() {
			select {
			case <-crash.Dead():
				cancel()
			case <-over:
			}
		}()
	}
	s := control.Source{Origin: platform.OriginGit, SHA: sha, Tar: "/nowhere"}
	_, err := h.core.PushSource(ctx, h.actor.User.Username, app, s, io.Discard)
	return err == nil && (crash == nil || !crash.Died())
}

// A process that is killed before or after any step of a push: no run stays
// open, every release has its run, and no run has two. Who was told that the
// push worked has a release; who was not pushes again.
func TestKillDuringBuild(t *testing.T) {
	t.Parallel()
	play := func(t *testing.T, crash *platformtest.Crash) {
		h := newHouse(t)
		h.builder = platformtest.NewBuilder()
		h.start(nil)
		h.play(story()[:1], nil)
		h.stop()
		h.start(crash)
		var told []string
		for _, sha := range []string{"aaaa1111", "bbbb2222"} {
			for tries := 0; !h.push(sha, crash); tries++ {
				require.True(t, crash.Died())
				require.Less(t, tries, 2)
				crash = nil
				h.stop()
				h.start(nil)
				h.settle(nil)
			}
			told = append(told, sha)
		}
		h.stop() // what was rolled out when it died is rolled out after it
		h.start(nil)
		h.settle(nil)
		defer h.stop()
		h.checkRuns(told)
	}
	count := platformtest.NewCrash(0, false)
	play(t, count)
	require.Greater(t, count.Steps(), 12)
	for at := 1; at <= count.Steps(); at += stride() {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d after=%v", at, after), func(t *testing.T) {
				t.Parallel()
				play(t, platformtest.NewCrash(at, after))
			})
		}
		t.Run(fmt.Sprintf("answer %d lost", at), func(t *testing.T) {
			t.Parallel()
			pushWithLoss(t, at)
		})
	}
}

// pushWithLoss pushes while the answer to a step gets lost.
func pushWithLoss(t *testing.T, at int) {
	h := newHouse(t)
	h.builder = platformtest.NewBuilder()
	h.start(nil)
	h.play(story()[:1], nil)
	h.stop()
	h.start(platformtest.NewLoss(at))
	defer func() { h.stop() }()
	told := []string{"aaaa1111", "bbbb2222"}
	for _, sha := range told {
		for tries := 0; !h.push(sha, nil); tries++ {
			require.Less(t, tries, 2)
		}
	}
	h.settle(nil)
	h.stop()
	h.start(nil)
	h.settle(nil)
	h.checkRuns(told)
}

// checkRuns compares runs, builds and releases. told is what pushers were told
// to be accepted, in order.
func (h *house) checkRuns(told []string) {
	ctx := h.t.Context()
	runs, _, err := h.store.ListBuildRuns(ctx, app, control.Page{})
	require.NoError(h.t, err)
	versions := map[int]bool{}
	for _, r := range runs {
		require.True(h.t, r.State.Ended(), "%+v", r)
		require.Equal(h.t, r.State == platform.BuildSucceeded, r.Version > 0, "%+v", r)
		if r.Version > 0 {
			require.False(h.t, versions[r.Version], "two runs have v%d", r.Version)
			versions[r.Version] = true
			rel, err := h.store.FindRelease(ctx, app, r.Version)
			require.NoError(h.t, err)
			require.Equal(h.t, r.UUID, rel.Build)
		}
	}
	releases, _, err := h.store.ListReleases(ctx, app, nil, control.Page{})
	require.NoError(h.t, err)
	require.Len(h.t, versions, len(releases)-1, "every release but the first comes from a run")
	built := []string{}
	for i := len(releases) - 2; i >= 0; i-- {
		require.NotEqual(h.t, platform.ReleaseDeploying, releases[i].State)
		b, err := h.store.FindBuild(ctx, releases[i].Build)
		require.NoError(h.t, err)
		if len(built) == 0 || built[len(built)-1] != b.SHA { // a pusher who was not told pushes once more
			built = append(built, b.SHA)
		}
	}
	require.Equal(h.t, told, built)
	running := h.cluster.Running(app)
	require.Contains(h.t, running["web"].Image, "bbbb2222")
	most, overlaps := h.builder.Most()
	require.Equal(h.t, 1, most)
	require.Empty(h.t, overlaps)
	require.Empty(h.t, h.cluster.Overlaps())
	work, err := h.store.ListWork(ctx, "")
	require.NoError(h.t, err)
	require.Empty(h.t, work)
}
