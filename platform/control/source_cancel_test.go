package control_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

// teller hands every line of a log on.
type teller chan string

func (t teller) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		t <- strings.TrimSpace(line)
	}
	return len(p), nil
}

// until reads lines up to one that begins so.
func (t teller) until(begin string) string {
	for line := range t {
		if strings.HasPrefix(line, begin) {
			return line
		}
	}
	return ""
}

func TestPushersWaitTheirTurn(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	for _, id := range []string{"second", "third"} {
		y.create(id)
	}
	gates := []*platformtest.Gate{y.builder.Hold(), y.builder.Hold(), y.builder.Hold()}
	logs := []teller{make(teller, 100), make(teller, 100), make(teller, 100)}
	ends := []func() (platform.Release, error){y.pushing(t.Context(), app, logs[0])}
	<-gates[0].Reached
	ends = append(ends, y.pushing(t.Context(), "second", logs[1]))
	require.Equal(t, "---> Waiting: 1 build before yours", logs[1].until("---> Waiting"))
	ends = append(ends, y.pushing(t.Context(), "third", logs[2]))
	require.Equal(t, "---> Waiting: 2 builds before yours", logs[2].until("---> Waiting"))
	require.Equal(t, platform.BuildRunning, y.runs()[0].State)
	gates[0].Open()
	<-gates[1].Reached
	require.Equal(t, "---> Waiting: 1 build before yours", logs[2].until("---> Waiting"))
	gates[1].Open()
	gates[2].Open()
	for _, end := range ends {
		_, err := end()
		require.NoError(t, err)
	}
	most, overlaps := y.builder.Most()
	require.Equal(t, 1, most)
	require.Empty(t, overlaps)
}

func TestBuildsAtOnce(t *testing.T) {
	t.Parallel()
	y := newYard(t, func(o *control.Options) { o.Builds.AtOnce = 2 })
	y.create("second")
	one, two := y.builder.Hold(), y.builder.Hold()
	log := make(teller, 100)
	first := y.pushing(t.Context(), app, io.Discard)
	<-one.Reached
	sameApp := y.pushing(t.Context(), app, log)
	log.until("---> Waiting: 1 build before yours")
	other := y.pushing(t.Context(), "second", io.Discard)
	<-two.Reached
	one.Open()
	two.Open()
	for _, end := range []func() (platform.Release, error){first, sameApp, other} {
		_, err := end()
		require.NoError(t, err)
	}
	most, overlaps := y.builder.Most()
	require.Equal(t, 2, most)
	require.Empty(t, overlaps, "one build of an app")
}

func TestCancelBuild(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	gate, log, waiting := y.builder.Hold(), &screen{}, make(teller, 100)
	first := y.pushing(t.Context(), app, log)
	<-gate.Reached
	second := y.pushing(t.Context(), app, waiting)
	waiting.until("---> Waiting")
	for _, tc := range []struct {
		end func() (platform.Release, error)
		run platform.BuildRun
	}{{second, y.runs()[0]}, {first, y.runs()[1]}} {
		_, err := y.CancelBuild(t.Context(), y.bobby, app, tc.run.UUID)
		fails(t, err, platform.Forbidden, "")
		run, err := y.CancelBuild(t.Context(), y.alice, app, tc.run.UUID)
		require.NoError(t, err)
		require.Equal(t, platform.BuildCanceled, run.State)
		_, err = tc.end()
		fails(t, err, platform.Conflict, "The build was canceled. Canceled by alice.")
		_, err = y.CancelBuild(t.Context(), y.alice, app, tc.run.UUID)
		fails(t, err, platform.Conflict, "ended already: canceled")
	}
	require.Contains(t, log.String(), "---> Build canceled: Canceled by alice.\n")
	require.Empty(t, y.states())
	_, err := y.CancelBuild(t.Context(), y.alice, app, "nothere")
	require.Equal(t, platform.NotFound, platform.CodeOf(err))
	_, _, err = y.push()
	require.NoError(t, err, "the queue is free")
}

// A run that is canceled on another server makes no release here.
func TestCanceledElsewhere(t *testing.T) {
	t.Parallel()
	y := newYard(t, func(o *control.Options) { o.Builds.Beat = time.Millisecond })
	gate := y.builder.Hold()
	end := y.pushing(t.Context(), app, io.Discard)
	<-gate.Reached
	run := y.runs()[0]
	run.State, run.Message = platform.BuildCanceled, "Canceled by carol."
	require.NoError(t, y.store.EndBuildRun(t.Context(), run))
	_, err := end() // although nobody opens the gate
	fails(t, err, platform.Conflict, "Canceled by carol.")
	require.Empty(t, y.states())
}

func TestPusherGoesAway(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	ctx, leave := context.WithCancel(t.Context())
	gate := y.builder.Hold()
	end := y.pushing(ctx, app, io.Discard)
	<-gate.Reached
	leave()
	_, err := end()
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, platform.BuildCanceled, y.runs()[0].State)
	require.Equal(t, "The one who pushed went away before the build had ended.", y.runs()[0].Message)
	require.Contains(t, y.log(y.runs()[0].UUID), "---> Build canceled: The one who pushed went away")
	require.Empty(t, y.states())

	// Once the release is recorded it stays.
	ctx, leave = context.WithCancel(t.Context())
	apply := y.cluster.HoldBefore("Apply")
	end = y.pushing(ctx, app, io.Discard)
	<-apply.Reached
	leave()
	r, err := end()
	require.NoError(t, err)
	require.Equal(t, 2, r.Version)
	apply.Open()
	y.settle()
	require.Equal(t, succeeded, y.release(2).State)
}

// A build that comes out although its time is up, or its pusher gone, is
// dropped.
func TestBuildTakesTooLong(t *testing.T) {
	t.Parallel()
	y := newYard(t, func(o *control.Options) { o.Builds.Timeout = time.Nanosecond })
	_, text, err := y.push()
	fails(t, err, platform.Invalid, "SLIPWAY_BUILD_TIMEOUT")
	require.Contains(t, text, "---> Build failed: The build took longer than 1ns")
	require.Equal(t, platform.BuildFailed, y.runs()[0].State)
	require.Empty(t, y.states())
}

func TestServerStopsDuringBuild(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	gate := y.builder.Hold()
	end := y.pushing(t.Context(), app, io.Discard)
	<-gate.Reached
	y.stop()
	_, err := end()
	fails(t, err, platform.Unavailable, "The platform was stopped during the build.")
	require.Equal(t, platform.BuildCanceled, y.runs()[0].State)
	_, _, err = y.push()
	fails(t, err, platform.Unavailable, "stopped")
}

func TestRunsLeftByAnEarlierProcess(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.stop()
	for i, runner := range []string{"controller", "controller", "another"} {
		run := platform.BuildRun{UUID: fmt.Sprint("left", i), App: app, User: "alice", Origin: platform.OriginGit, SHA: commit, Created: y.clock.Now()}
		require.NoError(t, y.store.AddBuildRun(t.Context(), run, runner))
	}
	require.NoError(t, y.store.StartBuildRun(t.Context(), "left1", y.clock.Now()))
	y.renew(func(o *control.Options) { o.Builder = y.builder })
	y.run()
	y.settle()
	list := y.runs()
	require.Equal(t, []platform.BuildState{platform.BuildQueued, platform.BuildCanceled, platform.BuildCanceled},
		[]platform.BuildState{list[0].State, list[1].State, list[2].State}, "what another server has is left alone")
	require.Equal(t, "The platform was stopped during the build. Push again.", list[1].Message)
}

func TestDeletedAppEndsItsBuild(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	gate, log := y.builder.Hold(), &screen{}
	end := y.pushing(t.Context(), app, log)
	<-gate.Reached
	require.NoError(t, y.DeleteApp(t.Context(), y.alice, app))
	_, err := end()
	fails(t, err, platform.Conflict, "The app was deleted.")
	require.Contains(t, log.String(), "---> Build canceled: The build was canceled. The app was deleted.")
}

func TestFollowBuildLog(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	gate, follower := y.builder.Hold(), make(teller, 100)
	end := y.pushing(t.Context(), app, io.Discard)
	<-gate.Reached
	run := y.runs()[0].UUID
	done := make(chan error, 1)
	go func() { done <- y.BuildLog(t.Context(), y.alice, app, run, true, follower) }()
	follower.until("Step 1") // while it builds
	gate.Open()
	follower.until("---> Done, hello:v2 deployed to Workflow")
	require.NoError(t, <-done, "the log has an end")
	_, err := end()
	require.NoError(t, err)
	fails(t, y.BuildLog(t.Context(), y.bobby, app, run, false, io.Discard), platform.Forbidden, "")
	require.Equal(t, platform.NotFound, platform.CodeOf(y.BuildLog(t.Context(), y.alice, app, "nothere", false, io.Discard)))
}

// The log of a run whose server was killed has no end of its own.
func TestFollowLeftBuildLog(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	run := platform.BuildRun{UUID: "left", App: app, User: "alice", Origin: platform.OriginGit, SHA: commit}
	require.NoError(t, y.store.AddBuildRun(t.Context(), run, "controller"))
	_, err := y.store.AddBuildLog(t.Context(), "left", control.LogPiece{Text: []byte("half a\n")}, 100, 100)
	require.NoError(t, err)
	_, err = y.CancelBuild(t.Context(), y.alice, app, "left")
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, y.BuildLog(t.Context(), y.alice, app, "left", true, &b))
	require.Equal(t, "half a\n", b.String())
}

func TestLongBuildLog(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	row := strings.Repeat("x", 1<<10-1)
	many := make([]string, 6<<10)
	for i := range many {
		many[i] = row
	}
	y.builder.Say(many...)
	_, text, err := y.push()
	require.NoError(t, err)
	kept := y.log(y.runs()[0].UUID)
	require.Less(t, len(kept), 4<<20+200)
	require.True(t, strings.HasSuffix(kept, text[len(text)-1000:]), "the end is there")
	require.Contains(t, kept, "bytes of the log are not kept]")
}

func TestOldRunsAreForgotten(t *testing.T) {
	t.Parallel()
	y := newYard(t, func(o *control.Options) { o.Builds.Runs = 2 })
	for range 4 {
		_, _, err := y.push()
		require.NoError(t, err)
	}
	require.Len(t, y.runs(), 2)
	require.Len(t, y.states(), 4)
}
