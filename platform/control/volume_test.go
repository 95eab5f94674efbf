package control_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func (k *kit) addVolume(name string) platform.Volume {
	k.t.Helper()
	v, err := k.CreateVolume(k.t.Context(), k.alice, app, control.NewVolume{Name: name, Size: "1G"})
	require.NoError(k.t, err)
	return v
}

func (k *kit) mountAt(name, ptype string, path *string) error {
	_, err := k.MountVolume(k.t.Context(), k.alice, app, name, map[string]*string{ptype: path})
	return err
}

func mounts(pairs ...string) (out []platform.Mount) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, platform.Mount{Volume: pairs[i], Path: pairs[i+1]})
	}
	return out
}

// A mount reaches what runs without a release, and every release after it.
func TestMountsAreRolledOut(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1", "web", "worker")
	k.addVolume("data")
	k.addVolume("cache")
	k.settle()
	require.Equal(t, map[string]string{"data": "1G", "cache": "1G"}, k.cluster.Volumes(app))
	require.NoError(t, k.mountAt("data", "web", ptr("/srv/data/")))
	require.NoError(t, k.mountAt("cache", "web", ptr("/a")))
	require.NoError(t, k.mountAt("data", "worker", ptr("/work")))
	k.settle()
	require.Equal(t, mounts("cache", "/a", "data", "/srv/data"), k.cluster.Running(app)["web"].Mounts, "by path")
	require.Equal(t, mounts("data", "/work"), k.cluster.Running(app)["worker"].Mounts)
	require.Equal(t, 2, k.release(0).Version)

	k.set("A", "1")
	k.settle()
	require.Equal(t, 3, k.cluster.Running(app)["web"].Version)
	require.Len(t, k.cluster.Running(app)["web"].Mounts, 2)

	require.NoError(t, k.mountAt("cache", "web", nil))
	k.settle()
	require.Equal(t, mounts("data", "/srv/data"), k.cluster.Running(app)["web"].Mounts)
	require.Equal(t, 3, k.release(0).Version)
}

// A mount during a deploy comes after it and is not lost.
func TestMountDuringDeploy(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1")
	k.addVolume("data")
	k.settle()
	gate := k.cluster.HoldBefore("Apply")
	k.set("A", "1")
	<-gate.Reached
	require.NoError(t, k.mountAt("data", "web", ptr("/data")))
	gate.Open()
	k.settle()
	require.Equal(t, 3, k.cluster.Running(app)["web"].Version)
	require.Equal(t, mounts("data", "/data"), k.cluster.Running(app)["web"].Mounts)
}

// Process types of the past can be unmounted, not mounted.
func TestUnmountOfThePast(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.addVolume("data")
	fails(t, k.mountAt("data", "web", ptr("/data")), platform.Invalid, "process type web is not included in procfile")
	require.NoError(t, k.mountAt("data", "run", ptr("/data")), "one-off commands need no procfile")
	k.deploy("registry.test/hello:1", "web", "worker")
	k.settle()
	require.NoError(t, k.mountAt("data", "worker", ptr("/data")))
	k.deploy("registry.test/hello:2", "web")
	k.settle()
	require.NoError(t, k.mountAt("data", "worker", nil))
	require.NoError(t, k.mountAt("data", "run", nil))
	require.NoError(t, k.DeleteVolume(t.Context(), k.alice, app, "data"))
	k.settle()
	require.Empty(t, k.cluster.Volumes(app))
}

// Storage that is still in use is removed later, and holds no deploy up.
func TestDeleteWaitsForPods(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1")
	k.addVolume("data")
	k.settle()
	require.NoError(t, k.mountAt("data", "web", ptr("/data")))
	k.settle()
	gate := k.cluster.HoldBefore("Apply")
	require.NoError(t, k.mountAt("data", "web", nil))
	<-gate.Reached
	require.NoError(t, k.DeleteVolume(t.Context(), k.alice, app, "data"), "nothing mounts it any more, on paper")
	_, err := k.CreateVolume(t.Context(), k.alice, app, control.NewVolume{Name: "data", Size: "1G"})
	fails(t, err, platform.Conflict, "still being deleted")
	k.cluster.FailNext("RemoveVolume", platform.Errorf(platform.Unavailable, "used by a pod"))
	gate.Open()
	k.deploy("registry.test/hello:2")
	k.settle()
	require.Empty(t, k.cluster.Volumes(app))
	require.Len(t, k.cluster.Calls("RemoveVolume"), 2)
	require.Equal(t, "registry.test/hello:2", k.cluster.Running(app)["web"].Image)
	k.addVolume("data")
}

// What the cluster refuses is told in the events and blocks nothing.
func TestVolumesThatFail(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1")
	k.cluster.FailNext("EnsureVolume",
		platform.Errorf(platform.Unavailable, "away"), platform.Errorf(platform.Unprocessable, "there is no storage class"))
	k.addVolume("data")
	k.settle()
	require.NoError(t, k.mountAt("data", "web", ptr("/data")))
	k.cluster.FailNext("EnsureVolume", errors.New("secret detail"))
	k.cluster.FailNext("Apply", errors.New("secret detail"))
	k.settle()
	var told []string
	events, err := k.store.ListEvents(t.Context(), app, 0, 100)
	require.NoError(t, err)
	for _, e := range events {
		require.NotContains(t, string(e.Data), "secret detail")
		if e.Action == "failed" || e.Action == "reapply-failed" {
			told = append(told, e.Object+" "+string(e.Data))
		}
	}
	require.NotEmpty(t, told)
	require.Equal(t, `volume {"reason":"there is no storage class","volume":"data"}`, told[0])
	k.set("A", "1")
	k.settle()
	require.Equal(t, succeeded, k.release(3).State, "the next release makes it good")
	require.Equal(t, mounts("data", "/data"), k.cluster.Running(app)["web"].Mounts)
}

// asViewer makes everybody a viewer of every workspace.
type asViewer struct{ control.Store }

func (v asViewer) FindAppFor(ctx context.Context, id, username string) (platform.App, platform.Role, error) {
	a, _, err := v.Store.FindAppFor(ctx, id, username)
	return a, platform.Viewer, err
}

// Who may only look gets a password to look with.
func TestFilerOfViewers(t *testing.T) {
	k := newKit(t).run()
	defer k.cluster.Close()
	k.create(app)
	k.addVolume("data")
	k.settle()
	_, err := k.BindFiler(t.Context(), k.bobby, app, "data", "/x")
	fails(t, err, platform.Forbidden, "permission")
	member, err := k.BindFiler(t.Context(), k.alice, app, "data", "/x")
	require.NoError(t, err)
	require.Equal(t, control.FilerWriter, member.Username)
	require.Len(t, member.Password, 32)
	again, err := k.BindFiler(t.Context(), k.alice, app, "data", "/x")
	require.NoError(t, err)
	require.Equal(t, member, again, "it runs")

	looking, err := control.New(control.Options{Store: asViewer{k.store}, Cluster: k.cluster, Identity: identityOf(t), Domain: "example.test"})
	require.NoError(t, err)
	viewer, err := looking.BindFiler(t.Context(), k.bobby, app, "data", "/x")
	require.NoError(t, err)
	require.Equal(t, control.FilerReader, viewer.Username)
	require.Len(t, viewer.Password, 32)
	require.NotEqual(t, member.Password, viewer.Password)
	require.NoError(t, looking.PingFiler(t.Context(), k.bobby, app, "data"))
	_, err = looking.CreateVolume(t.Context(), k.bobby, app, control.NewVolume{Name: "theirs", Size: "1G"})
	fails(t, err, platform.Forbidden, "permission")

	k.cluster.EndFiler(app, "data")
	fresh, err := k.BindFiler(t.Context(), k.alice, app, "data", "/x")
	require.NoError(t, err)
	require.NotEqual(t, member.Password, fresh.Password, "each filer has its own")
	events, err := k.store.ListEvents(t.Context(), app, 0, 100)
	require.NoError(t, err)
	for _, e := range events {
		require.NotContains(t, string(e.Data), member.Password)
		require.NotContains(t, string(e.Data), viewer.Password)
	}
}

// An app goes with its volumes.
func TestDeleteAppWithVolumes(t *testing.T) {
	k := newKit(t).run()
	k.create(app)
	k.deploy("registry.test/hello:1")
	k.addVolume("data")
	k.settle()
	require.NoError(t, k.mountAt("data", "web", ptr("/data")))
	require.NoError(t, k.DeleteApp(t.Context(), k.alice, app))
	k.settle()
	require.Empty(t, k.cluster.Volumes(app))
	k.create(app)
	_, total, err := k.ListVolumes(t.Context(), k.alice, app, control.Page{})
	require.NoError(t, err)
	require.Zero(t, total)
}
