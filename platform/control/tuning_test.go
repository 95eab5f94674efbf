package control

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

func tuning(t *testing.T, settings map[string]string) Tuning {
	t.Helper()
	got, err := ParseTuning(func(name string) string { return settings[name] })
	require.NoError(t, err)
	return got
}

func TestPlanOfUnknownIsTheDefault(t *testing.T) {
	t.Parallel()
	require.Equal(t, platform.DefaultPlanID, Deployment{}.limit("").ID)
	require.Equal(t, platform.DefaultPlanID, Deployment{}.limit("gone").ID)
	require.Equal(t, "std1.large.c2m4", Deployment{}.limit("std1.large.c2m4").ID)
}

// What an app's config says wins, what the platform says comes next, and
// nonsense counts as not said.
func TestTuningPrecedence(t *testing.T) {
	t.Parallel()
	set := tuning(t, map[string]string{
		tuneBatches: "3", tuneTimeout: "60", tunePull: "always", tuneHistory: "0", tuneGrace: "45",
	})
	own := map[string]string{tuneBatches: "2", tuneTimeout: "10", tunePull: "IfNotPresent", tuneHistory: "7"}
	nonsense := map[string]string{tuneBatches: "x", tuneTimeout: "-5", tunePull: "sometimes", tuneHistory: "many"}
	for name, tc := range map[string]struct {
		t       Tuning
		env     map[string]string
		batches int
		timeout time.Duration
		pull    string
		history *int
	}{
		"nothing":      {Tuning{}, nil, 0, 2 * time.Minute, "IfNotPresent", nil},
		"app":          {Tuning{}, own, 2, 20 * time.Second, "IfNotPresent", point(7)},
		"platform":     {set, nil, 3, 3 * time.Minute, "Always", point(0)},
		"app wins":     {set, own, 2, 20 * time.Second, "IfNotPresent", point(7)},
		"nonsense":     {Tuning{}, nonsense, 0, 2 * time.Minute, "IfNotPresent", nil},
		"and platform": {set, nonsense, 3, 3 * time.Minute, "Always", point(0)},
		"at most an hour": {Tuning{}, map[string]string{tuneTimeout: "3600", tuneBatches: "9"},
			9, time.Hour, "IfNotPresent", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.batches, tc.t.number(tc.env, tuneBatches, 0))
			require.Equal(t, tc.timeout, tc.t.timeout(tc.env, nil))
			require.Equal(t, tc.pull, tc.t.pull(tc.env))
			require.Equal(t, tc.history, tc.t.history(tc.env))
		})
	}
	cfg := platform.Config{TerminationGrace: map[string]string{"web": "90"}}
	require.Equal(t, 90*time.Second, set.grace(cfg, "web"))
	require.Equal(t, 45*time.Second, set.grace(cfg, "worker"))
	require.Equal(t, 30*time.Second, Tuning{}.grace(cfg, "worker"))
}

func point[T any](v T) *T { return &v }

func TestProbesExtendTheTimeout(t *testing.T) {
	t.Parallel()
	probes := func(kv ...any) map[string]any {
		out := map[string]any{}
		for i := 0; i < len(kv); i += 2 {
			out[kv[i].(string)] = kv[i+1]
		}
		return out
	}
	for name, tc := range map[string]struct {
		healthcheck map[string]any
		seconds     int
	}{
		"none":       {nil, 120},
		"the longer": {probes("livenessProbe", probes("initialDelaySeconds", 20.0), "readinessProbe", probes("initialDelaySeconds", 50.0)), 170},
		"startup":    {probes("startupProbe", probes("initialDelaySeconds", 5.0, "periodSeconds", 20.0, "failureThreshold", 4.0)), 205},
		"defaults":   {probes("startupProbe", probes("tcpSocket", probes("port", 1.0))), 150},
		"bounded":    {probes("livenessProbe", probes("initialDelaySeconds", 1e9)), 3720},
	} {
		require.Equal(t, time.Duration(tc.seconds)*time.Second, Tuning{}.timeout(nil, tc.healthcheck), name)
	}
}

func TestParseTuningNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		tuneBatches: "0", tuneTimeout: "soon", tunePull: "sometimes", tuneHistory: "-1", tuneGrace: "1.5",
		tuneTags: `{"role": 5}`, tuneReject: "maybe", tuneRemove: "2",
	} {
		_, err := ParseTuning(func(n string) string {
			if n == name {
				return value
			}
			return ""
		})
		require.ErrorContains(t, err, name)
	}
	_, err := ParseTuning(func(n string) string {
		if n == tuneTags {
			return `{"-": "x"}`
		}
		return ""
	})
	require.ErrorContains(t, err, tuneTags)
}

func TestSelector(t *testing.T) {
	t.Parallel()
	set := tuning(t, map[string]string{tuneTags: `{"role": "worker"}`})
	fast := platform.LimitPlan{NodeSelector: map[string]string{"disk": "ssd", "role": "fast"}}
	require.Equal(t, map[string]string{"role": "worker"}, set.selector(platform.LimitPlan{}, nil))
	require.Equal(t, map[string]string{"zone": "a"}, set.selector(platform.LimitPlan{}, map[string]string{"zone": "a"}), "own tags replace the default")
	require.Equal(t, map[string]string{"disk": "ssd", "role": "worker"}, set.selector(fast, nil))
	require.Equal(t, map[string]string{"disk": "ssd", "role": "fast"}, fast.NodeSelector)
	require.Nil(t, Tuning{}.selector(platform.LimitPlan{}, nil))
}

func TestReservedByTheOperator(t *testing.T) {
	t.Parallel()
	set := tuning(t, map[string]string{tuneReserved: "shop, a.b ,,"})
	r, err := platform.NewReserved(set.reservedNames())
	require.NoError(t, err)
	require.Error(t, r.Check("id", "shop"))
	require.NoError(t, r.Check("id", "shopping"))
	require.Error(t, r.Check("id", "a.b"))
	require.NoError(t, r.Check("id", "axb"))
}
