package control_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/identity"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

func identityOf(*testing.T) control.Identity { return identity.New() }

// stocked is a kit with a catalog that has redis.
func stocked(t *testing.T) (*kit, *platformtest.Catalog, *bytes.Buffer) {
	t.Helper()
	catalog, log := platformtest.NewCatalog(), &bytes.Buffer{}
	catalog.Offer(platform.ResourceService{ID: "1", Name: "redis", Updateable: true},
		map[string]string{"REDIS_HOST": "redis.example.test", "REDIS_PASSWORD": "swordfish"},
		platform.ResourcePlan{Name: "small"}, platform.ResourcePlan{Name: "large"})
	logger := logrus.New()
	logger.SetOutput(log)
	k := newKit(t, func(o *control.Options) { o.Catalog, o.Logger = catalog, logger }).run()
	k.create(app)
	k.deploy("registry.test/hello:1")
	return k, catalog, log
}

func (k *kit) resource(name string) platform.Resource {
	k.t.Helper()
	r, err := k.FindResource(k.t.Context(), k.alice, app, name)
	require.NoError(k.t, err)
	return r
}

func (k *kit) bound(name string) {
	k.t.Helper()
	_, err := k.CreateResource(k.t.Context(), k.alice, app, control.NewResource{Name: name, Plan: "redis:small"})
	require.NoError(k.t, err)
	k.settle()
	_, err = k.BindResource(k.t.Context(), k.alice, app, name)
	require.NoError(k.t, err)
	k.settle()
}

func TestBindingMakesARelease(t *testing.T) {
	k, catalog, log := stocked(t)
	k.bound("cache")
	require.Equal(t, map[string]string{"cache": "redis:small"}, catalog.Made())
	require.Equal(t, platform.ResourceReady, k.resource("cache").Binding)
	require.Equal(t, 3, k.release(0).Version)
	require.Equal(t, "swordfish", k.cluster.Running(app)["web"].Env["REDIS_PASSWORD"])

	// What somebody changed since stays when the resource is unbound.
	k.set("REDIS_HOST", "mine.example.test")
	_, err := k.UnbindResource(t.Context(), k.alice, app, "cache")
	require.NoError(t, err)
	k.settle()
	env := k.cluster.Running(app)["web"].Env
	require.Equal(t, "mine.example.test", env["REDIS_HOST"])
	require.NotContains(t, env, "REDIS_PASSWORD")
	require.Empty(t, k.resource("cache").Data)
	require.Empty(t, k.resource("cache").Binding)
	require.False(t, catalog.Bound("cache"))
	require.NotContains(t, log.String(), "swordfish")
}

// Two of the same service want the same variables: the second says so.
func TestBindingsDoNotCollide(t *testing.T) {
	k, _, _ := stocked(t)
	k.bound("cache")
	k.bound("queue")
	queue := k.resource("queue")
	require.Equal(t, platform.ResourceFailed, queue.Binding)
	require.Contains(t, queue.Message, "the variable REDIS_HOST is set already")
	require.Equal(t, 3, k.release(0).Version)
	_, err := k.UnbindResource(t.Context(), k.alice, app, "queue")
	require.NoError(t, err)
	k.settle()
	require.Equal(t, "swordfish", k.cluster.Running(app)["web"].Env["REDIS_PASSWORD"], "of the first")
}

// A catalog that is not done is asked again; one that refuses is not.
func TestCatalogThatTakesTime(t *testing.T) {
	k, catalog, _ := stocked(t)
	away := platform.Errorf(platform.Unavailable, "still being made")
	catalog.FailNext("Provision", away, away, nil, errors.New("secret detail"))
	_, err := k.CreateResource(t.Context(), k.alice, app, control.NewResource{Name: "cache", Plan: "redis:small"})
	require.NoError(t, err)
	k.settle()
	require.Equal(t, platform.ResourceReady, k.resource("cache").Status)
	_, err = k.UpdateResource(t.Context(), k.alice, app, "cache", control.ResourceChange{Plan: "redis:large"})
	require.NoError(t, err)
	k.settle()
	cache := k.resource("cache")
	require.Equal(t, platform.ResourceFailed, cache.Status)
	require.Contains(t, cache.Message, "the controller's log says how")
	require.NotContains(t, cache.Message, "secret detail")

	fails(t, k.DeleteApp(t.Context(), k.alice, app), platform.Invalid, "hello has resources, such as cache")
	catalog.FailNext("Deprovision", away)
	require.NoError(t, k.DestroyResource(t.Context(), k.alice, app, "cache"))
	k.settle()
	require.Empty(t, catalog.Made())
	require.NoError(t, k.DeleteApp(t.Context(), k.alice, app))
}

// While something is done to a resource nothing else is.
func TestBusyResources(t *testing.T) {
	k, _, _ := stocked(t)
	k.settle()
	gate := k.cluster.HoldBefore("Apply")
	k.set("A", "1") // the queue is held up
	<-gate.Reached
	_, err := k.CreateResource(t.Context(), k.alice, app, control.NewResource{Name: "cache", Plan: "redis:small"})
	require.NoError(t, err)
	_, err = k.BindResource(t.Context(), k.alice, app, "cache")
	fails(t, err, platform.Conflict, "not done with the last change")
	fails(t, k.DestroyResource(t.Context(), k.alice, app, "cache"), platform.Conflict, "not done")
	gate.Open()
	k.settle()
	require.NoError(t, k.DestroyResource(t.Context(), k.alice, app, "cache"))
	k.settle()
}
