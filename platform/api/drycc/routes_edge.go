package drycc

// edgeRoutes are what an app shows to the outside.
func edgeRoutes() []route {
	var all []route
	for _, part := range [][]route{domainRoutes(), certRoutes(), serviceRoutes(), gatewayRoutes(), routeRoutes()} {
		all = append(all, part...)
	}
	return all
}

func domainRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/apps/{app}/domains/", paged: true, run: (*Handler).listDomains, doc: routeDoc{
			summary: "The app's domains, the one it has by itself in front.", who: viewer, status: 200, response: "page of Domain"}},
		{method: "POST", pattern: "/v2/apps/{app}/domains/", run: (*Handler).addDomain, doc: routeDoc{
			summary: "Let a process type answer to a name, Unicode or ACE; *. may be in front.", who: member,
			request: `{"domain", "ptype"?: "web"}`, status: 201, response: "Domain",
			collision: "The guide sends no ptype; without one it is web."}},
		{method: "DELETE", pattern: "/v2/apps/{app}/domains/{domain}", run: (*Handler).removeDomain, doc: routeDoc{
			summary: "Take a name from the app.", who: admin, status: 204}},
		{method: "GET", pattern: "/v2/apps/{app}/tls/", run: (*Handler).findTLS, doc: routeDoc{
			summary: "How the app is served over HTTPS, with the state of each domain's certificate.", who: viewer, status: 200, response: "TLS"}},
		{method: "POST", pattern: "/v2/apps/{app}/tls/", run: (*Handler).changeTLS, doc: routeDoc{
			summary: "Redirect plain HTTP, have certificates made, or name the authority that makes them; what is not named stays. 409 when nothing changes.",
			who:     member, request: `{"https_enforced"?: bool, "certs_auto_enabled"?: bool, "issuer"?: {"email", "server", "key_id", "key_secret"}}`,
			status: 201, response: "TLS", collision: "Answers have more members than the guide's; key_secret is never sent back."}},
		{method: "GET", pattern: "/v2/apps/{app}/tls/check/", paged: true, run: (*Handler).checkCerts, doc: routeDoc{
			summary: "Look from outside at every link between the app's domains and their certificates: which is broken, why, and the cure. Takes up to two minutes; " +
				"429 while another request does so for the app.",
			who: viewer, query: "domain: only this one", status: 200, response: "page of Diagnosis",
			collision: "Neither knows it. Status is the worst state of a link: ok, warn or fail."}},
	}
}

func certRoutes() []route {
	const attach = "Serve a domain with the certificate, which has to be valid for it. 409 when it is served with one."
	const several = " 404 for those who are not members of its app's workspace, 409 when several apps have one of that name."
	newCert := `{"name", "certificate": PEM, "key": PEM}`
	return []route{
		{method: "GET", pattern: "/v2/apps/{app}/certs/", paged: true, run: (*Handler).listCerts, doc: routeDoc{
			summary: "The app's certificates, without their keys.", who: viewer, status: 200, response: "page of Cert"}},
		{method: "POST", pattern: "/v2/apps/{app}/certs/", run: (*Handler).addCert, doc: routeDoc{
			summary: "Upload a certificate chain, the site's own first, and its key.", who: member, request: newCert, status: 201, response: "Cert"}},
		{method: "GET", pattern: "/v2/apps/{app}/certs/{name}", run: (*Handler).findCert, doc: routeDoc{
			summary: "One certificate.", who: viewer, status: 200, response: "Cert"}},
		{method: "DELETE", pattern: "/v2/apps/{app}/certs/{name}", run: (*Handler).deleteCert, doc: routeDoc{
			summary: "Delete a certificate; its domains lose it.", who: admin, status: 204}},
		{method: "POST", pattern: "/v2/apps/{app}/certs/{name}/domain/", run: (*Handler).attachCert, doc: routeDoc{
			summary: attach, who: member, request: `{"domain"}`, status: 201}},
		{method: "DELETE", pattern: "/v2/apps/{app}/certs/{name}/domain/{domain}", run: (*Handler).detachCert, doc: routeDoc{
			summary: "Serve a domain no longer with the certificate.", who: admin, status: 204}},

		{method: "GET", pattern: "/v2/certs/", paged: true, run: (*Handler).listCerts, doc: routeDoc{
			summary: "The certificates of all the user's apps, and the user's own, which belong to no app.", who: user, status: 200, response: "page of Cert",
			collision: "The newest client knows certificates of apps only. Those made here are the user's own, for domains of any app of theirs."}},
		{method: "POST", pattern: "/v2/certs/", run: (*Handler).addCert, doc: routeDoc{
			summary: "Upload a certificate of the user's own.", who: user, request: newCert, status: 201, response: "Cert"}},
		{method: "GET", pattern: "/v2/certs/{name}", run: (*Handler).findCert, doc: routeDoc{
			summary: "One certificate." + several, who: viewer, status: 200, response: "Cert"}},
		{method: "DELETE", pattern: "/v2/certs/{name}", run: (*Handler).deleteCert, doc: routeDoc{
			summary: "Delete a certificate; its domains lose it." + several, who: admin, status: 204}},
		{method: "POST", pattern: "/v2/certs/{name}/domain/", run: (*Handler).attachCert, doc: routeDoc{
			summary: attach + several, who: member, request: `{"domain"}`, status: 201}},
		{method: "DELETE", pattern: "/v2/certs/{name}/domain/{domain}", run: (*Handler).detachCert, doc: routeDoc{
			summary: "Serve a domain no longer with the certificate." + several, who: admin, status: 204}},
	}
}

func serviceRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/apps/{app}/services/", run: (*Handler).listServices, doc: routeDoc{
			summary: "The app's services inside the cluster; web's is there once the app is deployed.", who: viewer, status: 200, response: `{"services": [Service]}`}},
		{method: "POST", pattern: "/v2/apps/{app}/services/", run: (*Handler).addService, doc: routeDoc{
			summary: "Open a port of a process type inside the cluster: 201 for a new service, 204 for one more port.", who: member,
			request: `{"ptype", "port", "protocol"?: "TCP", "target_port"}`, status: 201, also: []int{204}}},
		{method: "DELETE", pattern: "/v2/apps/{app}/services/", run: (*Handler).removeService, doc: routeDoc{
			summary: "Close a port; the service goes with its last one.", who: admin, request: `{"ptype", "port", "protocol"?: "TCP"}`, status: 204}},
	}
}

func gatewayRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/apps/{app}/gateways/", paged: true, run: (*Handler).listGateways, doc: routeDoc{
			summary: "The app's gateways, the one it has by itself in front.", who: viewer, status: 200, response: "page of Gateway"}},
		{method: "POST", pattern: "/v2/apps/{app}/gateways/", run: (*Handler).addGatewayPort, doc: routeDoc{
			summary: "Open one more port of a gateway, which is made if need be (200 if it was there).", who: member,
			request: `{"name", "port", "protocol"}`, status: 201, also: []int{200}, response: "Gateway",
			collision: "The form of the guide's gateways add; the newest client puts the whole gateway."}},
		{method: "DELETE", pattern: "/v2/apps/{app}/gateways/", run: (*Handler).removeGatewayPort, doc: routeDoc{
			summary: "Close a port of a gateway, which goes with its last one.", who: admin, request: `{"name", "port", "protocol"}`, status: 204}},
		{method: "GET", pattern: "/v2/apps/{app}/gateways/{name}/", run: (*Handler).findGateway, doc: routeDoc{
			summary: "One gateway.", who: viewer, status: 200, response: "Gateway"}},
		{method: "PUT", pattern: "/v2/apps/{app}/gateways/{name}/", run: (*Handler).putGateway, doc: routeDoc{
			summary: "Make a gateway (201) or give it other ports (200); none delete it (204). A port that the platform does not have open is refused.",
			who:     member, request: `{"app"?, "name"?, "ports": [{"port", "protocol"}]}`, status: 201, also: []int{200, 204}, response: "Gateway"}},
		{method: "DELETE", pattern: "/v2/apps/{app}/gateways/{name}/", run: (*Handler).deleteGateway, doc: routeDoc{
			summary: "Delete a gateway; the app's own goes back to its first ports.", who: admin, status: 204}},
	}
}

func routeRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/apps/{app}/routes/", paged: true, run: (*Handler).listRoutes, doc: routeDoc{
			summary: "The app's routes, those that its services have by themselves in front.", who: viewer, status: 200, response: "page of Route"}},
		{method: "POST", pattern: "/v2/apps/{app}/routes/", run: (*Handler).addRoute, doc: routeDoc{
			summary: "Make a route to a process type, attached to no gateway yet unless parent_refs say so.", who: member,
			request: `{"name", "kind", "ptype"?, "port"?, "weight"?, "parent_refs"?, "rules"?}`, status: 201, response: "Route",
			collision: "The form of the guide's routes add; the newest client puts the whole route."}},
		{method: "GET", pattern: "/v2/apps/{app}/routes/{name}/", run: (*Handler).findRoute, doc: routeDoc{
			summary: "One route.", who: viewer, status: 200, response: "Route"}},
		{method: "PUT", pattern: "/v2/apps/{app}/routes/{name}/", run: (*Handler).putRoute, doc: routeDoc{
			summary: "Make a route (201) or replace it (200); without rules it is deleted (204). Kinds: HTTPRoute, GRPCRoute, TCPRoute and TLSRoute.", who: member,
			request: `{"app"?, "name"?, "kind", "parent_refs": [{"name", "port"}], "rules": [...]}`, status: 201, also: []int{200, 204}, response: "Route"}},
		{method: "DELETE", pattern: "/v2/apps/{app}/routes/{name}/", run: (*Handler).deleteRoute, doc: routeDoc{
			summary: "Delete a route; what a service has by itself stays.", who: admin, status: 204}},
		{method: "PATCH", pattern: "/v2/apps/{app}/routes/{name}/attach/", run: (*Handler).attachRoute, doc: routeDoc{
			summary: "Let a route take requests at a port of a gateway.", who: member, request: `{"gateway", "port"}`, status: 204,
			collision: "The guide's routes attach and detach; the newest client puts the whole route."}},
		{method: "PATCH", pattern: "/v2/apps/{app}/routes/{name}/detach/", run: (*Handler).detachRoute, doc: routeDoc{
			summary: "End that a route takes requests at a port of a gateway.", who: member, request: `{"gateway", "port"}`, status: 204}},
	}
}
