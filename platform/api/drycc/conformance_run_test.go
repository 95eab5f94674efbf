package drycc

import (
	"net/http/httptest"

	"github.com/stretchr/testify/assert"
)

// deployedPods has pods, whose names begin with the app's.
func deployedPods(c *cell) {
	deploy(c)
	c.vars["pod"], c.vars["name"] = c.vars["app"]+"-web-0", c.vars["app"]+"-web-0"
	c.vars["type"], c.vars["ptype"] = "web", "web"
}

// garbage has a process type that the newest release does not have.
func garbage(c *cell) {
	deploy(c)
	c.do(anAdmin, "POST /v2/apps/${app}/build/", `{"image": "slipway.internal/hello:2", "procfile": {"web": "serve"}}`)
}

// socketCell asks without changing the protocol: whoever may use the route is
// told that this is missing, and everybody else is refused before it matters.
// What the websockets say is in socket_test.go.
func socketCell(c *cell, who role) {
	rt := routeOf(c.t, c.row)
	if who == "" {
		w := c.refuses("a made-up pod", 400, func() *httptest.ResponseRecorder {
			return c.ask(anAdmin, map[string]string{"pod": "99999-not-there"})
		})
		assert.Contains(c.t, w.Body.String(), "this process not found")
		return
	}
	if status := expected(c.t, rt, c.row, who); status != c.row.status {
		c.refused(rt, who, status)
		return
	}
	w := c.refuses(string(who), c.row.status, func() *httptest.ResponseRecorder { return c.ask(who, nil) })
	assert.Contains(c.t, w.Body.String(), "websocket")
}

// runRows are process types, pods, logs, terminals and commands.
func runRows() []row {
	const pods = "/v2/apps/{app}/pods/"
	return []row{
		{route: "GET /v2/apps/{app}/ptypes/", arrange: deploy, status: 200, answer: "list of Ptype"},
		{route: "GET /v2/apps/{app}/ptypes/{ptype}/describe/", arrange: deployedPods, status: 200, answer: "list of PtypeContainer", missing: 400},
		{route: "POST /v2/apps/{app}/ptypes/clean/", arrange: garbage, body: `{"ptypes": "worker"}`, status: 204},
		{route: "GET " + pods + "{pod}/describe/", arrange: deployedPods, status: 200, answer: "list of PodContainer", missing: 400},
		{route: "DELETE " + pods, arrange: deployedPods, body: `{"pod_ids": "${pod}"}`, status: 200},
		{route: "GET /v2/apps/{app}/events/", arrange: deployedPods, query: "pod_name=${pod}", status: 200, answer: "list of ClusterEvent"},
		{route: "GET " + pods + "{type}/", arrange: deployedPods, status: 200, answer: "list of Pod", missing: 200},
		{route: "POST " + pods + "restart/", arrange: deployedPods, status: 200, answer: "[Pod]"},
		{route: "POST " + pods + "{type}/restart/", arrange: deployedPods, status: 200, answer: "[Pod]", missing: 400},
		{route: "POST " + pods + "{type}/{name}/restart/", arrange: deployedPods, status: 200, answer: "[Pod]", missing: 400},
		{route: "GET /v2/apps/{app}/metrics/", arrange: deploy, status: 200, answer: plainText},
		{route: "GET /v2/apps/{app}/logs/", arrange: deploy, status: 200, answer: plainText},
		{route: "POST /v2/apps/{app}/run/", arrange: deploy, body: `{"command": "ls -l"}`, status: 204},
		{route: "GET " + pods + "{pod}/logs/", arrange: deployedPods, status: 400, own: socketCell},
		{route: "GET " + pods + "{pod}/exec/", arrange: deployedPods, status: 400, own: socketCell},
		{route: "GET " + pods + "{pod}/attach/", arrange: deployedPods, status: 400, own: socketCell},
	}
}

func runSchemas() map[string]string {
	return map[string]string{
		"Ptype": "{name:str release:str ready:str garbage:bool up_to_date:int available_replicas:int started:time?}",
		"PodContainer": "{container:str image:str command:[str] args:[str] state:{*:any} lastState:{*:any} ready:bool restartCount:int " +
			"status:str reason:str message:str}",
		"PtypeContainer": "{container:str image:str command:[str] args:[str] liveness_probe:{*:any} readiness_probe:{*:any} limits:{*:str} " +
			"volume_mounts:[{name:str mountPath:str}] node_selector:{*:str}}",
		"ClusterEvent": "{reason:str message:str created:time}",
	}
}
