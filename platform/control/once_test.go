package control_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func TestRunOnce(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	_, err := k.RunOnce(t.Context(), k.alice, app, control.OneOff{Command: []string{"ls"}})
	fails(t, err, platform.Invalid, "no build available, please deploy a release")

	k.deploy("registry.test/hello:1", "web", "run")
	k.set("GREETING", "hi")
	k.settle()
	name, err := k.RunOnce(t.Context(), k.alice, app, control.OneOff{
		Command: []string{"sh", "-c", "echo hi; exit 3"}, Timeout: 60, Expires: 9999, Stdin: true, TTY: true,
	})
	require.NoError(t, err)
	require.Regexp(t, `^hello-run-[b-z2-9]{5}$`, name)
	job := k.cluster.Started(app)[0]
	require.Equal(t, name, job.Name)
	require.Equal(t, 3, job.Version)
	require.Equal(t, "run", job.Process.Ptype)
	require.Equal(t, "registry.test/hello:1", job.Process.Image)
	require.Empty(t, job.Process.Command)
	require.Equal(t, []string{"sh", "-c", "echo hi; exit 3"}, job.Process.Args, "a list is taken as it is")
	require.Equal(t, "hi", job.Process.Env["GREETING"])
	require.Equal(t, "v3", job.Process.Env["WORKFLOW_RELEASE"])
	require.Equal(t, time.Minute, job.Timeout)
	require.Equal(t, 2*time.Hour, job.Expires, "bounded")
	require.True(t, job.Stdin && job.TTY)

	_, err = k.RunOnce(t.Context(), k.alice, app, control.OneOff{})
	require.NoError(t, err)
	require.Equal(t, []string{"run", "run"}, k.cluster.Started(app)[1].Process.Args, "what the Procfile says of run")
	require.Equal(t, time.Hour, k.cluster.Started(app)[1].Timeout)
	pods, err := k.Pods(t.Context(), k.alice, app)
	require.NoError(t, err)
	require.Len(t, pods, 3, "runs are seen")

	events, err := k.store.LastEvents(t.Context(), app, 1)
	require.NoError(t, err)
	require.Equal(t, "run", events[0].Object)
	require.NotContains(t, string(events[0].Data), "echo", "a command may hold a secret")
}

func TestRunOnceRefuses(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web")
	k.settle()
	calls := len(k.cluster.Calls(""))
	for name, tc := range map[string]struct {
		who     control.Actor
		o       control.OneOff
		code    platform.Code
		message string
	}{
		"stranger":   {k.bobby, control.OneOff{Command: []string{"ls"}}, platform.NotFound, "No App matches"},
		"no command": {k.alice, control.OneOff{}, platform.Invalid, "command is a required field, or it can be defined in Procfile"},
		"timeout":    {k.alice, control.OneOff{Command: []string{"ls"}, Timeout: -1}, platform.Invalid, "between 0 and 86400"},
		"too long":   {k.alice, control.OneOff{Command: []string{"ls"}, Timeout: 86401}, platform.Invalid, "between 0 and 86400"},
		"expires":    {k.alice, control.OneOff{Command: []string{"ls"}, Expires: -1}, platform.Invalid, "greater than or equal to 0"},
		"ptype":      {k.alice, control.OneOff{Command: []string{"ls"}, Ptype: "A B"}, platform.Invalid, "Process types can only"},
		"nul":        {k.alice, control.OneOff{Command: []string{"ls", "a\x00"}}, platform.Invalid, "NUL"},
		"volume":     {k.alice, control.OneOff{Command: []string{"ls"}, Volumes: map[string]string{"data": "/data"}}, platform.Invalid, "no volume data"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := k.RunOnce(t.Context(), tc.who, app, tc.o)
			fails(t, err, tc.code, tc.message)
		})
	}
	require.Len(t, k.cluster.Calls(""), calls)

	k.cluster.Fail("StartJob", platform.Errorf(platform.Unavailable, "the cluster does not answer"))
	_, err := k.RunOnce(t.Context(), k.alice, app, control.OneOff{Command: []string{"ls"}})
	fails(t, err, platform.Unavailable, "the cluster does not answer")
}

// A command may be what mends a deploy that hangs, so it does not wait for it.
func TestRunOnceDuringDeploy(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web")
	k.settle()
	gate := k.cluster.HoldBefore("Apply")
	k.deploy("registry.test/hello:2", "web")
	<-gate.Reached
	_, err := k.RunOnce(t.Context(), k.alice, app, control.OneOff{Command: []string{"ls"}})
	require.NoError(t, err)
	gate.Open()
	k.settle()
}

func TestRunOncePrivateImage(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web")
	_, err := k.ChangeConfig(t.Context(), k.alice, app, control.ConfigChange{
		Registry: map[string]map[string]*string{"web": {"username": ptr("u"), "password": ptr("p")}},
	}, true)
	require.NoError(t, err)
	k.settle()
	_, err = k.RunOnce(t.Context(), k.alice, app, control.OneOff{Command: []string{"ls"}})
	require.NoError(t, err)
	require.Equal(t, "u", k.cluster.Started(app)[0].Process.PullSecret.Username, "the image is that of web")
}

func TestRunOnceMounts(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web")
	for _, name := range []string{"data", "other"} {
		_, err := k.CreateVolume(t.Context(), k.alice, app, control.NewVolume{Name: name, Size: "1G"})
		require.NoError(t, err)
	}
	_, err := k.MountVolume(t.Context(), k.alice, app, "data", map[string]*string{"run": ptr("/data")})
	require.NoError(t, err)
	k.settle()
	run := func(volumes map[string]string) error {
		_, err := k.RunOnce(t.Context(), k.alice, app, control.OneOff{Command: []string{"ls"}, Volumes: volumes})
		return err
	}
	require.NoError(t, run(map[string]string{"other": "/other/"}))
	require.Equal(t, []platform.Mount{{Volume: "data", Path: "/data"}, {Volume: "other", Path: "/other"}}, k.cluster.Started(app)[0].Process.Mounts)
	fails(t, run(map[string]string{"other": "/data"}), platform.Invalid, "path /data is used by another volume")
	fails(t, run(map[string]string{"other": "data"}), platform.Invalid, "Volume path format")
}

func TestRunOnceNames(t *testing.T) {
	k := newKit(t).run()
	long := strings.Repeat("a", 63)
	k.create(long)
	_, err := k.Deploy(t.Context(), k.alice, long, control.NewBuild{Image: "registry.test/hello:1", Stack: "container"})
	require.NoError(t, err)
	k.settle()
	name, err := k.RunOnce(t.Context(), k.alice, long, control.OneOff{Command: []string{"ls"}})
	require.NoError(t, err)
	require.Len(t, name, 57, "pods add six characters of their own")
}
