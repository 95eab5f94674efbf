package drycc

// filerLogin is who may use the routes below a bound filer: they take no token.
const filerLogin = "the user and password of a bound file client"

const (
	volumesPath  = "/v2/apps/{app}/volumes/"
	volumePath   = volumesPath + "{volume}/"
	resourcePath = "/v2/apps/{app}/resources/{resource}/"
	addonPath    = "/v2/apps/{app}/addons/{addon}/"
)

func volumeRoutes() []route {
	return []route{
		{method: "GET", pattern: volumesPath, paged: true, run: (*Handler).listVolumes, doc: routeDoc{
			summary: "The app's volumes, by name.", who: viewer, status: 200, response: "page of Volume"}},
		{method: "POST", pattern: volumesPath, run: (*Handler).createVolume, doc: routeDoc{
			summary: "Make a volume. Type csi is made of the cluster's storage class, nfs uses a directory of a server. " +
				"oss, a bucket, is kept but can't be mounted: no driver for it is carried. The carried storage class makes directories " +
				"on one node: it holds no volume to its size, and all pods that mount the volume run on that node.",
			who: member, request: `{"name", "size": "2G", "type"?: "csi" | "nfs" | "oss", "parameters"?: {"nfs": {"server", "path"}}}`,
			status: 201, response: "Volume",
			collision: "The guide has sizes in M, which newer clients do not send; both are taken. The secret key of a bucket is not shown again."}},
		{method: "GET", pattern: volumePath, run: (*Handler).findVolume, doc: routeDoc{
			summary: "One volume.", who: viewer, status: 200, response: "Volume"}},
		{method: "PATCH", pattern: volumePath, run: (*Handler).expandVolume, doc: routeDoc{
			summary: "Give a csi volume a larger size. The storage grows with it when its class can let it; " +
				"with the carried class, which has no limit to begin with, the size is only recorded. 409 when it has that size.",
			who: member, request: `{"name"?, "size": "4G"}`, status: 200, response: "Volume"}},
		{method: "DELETE", pattern: volumePath, run: (*Handler).deleteVolume, doc: routeDoc{
			summary: "Delete a volume with its files, which on nfs stay where they are. 400 while it is mounted.", who: admin, status: 204}},
		{method: "PATCH", pattern: volumePath + "path/", run: (*Handler).mountVolume, doc: routeDoc{
			summary: "Mount a volume in process types, or with null take it out. What runs is rolled out anew; the answer is the volume as it was before.",
			who:     member, request: `{"path": {ptype: "/data" | null}}`, status: 200, response: "Volume",
			collision: "The guide says that mounting makes a release; as in the newest controller none is made, only a rollout."}},
		{method: "POST", pattern: volumePath + "filer/_/bind/", run: (*Handler).bindFiler, doc: routeDoc{
			summary: "Start the file client of a volume, unless it runs, and get its user and password: viewers get ones that may only look. It ends an hour after the last ping or request.",
			who:     viewer, status: 200, response: `{"username", "password"}`}},
		{method: "GET", pattern: volumePath + "filer/_/ping/", run: (*Handler).pingFiler, doc: routeDoc{
			summary: "Keep the file client from ending; 503 when none is bound.", who: viewer, status: 200, response: "pong"}},
		{method: anyMethod, pattern: volumePath + "filer/webdav/", open: true, serve: (*Handler).serveFiler, doc: routeDoc{
			summary: "The root directory of a bound volume, over WebDAV with Basic authentication. 428 when it is not bound, 502 or 504 when its file client does not answer.",
			who:     filerLogin, status: 200, response: "WebDAV"}},
		{method: anyMethod, pattern: volumePath + "filer/webdav/{path}/", rest: true, open: true, serve: (*Handler).serveFiler, doc: routeDoc{
			summary: "A file or directory of a bound volume.", who: filerLogin, status: 200, response: "WebDAV"}},
	}
}

func resourceRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/resources/services/", paged: true, run: (*Handler).listCatalogServices, doc: routeDoc{
			summary: "The backing services that resources can be made of.", who: user, status: 200, response: "page of CatalogService"}},
		{method: "GET", pattern: "/v2/resources/services/{service}/plans/", paged: true, run: (*Handler).listPlansOfService, doc: routeDoc{
			summary: "The plans of a service, which is given by name or id.", who: user, status: 200, response: "page of CatalogPlan"}},
		{method: "GET", pattern: "/v2/apps/{app}/resources/", paged: true, run: (*Handler).listResources, doc: routeDoc{
			summary: "The app's resources, by name.", who: viewer, status: 200, response: "page of Resource"}},
		{method: "POST", pattern: "/v2/apps/{app}/resources/", run: (*Handler).createResource, doc: routeDoc{
			summary: "Make a resource; its status tells when it is ready.", who: member,
			request: `{"name", "plan": "redis:standard-128", "options"?: {name: value}}`, status: 201, response: "Resource"}},
		{method: "GET", pattern: resourcePath, run: (*Handler).findResource, doc: routeDoc{
			summary: "One resource, with its credentials when it is bound.", who: viewer, status: 200, response: "Resource"}},
		{method: "PUT", pattern: resourcePath, run: (*Handler).updateResource, doc: routeDoc{
			summary: "Change the plan or the options of a resource. 409 when nothing changes or the last change is not done.", who: member,
			request: `{"plan"?, "options"?}`, status: 200, response: "Resource"}},
		{method: "DELETE", pattern: resourcePath, run: (*Handler).destroyResource, doc: routeDoc{
			summary: "Destroy a resource with its data; 400 while it is bound.", who: admin, status: 204}},
		{method: "PATCH", pattern: resourcePath + "binding/", run: (*Handler).changeBinding, doc: routeDoc{
			summary: "Bind a resource: its credentials go into the group global of the config, which makes a release. Unbinding takes them out again.",
			who:     member, request: `{"bind_action": "bind" | "unbind"}`, status: 200, response: "Resource"}},
		{method: "GET", pattern: "/v2/addon-classes/", run: (*Handler).listAddonClasses, doc: routeDoc{
			summary: "The services of the catalog with their plans, as the newest clients ask for them.", who: user,
			status: 200, response: `{"results": [AddonClass], "count"}`}},
		{method: "GET", pattern: "/v2/addon-classes/{class}/", run: (*Handler).findAddonClass, doc: routeDoc{
			summary: "One service of the catalog.", who: user, status: 200, response: "AddonClass"}},
		{method: "GET", pattern: "/v2/apps/{app}/addons/", paged: true, run: (*Handler).listAddons, doc: routeDoc{
			summary: "The app's resources, as the newest clients see them.", who: viewer, status: 200, response: "page of Addon"}},
		{method: "GET", pattern: addonPath, run: (*Handler).findAddon, doc: routeDoc{
			summary: "One resource.", who: viewer, status: 200, response: "Addon"}},
		{method: "PUT", pattern: addonPath, run: (*Handler).putAddon, doc: routeDoc{
			summary: "Make a resource, 201, or change the one of that name, 200.", who: member,
			request: `{"kind": service, "plan", "parameters"?: {name: value}}`, status: 200, also: []int{201}, response: "Addon"}},
		{method: "DELETE", pattern: addonPath, run: (*Handler).destroyAddon, doc: routeDoc{
			summary: "Destroy a resource with its data; 400 while it is bound.", who: admin, status: 204}},
		{method: "GET", pattern: addonPath + "connection/", run: (*Handler).addonConnection, doc: routeDoc{
			summary: "The credentials of a bound resource, by variable; 404 without any.", who: viewer, status: 200, response: "{variable: value}"}},
	}
}
