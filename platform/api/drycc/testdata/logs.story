# The log of an app is what its processes say and what the platform did.
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
> adalove POST /v2/apps/hello/build/
| {"image": "slipway.internal/hello:1"}
< 201
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "image": "slipway.internal/hello:1",
<   "stack": "container",
<   "sha": "",
<   "procfile": {},
<   "dryccfile": {},
<   "dockerfile": "",
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }
! say hello web hello-web-0 listening on 5000
> adalove POST /v2/apps/hello/config/
| {"values": {"GREETING": "hunter2"}}
< 201
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "GREETING",
<       "value": "hunter2",
<       "group": "global"
<     }
<   ],
<   "values_refs": {},
<   "limits": {
<     "run": "std1.large.c1m1",
<     "web": "std1.large.c1m1"
<   },
<   "tags": {},
<   "registry": {},
<   "healthcheck": {},
<   "lifecycle": {},
<   "termination_grace_period": {},
<   "created": "2026-01-02T03:07:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }
! say hello web hello-web-0 GET / 200
> adalove GET /v2/apps/hello/logs/
< 200
< 2026-01-02T03:05:05Z drycc[api]: adalove created initial release
< 2026-01-02T03:05:05Z drycc[api]: app created
< 2026-01-02T03:06:05Z drycc[api]: adalove deployed slipway.internal/hello:1
< 2026-01-02T03:06:05Z drycc[api]: scaled web=1
< 2026-01-02T03:06:05Z drycc[api]: deploying v2 (web)
< 2026-01-02T03:06:05Z drycc[api]: v2 deployed (web)
< 2026-01-02T03:06:05Z hello[web.hello-web-0]: listening on 5000
< 2026-01-02T03:07:05Z drycc[api]: adalove added values GREETING
< 2026-01-02T03:07:05Z drycc[api]: deploying v3 (web)
< 2026-01-02T03:07:05Z drycc[api]: v3 deployed (web)
< 2026-01-02T03:07:05Z hello[web.hello-web-0]: GET / 200
> adalove GET /v2/apps/hello/logs?log_lines=2
< 200
< 2026-01-02T03:07:05Z drycc[api]: v3 deployed (web)
< 2026-01-02T03:07:05Z hello[web.hello-web-0]: GET / 200

# Refused.
> adalove GET /v2/apps/hello/logs/?log_lines=many
< 400
< {
<   "log_lines": [
<     "A valid number of lines is required."
<   ]
< }
> adalove GET /v2/apps/hello/logs/?log_lines=-1
< 400
< {
<   "log_lines": [
<     "A valid number of lines is required."
<   ]
< }
> adalove GET /v2/apps/hello/logs/?follow=perhaps
< 400
< {
<   "follow": [
<     "Expected true or false."
<   ]
< }
> bobross GET /v2/apps/hello/logs/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/logs/?follow=true
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> adalove GET /v2/apps/absent/logs/?follow=true
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> nobody GET /v2/apps/hello/logs/
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }

# A websocket has to be asked for.
> adalove GET /v2/apps/hello/pods/hello-web-0/logs/
< 400
< {
<   "detail": "This address speaks the websocket protocol; ask with Upgrade: websocket."
< }
> adalove GET /v2/apps/hello/pods/absent/exec/
< 400
< {
<   "detail": "this process not found"
< }
