package client

import (
	"context"
	"net/http"
)

// Domains lists an app's domains.
func (c *Client) Domains(ctx context.Context, app string, limit int) (Page[Domain], error) {
	return list[Domain](ctx, c, appPath(app, "domains"), nil, limit)
}

// AddDomain gives a process type a domain.
func (c *Client) AddDomain(ctx context.Context, app, domain, ptype string) (Domain, error) {
	return send[Domain](ctx, c, http.MethodPost, appPath(app, "domains"), map[string]string{"domain": domain, "ptype": ptype})
}

// RemoveDomain removes a domain.
func (c *Client) RemoveDomain(ctx context.Context, app, domain string) error {
	return c.exec(ctx, http.MethodDelete, join("v2", "apps", app, "domains", domain), nil)
}

// Certs lists an app's certificates.
func (c *Client) Certs(ctx context.Context, app string, limit int) (Page[Cert], error) {
	return list[Cert](ctx, c, appPath(app, "certs"), nil, limit)
}

// Cert returns one certificate.
func (c *Client) Cert(ctx context.Context, app, name string) (Cert, error) {
	return get[Cert](ctx, c, join("v2", "apps", app, "certs", name), nil)
}

// AddCert uploads a certificate with its chain and its key, as PEM.
func (c *Client) AddCert(ctx context.Context, app, name, certificate, key string) (Cert, error) {
	return send[Cert](ctx, c, http.MethodPost, appPath(app, "certs"),
		map[string]string{"name": name, "certificate": certificate, "key": key})
}

// RemoveCert removes a certificate from its domains and altogether.
func (c *Client) RemoveCert(ctx context.Context, app, name string) error {
	return c.exec(ctx, http.MethodDelete, join("v2", "apps", app, "certs", name), nil)
}

// AttachCert uses a certificate for a domain.
func (c *Client) AttachCert(ctx context.Context, app, name, domain string) error {
	return c.exec(ctx, http.MethodPost, appPath(app, "certs", name, "domain"), map[string]string{"domain": domain})
}

// DetachCert ends the use of a certificate for a domain.
func (c *Client) DetachCert(ctx context.Context, app, name, domain string) error {
	return c.exec(ctx, http.MethodDelete, appPath(app, "certs", name, "domain", domain), nil)
}

// CheckCerts looks at the links between an app's domains and their
// certificates; an empty domain means all of them.
func (c *Client) CheckCerts(ctx context.Context, app, domain string, limit int) (Page[Diagnosis], error) {
	return list[Diagnosis](ctx, c, appPath(app, "tls", "check"), query("domain", domain), limit)
}

// TLS returns how an app does HTTPS.
func (c *Client) TLS(ctx context.Context, app string) (TLS, error) {
	return get[TLS](ctx, c, appPath(app, "tls"), nil)
}

// EnforceHTTPS turns the redirect from http to https on or off.
func (c *Client) EnforceHTTPS(ctx context.Context, app string, on bool) (TLS, error) {
	return send[TLS](ctx, c, http.MethodPost, appPath(app, "tls"), map[string]bool{"https_enforced": on})
}

// AutoCerts turns automatic certificates on or off.
func (c *Client) AutoCerts(ctx context.Context, app string, on bool) (TLS, error) {
	return send[TLS](ctx, c, http.MethodPost, appPath(app, "tls"), map[string]bool{"certs_auto_enabled": on})
}

// SetIssuer chooses the ACME account for automatic certificates.
func (c *Client) SetIssuer(ctx context.Context, app string, issuer Issuer) (TLS, error) {
	return send[TLS](ctx, c, http.MethodPost, appPath(app, "tls"), map[string]Issuer{"issuer": issuer})
}

// Services lists an app's services.
func (c *Client) Services(ctx context.Context, app string) ([]Service, error) {
	out, err := get[struct{ Services []Service }](ctx, c, appPath(app, "services"), nil)
	if out.Services == nil {
		out.Services = []Service{}
	}
	return out.Services, err
}

// AddService adds a port to the service of a process type, and the service
// when there is none.
func (c *Client) AddService(ctx context.Context, app, ptype string, port ServicePort) error {
	return c.exec(ctx, http.MethodPost, appPath(app, "services"), map[string]any{
		"ptype": ptype, "port": port.Port, "protocol": port.Protocol, "target_port": port.TargetPort,
	})
}

// RemoveService removes a port of a service; with the last one it goes.
func (c *Client) RemoveService(ctx context.Context, app, ptype string, port int, protocol string) error {
	return c.exec(ctx, http.MethodDelete, appPath(app, "services"), map[string]any{"ptype": ptype, "port": port, "protocol": protocol})
}

// Gateways lists an app's gateways.
func (c *Client) Gateways(ctx context.Context, app string, limit int) (Page[Gateway], error) {
	return list[Gateway](ctx, c, appPath(app, "gateways"), nil, limit)
}

// Gateway returns one gateway.
func (c *Client) Gateway(ctx context.Context, app, name string) (Gateway, error) {
	return get[Gateway](ctx, c, appPath(app, "gateways", name), nil)
}

// PutGateway makes a gateway what its ports say; none deletes it.
func (c *Client) PutGateway(ctx context.Context, app, name string, ports []GatewayPort) (Gateway, error) {
	if ports == nil {
		ports = []GatewayPort{}
	}
	return send[Gateway](ctx, c, http.MethodPut, appPath(app, "gateways", name), map[string]any{"app": app, "name": name, "ports": ports})
}

// RemoveGateway deletes a gateway.
func (c *Client) RemoveGateway(ctx context.Context, app, name string) error {
	return c.exec(ctx, http.MethodDelete, appPath(app, "gateways", name), nil)
}

// Routes lists an app's routes.
func (c *Client) Routes(ctx context.Context, app string, limit int) (Page[Route], error) {
	return list[Route](ctx, c, appPath(app, "routes"), nil, limit)
}

// Route returns one route.
func (c *Client) Route(ctx context.Context, app, name string) (Route, error) {
	return get[Route](ctx, c, appPath(app, "routes", name), nil)
}

// PutRoute makes a route what r says. Its kind never changes.
func (c *Client) PutRoute(ctx context.Context, app string, r Route) (Route, error) {
	if r.ParentRefs == nil {
		r.ParentRefs = []ParentRef{}
	}
	return send[Route](ctx, c, http.MethodPut, appPath(app, "routes", r.Name), map[string]any{
		"app": app, "name": r.Name, "kind": r.Kind, "parent_refs": r.ParentRefs, "rules": r.Rules,
	})
}

// RemoveRoute deletes a route.
func (c *Client) RemoveRoute(ctx context.Context, app, name string) error {
	return c.exec(ctx, http.MethodDelete, appPath(app, "routes", name), nil)
}

// ResourceServices lists the catalog.
func (c *Client) ResourceServices(ctx context.Context, limit int) (Page[ResourceService], error) {
	return list[ResourceService](ctx, c, "/v2/resources/services/", nil, limit)
}

// ResourcePlans lists the sizes of a service of the catalog.
func (c *Client) ResourcePlans(ctx context.Context, service string, limit int) (Page[ResourcePlan], error) {
	return list[ResourcePlan](ctx, c, join("v2", "resources", "services", service, "plans")+"/", nil, limit)
}

// Resources lists an app's resources.
func (c *Client) Resources(ctx context.Context, app string, limit int) (Page[Resource], error) {
	return list[Resource](ctx, c, appPath(app, "resources"), nil, limit)
}

// Resource returns one resource with its connection, once it is bound.
func (c *Client) Resource(ctx context.Context, app, name string) (Resource, error) {
	return get[Resource](ctx, c, appPath(app, "resources", name), nil)
}

// CreateResource makes a resource. plan is "service:plan".
func (c *Client) CreateResource(ctx context.Context, app, name, plan string, options map[string]any) (Resource, error) {
	return send[Resource](ctx, c, http.MethodPost, appPath(app, "resources"), resourceRequest{name, plan, options})
}

// UpdateResource changes a resource's plan.
func (c *Client) UpdateResource(ctx context.Context, app, name, plan string, options map[string]any) (Resource, error) {
	return send[Resource](ctx, c, http.MethodPut, appPath(app, "resources", name), resourceRequest{name, plan, options})
}

type resourceRequest struct {
	Name    string         `json:"name"`
	Plan    string         `json:"plan"`
	Options map[string]any `json:"options,omitempty"`
}

// DeleteResource deletes a resource that is not bound.
func (c *Client) DeleteResource(ctx context.Context, app, name string) error {
	return c.exec(ctx, http.MethodDelete, appPath(app, "resources", name), nil)
}

// BindResource gives the app a resource's connection, or takes it away.
func (c *Client) BindResource(ctx context.Context, app, name string, bind bool) (Resource, error) {
	action := "unbind"
	if bind {
		action = "bind"
	}
	return send[Resource](ctx, c, http.MethodPatch, appPath(app, "resources", name, "binding"), map[string]string{"bind_action": action})
}
