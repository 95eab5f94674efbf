package drycc

// loginKey begins a login of the owner's and keeps its key.
func loginKey(c *cell) {
	out := c.do(anonymous, "POST /v2/auth/login/", `{"username": "keeper1", "password": "`+password+`"}`)
	c.vars["key"] = out["key"].(string)
}

// anotherToken makes a token of the owner's.
func anotherToken(c *cell) {
	loginKey(c)
	out := c.do(anonymous, "GET /v2/auth/token/${key}/?alias=spare${n}", "")
	c.vars["uuid"] = out["uuid"].(string)
}

// group arranges values in a group that web reads.
func group(c *cell) {
	c.do(anAdmin, "POST /v2/apps/${app}/config/", `{"values": [{"name": "A", "value": "b", "group": "g"}], "values_refs": {"web": ["g"]}}`)
}

// twice arranges two builds.
func twice(c *cell) {
	deploy(c)
	deploy(c)
}

// baseRows are the rows of the first routes.
func baseRows() []row {
	const name = "cell-${n}-new"
	return []row{
		{route: "GET /healthz", status: 200},
		{route: "GET /readiness", status: 200},
		{route: "GET /v2/", status: 200, answer: "{apps:str keys:str tokens:str workspaces:str}"},

		{route: "POST /v2/auth/login/", body: `{"username": "adalove", "password": "` + password + `"}`, status: 200, answer: "{key:str}"},
		{route: "GET /v2/auth/token/{key}/", arrange: loginKey, query: "alias=row", status: 200, answer: "{uuid:uuid token:str username:str}"},
		{route: "GET /v2/auth/whoami/", status: 200},
		{route: "GET /v2/tokens/", status: 200},
		{route: "GET /v2/tokens/{uuid}/", arrange: anotherToken, status: 200},
		{route: "DELETE /v2/tokens/{uuid}/", arrange: anotherToken, status: 204},
		{route: "GET /v2/workspaces/", status: 200},
		{route: "GET /v2/workspaces/{workspace}/", status: 200},

		{route: "GET /v2/apps/", query: "search=${app}", status: 200},
		{route: "POST /v2/apps/", body: `{"id": "` + name + `", "workspace": "adalove"}`, status: 201, strangers: 403},
		{route: "GET /v2/apps/{app}/", status: 200},
		{route: "DELETE /v2/apps/{app}/", arrange: deploy, status: 204},
		{route: "GET /v2/apps/{app}/settings/", status: 200},
		{route: "POST /v2/apps/{app}/settings/", body: `{"label": {"team": "t${n}"}}`, status: 201},
		{route: "GET /v2/apps/{app}/domains/", status: 200},

		{route: "GET /v2/apps/{app}/build/", arrange: deploy, query: "version=v2", status: 200},
		{route: "POST /v2/apps/{app}/build/", body: `{"image": "slipway.internal/hello:1", "procfile": {"web": "serve"}}`, status: 201},
		{route: "GET /v2/apps/{app}/config/", arrange: group, query: "version=v2", status: 200},
		{route: "POST /v2/apps/{app}/config/", body: `{"values": [{"name": "A", "value": "b", "ptype": "web"}], "tags": {}}`, status: 201},
		{route: "DELETE /v2/apps/{app}/config/", arrange: group, body: `{"values_refs": {"web": ["g"]}}`, status: 200},
		{route: "GET /v2/apps/{app}/releases/", arrange: deploy, status: 200},
		{route: "GET /v2/apps/{app}/releases/v{version}/", arrange: func(c *cell) { deploy(c); c.vars["version"] = "2" }, status: 200},
		{route: "POST /v2/apps/{app}/releases/deploy/", arrange: deploy, body: `{"ptypes": "web", "force": true}`, status: 204},
		{route: "POST /v2/apps/{app}/releases/rollback/", arrange: twice, body: `{"version": 2}`, status: 201, answer: "{version:int}"},

		{route: "POST /v2/apps/{app}/ptypes/scale/", arrange: deploy, body: `{"web": 2, "worker": 1}`, status: 204},
		{route: "POST /v2/apps/{app}/scale/", arrange: deploy, body: `{"web": 2}`, status: 204},
		{route: "POST /v2/apps/{app}/ptypes/restart/", arrange: deploy, body: `{"ptypes": "web"}`, status: 204},
		{route: "GET /v2/apps/{app}/pods/", arrange: deploy, status: 200, answer: "list of Pod"},
	}
}
