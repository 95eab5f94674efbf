# A run step has to end well before its process type is rolled out.
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
| {"image": "slipway.internal/hello:1", "dryccfile": {"pipeline": {"web.yaml": {"kind": "pipeline", "ptype": "web", "run": {"command": ["bin/migrate"], "timeout": 60}, "deploy": {"args": ["serve"]}}}}}
< 201
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "image": "slipway.internal/hello:1",
<   "stack": "container",
<   "sha": "",
<   "procfile": {},
<   "dryccfile": {
<     "pipeline": {
<       "web.yaml": {
<         "kind": "pipeline",
<         "ptype": "web",
<         "run": {
<           "command": [
<             "bin/migrate"
<           ],
<           "timeout": 60
<         },
<         "deploy": {
<           "args": [
<             "serve"
<           ]
<         }
<       }
<     }
<   },
<   "dockerfile": "",
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }
> adalove GET /v2/apps/hello/releases/v2/
< 200
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "version": 2,
<   "state": "succeed",
<   "summary": "adalove deployed slipway.internal/hello:1",
<   "failed": false,
<   "exception": null,
<   "conditions": [
<     {
<       "state": "succeed",
<       "action": "pipeline",
<       "ptypes": [
<         "web"
<       ],
<       "created": "2026-01-02T03:06:05Z"
<     }
<   ],
<   "deployed_ptypes": [
<     "web"
<   ],
<   "config": "<uuid-4>",
<   "build": "<uuid-2>",
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }

# One that fails fails the release with its last words; the old one serves on.
! steps fail
> adalove POST /v2/apps/hello/config/
| {"values": {"GREETING": "hunter2"}}
< 201
< {
<   "uuid": "<uuid-5>",
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
<   "created": "2026-01-02T03:08:05Z",
<   "updated": "2026-01-02T03:08:05Z"
< }
> adalove GET /v2/apps/hello/releases/v3/
< 200
< {
<   "uuid": "<uuid-6>",
<   "app": "hello",
<   "version": 3,
<   "state": "crashed",
<   "summary": "adalove added values GREETING",
<   "failed": true,
<   "exception": "RunFailed: There was a problem deploying v3. Rolling back to release v2. process type web: the run step ended with code 1; its last output:\nno such table",
<   "conditions": [
<     {
<       "state": "crashed",
<       "action": "pipeline",
<       "ptypes": [
<         "web"
<       ],
<       "exception": "RunFailed: There was a problem deploying v3. Rolling back to release v2. process type web: the run step ended with code 1; its last output:\nno such table",
<       "created": "2026-01-02T03:08:05Z"
<     }
<   ],
<   "deployed_ptypes": [
<     "web"
<   ],
<   "config": "<uuid-5>",
<   "build": "<uuid-2>",
<   "created": "2026-01-02T03:08:05Z",
<   "updated": "2026-01-02T03:08:05Z"
< }
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
<     }
<   ],
<   "count": 1
< }

# Asked for again it gets another try.
! steps pass
> adalove POST /v2/apps/hello/config/
| {"values": {"GREETING": "hunter22"}}
< 201
< {
<   "uuid": "<uuid-7>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "GREETING",
<       "value": "hunter22",
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
<   "created": "2026-01-02T03:11:05Z",
<   "updated": "2026-01-02T03:11:05Z"
< }
> adalove GET /v2/apps/hello/releases/v4/
< 200
< {
<   "uuid": "<uuid-8>",
<   "app": "hello",
<   "version": 4,
<   "state": "succeed",
<   "summary": "adalove added values GREETING",
<   "failed": false,
<   "exception": null,
<   "conditions": [
<     {
<       "state": "succeed",
<       "action": "pipeline",
<       "ptypes": [
<         "web"
<       ],
<       "created": "2026-01-02T03:11:05Z"
<     }
<   ],
<   "deployed_ptypes": [
<     "web"
<   ],
<   "config": "<uuid-7>",
<   "build": "<uuid-2>",
<   "created": "2026-01-02T03:11:05Z",
<   "updated": "2026-01-02T03:11:05Z"
< }

# A step that could never be carried out is refused.
> adalove POST /v2/apps/hello/build/
| {"image": "slipway.internal/hello:1", "dryccfile": {"pipeline": {"web.yaml": {"kind": "pipeline", "ptype": "web", "run": {}, "deploy": {}}}}}
< 400
< {
<   "dryccfile": [
<     "web.yaml: run needs a command, args or an image of its own"
<   ]
< }
> adalove POST /v2/apps/hello/build/
| {"image": "slipway.internal/hello:1", "dryccfile": {"pipeline": {"web.yaml": {"kind": "pipeline", "ptype": "web", "run": {"args": ["x"], "timeout": -1}, "deploy": {}}}}}
< 400
< {
<   "dryccfile": [
<     "web.yaml: timeout can't be below 0"
<   ]
< }
