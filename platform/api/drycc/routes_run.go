package drycc

// What the answers of these routes are called in the reference.
const (
	plainText = "text"
	frames    = "frames"
)

func inspectRoutes() []route {
	const restarted = "The guide's restart; the newest client asks at /v2/apps/{app}/ptypes/restart/, which answers nothing. Here the answer is the guide's list."
	return []route{
		{method: "GET", pattern: "/v2/apps/{app}/ptypes/", run: (*Handler).listPtypes, doc: routeDoc{
			summary: "What is deployed, newest first. garbage: the newest release no longer has it.", who: viewer,
			status: 200, response: `{"results": [Ptype], "count"}`}},
		{method: "GET", pattern: "/v2/apps/{app}/ptypes/{ptype}/describe/", run: (*Handler).describePtype, doc: routeDoc{
			summary: "What the pods of a process type are made of. Both web and {app}-web name it.", who: viewer,
			status: 200, response: `{"results": [PtypeContainer], "count"}`}},
		{method: "POST", pattern: "/v2/apps/{app}/ptypes/clean/", run: (*Handler).cleanPtypes, doc: routeDoc{
			summary: "Remove process types that the newest release no longer has and that are scaled to 0.", who: member,
			request: `{"ptypes": "web,worker"}`, status: 204}},
		{method: "GET", pattern: "/v2/apps/{app}/pods/{pod}/describe/", run: (*Handler).describePod, doc: routeDoc{
			summary: "The containers of a pod and how they are. Also takes the name of a run.", who: viewer,
			status: 200, response: `{"results": [PodContainer], "count"}`}},
		{method: "DELETE", pattern: "/v2/apps/{app}/pods/", run: (*Handler).deletePods, doc: routeDoc{
			summary: "End pods; others are made in their place where there should be some.", who: admin,
			request: `{"pod_ids": "a,b"}`, status: 200}},
		{method: "GET", pattern: "/v2/apps/{app}/events/", run: (*Handler).listClusterEvents, doc: routeDoc{
			summary: "What the cluster noted, oldest first; nothing when the query names nothing.", who: viewer,
			query:  "pod_name: a pod; ptype: a process type, web or {app}-web",
			status: 200, response: `{"results": [ClusterEvent], "count"}`}},
		{method: "GET", pattern: "/v2/apps/{app}/pods/{type}/", run: (*Handler).listPodsOf, doc: routeDoc{
			summary: "What runs now of one process type.", who: viewer, status: 200, response: `{"results": [Pod], "count"}`}},
		{method: "POST", pattern: "/v2/apps/{app}/pods/restart/", run: (*Handler).restartPods, doc: routeDoc{
			summary: "Replace all pods, without interruption.", who: member, status: 200, response: `[Pod]`, collision: restarted}},
		{method: "POST", pattern: "/v2/apps/{app}/pods/{type}/restart/", run: (*Handler).restartPods, doc: routeDoc{
			summary: "Replace the pods of a process type without interruption, or end the one pod of that name, in whose place another is made.",
			who:     member, status: 200, response: `[Pod]`, collision: restarted}},
		{method: "POST", pattern: "/v2/apps/{app}/pods/{type}/{name}/restart/", run: (*Handler).restartPods, doc: routeDoc{
			summary: "End a pod of a process type; another is made in its place.", who: member, status: 200, response: `[Pod]`, collision: restarted}},
		{method: "GET", pattern: "/v2/apps/{app}/metrics/", run: (*Handler).appMetrics, doc: routeDoc{
			summary: "Release, pods, restarts, CPU, memory, disk and network of the app, for Prometheus.", who: viewer,
			status: 200, response: plainText}},
	}
}

func streamRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/apps/{app}/logs/", run: (*Handler).appLog, doc: routeDoc{
			summary: "The newest lines of all pods and of what the platform did, by time: `time app[ptype.pod]: line`.", who: viewer,
			query:  "log_lines: how many, 100 by default; follow: true goes on with new lines, of new pods too, for up to an hour",
			status: 200, response: plainText,
			collision: "The guide shows the text as a JSON string and the time without its date; the answer is plain text."}},
		{method: "POST", pattern: "/v2/apps/{app}/run/", run: (*Handler).runOnce, doc: routeDoc{
			summary: "Run a command once in the latest release. Answers when it is recorded; the header " + runHeader +
				" holds its name, for its log and for attach. A list is taken as it is, a string is split at white space. stdin keeps the input open for attach. 404 for those who are not members.",
			who:     member,
			request: `{"command": "a b" or ["a", "b"], "ptype"?, "volumes"?: {volume: path}, "timeout"?: seconds, "expires"?: seconds, "stdin"?: bool, "tty"?: bool}`,
			status:  204, collision: `The guide's answer is {"exit_code", "output"}; those come over attach.`}},
		{method: "GET", pattern: "/v2/apps/{app}/pods/{pod}/logs/", socket: true, run: (*Handler).podLog, doc: routeDoc{
			summary: "Websocket: the log of a pod or run.", who: viewer, status: 101, response: frames}},
		{method: "GET", pattern: "/v2/apps/{app}/pods/{pod}/exec/", socket: true, run: (*Handler).execPod, doc: routeDoc{
			summary: "Websocket: a command in a pod, beside its process.", who: member, status: 101, response: frames}},
		{method: "GET", pattern: "/v2/apps/{app}/pods/{pod}/attach/", socket: true, run: (*Handler).attachPod, doc: routeDoc{
			summary: "Websocket: the process of a pod or run itself, for whose beginning it waits; what it said before comes first.",
			who:     member, status: 101, response: frames}},
	}
}

// socketReference says how the websockets are spoken.
func socketReference() string {
	return "## Websockets\n\n" +
		"The request carries the token like any other; a refusal is an ordinary answer. The client begins with one text frame of JSON:\n\n" +
		"- logs: `{\"lines\": 300, \"follow\": false, \"container\": \"\", \"previous\": false}`; `lines` of 0 or less is all. The log comes as text frames, without `follow` as one.\n" +
		"- exec: `{\"tty\": bool, \"stdin\": bool, \"command\": [\"a\", \"b\"]}`. Without `stdin` the output comes in one frame at the end; to have it as it comes, send `stdin` and then the end of the input.\n" +
		"- attach: `{\"tty\": bool, \"stdin\": bool}`. Output comes as it is said. Without `tty` all of it is on channel 1.\n\n" +
		"After that, in exec and attach, every frame is one byte for the channel and the data:\n\n" +
		"| Channel | Data |\n| --- | --- |\n" +
		"| 0 | input |\n| 1 | output |\n| 2 | error output |\n" +
		"| 3 | the end: a status, `{\"status\": \"Success\"}` or `{\"status\": \"Failure\", \"message\"}`; an exit code that is not 0 is in `details.causes`, with reason `ExitCode` |\n" +
		"| 4 | the client's terminal, `{\"Width\": 80, \"Height\": 24}` |\n" +
		"| 255 | the byte 0: the input has ended |\n\n" +
		"A session lasts an hour at most; it is closed with code 1000 at its end and 1011 after an error. The server pings every 30 seconds and gives a client up that it has not heard of for 90.\n"
}
