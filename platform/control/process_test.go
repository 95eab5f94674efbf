package control_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func TestScale(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	scale := func(counts map[string]int) error { return k.Scale(t.Context(), k.alice, app, counts) }
	for _, tc := range []struct {
		counts  map[string]int
		message string
	}{
		{nil, "are required"}, {map[string]int{"web": 1}, "Process type web does not exist in application"},
	} {
		fails(t, scale(tc.counts), platform.Invalid, tc.message)
	}
	k.deploy("img:1", "web", "worker")
	k.settle()
	fails(t, scale(map[string]int{"web": -1}), platform.Invalid, "the number of web processes must be between 0 and 10000")
	fails(t, scale(map[string]int{"web": 2, "nothere": 1}), platform.Invalid, "Process type nothere does not exist in application")
	require.Equal(t, 1, k.cluster.Running(app)["web"].Replicas, "all or nothing")
	k.settle() // the queue looks at the app after every request
	require.NoError(t, scale(map[string]int{"web": 3, "worker": 2}))
	require.Equal(t, 3, k.cluster.Running(app)["web"].Replicas, "done before the answer")
	pods, err := k.Pods(t.Context(), k.alice, app)
	require.NoError(t, err)
	require.Len(t, pods, 5)
	k.deploy("img:2", "web", "worker")
	k.settle()
	require.Equal(t, 3, k.cluster.Running(app)["web"].Replicas, "a deploy does not rescale")
	k.deploy("img:3", "web")
	k.settle()
	require.NotContains(t, k.cluster.Running(app), "worker")
	a, err := k.FindApp(t.Context(), k.alice, app)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"web": 3, "worker": 0}, a.Structure)
	require.NoError(t, scale(map[string]int{"web": 1}), "what never ran or is gone is skipped")
	require.Equal(t, 1, k.cluster.Running(app)["web"].Replicas)
}

func TestScaleBeforeFirstDeployEnds(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.create(app)
	k.deploy("img:1", "web", "worker")
	require.NoError(t, k.Scale(t.Context(), k.alice, app, map[string]int{"worker": 2}))
	k.run()
	k.settle()
	require.Equal(t, 2, k.cluster.Running(app)["worker"].Replicas)
	require.Equal(t, 1, k.cluster.Running(app)["web"].Replicas)
}

// While a deploy goes on, or the cluster is away, the number is recorded, the
// answer does not wait, and the cluster hears of it later.
func TestScaleLater(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1")
	k.settle()
	gate := k.cluster.HoldBefore("Apply")
	k.deploy("img:2")
	<-gate.Reached
	require.NoError(t, k.Scale(t.Context(), k.alice, app, map[string]int{"web": 2}))
	require.NoError(t, k.Scale(t.Context(), k.alice, app, map[string]int{"web": 4}))
	require.Empty(t, k.cluster.Calls("Scale"))
	gate.Open()
	k.settle()
	require.Equal(t, 4, k.cluster.Running(app)["web"].Replicas)
	require.Len(t, k.cluster.Calls("Scale"), 1)
	k.cluster.FailNext("Scale", platform.Errorf(platform.Unavailable, "away"))
	require.NoError(t, k.Scale(t.Context(), k.alice, app, map[string]int{"web": 5}))
	k.settle()
	require.Equal(t, 5, k.cluster.Running(app)["web"].Replicas)
	k.cluster.FailNext("Scale", errors.New("odd"))
	require.ErrorContains(t, k.Scale(t.Context(), k.alice, app, map[string]int{"web": 6}), "odd")
	k.settle()
	require.Equal(t, 6, k.cluster.Running(app)["web"].Replicas)
}

func TestRestartVerb(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1", "web", "worker")
	k.settle()
	require.NoError(t, k.Restart(t.Context(), k.alice, app, nil))
	require.NoError(t, k.Restart(t.Context(), k.alice, app, []string{"web"}))
	require.Equal(t, 2, k.cluster.Running(app)["web"].Restarts)
	require.Equal(t, 1, k.cluster.Running(app)["worker"].Restarts)
	fails(t, k.Restart(t.Context(), k.alice, app, []string{"nothere"}), platform.Invalid, "process type nothere is not included in procfile")
	k.cluster.Fail("Restart", platform.Errorf(platform.Unavailable, "away"))
	fails(t, k.Restart(t.Context(), k.alice, app, nil), platform.Unavailable, "away")
}

func TestSettings(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	change := func(ch control.SettingsChange) error {
		_, err := k.ChangeSettings(t.Context(), k.alice, app, ch)
		return err
	}
	fails(t, change(control.SettingsChange{}), platform.Conflict, "alice changed nothing")
	fails(t, change(control.SettingsChange{Routable: ptr(true)}), platform.Conflict, "alice changed nothing")
	fails(t, change(control.SettingsChange{Label: map[string]*string{"x": nil}}), platform.Unprocessable, "x does not exist under label")
	fails(t, change(control.SettingsChange{Autoscale: map[string]map[string]int{"web": nil}}), platform.Unprocessable, "web does not exist under autoscale")
	fails(t, change(control.SettingsChange{Autoscale: map[string]map[string]int{"web": {"min": 0, "max": 1, "cpu_percent": 1}}}), platform.Invalid, "min has to be at least 1")
	fails(t, change(control.SettingsChange{Label: map[string]*string{"-": ptr("x")}}), platform.Invalid, "Labels can only")
	k.settle()
	require.Empty(t, k.cluster.Calls("Apply"))
	k.deploy("img:1")
	k.settle()
	rule := map[string]int{"min": 1, "max": 3, "cpu_percent": 60}
	require.NoError(t, change(control.SettingsChange{
		Routable: ptr(false), Label: map[string]*string{"team": ptr("blue")}, Autoscale: map[string]map[string]int{"web": rule},
	}))
	k.settle()
	web := k.cluster.Running(app)["web"]
	require.False(t, web.Routed)
	require.Empty(t, web.Host)
	require.Equal(t, 2, web.Version, "settings make no release")
	require.Len(t, k.cluster.Calls("Apply"), 2)
	s, err := k.FindSettings(t.Context(), k.alice, app)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"team": "blue"}, s.Label)
	require.Equal(t, map[string]map[string]int{"web": rule}, s.Autoscale)
	require.NoError(t, change(control.SettingsChange{Label: map[string]*string{"team": nil}, Autoscale: map[string]map[string]int{"web": nil}}))
	require.NoError(t, change(control.SettingsChange{Autorollback: ptr(false)}))
	k.settle()
	require.Len(t, k.cluster.Calls("Apply"), 3, "a switch is nothing to the cluster")
	k.cluster.FailNext("Apply", platform.Errorf(platform.Unavailable, "away"), errors.New("odd"))
	require.NoError(t, change(control.SettingsChange{Routable: ptr(true)}))
	k.settle()
	require.Equal(t, succeeded, k.release(2).State)
}

// What the cluster gets for one process type.
func TestProcess(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.create(app)
	value := func(name, v string) control.ValueChange {
		return control.ValueChange{Name: name, Value: &v, Ptype: "worker"}
	}
	_, err := k.ChangeConfig(t.Context(), k.alice, app, control.ConfigChange{
		Values: []control.ValueChange{
			value("PORT", "8080"), value("DRYCC_DEPLOY_TIMEOUT", "60"), value("DRYCC_DEPLOY_BATCHES", "3"), value("IMAGE_PULL_POLICY", "always"),
		},
		Limits:           map[string]*string{"worker": ptr("std1.large.c2m4")},
		Tags:             map[string]map[string]*string{"worker": {"disk": ptr("ssd")}},
		Registry:         map[string]map[string]*string{"worker": {"username": ptr("u"), "password": ptr("p"), "hostname": ptr("r.test")}},
		TerminationGrace: map[string]*string{"worker": ptr("90")},
		Lifecycle:        map[string]map[string]any{"worker": {"stopSignal": "SIGINT"}},
	}, true)
	require.NoError(t, err)
	got := map[string]control.Process{}
	k.cluster.Refuse(func(d control.Deployment) error {
		for _, p := range d.Processes {
			p.Env = nil
			got[p.Ptype] = p
		}
		return nil
	})
	k.deploy("img:1", "web", "worker")
	k.run()
	k.settle()
	gib := int64(1) << 30
	require.Equal(t, control.Process{
		Ptype: "web", Replicas: 1, Image: "img:1", Args: []string{"run", "web"}, Port: 5000, Routed: true, Served: true,
		Plan: control.Plan{
			ID: "std1.large.c1m1", CPULimit: 1000, CPURequest: 250, MemoryLimit: gib, MemoryRequest: gib / 2,
			EphemeralLimit: 4 * gib, EphemeralRequest: 2 * gib,
		},
		Grace: 30 * time.Second, Timeout: 120 * time.Second, PullPolicy: "IfNotPresent",
	}, got["web"])
	require.Equal(t, control.Process{
		Ptype: "worker", Image: "img:1", Args: []string{"run", "worker"}, Port: 8080,
		Plan: control.Plan{
			ID: "std1.large.c2m4", CPULimit: 2000, CPURequest: 500, MemoryLimit: 4 * gib, MemoryRequest: 2 * gib,
			EphemeralLimit: 4 * gib, EphemeralRequest: 2 * gib,
		},
		Grace: 90 * time.Second, Timeout: 180 * time.Second, PullPolicy: "Always", Batches: 3,
		NodeSelector: map[string]string{"disk": "ssd"}, Lifecycle: map[string]any{"stopSignal": "SIGINT"},
		PullSecret: &control.PullSecret{Hostname: "r.test", Username: "u", Password: "p"},
	}, got["worker"])
}
