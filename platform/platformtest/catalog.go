package platformtest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

var _ control.Catalog = (*Catalog)(nil)

// Catalog is a control.Catalog in memory.
type Catalog struct {
	mu       sync.Mutex
	services []platform.ResourceService
	plans    map[string][]platform.ResourcePlan
	data     map[string]map[string]string // service → what binding gives
	made     map[string]string            // resource name → plan
	bound    map[string]bool
	once     map[string][]error
}

// NewCatalog makes an empty catalog.
func NewCatalog() *Catalog {
	return &Catalog{
		plans: map[string][]platform.ResourcePlan{}, data: map[string]map[string]string{},
		made: map[string]string{}, bound: map[string]bool{}, once: map[string][]error{},
	}
}

// Offer adds a service, or replaces the one of that name; binding it gives data.
func (c *Catalog) Offer(s platform.ResourceService, data map[string]string, plans ...platform.ResourcePlan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.services = append(slices.DeleteFunc(c.services, func(old platform.ResourceService) bool { return old.Name == s.Name }), s)
	slices.SortFunc(c.services, func(a, b platform.ResourceService) int { return strings.Compare(a.Name, b.Name) })
	c.plans[s.Name], c.data[s.Name] = plans, data
}

// FailNext lets the next calls of that name ("Bind"…) fail, one with each error.
func (c *Catalog) FailNext(name string, errs ...error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.once[name] = append(c.once[name], errs...)
}

// Made returns the plan of each resource that there is.
func (c *Catalog) Made() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.made)
}

// Bound reports that a resource has credentials.
func (c *Catalog) Bound(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bound[name]
}

func (c *Catalog) do(name string, f func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errs := c.once[name]; len(errs) > 0 {
		c.once[name] = errs[1:]
		if errs[0] != nil {
			return errs[0]
		}
	}
	f()
	return nil
}

// Services lists what was offered.
func (c *Catalog) Services(context.Context) (list []platform.ResourceService, err error) {
	err = c.do("Services", func() { list = slices.Clone(c.services) })
	return list, err
}

// Plans lists a service's plans.
func (c *Catalog) Plans(_ context.Context, service string) ([]platform.ResourcePlan, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.services {
		if s.Name == service || s.ID == service {
			return slices.Clone(c.plans[s.Name]), nil
		}
	}
	return nil, platform.Errorf(platform.NotFound, "No Service matches the given query.")
}

// Provision notes the plan.
func (c *Catalog) Provision(_ context.Context, o control.ResourceOrder) error {
	return c.do("Provision", func() { c.made[o.Name] = o.Service + ":" + o.Plan })
}

// Deprovision forgets the resource.
func (c *Catalog) Deprovision(_ context.Context, o control.ResourceOrder) error {
	return c.do("Deprovision", func() { delete(c.made, o.Name) })
}

// Bind gives the service's credentials.
func (c *Catalog) Bind(_ context.Context, o control.ResourceOrder) (data map[string]string, err error) {
	err = c.do("Bind", func() {
		c.bound[o.Name] = true
		data = maps.Clone(c.data[o.Service])
	})
	return data, err
}

// Unbind drops them.
func (c *Catalog) Unbind(_ context.Context, o control.ResourceOrder) error {
	return c.do("Unbind", func() { delete(c.bound, o.Name) })
}
