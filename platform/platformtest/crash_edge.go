package platformtest

import (
	"context"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func (s crashStore) AddDomain(ctx context.Context, d platform.Domain) error {
	return s.c.step(func() error { return s.Store.AddDomain(ctx, d) })
}

func (s crashStore) DeleteDomain(ctx context.Context, app, name string, at time.Time) error {
	return s.c.step(func() error { return s.Store.DeleteDomain(ctx, app, name, at) })
}

func (s crashStore) AddCert(ctx context.Context, cert platform.Cert, key []byte) (platform.Cert, error) {
	return stepOf(s.c, func() (platform.Cert, error) { return s.Store.AddCert(ctx, cert, key) })
}

func (s crashStore) DeleteCert(ctx context.Context, id int64, at time.Time) error {
	return s.c.step(func() error { return s.Store.DeleteCert(ctx, id, at) })
}

func (s crashStore) AttachCert(ctx context.Context, app, domain string, cert int64, at time.Time) error {
	return s.c.step(func() error { return s.Store.AttachCert(ctx, app, domain, cert, at) })
}

func (s crashStore) SaveLeaf(ctx context.Context, p control.Pair, l control.Leaf, seen time.Time) error {
	return s.c.step(func() error { return s.Store.SaveLeaf(ctx, p, l, seen) })
}

func (s crashStore) BeginCert(ctx context.Context, a control.CertAttempt, seen time.Time) error {
	return s.c.step(func() error { return s.Store.BeginCert(ctx, a, seen) })
}

func (s crashStore) EndCert(ctx context.Context, a control.CertAttempt, got *control.Issued, e control.Event) error {
	return s.c.step(func() error { return s.Store.EndCert(ctx, a, got, e) })
}

func (s crashStore) SaveHold(ctx context.Context, h control.CertHold) error {
	return s.c.step(func() error { return s.Store.SaveHold(ctx, h) })
}

func (s crashStore) SaveTLS(ctx context.Context, t platform.TLS) error {
	return s.c.step(func() error { return s.Store.SaveTLS(ctx, t) })
}

func (s crashStore) SaveService(ctx context.Context, v platform.Service) error {
	return s.c.step(func() error { return s.Store.SaveService(ctx, v) })
}

func (s crashStore) SaveGateway(ctx context.Context, g platform.Gateway) (platform.Gateway, error) {
	return stepOf(s.c, func() (platform.Gateway, error) { return s.Store.SaveGateway(ctx, g) })
}

func (s crashStore) DeleteGateway(ctx context.Context, app, name string, at time.Time) error {
	return s.c.step(func() error { return s.Store.DeleteGateway(ctx, app, name, at) })
}

func (s crashStore) SaveRoute(ctx context.Context, r platform.Route) (platform.Route, error) {
	return stepOf(s.c, func() (platform.Route, error) { return s.Store.SaveRoute(ctx, r) })
}

func (s crashStore) DeleteRoute(ctx context.Context, app, name string, at time.Time) error {
	return s.c.step(func() error { return s.Store.DeleteRoute(ctx, app, name, at) })
}

func (k crashCluster) Expose(ctx context.Context, x control.Exposure) error {
	return k.c.step(func() error { return k.Cluster.Expose(ctx, x) })
}
