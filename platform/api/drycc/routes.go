package drycc

// Who may use a route, in the words of the reference.
const (
	anyone = "anyone"
	user   = "any user"
	owner  = "the token's owner"
	viewer = "workspace viewer"
	member = "workspace member"
	admin  = "workspace admin"
)

// routes is the API. Every path is answered with and without the slash at its
// end. A request body without members may be left out.
func routes() []route {
	var all []route
	for _, part := range [][]route{rootRoutes(), accountRoutes(), appRoutes(), releaseRoutes(), processRoutes(),
		buildRoutes(), buildRunRoutes(), buildHookRoutes(), keyRoutes(), hookRoutes(), edgeRoutes(), volumeRoutes(), resourceRoutes(),
		loginRoutes(), userRoutes(), memberRoutes(), limitRoutes(), transferRoutes(), inspectRoutes(), streamRoutes()} {
		all = append(all, part...)
	}
	return all
}

func rootRoutes() []route {
	return []route{
		{method: "GET", pattern: "/healthz", open: true, run: (*Handler).healthz, doc: routeDoc{
			summary: "The process is alive.", who: anyone, status: 200, response: "OK"}},
		{method: "GET", pattern: "/readiness", open: true, run: (*Handler).readiness, doc: routeDoc{
			summary: "Requests can be served; 503 while the database is not reachable.", who: anyone, status: 200, response: "OK"}},
		{method: "GET", pattern: "/v2/", run: (*Handler).index, doc: routeDoc{
			summary: "The addresses of the collections. Clients ask here without a token and take the 401 as proof of a controller.",
			who:     user, status: 200, response: `{"apps", "keys", "tokens", "workspaces"}`}},
	}
}

func accountRoutes() []route {
	return []route{
		{method: "POST", pattern: "/v2/auth/login/", open: true, run: (*Handler).login, doc: routeDoc{
			summary: "Check a password. The token waits under the key, at /v2/auth/token/{key}/, for 30 minutes. Wrong credentials answer 400 with error invalid_grant. Without a body it answers 302 to the login page, whose address has the key.",
			who:     anyone, request: `{"username", "password"}`, status: 200, response: `{"key"}`,
			collision: "The guide's answer is {\"token\"}; the token is one more request away, at /v2/auth/token/{key}/."}},
		{method: "GET", pattern: "/v2/auth/token/{key}/", open: true, secret: true, run: (*Handler).pickUpToken, doc: routeDoc{
			summary: "Pick a token up, once. 404 without a body until it is there.",
			who:     anyone, query: "alias: a name for the token", status: 200, response: `{"uuid", "token", "username"}`}},
		{method: "GET", pattern: "/v2/auth/whoami/", run: (*Handler).whoami, doc: routeDoc{
			summary: "The user behind the token.", who: user, status: 200, response: "User"}},
		{method: "GET", pattern: "/v2/tokens/", paged: true, run: (*Handler).listTokens, doc: routeDoc{
			summary: "The user's tokens, their keys shown in part.", who: user, status: 200, response: "page of Token"}},
		{method: "GET", pattern: "/v2/tokens/{uuid}/", run: (*Handler).findToken, doc: routeDoc{
			summary: "One token.", who: owner, status: 200, response: "Token"}},
		{method: "DELETE", pattern: "/v2/tokens/{uuid}/", run: (*Handler).deleteToken, doc: routeDoc{
			summary: "Delete a token; it stops working at once.", who: owner, status: 204}},
		{method: "GET", pattern: "/v2/workspaces/", paged: true, run: (*Handler).listWorkspaces, doc: routeDoc{
			summary: "The workspaces the user is a member of.", who: user, status: 200, response: "page of Workspace"}},
		{method: "GET", pattern: "/v2/workspaces/{workspace}/", run: (*Handler).findWorkspace, doc: routeDoc{
			summary: "One workspace; 404 for those who are not members.", who: viewer, status: 200, response: "Workspace"}},
	}
}

func appRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/apps/", paged: true, run: (*Handler).listApps, doc: routeDoc{
			summary: "The apps of the user's workspaces, by id.", who: user,
			query: "workspace: only its apps; search: only ids that begin so", status: 200, response: "page of App",
			collision: "Apps have workspace, where the guide shows owner and url; the address is at /v2/apps/{app}/domains/."}},
		{method: "POST", pattern: "/v2/apps/", run: (*Handler).createApp, doc: routeDoc{
			summary: "Make an app. Without id one is made up; without workspace it is the user's own.",
			who:     member, request: `{"id"?, "workspace"?}`, status: 201, response: "App"}},
		{method: "GET", pattern: "/v2/apps/{app}/", run: (*Handler).findApp, doc: routeDoc{
			summary: "One app; 404 for those who are not members of its workspace.", who: viewer, status: 200, response: "App"}},
		{method: "DELETE", pattern: "/v2/apps/{app}/", run: (*Handler).deleteApp, doc: routeDoc{
			summary: "Delete an app with all that runs for it.", who: admin, status: 204}},
		{method: "GET", pattern: "/v2/apps/{app}/settings/", run: (*Handler).findSettings, doc: routeDoc{
			summary: "The app's settings.", who: viewer, status: 200, response: "Settings"}},
		{method: "POST", pattern: "/v2/apps/{app}/settings/", run: (*Handler).changeSettings, doc: routeDoc{
			summary: "Change settings; null members of autoscale and label are removed. 409 when nothing changes.",
			who:     member, request: "any part of Settings", status: 201, response: "Settings"}},
	}
}

func releaseRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/apps/{app}/build/", run: (*Handler).findBuild, doc: routeDoc{
			summary: "The build of the latest release, or of another; all empty before the first.", who: viewer,
			query: "version: a release, v3", status: 200, response: "Build"}},
		{method: "POST", pattern: "/v2/apps/{app}/build/", run: (*Handler).createBuild, doc: routeDoc{
			summary: "Deploy an image. Answers when the release is recorded; its progress is in the releases.", who: member,
			request: `{"image", "stack"?, "procfile"?, "dryccfile"?, "sha"?, "dockerfile"?}`, status: 201, response: "Build",
			collision: "The guide sends no stack; without one it is container."}},
		{method: "GET", pattern: "/v2/apps/{app}/config/", run: (*Handler).findConfig, doc: routeDoc{
			summary: "The config of the latest release, or of another.", who: viewer,
			query: "version: a release, v3", status: 200, response: "Config",
			collision: "Values are a list; the guide shows a map, and memory and cpu, which plans under limits replace."}},
		{method: "POST", pattern: "/v2/apps/{app}/config/", run: (*Handler).changeConfig, doc: routeDoc{
			summary: "Change the config and make a release of it. null removes. With merge=false the groups and process types that are named lose their other values. 409 when nothing changes, 422 for removing what is not there.",
			who:     member, query: "merge: true (default) or false", request: "any part of Config", status: 201, response: "Config",
			collision: `The guide's map form, {"values": {"NAME": "value"}}, is taken too; its values go to the group global. ` +
				`memory and cpu, maps of process types to amounts such as 512M and 500m, choose the smallest plan that has them. ` +
				`healthcheck {"livenessProbe": {"livenessProbe": null}}, as the newest client unsets, takes the probe from web, or from the one process type that has it. ` +
				`Names in healthcheck and lifecycle may be in snake_case. A lifecycle hook of tcpSocket is kept and not carried out: Kubernetes has no such hook. ` +
				`So is stopSignal: the carried Kubernetes and containerd do not take it yet, and containers get the stop signal of their image, SIGTERM when that names none.`}},
		{method: "DELETE", pattern: "/v2/apps/{app}/config/", run: (*Handler).detachConfig, doc: routeDoc{
			summary: "Detach groups of values from process types.", who: admin,
			request: `{"values_refs": {ptype: [group]}}`, status: 200}},
		{method: "GET", pattern: "/v2/apps/{app}/releases/", paged: true, run: (*Handler).listReleases, doc: routeDoc{
			summary: "The app's releases, newest first.", who: viewer,
			query: "ptypes: only releases that deployed all of these, web,worker", status: 200, response: "page of Release"}},
		{method: "GET", pattern: "/v2/apps/{app}/releases/v{version}/", run: (*Handler).findRelease, doc: routeDoc{
			summary: "One release.", who: viewer, status: 200, response: "Release"}},
		{method: "POST", pattern: "/v2/apps/{app}/releases/deploy/", run: (*Handler).deployRelease, doc: routeDoc{
			summary: "Deploy the latest release, all of it or some process types; force repeats what is done.", who: member,
			request: `{"ptypes"?: "web,worker", "force"?: bool}`, status: 204}},
		{method: "POST", pattern: "/v2/apps/{app}/releases/rollback/", run: (*Handler).rollback, doc: routeDoc{
			summary: "Make a new release from an older one and deploy it; without version from the one before.", who: member,
			request: `{"version"?: 2, "ptypes"?: "web,worker"}`, status: 201, response: `{"version"}`}},
	}
}

func processRoutes() []route {
	const scaled = "Set how many of each process type run. Answers when the cluster has taken it, not when all run."
	return []route{
		{method: "POST", pattern: "/v2/apps/{app}/ptypes/scale/", run: (*Handler).scale, doc: routeDoc{
			summary: scaled, who: member, request: `{ptype: count}`, status: 204}},
		{method: "POST", pattern: "/v2/apps/{app}/scale/", run: (*Handler).scale, doc: routeDoc{
			summary: scaled + " The guide's older address.", who: member, request: `{ptype: count}`, status: 204}},
		{method: "POST", pattern: "/v2/apps/{app}/ptypes/restart/", run: (*Handler).restart, doc: routeDoc{
			summary: "Replace the pods of some process types, or of all, without interruption.", who: member,
			request: `{"ptypes"?: "web,worker"}`, status: 204}},
		{method: "GET", pattern: "/v2/apps/{app}/pods/", run: (*Handler).listPods, doc: routeDoc{
			summary: "What runs now.", who: viewer, status: 200, response: `{"results": [Pod], "count"}`}},
	}
}
