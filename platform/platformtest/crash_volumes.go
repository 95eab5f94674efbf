package platformtest

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func (s crashStore) CreateVolume(ctx context.Context, v platform.Volume) error {
	return s.c.step(func() error { return s.Store.CreateVolume(ctx, v) })
}

func (s crashStore) SaveVolume(ctx context.Context, v platform.Volume, action string) error {
	return s.c.step(func() error { return s.Store.SaveVolume(ctx, v, action) })
}

func (s crashStore) DeleteVolume(ctx context.Context, uuid string) error {
	return s.c.step(func() error { return s.Store.DeleteVolume(ctx, uuid) })
}

func (s crashStore) CreateResource(ctx context.Context, r platform.Resource) error {
	return s.c.step(func() error { return s.Store.CreateResource(ctx, r) })
}

func (s crashStore) SaveResource(ctx context.Context, r platform.Resource, action string) error {
	return s.c.step(func() error { return s.Store.SaveResource(ctx, r, action) })
}

func (s crashStore) DeleteResource(ctx context.Context, uuid string) error {
	return s.c.step(func() error { return s.Store.DeleteResource(ctx, uuid) })
}

func (k crashCluster) EnsureVolume(ctx context.Context, a platform.App, v platform.Volume) error {
	return k.c.step(func() error { return k.Cluster.EnsureVolume(ctx, a, v) })
}

func (k crashCluster) RemoveVolume(ctx context.Context, app string, v platform.Volume) error {
	return k.c.step(func() error { return k.Cluster.RemoveVolume(ctx, app, v) })
}

func (k crashCluster) StartFiler(ctx context.Context, a platform.App, f control.Filer) (control.Filer, error) {
	return stepOf(k.c, func() (control.Filer, error) { return k.Cluster.StartFiler(ctx, a, f) })
}

// Catalog counts the changes of cat as steps.
func (c *Crash) Catalog(cat control.Catalog) control.Catalog { return crashCatalog{Catalog: cat, c: c} }

type crashCatalog struct {
	control.Catalog
	c *Crash
}

func (k crashCatalog) Provision(ctx context.Context, o control.ResourceOrder) error {
	return k.c.step(func() error { return k.Catalog.Provision(ctx, o) })
}

func (k crashCatalog) Deprovision(ctx context.Context, o control.ResourceOrder) error {
	return k.c.step(func() error { return k.Catalog.Deprovision(ctx, o) })
}

func (k crashCatalog) Bind(ctx context.Context, o control.ResourceOrder) (map[string]string, error) {
	return stepOf(k.c, func() (map[string]string, error) { return k.Catalog.Bind(ctx, o) })
}

func (k crashCatalog) Unbind(ctx context.Context, o control.ResourceOrder) error {
	return k.c.step(func() error { return k.Catalog.Unbind(ctx, o) })
}
