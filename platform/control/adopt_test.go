package control_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

// With the database on a new cluster, all apps come back to what they ran.
func TestAnotherCluster(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1")
	k.settle()
	k.deploy("img:2")
	k.settle()
	k.create("fresh") // never deployed
	require.NoError(t, k.Scale(t.Context(), k.alice, app, map[string]int{"web": 3}))
	k.settle()
	k.stop()

	k.cluster = platformtest.NewCluster()
	k.cluster.Name = "another"
	k.cluster.FailNext("ID", platform.Errorf(platform.Unavailable, "away"))
	k.renew()
	k.run()
	k.settle()
	web := k.cluster.Running(app)["web"]
	require.Equal(t, "img:2", web.Image)
	require.Equal(t, 3, web.Version)
	require.Equal(t, 3, web.Replicas)
	require.NotNil(t, k.cluster.Running("fresh"), "its namespace is there")
	require.Empty(t, k.cluster.Running("fresh"))
	require.Len(t, k.states(), 2, "moving makes no release")

	k.stop()
	before := len(k.cluster.Calls("Apply"))
	k.renew()
	k.run()
	k.settle()
	require.Len(t, k.cluster.Calls("Apply"), before, "it is known now")
}

// With another domain, all apps are shown under their new names, deployed or
// not, and without a release.
func TestAnotherDomain(t *testing.T) {
	t.Parallel()
	k := newKit(t).run()
	k.create(app)
	k.deploy("img:1")
	require.Contains(t, strings.Join(k.shown(), "\n"), app+".example.test")
	k.stop()

	moved := func(o *control.Options) { o.Domain, o.Former = "new.test", []string{"example.test"} }
	k.cluster.FailNext("Expose", platform.Errorf(platform.Unavailable, "away"))
	k.renew(moved)
	k.run()
	shown := strings.Join(k.shown(), "\n")
	require.Contains(t, shown, app+".new.test")
	require.NotContains(t, shown, "example.test")
	require.Len(t, k.states(), 1, "moving makes no release")
	k.stop()

	before := len(k.cluster.Calls("Expose"))
	k.renew(moved)
	k.run()
	k.settle()
	require.Len(t, k.cluster.Calls("Expose"), before, "it is known now")
}
