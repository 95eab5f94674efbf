package platform_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

// TestLaunchPacks: in the image of buildpacks each process type has its entry
// point, and any other command needs the launcher.
func TestLaunchPacks(t *testing.T) {
	b := platform.Build{Image: "img", SHA: "abc", Stack: "buildpack", Procfile: map[string]string{"web": "serve", "worker": "work"}}
	l, err := b.Launch("web")
	require.NoError(t, err)
	require.Equal(t, platform.Launch{Image: "img"}, l)
	l, err = b.Launch("worker")
	require.NoError(t, err)
	require.Equal(t, platform.Launch{Image: "img", Command: []string{"/cnb/process/worker"}}, l)
	l, err = b.LaunchOnce("run", []string{"node", "x.js"})
	require.NoError(t, err)
	require.Equal(t, platform.Launch{Image: "img", Command: []string{"/cnb/lifecycle/launcher"}, Args: []string{"--", "node", "x.js"}}, l)
	l, err = b.LaunchOnce("worker", nil)
	require.NoError(t, err)
	require.Equal(t, []string{"/cnb/process/worker"}, l.Command)

	b.Dryccfile = []byte(`{"pipeline": {"web.yaml": {"kind": "pipeline", "ptype": "web", "run": {"command": ["migrate"], "args": ["up"]}, "deploy": {"command": ["serve"], "args": ["-v"]}},
		"other.yaml": {"kind": "pipeline", "ptype": "other", "deploy": {"command": ["run"], "image": "busybox:1"}}}}`)
	l, err = b.Launch("web")
	require.NoError(t, err)
	require.Equal(t, platform.Launch{Image: "img", Command: []string{"/cnb/lifecycle/launcher"}, Args: []string{"--", "serve", "-v"}}, l)
	step, err := b.RunStep("web")
	require.NoError(t, err)
	require.Equal(t, platform.Launch{Image: "img", Command: []string{"/cnb/lifecycle/launcher"}, Args: []string{"--", "migrate", "up"}}, step.Launch)
	l, err = b.Launch("other")
	require.NoError(t, err)
	require.Equal(t, platform.Launch{Image: "busybox:1", Command: []string{"run"}}, l, "an image of others has no launcher")
}
