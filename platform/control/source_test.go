package control_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

// yard is a kit whose controller builds.
type yard struct {
	*kit
	builder *platformtest.Builder
}

func newYard(t *testing.T, options ...option) *yard {
	t.Helper()
	b := platformtest.NewBuilder()
	options = append([]option{func(o *control.Options) {
		o.Builder = b
		o.Builds.Beat = time.Hour
	}}, options...)
	y := &yard{kit: newKit(t, options...), builder: b}
	y.run()
	y.create(app)
	y.settle()
	return y
}

// screen is what a pusher sees. It may be read while it is written to.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

const commit = "060da68f5f8a4a2e3f0a0d4f5a6b7c8d9e0f1a2b"

func source() control.Source {
	return control.Source{Origin: platform.OriginGit, Ref: "refs/heads/main", SHA: commit, Tar: "/nowhere/tree.tar"}
}

// push pushes as alice and waits for the end.
func (y *yard) push() (platform.Release, string, error) {
	s := &screen{}
	r, err := y.PushSource(y.t.Context(), "alice", app, source(), s)
	return r, s.String(), err
}

// pushing pushes on its own and returns what gives the outcome.
func (y *yard) pushing(ctx context.Context, to string, w io.Writer) func() (platform.Release, error) {
	type outcome struct {
		r   platform.Release
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		r, err := y.PushSource(ctx, "alice", to, source(), w)
		done <- outcome{r, err}
	}()
	return func() (platform.Release, error) {
		o := <-done
		return o.r, o.err
	}
}

// lines are those of a log without how far the pods are, which depends on the
// moment.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "ready\n") {
			out = append(out, strings.TrimSuffix(line, "\n"))
		}
	}
	return out
}

func (y *yard) runs() []platform.BuildRun {
	y.t.Helper()
	list, _, err := y.ListBuildRuns(y.t.Context(), y.alice, app, control.Page{})
	require.NoError(y.t, err)
	return list
}

func (y *yard) log(run string) string {
	y.t.Helper()
	var b bytes.Buffer
	require.NoError(y.t, y.BuildLog(y.t.Context(), y.alice, app, run, false, &b))
	return b.String()
}

func TestPushSource(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.set("COLOUR", "blue")
	y.builder.Procfile(map[string]string{"web": "serve", "worker": "work"})
	r, text, err := y.push()
	require.NoError(t, err)
	require.Equal(t, 3, r.Version)
	require.Equal(t, succeeded, r.State)
	require.Equal(t, "alice deployed 060da68", r.Summary)
	require.Equal(t, []string{
		"---> Starting build... but first, coffee!",
		"Step 1 : FROM base",
		"---> Build complete.",
		"---> Launching App...",
		"---> Rolling out v3: web, worker",
		"---> Done, hello:v3 deployed to Workflow",
		"---> http://hello.example.test",
		"---> Use 'drycc open' to view this application in your browser",
		"---> To learn more, use 'drycc help' or visit https://www.drycc.cc",
	}, lines(text))

	order := y.builder.Orders()[0]
	require.Equal(t, map[string]string{"COLOUR": "blue"}, order.Config)
	require.Equal(t, 3, order.Release)
	require.Equal(t, app, order.App.ID)
	require.Equal(t, commit, order.SHA)
	require.Equal(t, "/nowhere/tree.tar", order.Tar)
	run := y.runs()[0]
	require.Equal(t, platform.BuildRun{
		UUID: order.ID, App: app, User: "alice", Origin: "git", Ref: "refs/heads/main", SHA: commit, Stack: "container",
		State: platform.BuildSucceeded, Version: 3, Created: run.Created, Started: run.Started, Ended: run.Ended,
	}, run)
	require.Equal(t, order.ID, r.Build)
	require.Equal(t, text, y.log(run.UUID), "the stored log is what the pusher saw")
	require.Equal(t, "127.0.0.1:5555/hello/hello:git-060da68f", y.cluster.Running(app)["web"].Image)
	require.Equal(t, commit, y.cluster.Running(app)["web"].Env["SOURCE_VERSION"])

	again, _, err := y.push()
	require.NoError(t, err)
	require.Equal(t, 4, again.Version, "the same source once more is one more release")
	require.Equal(t, succeeded, again.State)
}

func TestFailedBuildMakesNoRelease(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	for _, tc := range []struct {
		err  error
		code platform.Code
		says string
	}{
		{platform.FieldErrorf("dockerfile", "step 2 ended with code 1"), platform.Invalid, "dockerfile: step 2 ended with code 1"},
		{platform.Errorf(platform.Unavailable, "the builder is away"), platform.Unavailable, "the builder is away"},
		{errors.New("secret detail"), platform.Internal, "An internal error occurred; the controller's log says why."},
	} {
		y.builder.Refuse(func(control.BuildOrder) error { return tc.err })
		_, text, err := y.push()
		require.Equal(t, tc.code, platform.CodeOf(err))
		require.Contains(t, text, "Step 1 : FROM base\n---> Build failed: "+tc.says+"\n")
		require.NotContains(t, text, "secret detail")
		run := y.runs()[0]
		require.Equal(t, platform.BuildFailed, run.State)
		require.Equal(t, tc.says, run.Message)
		require.Equal(t, text, y.log(run.UUID))
	}
	y.builder.Refuse(nil)
	y.builder.Change(func(_ control.BuildOrder, n *control.NewBuild) { n.Dryccfile = []byte(`{"config": {}}`) })
	_, text, err := y.push()
	fails(t, err, platform.Invalid, "pipeline is required")
	require.Contains(t, text, "---> Launching App...\n---> Build failed: dryccfile: pipeline is required\n")
	require.Empty(t, y.states())
}

func TestPushedReleaseThatCrashes(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	_, _, err := y.push()
	require.NoError(t, err)
	y.builder.Change(func(_ control.BuildOrder, n *control.NewBuild) { n.Image = "127.0.0.1:5555/hello/broken:1" })
	r, text, err := y.push()
	require.NoError(t, err, "the source is fine")
	require.Equal(t, crashed, r.State)
	require.Contains(t, text, "---> v3 crashed: CrashLoopBackOff: There was a problem deploying v3. Rolling back to release v2. process type web: it exits with code 1\n")
	require.Contains(t, text, "See `drycc releases info v3 -a hello`")
	require.Equal(t, platform.BuildSucceeded, y.runs()[0].State)
}

func TestPushWithoutAutodeploy(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.settings(control.SettingsChange{Autodeploy: ptr(false), Routable: ptr(false)})
	r, text, err := y.push()
	require.NoError(t, err)
	require.Equal(t, pending, r.State)
	require.Contains(t, text, "---> v2 waits, as autodeploy is off. Deploy it with `drycc releases deploy -a hello`\n")
}

func TestPushRunsSteps(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.builder.Change(func(_ control.BuildOrder, n *control.NewBuild) {
		n.Dryccfile = []byte(`{"pipeline": {"web.yaml": {"kind": "pipeline", "ptype": "web", "run": {"args": ["migrate"]}, "deploy": {}}}}`)
	})
	_, text, err := y.push()
	require.NoError(t, err)
	require.Contains(t, text, "---> Rolling out v2: web\n---> Running the release step of web\n")
}

func TestWhoMayPush(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	_, err := y.PushSource(t.Context(), "bobby", app, source(), io.Discard)
	fails(t, err, platform.Forbidden, "")
	_, err = y.PushSource(t.Context(), "nobody", app, source(), io.Discard)
	require.Equal(t, platform.NotFound, platform.CodeOf(err))
	require.NoError(t, y.SetGrant(t.Context(), y.alice, app, platform.Grant{Username: "bobby", Role: platform.Viewer}))
	_, err = y.PushSource(t.Context(), "bobby", app, source(), io.Discard)
	fails(t, err, platform.Forbidden, "")
	require.NoError(t, y.SetGrant(t.Context(), y.alice, app, platform.Grant{Username: "bobby", Role: platform.Member}))
	_, err = y.PushSource(t.Context(), "bobby", app, source(), io.Discard)
	require.NoError(t, err)
	require.Len(t, y.runs(), 1, "who is refused leaves no run")

	y.builder.Refuse(func(control.BuildOrder) error { // the right is taken away meanwhile
		return y.DeleteGrant(t.Context(), y.alice, app, "bobby")
	})
	_, err = y.PushSource(t.Context(), "bobby", app, source(), io.Discard)
	fails(t, err, platform.Forbidden, "")
	require.Len(t, y.states(), 1)

	k := newKit(t)
	k.create(app)
	_, err = k.PushSource(t.Context(), "alice", app, source(), io.Discard)
	fails(t, err, platform.Unavailable, "no builder")
}
