package platformtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// buildSuite is the part of the suite about attempts to build.
func buildSuite() []suiteCase {
	return []suiteCase{
		{"build runs", suiteBuildRuns},
		{"build run states", suiteBuildRunStates},
		{"released build runs", suiteReleasedRuns},
		{"pruned build runs", suitePrunedRuns},
		{"build logs", suiteBuildLogs},
		{"long build logs", suiteLongLogs},
		{"deploy again", suiteDeployAgain},
		{"build hooks", suiteBuildHooks},
		{"deliveries", suiteDeliveries},
	}
}

func (f fixture) run(app, uuid string) platform.BuildRun {
	f.t.Helper()
	r := platform.BuildRun{
		UUID: uuid, App: app, User: "alice", Origin: platform.OriginGit, Ref: "refs/heads/main", SHA: "060da68f",
		State: platform.BuildQueued, Created: day(1),
	}
	require.NoError(f.t, f.AddBuildRun(f.ctx, r, "here"))
	return r
}

func (f fixture) findRun(app, uuid string) platform.BuildRun {
	f.t.Helper()
	r, err := f.FindBuildRun(f.ctx, app, uuid)
	require.NoError(f.t, err)
	return r
}

func (f fixture) openRuns(runner string) []string {
	f.t.Helper()
	list, err := f.ListOpenBuildRuns(f.ctx, runner)
	require.NoError(f.t, err)
	ids := []string{}
	for _, r := range list {
		ids = append(ids, r.UUID)
	}
	return ids
}

func suiteBuildRuns(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	want := f.run("hello", "r1")
	f.run("other", "r2")
	f.run("hello", "r3")
	require.Equal(t, want, f.findRun("hello", "r1"))
	_, err := f.FindBuildRun(f.ctx, "other", "r1")
	f.code(platform.NotFound, err)
	f.code(platform.NotFound, f.AddBuildRun(f.ctx, platform.BuildRun{UUID: "r4", App: "nothere"}, "here"))
	f.code(platform.Conflict, f.AddBuildRun(f.ctx, platform.BuildRun{UUID: "r1", App: "hello"}, "here"))

	list, total, err := f.ListBuildRuns(f.ctx, "hello", control.Page{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, 2, total)
	require.Len(t, list, 1)
	require.Equal(t, "r3", list[0].UUID, "newest first")

	require.Equal(t, []string{"r1", "r2", "r3"}, f.openRuns("here"))
	require.Empty(t, f.openRuns("elsewhere"))
	require.NoError(t, f.DeleteApp(f.ctx, "hello"))
	require.Equal(t, []string{"r2"}, f.openRuns("here"))
	f.code(platform.NotFound, f.StartBuildRun(f.ctx, "r1", day(2)))
	f.code(platform.NotFound, f.EndBuildRun(f.ctx, want))
}

func suiteBuildRunStates(t *testing.T, f fixture) {
	f.app("hello")
	r := f.run("hello", "r1")
	require.NoError(t, f.StartBuildRun(f.ctx, "r1", day(2)))
	f.code(platform.Conflict, f.StartBuildRun(f.ctx, "r1", day(2)))
	require.Equal(t, []string{"r1"}, f.openRuns("here"))
	r.State, r.Message, r.Ended = platform.BuildFailed, "step 2 failed", day(3)
	require.NoError(t, f.EndBuildRun(f.ctx, r))
	r.Started = day(2)
	require.Equal(t, r, f.findRun("hello", "r1"))
	require.Empty(t, f.openRuns("here"))

	late := r
	late.State = platform.BuildCanceled
	f.code(platform.Conflict, f.EndBuildRun(f.ctx, late))
	f.code(platform.Conflict, f.StartBuildRun(f.ctx, "r1", day(4)))
	require.Equal(t, r, f.findRun("hello", "r1"), "a run ends once")

	waiting := f.run("hello", "r2")
	waiting.State, waiting.Ended = platform.BuildCanceled, day(4)
	require.NoError(t, f.EndBuildRun(f.ctx, waiting), "before its turn")
	events, err := f.ListEvents(f.ctx, "hello", 0, 100)
	require.NoError(t, err)
	var told []string
	for _, e := range events {
		if e.Object == "build" {
			told = append(told, e.Action)
		}
	}
	require.Equal(t, []string{"create", "failed", "create", "canceled"}, told)
}

// releaseOf makes a release of what the run has built.
func (f fixture) releaseOf(app, uuid string) (platform.Release, error) {
	return f.AddRelease(f.ctx, platform.Release{
		UUID: "release of " + uuid, App: app, State: platform.ReleasePending, Config: "config-" + app, Build: uuid, Created: day(5), Updated: day(5),
	}, &platform.Build{UUID: uuid, Image: "image:1", Stack: "buildpack", Created: day(5), Updated: day(5)}, nil)
}

func suiteReleasedRuns(t *testing.T, f fixture) {
	f.app("hello")
	want := f.run("hello", "r1")
	_, err := f.releaseOf("hello", "r1")
	f.code(platform.Conflict, err)
	require.NoError(t, f.StartBuildRun(f.ctx, "r1", day(2)))
	made, err := f.releaseOf("hello", "r1")
	require.NoError(t, err)
	require.Equal(t, 2, made.Version, "the refused one took no number")
	want.State, want.Version, want.Stack, want.Started, want.Ended = platform.BuildSucceeded, 2, "buildpack", day(2), day(5)
	require.Equal(t, want, f.findRun("hello", "r1"))
	_, err = f.releaseOf("hello", "r1")
	f.code(platform.Conflict, err)

	canceled := f.run("hello", "r2")
	require.NoError(t, f.StartBuildRun(f.ctx, "r2", day(2)))
	canceled.State = platform.BuildCanceled
	require.NoError(t, f.EndBuildRun(f.ctx, canceled))
	_, err = f.releaseOf("hello", "r2")
	f.code(platform.Conflict, err)
	newest, err := f.FindRelease(f.ctx, "hello", 0)
	require.NoError(t, err)
	require.Equal(t, 2, newest.Version)
	_, err = f.FindBuild(f.ctx, "r2")
	f.code(platform.NotFound, err)
}

func suitePrunedRuns(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	f.run("other", "x")
	for _, id := range []string{"r1", "r2", "r3", "r4"} {
		r := f.run("hello", id)
		if id != "r1" {
			r.State = platform.BuildFailed
			require.NoError(t, f.EndBuildRun(f.ctx, r))
		}
	}
	_, err := f.AddBuildLog(f.ctx, "r2", control.LogPiece{Text: []byte("gone")}, 10, 10)
	require.NoError(t, err)
	require.NoError(t, f.PruneBuildRuns(f.ctx, "hello", 10))
	require.NoError(t, f.PruneBuildRuns(f.ctx, "hello", 2))
	list, total, err := f.ListBuildRuns(f.ctx, "hello", control.Page{})
	require.NoError(t, err)
	require.Equal(t, 3, total)
	require.Equal(t, []string{"r4", "r3", "r1"}, []string{list[0].UUID, list[1].UUID, list[2].UUID}, "what has not ended stays")
	require.Empty(t, f.log("r2", 0))
	f.findRun("other", "x")
}

func (f fixture) say(run string, start int64, text string, head, tail int64) {
	f.t.Helper()
	_, err := f.AddBuildLog(f.ctx, run, control.LogPiece{Start: start, Text: []byte(text)}, head, tail)
	require.NoError(f.t, err)
}

// log is what a run has said, with its place before each piece.
func (f fixture) log(run string, from int64) string {
	f.t.Helper()
	list, err := f.ReadBuildLog(f.ctx, run, from, 100)
	require.NoError(f.t, err)
	var b strings.Builder
	for _, p := range list {
		b.WriteString(strings.Repeat(" ", int(p.Start)-b.Len()) + string(p.Text))
	}
	return b.String()
}

func suiteBuildLogs(t *testing.T, f fixture) {
	f.app("hello")
	r := f.run("hello", "r1")
	f.run("hello", "r2")
	state, err := f.AddBuildLog(f.ctx, "r1", control.LogPiece{Text: []byte("one\x00")}, 100, 100)
	require.NoError(t, err)
	require.Equal(t, platform.BuildQueued, state)
	f.say("r1", 4, "two", 100, 100)
	f.say("r1", 4, "two", 100, 100) // its answer got lost
	f.say("r2", 0, "else", 100, 100)
	require.Equal(t, "one\x00two", f.log("r1", 0))
	require.Equal(t, "one\x00two", f.log("r1", 3))
	require.Equal(t, "    two", f.log("r1", 4))
	require.Equal(t, "    two", f.log("r1", 6))
	require.Empty(t, f.log("r1", 7))
	require.Empty(t, f.log("nothere", 0))
	first, err := f.ReadBuildLog(f.ctx, "r1", 0, 1)
	require.NoError(t, err)
	require.Len(t, first, 1)
	r.State = platform.BuildCanceled
	require.NoError(t, f.EndBuildRun(f.ctx, r))
	state, err = f.AddBuildLog(f.ctx, "r1", control.LogPiece{Start: 7, Text: []byte("!")}, 100, 100)
	require.NoError(t, err)
	require.Equal(t, platform.BuildCanceled, state)
	_, err = f.AddBuildLog(f.ctx, "nothere", control.LogPiece{}, 100, 100)
	f.code(platform.NotFound, err)
}

func suiteLongLogs(t *testing.T, f fixture) {
	f.app("hello")
	f.run("hello", "r1")
	for i, text := range []string{"aaaa", "bbbb", "cccc", "dddd", "eeee", "ffff"} {
		f.say("r1", int64(4*i), text, 4, 8)
	}
	require.Equal(t, "aaaa            eeeeffff", f.log("r1", 0))
	require.Equal(t, "                eeeeffff", f.log("r1", 9), "from what is left")
}
