package drycc

import (
	"context"
	"fmt"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// edgeSchemas are the objects of what apps show to the outside.
func edgeSchemas() map[string]string {
	return map[string]string{
		"TLS": "{uuid:uuid app:str https_enforced:bool? certs_auto_enabled:bool? issuer:{email:str server:str key_id:str key_secret:str} " +
			"events:[{name:str kind:str time:time type:str status:str message:str}] created:time updated:time}",
		"Cert": "{id:int app:str? owner:str name:str common_name:str? san:[str] fingerprint:str expires:time starts:time issuer:str subject:str " +
			"domains:[str] created:time updated:time}",
		"Diagnosis": "{app:str domain:str status:str time:time links:[{id:str state:str evidence:str reason:str cure:str}]}",
		"Service":   "{name:str domain:str ptype:str ports:[{name:str port:int protocol:str targetPort:int}]}",
		"Gateway":   "{id:int app:str name:str ports:[{port:int protocol:str}] addresses:[{type:str value:str}] created:time updated:time}",
		"Route": "{id:int app:str name:str kind:str parent_refs:[{name:str port:int}] rules:[{name?:str matches?:[any] filters?:[any] " +
			"backendRefs?:[{kind:str name:str port:int weight?:int}]}] routable:bool created:time updated:time}",
	}
}

// oracle finds the same broken link at every domain.
type oracle struct{ now func() time.Time }

func (o oracle) Diagnose(_ context.Context, s control.DomainSubject) platform.Diagnosis {
	return platform.Diagnosis{App: s.App, Domain: s.Domain, Time: o.now().UTC(), Links: []platform.Link{
		{ID: "dns", State: platform.LinkFail, Evidence: "NXDOMAIN", Reason: "the name does not exist in the DNS", Cure: "make a record"},
		{ID: "points", State: platform.LinkSkipped, Reason: "the name has no address"},
	}}
}

// aDomain gives the app a domain, ${domain}, and the row a certificate for it,
// ${chain} with ${key}.
func aDomain(c *cell) {
	c.vars["domain"] = "www." + c.vars["app"] + ".example"
	cert := makeCert(c.t, c.vars["app"], nil, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), c.vars["domain"])
	c.vars["chain"], c.vars["key"] = chainOf(cert), keyOf(cert)
	c.do(anAdmin, "POST /v2/apps/${app}/domains/", `{"domain": "${domain}", "ptype": "web"}`)
}

func aCert(c *cell) {
	aDomain(c)
	c.vars["name"] = fmt.Sprintf("cert%s", c.vars["n"])
	c.do(anAdmin, "POST /v2/apps/${app}/certs/", `{"name": "${name}", "certificate": "${chain}", "key": "${key}"}`)
}

func attached(c *cell) {
	aCert(c)
	c.do(anAdmin, "POST /v2/apps/${app}/certs/${name}/domain/", `{"domain": "${domain}"}`)
}

func aService(c *cell) {
	deploy(c)
	c.do(anAdmin, "POST /v2/apps/${app}/services/", `{"ptype": "worker", "port": 8001, "protocol": "TCP", "target_port": 8001}`)
}

func aGateway(c *cell) {
	c.vars["name"] = "front"
	c.do(anAdmin, "PUT /v2/apps/${app}/gateways/front/", `{"ports": [{"port": 80, "protocol": "HTTP"}]}`)
}

func aRoute(c *cell) {
	aService(c)
	c.vars["name"] = "part"
	c.do(anAdmin, "PUT /v2/apps/${app}/routes/part/", partRoute)
}

const partRoute = `{"kind": "HTTPRoute", "parent_refs": [{"name": "${app}", "port": 80}], "rules": [{"matches": [{"path": {"value": "/part"}}],
	"backendRefs": [{"name": "${app}-worker", "port": 8001}]}]}`

// edgeRows are the rows of what apps show to the outside.
func edgeRows() []row {
	const cert = `{"name": "new${n}", "certificate": "${chain}", "key": "${key}"}`
	const port = `{"name": "front", "port": 80, "protocol": "HTTP"}`
	named := func(name string, arrange func(*cell)) func(*cell) {
		return func(c *cell) { arrange(c); c.vars["name"] = name }
	}
	return []row{
		{route: "POST /v2/apps/{app}/domains/", body: `{"domain": "${app}.example.com", "ptype": "web"}`, status: 201},
		{route: "DELETE /v2/apps/{app}/domains/{domain}", arrange: aDomain, status: 204},
		{route: "GET /v2/apps/{app}/tls/", arrange: attached, status: 200},
		{route: "POST /v2/apps/{app}/tls/", body: `{"https_enforced": true}`, status: 201},
		{route: "GET /v2/apps/{app}/tls/check/", arrange: aDomain, query: "domain=${domain}", status: 200},

		{route: "GET /v2/apps/{app}/certs/", arrange: attached, status: 200},
		{route: "POST /v2/apps/{app}/certs/", arrange: aDomain, body: cert, status: 201},
		{route: "GET /v2/apps/{app}/certs/{name}", arrange: aCert, status: 200},
		{route: "DELETE /v2/apps/{app}/certs/{name}", arrange: attached, status: 204},
		{route: "POST /v2/apps/{app}/certs/{name}/domain/", arrange: aCert, body: `{"domain": "${domain}"}`, status: 201},
		{route: "DELETE /v2/apps/{app}/certs/{name}/domain/{domain}", arrange: attached, status: 204},
		{route: "GET /v2/certs/", arrange: attached, status: 200},
		{route: "POST /v2/certs/", arrange: aDomain, body: cert, status: 201},
		{route: "GET /v2/certs/{name}", arrange: aCert, status: 200},
		{route: "DELETE /v2/certs/{name}", arrange: attached, status: 204},
		{route: "POST /v2/certs/{name}/domain/", arrange: aCert, body: `{"domain": "${domain}"}`, status: 201},
		{route: "DELETE /v2/certs/{name}/domain/{domain}", arrange: attached, status: 204},

		{route: "GET /v2/apps/{app}/services/", arrange: aService, status: 200, answer: "{services:[Service]}"},
		{route: "POST /v2/apps/{app}/services/", body: `{"ptype": "worker", "port": 8001, "protocol": "TCP", "target_port": 8001}`, status: 201},
		{route: "DELETE /v2/apps/{app}/services/", arrange: aService, body: `{"ptype": "worker", "port": 8001, "protocol": "TCP"}`, status: 204},

		{route: "GET /v2/apps/{app}/gateways/", arrange: aGateway, status: 200},
		{route: "POST /v2/apps/{app}/gateways/", body: port, status: 201},
		{route: "DELETE /v2/apps/{app}/gateways/", arrange: aGateway, body: port, status: 204},
		{route: "GET /v2/apps/{app}/gateways/{name}/", arrange: aGateway, status: 200},
		{route: "PUT /v2/apps/{app}/gateways/{name}/", arrange: named("back", deploy), body: `{"ports": [{"port": 80, "protocol": "HTTP"}]}`, status: 201, upsert: true},
		{route: "DELETE /v2/apps/{app}/gateways/{name}/", arrange: aGateway, status: 204},

		{route: "GET /v2/apps/{app}/routes/", arrange: aRoute, status: 200},
		{route: "POST /v2/apps/{app}/routes/", arrange: aService, body: `{"name": "doze", "kind": "HTTPRoute", "ptype": "worker", "port": 8001}`, status: 201},
		{route: "GET /v2/apps/{app}/routes/{name}/", arrange: aRoute, status: 200},
		{route: "PUT /v2/apps/{app}/routes/{name}/", arrange: named("other", aService), body: partRoute, status: 201, upsert: true},
		{route: "DELETE /v2/apps/{app}/routes/{name}/", arrange: aRoute, status: 204},
		{route: "PATCH /v2/apps/{app}/routes/{name}/attach/", arrange: aRoute, body: `{"gateway": "${app}", "port": 443}`, status: 204},
		{route: "PATCH /v2/apps/{app}/routes/{name}/detach/", arrange: aRoute, body: `{"gateway": "${app}", "port": 80}`, status: 204},
	}
}
