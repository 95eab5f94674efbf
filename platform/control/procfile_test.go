package control_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// withTuning sets one of the platform's settings.
func withTuning(t *testing.T, name, value string) option {
	tuning, err := control.ParseTuning(func(n string) string {
		if n == name {
			return value
		}
		return ""
	})
	require.NoError(t, err)
	return func(o *control.Options) { o.Tuning = tuning }
}

func TestProcfileThatIsMissing(t *testing.T) {
	t.Parallel()
	again := func(k *kit) error {
		_, err := k.Deploy(t.Context(), k.alice, app, control.NewBuild{Image: "img:2", Stack: "container"})
		return err
	}
	begin := func(t *testing.T, name, value string) *kit {
		k := newKit(t, withTuning(t, name, value)).run()
		k.create(app)
		require.NoError(t, again(k), "there was none before")
		k.deploy("img:1", "web", "worker")
		k.settle()
		return k
	}
	t.Run("is meant", func(t *testing.T) {
		t.Parallel()
		k := begin(t, "DRYCC_DEPLOY_PROCFILE_MISSING_REMOVE", "true")
		require.NoError(t, again(k))
		k.settle()
		require.NotContains(t, k.cluster.Running(app), "worker")
	})
	t.Run("is made good", func(t *testing.T) {
		t.Parallel()
		k := begin(t, "DRYCC_DEPLOY_PROCFILE_MISSING_REMOVE", "false")
		require.NoError(t, again(k))
		k.settle()
		require.Equal(t, "img:2", k.cluster.Running(app)["worker"].Image)
	})
	t.Run("is refused", func(t *testing.T) {
		t.Parallel()
		k := begin(t, "DRYCC_DEPLOY_REJECT_IF_PROCFILE_MISSING", "true")
		fails(t, again(k), platform.Conflict, "send a Procfile")
		require.Equal(t, 3, k.release(0).Version)
	})
}

func TestReservedNames(t *testing.T) {
	t.Parallel()
	k := newKit(t, withTuning(t, "RESERVED_NAMES", "shopping,hello"))
	_, err := k.CreateApp(t.Context(), k.alice, control.NewApp{ID: "hello"})
	fails(t, err, platform.Invalid, "hello is a reserved name.")
	_, err = k.CreateApp(t.Context(), k.alice, control.NewApp{ID: "drycc-x"})
	fails(t, err, platform.Invalid, "drycc-x is a reserved name.")
	k.create("hello2")
}

// Every name that ParseTuning reads is one that TuningNames lists.
func TestTuningNames(t *testing.T) {
	t.Parallel()
	asked := map[string]bool{}
	_, err := control.ParseTuning(func(name string) string { asked[name] = true; return "" })
	require.NoError(t, err)
	for _, name := range control.TuningNames() {
		require.True(t, asked[name], name)
	}
	require.Len(t, asked, len(control.TuningNames()))
}

// The operator's plans replace the usual ones, for new apps too.
func TestPlansOfTheOperator(t *testing.T) {
	t.Parallel()
	catalog, err := platform.ParseCatalog([]byte(`{"specs": [{"id": "own"}], "plans": [
		{"id": "own.large", "spec": "own", "cpu": 4, "memory": 8, "priority": 9},
		{"id": "own.tiny", "spec": "own", "cpu": 1, "memory": 1, "limits": {"memory": "64Mi"}, "requests": {"memory": "32Mi"}, "node_selector": {"disk": "ssd"}}]}`))
	require.NoError(t, err)
	k := newKit(t, func(o *control.Options) { o.Limits = catalog }).run()
	k.create(app)
	k.deploy("img:1")
	k.settle()
	web := k.cluster.Running(app)["web"].Process
	require.Equal(t, "own.tiny", web.Plan.ID)
	require.EqualValues(t, 64<<20, web.Plan.MemoryLimit)
	require.Equal(t, map[string]string{"disk": "ssd"}, web.NodeSelector)
	cfg, err := k.FindConfig(t.Context(), k.alice, app, 0)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"web": "own.tiny", "run": "own.tiny"}, cfg.Limits)
	_, err = k.ChangeConfig(t.Context(), k.alice, app, control.ConfigChange{Limits: map[string]*string{"web": ptr("std1.large.c1m1")}}, true)
	fails(t, err, platform.Invalid, "The limit plan std1.large.c1m1 does not exist")
}

func TestParseLimits(t *testing.T) {
	t.Parallel()
	const own = `{"specs": [{"id": "own"}], "plans": [{"id": "own.s", "spec": "own", "cpu": 1, "memory": 1}]}`
	read := func(path string) ([]byte, error) {
		if path != "/etc/limits.json" {
			return nil, os.ErrNotExist
		}
		return []byte(own), nil
	}
	for value, want := range map[string]string{"": platform.DefaultPlanID, own: "own.s", "/etc/limits.json": "own.s"} {
		c, err := control.ParseLimits(func(string) string { return value }, read)
		require.NoError(t, err)
		require.Equal(t, want, c.Default().ID)
	}
	_, err := control.ParseLimits(func(string) string { return "/absent" }, read)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "LIMITS")
}
