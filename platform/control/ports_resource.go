package control

import (
	"context"

	"github.com/slipway-paas/slipway/platform"
)

// Catalog offers backing services and makes them. Every change may be asked
// for again with the same order, after a kill for instance, and then finishes
// or finds what was begun. A change that is under way but not done, and a
// catalog that is away, are platform.Unavailable: it is asked again. Any other
// error means that the change will not come about; the Message of a
// *platform.Error is shown to users. Safe for concurrent use.
type Catalog interface {
	// Services lists what is offered, by name.
	Services(ctx context.Context) ([]platform.ResourceService, error)
	// Plans lists the plans of a service, which is given by name or id;
	// NotFound: there is no such service.
	Plans(ctx context.Context, service string) ([]platform.ResourcePlan, error)
	// Provision makes a resource, or changes one to what the order says now.
	Provision(ctx context.Context, o ResourceOrder) error
	// Deprovision removes it with its data; a missing one is no error.
	Deprovision(ctx context.Context, o ResourceOrder) error
	// Bind makes credentials and returns them, by the name of the variable
	// that apps find each in.
	Bind(ctx context.Context, o ResourceOrder) (map[string]string, error)
	// Unbind makes them worthless; missing ones are no error.
	Unbind(ctx context.Context, o ResourceOrder) error
}

// ResourceOrder says which resource a catalog is to change.
type ResourceOrder struct {
	ID      string // never used for another one
	App     platform.App
	Name    string
	Service string
	Plan    string
	Options map[string]string
}

// ResourceStore keeps resources. It is part of Store.
type ResourceStore interface {
	CreateResource(ctx context.Context, r platform.Resource) error
	FindResource(ctx context.Context, app, name string) (platform.Resource, error)
	ListResources(ctx context.Context, app string, p Page) ([]platform.Resource, int, error) // by name
	// SaveResource replaces all but the name, the owner and the app.
	SaveResource(ctx context.Context, r platform.Resource, action string) error
	DeleteResource(ctx context.Context, uuid string) error // a missing one is no error
}

// NewResource is what CreateResource needs.
type NewResource struct {
	Name, Plan string // "redis:standard-128"
	Options    map[string]string
}

// ResourceChange holds what to change; an empty plan and nil options stay.
type ResourceChange struct {
	Plan    string
	Options map[string]string
}

// WorkResources makes resources what their rows say.
const WorkResources WorkKind = "resources"

// emptyCatalog offers nothing.
type emptyCatalog struct{}

var _ Catalog = emptyCatalog{}

func (emptyCatalog) Services(context.Context) ([]platform.ResourceService, error) { return nil, nil }

func (emptyCatalog) Plans(context.Context, string) ([]platform.ResourcePlan, error) {
	return nil, noMatch("Service")
}

func nothingOffered() error {
	return platform.Errorf(platform.Unprocessable, "this platform offers no such service any more")
}

func (emptyCatalog) Provision(context.Context, ResourceOrder) error { return nothingOffered() }

// Deprovision and Unbind have nothing to undo.
func (emptyCatalog) Deprovision(context.Context, ResourceOrder) error { return nil }

func (emptyCatalog) Bind(context.Context, ResourceOrder) (map[string]string, error) {
	return nil, nothingOffered()
}

func (emptyCatalog) Unbind(context.Context, ResourceOrder) error { return nil }
