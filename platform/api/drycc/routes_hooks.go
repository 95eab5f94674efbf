package drycc

// service may do what the platform's own parts do: whoever has the service key.
const service = "service key"

func keyRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/keys/", paged: true, run: (*Handler).listKeys, doc: routeDoc{
			summary: "The user's SSH keys, oldest first.", who: user, status: 200, response: "page of Key"}},
		{method: "POST", pattern: "/v2/keys/", run: (*Handler).addKey, doc: routeDoc{
			summary: "Add a public SSH key. Nobody may have it already; its id is the user's own and may hold any visible characters.",
			who:     user, request: `{"id", "public"}`, status: 201, response: "Key"}},
		{method: "GET", pattern: "/v2/keys/{id}/", rest: true, run: (*Handler).findKey, doc: routeDoc{
			summary: "One of the user's SSH keys.", who: owner, status: 200, response: "Key"}},
		{method: "DELETE", pattern: "/v2/keys/{id}/", rest: true, run: (*Handler).deleteKey, doc: routeDoc{
			summary: "Take an SSH key away; it stops working at once.", who: owner, status: 204}},
	}
}

func hookRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/hooks/key/{fingerprint}/", rest: true, service: true, run: (*Handler).findPusher, doc: routeDoc{
			summary: "Whose SSH key has the fingerprint, MD5 with colons or SHA256:…, and which apps they can see.", who: service,
			status: 200, response: `{"username", "apps": [id]}`}},
		{method: "GET", pattern: "/v2/hooks/keys/{app}/", service: true, run: (*Handler).appKeys, doc: routeDoc{
			summary: "The SSH keys of all members of the app's workspace.", who: service,
			status: 200, response: `{username: [{"key", "fingerprint"}]}`}},
		{method: "GET", pattern: "/v2/hooks/keys/{app}/{username}/", service: true, run: (*Handler).appKeys, doc: routeDoc{
			summary: "The SSH keys of one of them; 403 for others, 404 without keys.", who: service,
			status: 200, response: `{username: [{"key", "fingerprint"}]}`}},
		{method: "POST", pattern: "/v2/hooks/config/", service: true, run: (*Handler).pushConfig, doc: routeDoc{
			summary: "The config that a build of the app starts from; 403 when the user may not push.", who: service,
			request: `{"receive_user", "receive_repo"}`, status: 200, response: "Config"}},
		{method: "POST", pattern: "/v2/hooks/build/", service: true, run: (*Handler).push, doc: routeDoc{
			summary: "Make a build and a release of it for the user who pushed. Its image may be on a loopback registry.", who: service,
			request: `{"receive_user", "receive_repo", "image", "stack"?, "sha"?, "procfile"?, "dryccfile"?, "dockerfile"?}`,
			status:  200, response: `{"release": {"version"}}`}},
		{method: "POST", pattern: "/v2/alerts/", service: true, run: (*Handler).alert, doc: routeDoc{
			summary: "Record alerts of a workspace in the event log; the workspace drycc is the staff.", who: service,
			request: `{"workspace", "alerts": [{"title", "content", "severity", …}]}`, status: 204}},
	}
}

func buildRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/apps/{app}/builds/", paged: true, run: (*Handler).listBuilds, doc: routeDoc{
			summary: "The app's builds, newest first.", who: viewer, status: 200, response: "page of Build"}},
		{method: "POST", pattern: "/v2/apps/{app}/builds/", run: (*Handler).createBuild, doc: routeDoc{
			summary: "Deploy an image. An older address of /v2/apps/{app}/build/.", who: member,
			request: `{"image", "stack"?, "procfile"?, "dryccfile"?, "sha"?, "dockerfile"?}`, status: 201, response: "Build"}},
	}
}
