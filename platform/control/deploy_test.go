package control_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func TestDeploy(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	require.Equal(t, "alice created initial release", k.release(1).Summary)
	b, err := k.FindBuild(t.Context(), k.alice, app, 0)
	require.NoError(t, err)
	require.Equal(t, platform.Build{}, b, "no build yet")
	k.deploy("registry.test/hello:1", "web", "worker")
	k.settle()
	r := k.release(0)
	require.Equal(t, succeeded, r.State)
	require.Equal(t, "alice deployed registry.test/hello:1", r.Summary)
	require.Equal(t, []string{"web", "worker"}, r.DeployedPtypes)
	require.Len(t, r.Conditions, 1)
	require.Equal(t, platform.Condition{
		State: succeeded, Action: "pipeline", Ptypes: []string{"web", "worker"}, Created: k.clock.Now(),
	}, r.Conditions[0])
	web := k.cluster.Running(app)["web"]
	require.Equal(t, 1, web.Replicas)
	require.True(t, web.Routed)
	require.Equal(t, "hello.example.test", web.Host)
	require.Equal(t, "v2", web.Env["WORKFLOW_RELEASE"])
	require.Equal(t, "5000", web.Env["PORT"])
	worker := k.cluster.Running(app)["worker"]
	require.Equal(t, 0, worker.Replicas, "only web starts by itself")
	require.False(t, worker.Routed)
	k.set("GREETING", "hi")
	k.settle()
	require.Equal(t, "alice added values GREETING", k.release(0).Summary)
	require.Equal(t, "hi", k.cluster.Running(app)["worker"].Env["GREETING"])
	b, err = k.FindBuild(t.Context(), k.alice, app, 3)
	require.NoError(t, err)
	require.Equal(t, "registry.test/hello:1", b.Image, "a config release reuses the build")
	require.Len(t, k.cluster.Calls("Apply"), 2)
}

func TestDeployRefusesBadInput(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.create(app)
	for _, tc := range []struct {
		build   control.NewBuild
		field   string
		message string
	}{
		{control.NewBuild{Stack: "container"}, "image", "This field may not be blank."},
		{control.NewBuild{Image: "x"}, "stack", "This field may not be blank."},
		{control.NewBuild{Image: "x", Stack: strings.Repeat("x", 33)}, "stack", "no more than 32 characters"},
		{control.NewBuild{Image: "Not An Image", Stack: "container"}, "image", "is not an image reference"},
		{control.NewBuild{Image: "localhost:5000/x", Stack: "container"}, "", "image must not use the loopback address"},
		{control.NewBuild{Image: "x", Stack: "container", Procfile: map[string]string{"web": ""}}, "procfile", "Command can't be empty"},
		{control.NewBuild{Image: "x", Stack: "container", Procfile: map[string]string{"Web": "x"}}, "procfile", "Process types can only"},
		{control.NewBuild{Image: "x", Stack: "container", Procfile: map[string]string{"default": "x"}}, "procfile", "default is a reserved name."},
		{control.NewBuild{Image: "x", Stack: "container", Procfile: map[string]string{"web": strings.Repeat("x", 300<<10)}}, "procfile", "no more than"},
		{control.NewBuild{Image: "x", Stack: "container", Dryccfile: []byte(`{"x":1}`)}, "dryccfile", "unknown field"},
		{control.NewBuild{Image: "x", Stack: "container", Dryccfile: []byte(`{"pipeline":{"a":{"kind":"pipeline","ptype":"web","run":{},"deploy":{}}}}`)}, "dryccfile", "a: run needs a command"},
		{control.NewBuild{Image: "x", Stack: "container", Dryccfile: []byte(`{"pipeline":{"a":{"kind":"pipeline","ptype":"web","run":{"args":["x"],"timeout":86401},"deploy":{}}}}`)}, "dryccfile", "timeout of run"},
		{control.NewBuild{Image: "x", Stack: "container", Dryccfile: []byte(`{"pipeline":{"a":{"kind":"pipeline","ptype":"web","run":{"image":"127.0.0.1/x"},"deploy":{}}}}`)}, "", "loopback"},
		{control.NewBuild{Image: "x", Stack: "container", Dryccfile: []byte(`{"pipeline":{"a":{"kind":"pipeline","ptype":"web","deploy":{"image":"127.0.0.1/x"}}}}`)}, "", "loopback"},
	} {
		_, err := k.Deploy(t.Context(), k.alice, app, tc.build)
		fails(t, err, platform.Invalid, tc.message)
		var e *platform.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, tc.field, e.Field)
	}
	require.Equal(t, 1, k.release(0).Version, "nothing was recorded")
}

func TestDeployDryccfile(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.set("OLD", "gone")
	_, err := k.Deploy(t.Context(), k.alice, app, control.NewBuild{Image: "img:1", Stack: "container", Dryccfile: []byte(
		`{"config":{"db":{"URL":"x"}},"pipeline":{"a.yaml":{"kind":"pipeline","ptype":"web","config":["db"],"env":{"A":"1"},"deploy":{"args":["serve"]}}}}`)})
	require.NoError(t, err)
	k.settle()
	env := k.cluster.Running(app)["web"].Env
	require.Equal(t, "x", env["URL"])
	require.Equal(t, "1", env["A"])
	require.NotContains(t, env, "OLD")
}

func TestCrashedDeploy(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		autorollback bool
		text         string
		base         string // what the next config change builds on
	}{
		{true, "CrashLoopBackOff: There was a problem deploying v3. Rolling back to release v2. process type web: it exits with code 1", "img:1"},
		{false, "CrashLoopBackOff: process type web: it exits with code 1", "broken:1"},
	} {
		t.Run(fmt.Sprint(tc.autorollback), func(t *testing.T) {
			t.Parallel()
			k := newKit(t).run()
			k.create(app)
			k.deploy("img:1")
			k.settle()
			if !tc.autorollback {
				k.settings(control.SettingsChange{Autorollback: ptr(false)})
			}
			k.deploy("broken:1")
			k.settle()
			require.Equal(t, []platform.ReleaseState{succeeded, crashed}, k.states())
			r := k.release(3)
			require.True(t, r.Failed())
			require.Equal(t, tc.text, r.Exception)
			require.Equal(t, tc.text, r.Conditions[0].Exception)
			require.Equal(t, 2, k.cluster.Running(app)["web"].Version, "the old one serves on")
			b, err := k.FindBuild(t.Context(), k.alice, app, 0)
			require.NoError(t, err)
			require.Equal(t, tc.base, b.Image)
			applied := len(k.cluster.Calls("Apply"))
			require.Equal(t, map[bool]int{true: 3, false: 2}[tc.autorollback], applied, "put back only with autorollback")
		})
	}
}

// Without an earlier good release there is nothing to go back to, and a
// cluster that has put things back itself is not asked again.
func TestCrashedDeployNotPutBack(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("broken:1")
	k.settle()
	require.Equal(t, "CrashLoopBackOff: process type web: it exits with code 1", k.release(2).Exception)
	require.Len(t, k.cluster.Calls("Apply"), 1)
	k.deploy("img:1")
	k.settle()
	k.cluster.FailNext("Apply", &control.RolloutError{Ptype: "web", Kind: "Timeout", Reason: "slow", Restored: true})
	k.deploy("img:2")
	k.settle()
	require.Contains(t, k.release(4).Exception, "Timeout: There was a problem deploying v4. Rolling back to release v3.")
	require.Len(t, k.cluster.Calls("Apply"), 3)
	require.Equal(t, []platform.ReleaseState{crashed, succeeded, crashed}, k.states())
}

// What the cluster says that is not meant for users stays in the log.
func TestCrashedDeployHidesInternals(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.cluster.FailNext("Apply", errors.New("etcd password is swordfish"), platform.Errorf(platform.Invalid, "the object is too large"))
	k.deploy("img:1")
	k.settle()
	require.Equal(t, "InternalError: the cluster did not take the release; the controller's log says why", k.release(2).Exception)
	k.deploy("img:1")
	k.settle()
	require.Equal(t, "DeployError: the object is too large", k.release(3).Exception)
}

func TestClusterAway(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	away := platform.Errorf(platform.Unavailable, "the cluster does not answer")
	k.cluster.FailNext("Apply", away, away, fmt.Errorf("wrapped: %w", away))
	k.deploy("img:1")
	k.settle()
	require.Equal(t, []platform.ReleaseState{succeeded}, k.states(), "put off, not crashed")
	require.Len(t, k.cluster.Calls("Apply"), 4)
	require.Len(t, k.release(2).Conditions, 1)
	k.cluster.FailNext("Remove", away)
	k.deploy("img:2", "other")
	k.settle()
	require.Equal(t, []platform.ReleaseState{succeeded, succeeded}, k.states())
	k.cluster.FailNext("Remove", errors.New("odd"))
	k.deploy("img:3")
	k.settle()
	require.Equal(t, succeeded, k.release(4).State, "what is left behind does not spoil the release")
}

// While one release is being deployed others come: it is finished, the ones in
// between are superseded, the newest is deployed.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	gate := k.cluster.HoldBefore("Apply")
	k.deploy("img:1")
	<-gate.Reached
	require.Equal(t, []platform.ReleaseState{deploying}, k.states())
	k.deploy("img:2")
	k.set("A", "1")
	require.Equal(t, []platform.ReleaseState{deploying, pending, pending}, k.states())
	gate.Open()
	k.settle()
	require.Equal(t, []platform.ReleaseState{succeeded, superseded, succeeded}, k.states())
	require.Contains(t, k.release(3).Exception, "Superseded")
	require.False(t, k.release(3).Failed())
	require.Equal(t, "img:2", k.cluster.Running(app)["web"].Image)
	require.Len(t, k.cluster.Calls("Apply"), 2)
}

// Run stops the work before it returns; the next one carries on, and leaves
// alone what is done.
func TestRestart(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1")
	k.settle()
	require.ErrorContains(t, k.Run(t.Context()), "already running")
	gate := k.cluster.HoldBefore("Apply")
	k.deploy("img:2")
	<-gate.Reached
	k.stop()
	require.Equal(t, []platform.ReleaseState{succeeded, deploying}, k.states())
	require.Equal(t, 2, k.cluster.Running(app)["web"].Version)
	k.renew()
	k.run()
	k.settle()
	require.Equal(t, []platform.ReleaseState{succeeded, succeeded}, k.states())
	require.Len(t, k.cluster.Calls("Apply"), 3)
	k.stop()
	k.renew()
	k.run()
	k.settle()
	require.Len(t, k.cluster.Calls("Apply"), 3, "nothing is applied again without need")
}

func TestOnRelease(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var heard []platform.ReleaseState
	k := newKit(t, func(o *control.Options) {
		o.OnRelease = func(s platform.ReleaseState) {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, s)
		}
	})
	k.create(app)
	k.deploy("broken:1")
	k.run()
	k.settle()
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []platform.ReleaseState{pending, deploying, crashed}, heard)
}

func TestNewNeedsItsOptions(t *testing.T) {
	t.Parallel()
	_, err := control.New(control.Options{})
	require.ErrorContains(t, err, "are required")
	k := newKit(t)
	_, err = control.New(control.Options{Store: k.store, Cluster: k.cluster, Identity: fakeIdentity{}, Domain: "x", Reserved: []string{"("}})
	require.ErrorContains(t, err, "reserved name pattern")
	require.NoError(t, k.Ready(t.Context()))
	require.Equal(t, "hello.example.test", k.Host("hello"))
	require.NoError(t, k.store.Close())
	require.Equal(t, platform.Unavailable, platform.CodeOf(k.Ready(t.Context())))
}
