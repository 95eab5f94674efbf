# Commands that run once need a build.
> adalove POST /v2/apps/
| {"id": "hello"}
< 201
< {
<   "uuid": "<uuid-1>",
<   "id": "hello",
<   "uid": 1,
<   "workspace": "adalove",
<   "structure": {},
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:05:05Z"
< }
> adalove POST /v2/apps/hello/run
| {"command": "ls"}
< 400
< {
<   "detail": "no build available, please deploy a release"
< }
> adalove POST /v2/apps/hello/build/
| {"image": "slipway.internal/hello:1", "procfile": {"web": "serve", "run": "console --prompt"}}
< 201
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "image": "slipway.internal/hello:1",
<   "stack": "container",
<   "sha": "",
<   "procfile": {
<     "run": "console --prompt",
<     "web": "serve"
<   },
<   "dryccfile": {},
<   "dockerfile": "",
<   "created": "2026-01-02T03:07:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }

# The newest client sends a string and reads no body. The name is in a header.
> adalove POST /v2/apps/hello/run
| {"command": "ls -l", "timeout": 3600, "expires": 3600}
< 204  X-Drycc-Run: hello-run-cbxwc

# A list is taken as it is; numbers may come as strings; the guide's slash.
> adalove POST /v2/apps/hello/run/
| {"command": ["sh", "-c", "echo 'a b'"], "timeout": "60", "volumes": {}, "stdin": true, "tty": true}
< 204  X-Drycc-Run: hello-run-bfn9f

# Without a command it is what the Procfile says.
> adalove POST /v2/apps/hello/run/
< 204  X-Drycc-Run: hello-run-p6mqn
> adalove POST /v2/apps/hello/run/
| {"ptype": "worker"}
< 400
< {
<   "detail": "command is a required field, or it can be defined in Procfile"
< }

# Runs are seen beside the rest, and their containers too.
> adalove GET /v2/apps/hello/pods/
< 200
< {
<   "results": [
<     {
<       "name": "hello-web-0",
<       "state": "up",
<       "release": "v2",
<       "type": "web",
<       "started": null,
<       "ready": "1/1",
<       "restarts": 0
<     },
<     {
<       "name": "hello-run-cbxwc-0",
<       "state": "up",
<       "release": "v2",
<       "type": "run",
<       "started": null,
<       "ready": "1/1",
<       "restarts": 0
<     },
<     {
<       "name": "hello-run-bfn9f-0",
<       "state": "up",
<       "release": "v2",
<       "type": "run",
<       "started": null,
<       "ready": "1/1",
<       "restarts": 0
<     },
<     {
<       "name": "hello-run-p6mqn-0",
<       "state": "up",
<       "release": "v2",
<       "type": "run",
<       "started": null,
<       "ready": "1/1",
<       "restarts": 0
<     }
<   ],
<   "count": 4
< }
> adalove GET /v2/apps/hello/pods/run/
< 200
< {
<   "results": [
<     {
<       "name": "hello-run-cbxwc-0",
<       "state": "up",
<       "release": "v2",
<       "type": "run",
<       "started": null,
<       "ready": "1/1",
<       "restarts": 0
<     },
<     {
<       "name": "hello-run-bfn9f-0",
<       "state": "up",
<       "release": "v2",
<       "type": "run",
<       "started": null,
<       "ready": "1/1",
<       "restarts": 0
<     },
<     {
<       "name": "hello-run-p6mqn-0",
<       "state": "up",
<       "release": "v2",
<       "type": "run",
<       "started": null,
<       "ready": "1/1",
<       "restarts": 0
<     }
<   ],
<   "count": 3
< }

# Refused.
> adalove POST /v2/apps/hello/run/
| {"command": 3}
< 400
< {
<   "command": [
<     "Expected a string or a list of strings, but got a number."
<   ]
< }
> adalove POST /v2/apps/hello/run/
| {"command": [1]}
< 400
< {
<   "command": [
<     "Expected a string, but got a number."
<   ]
< }
> adalove POST /v2/apps/hello/run/
| {"command": "ls", "timeout": "soon"}
< 400
< {
<   "timeout": [
<     "A valid integer is required."
<   ]
< }
> adalove POST /v2/apps/hello/run/
| {"command": "ls", "timeout": 86401}
< 400
< {
<   "timeout": [
<     "Ensure this value is between 0 and 86400."
<   ]
< }
> adalove POST /v2/apps/hello/run/
| {"command": "ls", "expires": -1}
< 400
< {
<   "expires": [
<     "Ensure this value is greater than or equal to 0."
<   ]
< }
> adalove POST /v2/apps/hello/run/
| {"command": "ls", "volumes": {"data": "/data"}}
< 400
< {
<   "volumes": [
<     "the app has no volume data"
<   ]
< }
> adalove POST /v2/apps/hello/run/
| {"command": "ls", "ptype": "Not One"}
< 400
< {
<   "ptype": [
<     "Process types can only supports: ^(?P<type>[a-z0-9]+(\\-[a-z0-9]+)*)$"
<   ]
< }
> adalove POST /v2/apps/hello/run/
| {"command": "ls", "detach": true}
< 400
< {
<   "detach": [
<     "This field is not known here."
<   ]
< }
> adalove POST /v2/apps/hello/run/
| {"command"
< 400
< {
<   "detail": "JSON parse error - it ends too early."
< }
> bobross POST /v2/apps/hello/run/
| {"command": "ls"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> admin POST /v2/apps/hello/run/
| {"command": "ls"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> nobody POST /v2/apps/hello/run/
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }
> adalove GET /v2/apps/hello/run/
< 405  Allow: POST, OPTIONS
< {
<   "detail": "Method \"GET\" not allowed."
< }

# The cluster is away.
! away StartJob
> adalove POST /v2/apps/hello/run/
| {"command": "ls"}
< 503
< {
<   "detail": "the cluster does not answer"
< }
! back StartJob
