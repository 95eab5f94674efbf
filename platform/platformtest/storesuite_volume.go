package platformtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func suiteVolumes(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	nfs := platform.Volume{
		UUID: "v1", App: "hello", Name: "shared", Type: platform.VolumeNFS, Size: "2G",
		Parameters: map[string]string{"server": "nfs.example.test", "path": "/x"}, Path: map[string]string{}, Created: day(1), Updated: day(1),
	}
	csi := platform.Volume{
		UUID: "v2", App: "hello", Name: "data", Type: platform.VolumeCSI, Size: "200M",
		Parameters: map[string]string{}, Path: map[string]string{}, Created: day(2), Updated: day(2),
	}
	for _, v := range []platform.Volume{nfs, csi} {
		require.NoError(t, f.CreateVolume(f.ctx, v))
	}
	again := csi
	again.UUID = "v3"
	f.code(platform.Conflict, f.CreateVolume(f.ctx, again))
	again.App = "other"
	require.NoError(t, f.CreateVolume(f.ctx, again), "another app's names are its own")
	again.App, again.UUID = "nosuch", "v4"
	f.code(platform.NotFound, f.CreateVolume(f.ctx, again))

	found, err := f.FindVolume(f.ctx, "hello", "shared")
	require.NoError(t, err)
	require.Equal(t, nfs, found)
	for _, where := range [][2]string{{"other", "shared"}, {"hello", "nosuch"}, {"nosuch", "data"}} {
		_, err = f.FindVolume(f.ctx, where[0], where[1])
		f.code(platform.NotFound, err)
	}
	list, total, err := f.ListVolumes(f.ctx, "hello", control.Page{Limit: 1, Offset: 1})
	require.NoError(t, err)
	require.Equal(t, 2, total)
	require.Equal(t, []platform.Volume{nfs}, list, "by name")

	csi.Size, csi.Path, csi.Updated = "1G", map[string]string{"web": "/data"}, day(3)
	require.NoError(t, f.SaveVolume(f.ctx, csi, "mount"))
	found, err = f.FindVolume(f.ctx, "hello", "data")
	require.NoError(t, err)
	require.Equal(t, csi, found)
	f.code(platform.NotFound, f.SaveVolume(f.ctx, platform.Volume{UUID: "nosuch", App: "hello"}, "mount"))

	csi.Deleting = true
	require.NoError(t, f.SaveVolume(f.ctx, csi, "delete"))
	list, total, err = f.ListVolumes(f.ctx, "hello", control.Page{})
	require.NoError(t, err)
	require.Equal(t, 1, total)
	require.Len(t, list, 1)
	list, err = f.AllVolumes(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, []platform.Volume{csi, nfs}, list)
	require.NoError(t, f.DeleteVolume(f.ctx, csi.UUID))
	require.NoError(t, f.DeleteVolume(f.ctx, csi.UUID), "a missing one is no error")
	list, err = f.AllVolumes(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, []platform.Volume{nfs}, list)

	require.NoError(t, f.DeleteApp(f.ctx, "hello"))
	list, err = f.AllVolumes(f.ctx, "hello")
	require.NoError(t, err)
	require.Empty(t, list)
	list, err = f.AllVolumes(f.ctx, "other")
	require.NoError(t, err)
	require.Len(t, list, 1)
}

func suiteResources(t *testing.T, f fixture) {
	f.app("hello")
	f.app("other")
	redis := platform.Resource{
		UUID: "r1", App: "hello", Owner: "alice", Name: "redis", Plan: "redis:small", Status: platform.ResourceProvisioning,
		Options: map[string]string{"a": "b"}, Data: map[string]string{}, Created: day(1), Updated: day(1),
	}
	cache := redis
	cache.UUID, cache.Name = "r2", "cache"
	for _, r := range []platform.Resource{redis, cache} {
		require.NoError(t, f.CreateResource(f.ctx, r))
	}
	again := redis
	again.UUID = "r3"
	f.code(platform.Conflict, f.CreateResource(f.ctx, again))
	again.App = "nosuch"
	f.code(platform.NotFound, f.CreateResource(f.ctx, again))

	redis.Plan, redis.Status, redis.Binding, redis.Message = "redis:large", platform.ResourceReady, platform.ResourceFailed, "no room"
	redis.Data, redis.Updated = map[string]string{"REDIS_PASSWORD": "hunter2"}, day(2)
	require.NoError(t, f.SaveResource(f.ctx, redis, "bind"))
	found, err := f.FindResource(f.ctx, "hello", "redis")
	require.NoError(t, err)
	require.Equal(t, redis, found)
	f.code(platform.NotFound, f.SaveResource(f.ctx, platform.Resource{UUID: "nosuch", App: "hello"}, "bind"))
	for _, where := range [][2]string{{"other", "redis"}, {"hello", "nosuch"}} {
		_, err = f.FindResource(f.ctx, where[0], where[1])
		f.code(platform.NotFound, err)
	}
	list, total, err := f.ListResources(f.ctx, "hello", control.Page{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, 2, total)
	require.Equal(t, []platform.Resource{cache}, list, "by name")

	events, err := f.ListEvents(f.ctx, "hello", 0, 100)
	require.NoError(t, err)
	for _, e := range events {
		require.NotContains(t, string(e.Data), "hunter2")
	}
	require.NoError(t, f.DeleteResource(f.ctx, "r2"))
	require.NoError(t, f.DeleteResource(f.ctx, "r2"), "a missing one is no error")
	require.NoError(t, f.DeleteApp(f.ctx, "hello"))
	_, total, err = f.ListResources(f.ctx, "hello", control.Page{})
	require.NoError(t, err)
	require.Zero(t, total)
}
