package drycc

// documentedRoutes are the operations of the guide's API reference, versions
// 2.0 to 2.3: every method and path that has an example there.
func documentedRoutes() []string {
	return []string{
		"POST /v2/auth/register/", "POST /v2/auth/login/", "DELETE /v2/auth/cancel/", "POST /v2/auth/tokens/",
		"POST /v2/auth/passwd/", "GET /v2/auth/whoami/",
		"GET /v2/apps", "POST /v2/apps/", "DELETE /v2/apps/{app}/", "GET /v2/apps/{app}/", "POST /v2/apps/{app}/",
		"GET /v2/apps/{app}/logs/", "POST /v2/apps/{app}/run/",
		"GET /v2/certs", "GET /v2/certs/{name}", "POST /v2/certs/", "DELETE /v2/certs/{name}",
		"POST /v2/certs/{name}/domain/", "DELETE /v2/certs/{name}/domain/{domain}/",
		"GET /v2/apps/{app}/tls/", "POST /v2/apps/{app}/tls/",
		"GET /v2/apps/{app}/pods/", "GET /v2/apps/{app}/pods/{type}/", "POST /v2/apps/{app}/pods/restart/",
		"POST /v2/apps/{app}/pods/{type}/restart/", "POST /v2/apps/{app}/pods/{name}/restart/", "POST /v2/apps/{app}/scale/",
		"GET /v2/apps/{app}/config/", "POST /v2/apps/{app}/config/",
		"GET /v2/apps/{app}/domains/", "POST /v2/apps/{app}/domains/", "DELETE /v2/apps/{app}/domains/{domain}",
		"GET /v2/apps/{app}/build/", "POST /v2/apps/{app}/build/",
		"GET /v2/apps/{app}/releases/", "GET /v2/apps/{app}/releases/v{version}/", "POST /v2/apps/{app}/releases/rollback/",
		"GET /v2/keys/", "POST /v2/keys/", "DELETE /v2/keys/{id}",
		"GET /v2/apps/{app}/perms/", "POST /v2/apps/{app}/perms/", "DELETE /v2/apps/{app}/perms/{username}",
		"GET /v2/admin/perms/", "POST /v2/admin/perms", "DELETE /v2/admin/perms/{username}",
		"GET /v2/users",
	}
}

// specifiedRoutes are what the newest client and the platform's other parts ask.
func specifiedRoutes() []string {
	return []string{
		"GET /v2/", "GET /healthz", "GET /readiness",
		"POST /v2/auth/login/", "GET /v2/auth/token/{key}/", "POST /v2/auth/token/", "GET /v2/login/drycc/", "GET /v2/complete/drycc/",
		"GET /v2/auth/whoami/", "GET /v2/tokens/", "GET /v2/tokens/{uuid}/", "DELETE /v2/tokens/{uuid}/",
		"GET /v2/workspaces", "POST /v2/workspaces", "GET /v2/workspaces/{w}", "PATCH /v2/workspaces/{w}", "PUT /v2/workspaces/{w}",
		"DELETE /v2/workspaces/{w}", "GET /v2/workspaces/{w}/members", "GET /v2/workspaces/{w}/members/{username}",
		"PATCH /v2/workspaces/{w}/members/{username}", "DELETE /v2/workspaces/{w}/members/{username}",
		"GET /v2/workspaces/{w}/invitations", "POST /v2/workspaces/{w}/invitations",
		"GET /v2/workspaces/{w}/invitations/{token}", "DELETE /v2/workspaces/{w}/invitations/{token}",
		"GET /v2/apps/", "POST /v2/apps/", "GET /v2/apps/{app}/", "PATCH /v2/apps/{app}/", "PUT /v2/apps/{app}/", "DELETE /v2/apps/{app}/",
		"POST /v2/apps/{app}/run",
		"GET /v2/apps/{app}/build/", "POST /v2/apps/{app}/build/",
		"GET /v2/apps/{app}/config/", "POST /v2/apps/{app}/config/", "DELETE /v2/apps/{app}/config/",
		"GET /v2/apps/{app}/releases/", "GET /v2/apps/{app}/releases/v{version}/", "POST /v2/apps/{app}/releases/deploy/",
		"POST /v2/apps/{app}/releases/rollback/",
		"GET /v2/apps/{app}/ptypes/", "GET /v2/apps/{app}/ptypes/{name}/describe/", "POST /v2/apps/{app}/ptypes/scale/",
		"POST /v2/apps/{app}/ptypes/restart/", "POST /v2/apps/{app}/ptypes/clean/",
		"GET /v2/apps/{app}/pods/", "GET /v2/apps/{app}/pods/{pod}/describe/", "DELETE /v2/apps/{app}/pods/", "GET /v2/apps/{app}/events/",
		"GET /v2/apps/{app}/pods/{pod}/logs/", "GET /v2/apps/{app}/pods/{pod}/exec/",
		"GET /v2/apps/{app}/settings/", "POST /v2/apps/{app}/settings/", "GET /v2/apps/{app}/tls/", "POST /v2/apps/{app}/tls/",
		"GET /v2/apps/{app}/domains/", "POST /v2/apps/{app}/domains/", "DELETE /v2/apps/{app}/domains/{domain}",
		"GET /v2/apps/{app}/certs/", "POST /v2/apps/{app}/certs/", "GET /v2/apps/{app}/certs/{name}", "DELETE /v2/apps/{app}/certs/{name}",
		"POST /v2/apps/{app}/certs/{name}/domain/", "DELETE /v2/apps/{app}/certs/{name}/domain/{domain}",
		"GET /v2/apps/{app}/services/", "POST /v2/apps/{app}/services/", "DELETE /v2/apps/{app}/services/",
		"GET /v2/apps/{app}/gateways/", "GET /v2/apps/{app}/gateways/{name}/", "PUT /v2/apps/{app}/gateways/{name}/",
		"DELETE /v2/apps/{app}/gateways/{name}/", "GET /v2/apps/{app}/routes/", "GET /v2/apps/{app}/routes/{name}/",
		"PUT /v2/apps/{app}/routes/{name}/", "DELETE /v2/apps/{app}/routes/{name}/",
		"GET /v2/apps/{app}/volumes/", "POST /v2/apps/{app}/volumes/", "GET /v2/apps/{app}/volumes/{name}/",
		"PATCH /v2/apps/{app}/volumes/{name}/", "DELETE /v2/apps/{app}/volumes/{name}/", "PATCH /v2/apps/{app}/volumes/{name}/path/",
		"POST /v2/apps/{app}/volumes/{name}/filer/_/bind", "GET /v2/apps/{app}/volumes/{name}/filer/_/ping",
		"GET /v2/apps/{app}/volumes/{name}/filer/webdav/{path}",
		"GET /v2/limits/specs/", "GET /v2/limits/specs/{id}/", "GET /v2/limits/plans/", "GET /v2/limits/plans/{id}/",
		"GET /v2/keys/", "POST /v2/keys/", "GET /v2/keys/{id}", "DELETE /v2/keys/{id}",
		"GET /v2/hooks/key/{fingerprint}", "GET /v2/hooks/keys/{app}/", "GET /v2/hooks/keys/{app}/{username}/",
		"POST /v2/hooks/config/", "POST /v2/hooks/build/", "POST /v2/alerts/",
		"GET /v2/addon-classes/", "GET /v2/addon-classes/{name}/", "GET /v2/apps/{app}/addons/", "GET /v2/apps/{app}/addons/{name}/",
		"PUT /v2/apps/{app}/addons/{name}/", "DELETE /v2/apps/{app}/addons/{name}/", "GET /v2/apps/{app}/addons/{name}/connection/",
		"GET /v2/apps/{app}/metrics/",
	}
}
