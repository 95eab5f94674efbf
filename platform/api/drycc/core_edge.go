package drycc

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Edge is what apps show to the outside. For certificates an empty app means
// those of all the actor's apps and the actor's own.
type Edge interface {
	ListDomains(ctx context.Context, who control.Actor, app string, p control.Page) ([]platform.Domain, int, error)
	AddDomain(ctx context.Context, who control.Actor, app, name, ptype string) (platform.Domain, error)
	RemoveDomain(ctx context.Context, who control.Actor, app, name string) error
	FindTLS(ctx context.Context, who control.Actor, app string) (platform.TLS, error)
	ChangeTLS(ctx context.Context, who control.Actor, app string, ch control.TLSChange) (platform.TLS, error)
	CheckCerts(ctx context.Context, who control.Actor, app, domain string, p control.Page) ([]platform.Diagnosis, int, error)

	ListCerts(ctx context.Context, who control.Actor, app string, p control.Page) ([]platform.Cert, int, error)
	FindCert(ctx context.Context, who control.Actor, app, name string) (platform.Cert, error)
	AddCert(ctx context.Context, who control.Actor, app string, n control.NewCert) (platform.Cert, error)
	DeleteCert(ctx context.Context, who control.Actor, app, name string) error
	AttachCert(ctx context.Context, who control.Actor, app, name, domain string) error
	DetachCert(ctx context.Context, who control.Actor, app, name, domain string) error

	ListServices(ctx context.Context, who control.Actor, app string) ([]platform.Service, error)
	AddServicePort(ctx context.Context, who control.Actor, app, ptype string, port platform.ServicePort) (made bool, err error)
	RemoveServicePort(ctx context.Context, who control.Actor, app, ptype string, port int, protocol string) error

	// Addresses are where gateways are reached.
	Addresses() []platform.Address
	ListGateways(ctx context.Context, who control.Actor, app string, p control.Page) ([]platform.Gateway, int, error)
	FindGateway(ctx context.Context, who control.Actor, app, name string) (platform.Gateway, error)
	SaveGateway(ctx context.Context, who control.Actor, app, name string, ports []platform.GatewayPort) (platform.Gateway, bool, error)
	AddGatewayPort(ctx context.Context, who control.Actor, app, name string, port platform.GatewayPort) (platform.Gateway, bool, error)
	RemoveGatewayPort(ctx context.Context, who control.Actor, app, name string, port platform.GatewayPort) error
	DeleteGateway(ctx context.Context, who control.Actor, app, name string) error

	ListRoutes(ctx context.Context, who control.Actor, app string, p control.Page) ([]platform.Route, int, error)
	FindRoute(ctx context.Context, who control.Actor, app, name string) (platform.Route, error)
	SaveRoute(ctx context.Context, who control.Actor, app string, n control.NewRoute) (platform.Route, bool, error)
	DeleteRoute(ctx context.Context, who control.Actor, app, name string) error
	AttachRoute(ctx context.Context, who control.Actor, app, name string, parent platform.ParentRef) error
	DetachRoute(ctx context.Context, who control.Actor, app, name string, parent platform.ParentRef) error
}
