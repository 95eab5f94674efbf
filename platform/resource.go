package platform

import (
	"strings"
	"time"
)

// ResourceService is one kind of backing service that a catalog offers.
type ResourceService struct {
	ID         string
	Name       string // "redis"
	Updateable bool   // a resource may change to another plan
}

// ResourcePlan is one size of a service.
type ResourcePlan struct {
	ID          string
	Name        string // "standard-128"
	Description string
}

// ResourceState says how far a resource, or its binding, is. Empty: there is
// nothing.
type ResourceState string

// The states of a resource, and of a binding.
//
//	Provisioning ──► Ready ──► Updating ──► Ready      Binding ──► Ready ──► Unbinding ──► (none)
//	      │            │           │                      │                      │
//	      └► Failed    └► Deleting └► Failed              └► Failed              └► Failed
const (
	ResourceProvisioning ResourceState = "Provisioning"
	ResourceUpdating     ResourceState = "Updating"
	ResourceDeleting     ResourceState = "Deleting"
	ResourceBinding      ResourceState = "Binding"
	ResourceUnbinding    ResourceState = "Unbinding"
	ResourceReady        ResourceState = "Ready"
	ResourceFailed       ResourceState = "Failed"
)

// Resource is a backing service that belongs to an app.
type Resource struct {
	UUID    string
	App     string
	Owner   string // the user who made it
	Name    string
	Plan    string            // "redis:standard-128"
	Options map[string]string // what the service was asked for; sealed in the store
	Data    map[string]string // the credentials of its binding; sealed in the store
	Status  ResourceState
	Binding ResourceState
	Message string // why something failed
	Created time.Time
	Updated time.Time
}

// Busy reports that something is being done to the resource.
func (r Resource) Busy() bool {
	switch r.Status {
	case ResourceProvisioning, ResourceUpdating, ResourceDeleting:
		return true
	}
	return r.Binding == ResourceBinding || r.Binding == ResourceUnbinding
}

// ValidateResourceName checks the name of a resource.
func ValidateResourceName(name string) error { return validateObjectName(name) }

// SplitPlan reads "redis:standard-128".
func SplitPlan(plan string) (service, name string, err error) {
	service, name, ok := strings.Cut(plan, ":")
	if !ok || service == "" || name == "" || strings.Contains(name, ":") {
		return "", "", FieldErrorf("plan", "Expected a service and a plan, such as redis:standard-128.")
	}
	return service, name, nil
}

const (
	maxOptions     = 64
	maxOptionBytes = 16 << 10
)

// ValidateOptions bounds what is passed on to a service.
func ValidateOptions(options map[string]string) error {
	total := 0
	for name, value := range options {
		if name == "" {
			return FieldErrorf("options", "The name of an option may not be blank.")
		}
		total += len(name) + len(value)
	}
	if len(options) > maxOptions || total > maxOptionBytes {
		return FieldErrorf("options", "A resource takes at most %d options of %d bytes in all.", maxOptions, maxOptionBytes)
	}
	return nil
}
