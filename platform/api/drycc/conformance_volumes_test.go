package drycc

import (
	"net/http/httptest"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// aVolume makes the volume ${volume}.
func aVolume(c *cell) {
	c.vars["volume"] = "data"
	c.do(anAdmin, "POST /v2/apps/${app}/volumes/", `{"name": "data", "size": "1G"}`)
}

// deployedVolume has something to mount it.
func deployedVolume(c *cell) {
	deploy(c)
	aVolume(c)
}

// boundVolume has a file client, whose password is ${password}.
func boundVolume(c *cell) {
	aVolume(c)
	out := c.do(anAdmin, "POST /v2/apps/${app}/volumes/data/filer/_/bind", "")
	c.vars["password"], c.vars["path"] = out["password"].(string), "a/b"
}

// aResource makes the resource ${resource} of a catalog that has redis.
func aResource(c *cell) {
	c.directVolumes([]string{"offer"})
	c.vars["service"], c.vars["class"], c.vars["resource"], c.vars["addon"] = "redis", "redis", "cache", "cache"
	c.do(anAdmin, "POST /v2/apps/${app}/resources/", `{"name": "cache", "plan": "redis:standard-128"}`)
}

func boundResource(c *cell) {
	aResource(c)
	c.do(anAdmin, "PATCH /v2/apps/${app}/resources/cache/binding/", `{"bind_action": "bind"}`)
}

// filerCell checks a route that a file client answers: tokens of no role count
// there, only its own password does.
func filerCell(c *cell, who role) {
	method, target := "PROPFIND", c.target(nil)
	if who != "" {
		before := c.version()
		send := func(target string) *httptest.ResponseRecorder { return c.send(string(who), method, target, "") }
		w := send(target)
		assert.Equal(c.t, 401, w.Code, "%s %s", who, target)
		assert.Equal(c.t, `Basic realm="volume"`, w.Header().Get("WWW-Authenticate"))
		other := send(c.target(map[string]string{"volume": "99999-not-there"}))
		assert.Equal(c.t, w.Body.String(), other.Body.String(), "%s learns nothing", who)
		assert.Equal(c.t, before, c.version())
		return
	}
	for login, want := range map[string]int{"writer:" + c.vars["password"]: 207, "writer:wrong": 401, "reader:" + c.vars["password"]: 401} {
		w := c.send(login, method, target, "")
		assert.Equal(c.t, want, w.Code, "%s", w.Body)
		assert.Equal(c.t, []string{"2.3"}, exactly(w, "DRYCC_API_VERSION"))
	}
	w := c.send("writer:"+c.vars["password"], "OPTIONS", target, "")
	assert.Equal(c.t, "1, 2", w.Header().Get("DAV"), "OPTIONS are the file client's as well")
	assert.Equal(c.t, 404, c.send("writer:x", method, c.target(map[string]string{"volume": "99999-not-there"}), "").Code)
	assert.Equal(c.t, 404, c.send("writer:x", method, c.target(map[string]string{"app": "99999-not-there"}), "").Code)
	c.cluster.EndFiler(c.vars["app"], "data")
	w = c.send("writer:"+c.vars["password"], method, target, "")
	assert.Equal(c.t, 428, w.Code)
	require.True(c.t, strings.HasPrefix(w.Body.String(), `{"detail":`), "%s", w.Body)
}

// volumeRows are the rows of volumes and their file client.
func volumeRows() []row {
	const at = "/v2/apps/{app}/volumes/{volume}/"
	return []row{
		{route: "GET /v2/apps/{app}/volumes/", arrange: aVolume, status: 200},
		{route: "POST /v2/apps/{app}/volumes/", body: `{"name": "data", "size": "200M", "type": "nfs", "parameters": {"nfs": {"server": "s", "path": "/"}}}`, status: 201},
		{route: "GET " + at, arrange: aVolume, status: 200},
		{route: "PATCH " + at, arrange: aVolume, body: `{"size": "2G"}`, status: 200},
		{route: "DELETE " + at, arrange: aVolume, status: 204},
		{route: "PATCH " + at + "path/", arrange: deployedVolume, body: `{"path": {"web": "/data"}}`, status: 200},
		{route: "POST " + at + "filer/_/bind/", arrange: aVolume, status: 200, answer: "{username:str password:str}"},
		{route: "GET " + at + "filer/_/ping/", arrange: boundVolume, status: 200, answer: "pong"},
		{route: "ANY " + at + "filer/webdav/", arrange: boundVolume, own: filerCell},
		{route: "ANY " + at + "filer/webdav/{path}/", arrange: boundVolume, own: filerCell},
	}
}

// resourceRows are the rows of the catalog, resources and addons.
func resourceRows() []row {
	const (
		at    = "/v2/apps/{app}/resources/{resource}/"
		addon = "/v2/apps/{app}/addons/{addon}/"
	)
	return []row{
		{route: "GET /v2/resources/services/", arrange: aResource, status: 200},
		{route: "GET /v2/resources/services/{service}/plans/", arrange: aResource, status: 200},
		{route: "GET /v2/apps/{app}/resources/", arrange: aResource, status: 200},
		{route: "POST /v2/apps/{app}/resources/", arrange: aResource, body: `{"name": "other", "plan": "redis:standard-256", "options": {"a": 1}}`, status: 201},
		{route: "GET " + at, arrange: boundResource, status: 200},
		{route: "PUT " + at, arrange: aResource, body: `{"plan": "redis:standard-256"}`, status: 200},
		{route: "DELETE " + at, arrange: aResource, status: 204},
		{route: "PATCH " + at + "binding/", arrange: aResource, body: `{"bind_action": "bind"}`, status: 200},
		{route: "GET /v2/addon-classes/", arrange: aResource, status: 200, answer: "list of AddonClass"},
		{route: "GET /v2/addon-classes/{class}/", arrange: aResource, status: 200},
		{route: "GET /v2/apps/{app}/addons/", arrange: aResource, status: 200},
		{route: "GET " + addon, arrange: aResource, status: 200},
		// One that is not there yet would be made, were it not for the name.
		{route: "PUT " + addon, arrange: aResource, body: `{"name": "cache", "kind": "redis", "plan": "standard-256"}`, status: 200, missing: 400},
		{route: "DELETE " + addon, arrange: aResource, status: 204},
		{route: "GET " + addon + "connection/", arrange: boundResource, status: 200, answer: "{*:str}"},
	}
}

// volumeSchemas are the objects of volumes and resources.
func volumeSchemas() map[string]string {
	return map[string]string{
		"Volume": "{uuid:uuid app:str name:str size:str path:{*:str} type:str parameters:{*:{*:str}} created:time updated:time}",
		"Resource": "{uuid:uuid owner:str app:str name:str plan:str data:{*:str} options:{*:str} status:str? binding:str? message:str? " +
			"created:time updated:time}",
		"CatalogService": "{id:str name:str updateable:bool}",
		"CatalogPlan":    "{id:str name:str description:str}",
		"Addon":          "{uuid:uuid name:str app:str plan:str kind:str multiplier:int parameters:{*:str} created:time updated:time}",
		"AddonClass":     "{name:str updateable:bool plans:[CatalogPlan]}",
	}
}
