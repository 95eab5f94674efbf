package control_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func (k *kit) structure() map[string]int {
	a, err := k.store.FindApp(k.t.Context(), app)
	require.NoError(k.t, err)
	return a.Structure
}

// comes waits until the structure is as wanted.
func (k *kit) comes(want map[string]int) {
	k.t.Helper()
	require.EventuallyWithT(k.t, func(c *assert.CollectT) { assert.Equal(c, want, k.structure()) }, 10*time.Second, time.Millisecond)
}

// scalings counts the events that changed the structure.
func (k *kit) scalings() (n int) {
	events, err := k.store.ListEvents(k.t.Context(), app, 0, 1000)
	require.NoError(k.t, err)
	for _, e := range events {
		if e.Object == "scale" {
			n++
		}
	}
	return n
}

func TestScaleFromOutsideFlowsBack(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1", "web", "worker")
	k.settle()
	require.NoError(t, k.Scale(t.Context(), k.alice, app, map[string]int{"worker": 2}))
	k.settle()
	before := k.scalings()

	k.cluster.ScaleOutside(app, "web", 5)
	k.comes(map[string]int{"web": 5, "worker": 2})
	require.Equal(t, before+1, k.scalings(), "its own echoes leave no trace")
	k.deploy("img:2", "web", "worker")
	k.settle()
	require.Equal(t, 5, k.cluster.Running(app)["web"].Replicas, "the next deploy keeps it")
	k.cluster.ScaleOutside(app, "web", 6)
	k.comes(map[string]int{"web": 6, "worker": 2})
}

// A number that is on its way from here to the cluster wins over what the
// cluster still says.
func TestOwnScaleWinsOverOldNews(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1")
	k.settle()
	gate := k.cluster.HoldBefore("Scale")
	done := make(chan error, 1)
	go func() { done <- k.Scale(t.Context(), k.alice, app, map[string]int{"web": 3}) }()
	<-gate.Reached
	k.cluster.ScaleOutside(app, "web", 9)
	gate.Open()
	require.NoError(t, <-done)
	k.settle()
	require.Equal(t, map[string]int{"web": 3}, k.structure())
	require.Equal(t, 3, k.cluster.Running(app)["web"].Replicas)
}

// What was scaled while nobody followed is found at the next start, and a
// broken watch is taken up again.
func TestFollowingStartsOver(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1")
	k.settle()
	k.stop()
	k.cluster.ScaleOutside(app, "web", 4)
	require.Equal(t, map[string]int{"web": 1}, k.structure())
	k.cluster.Fail("FollowReplicas", errors.New("the cluster is away"))
	k.cluster.Fail("Replicas", platform.Errorf(platform.Unavailable, "away"))
	k.renew()
	k.run()
	k.cluster.Fail("FollowReplicas", nil)
	k.cluster.Fail("Replicas", nil)
	k.comes(map[string]int{"web": 4})
}

func TestAutoscaleReachesTheCluster(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1")
	k.settle()
	rule := map[string]int{"min": 2, "max": 6, "cpu_percent": 70}
	k.settings(control.SettingsChange{Autoscale: map[string]map[string]int{"web": rule}})
	k.settle()
	require.Equal(t, &control.Autoscale{Min: 2, Max: 6, CPUPercent: 70}, k.cluster.Running(app)["web"].Process.Autoscale)
	k.cluster.ScaleOutside(app, "web", 4)
	k.comes(map[string]int{"web": 4})
	k.settings(control.SettingsChange{Autoscale: map[string]map[string]int{"web": nil}})
	k.settle()
	require.Nil(t, k.cluster.Running(app)["web"].Process.Autoscale)
	require.Equal(t, 4, k.cluster.Running(app)["web"].Replicas, "unset keeps what runs")
}

func TestTagsNeedANode(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.create(app)
	k.cluster.SetNodes(map[string]string{"environ": "prod", "disk": "ssd"}, map[string]string{"environ": "dev"})
	set := func(tags map[string]string) error {
		ch := map[string]*string{}
		for key, value := range maps.All(tags) {
			ch[key] = &value
		}
		_, err := k.ChangeConfig(t.Context(), k.alice, app, control.ConfigChange{Tags: map[string]map[string]*string{"web": ch}}, true)
		return err
	}
	fails(t, set(map[string]string{"environ": "test"}), platform.Invalid, "No nodes matched the provided labels: environ=test")
	require.NoError(t, set(map[string]string{"environ": "dev"}))
	err := set(map[string]string{"disk": "ssd"})
	fails(t, err, platform.Invalid, "No nodes matched the provided labels: disk=ssd, environ=dev - Addition of disk=ssd is the cause")
	require.NoError(t, set(map[string]string{"disk": "ssd", "environ": "prod"}))
	k.cluster.Fail("NodesMatch", platform.Errorf(platform.Unavailable, "away"))
	fails(t, set(map[string]string{"zone": "a"}), platform.Unavailable, "away")
	k.set("A", "1") // asks about no node
	require.Equal(t, 4, k.release(0).Version)
}
