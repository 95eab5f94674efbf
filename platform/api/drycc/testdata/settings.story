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
> adalove POST /v2/apps/hello/settings/
| {"routable": false, "autodeploy": false}
< 201
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "routable": false,
<   "autodeploy": false,
<   "autorollback": true,
<   "autoscale": {},
<   "label": {},
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }
> adalove POST /v2/apps/hello/settings/
| {"routable": false}
< 409
< {
<   "detail": "adalove changed nothing"
< }
> adalove POST /v2/apps/hello/settings/
| {"autoscale": {"web": {"min": 1, "max": 3, "cpu_percent": 70}}, "label": {"team": "blue", "floor": 3}}
< 201
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "routable": false,
<   "autodeploy": false,
<   "autorollback": true,
<   "autoscale": {
<     "web": {
<       "cpu_percent": 70,
<       "max": 3,
<       "min": 1
<     }
<   },
<   "label": {
<     "floor": "3",
<     "team": "blue"
<   },
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:08:05Z"
< }
> adalove POST /v2/apps/hello/settings/
| {"label": {"floor": null}, "autoscale": {"web": null}}
< 201
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "routable": false,
<   "autodeploy": false,
<   "autorollback": true,
<   "autoscale": {},
<   "label": {
<     "team": "blue"
<   },
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:09:05Z"
< }
> adalove POST /v2/apps/hello/settings/
| {"label": {"floor": null}}
< 422
< {
<   "detail": "floor does not exist under label"
< }
> adalove POST /v2/apps/hello/settings/
| {"autoscale": {"web": {"min": 0, "max": 3, "cpu_percent": 70}}}
< 400
< {
<   "autoscale": [
<     "min has to be at least 1"
<   ]
< }
> adalove POST /v2/apps/hello/settings/
| {"autoscale": {"web": {"min": "one"}}}
< 400
< {
<   "autoscale": [
<     "Expected an integer, but got a string."
<   ]
< }
> adalove POST /v2/apps/hello/settings/
| {"routable": "no"}
< 400
< {
<   "routable": [
<     "Expected true or false, but got a string."
<   ]
< }
> adalove POST /v2/apps/hello/settings/
| {"maintenance": true}
< 400
< {
<   "maintenance": [
<     "This field is not known here."
<   ]
< }
> adalove GET /v2/apps/hello/settings/
< 200
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "routable": false,
<   "autodeploy": false,
<   "autorollback": true,
<   "autoscale": {},
<   "label": {
<     "team": "blue"
<   },
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:09:05Z"
< }

# With autodeploy off a build waits.
> adalove POST /v2/apps/hello/build/
| {"image": "slipway.internal/hello:1"}
< 201
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "image": "slipway.internal/hello:1",
<   "stack": "container",
<   "sha": "",
<   "procfile": {},
<   "dryccfile": {},
<   "dockerfile": "",
<   "created": "2026-01-02T03:16:05Z",
<   "updated": "2026-01-02T03:16:05Z"
< }
> adalove GET /v2/apps/hello/releases/v2/
< 200
< {
<   "uuid": "<uuid-4>",
<   "app": "hello",
<   "version": 2,
<   "state": "created",
<   "summary": "adalove deployed slipway.internal/hello:1",
<   "failed": false,
<   "exception": null,
<   "conditions": [],
<   "deployed_ptypes": [
<     "web"
<   ],
<   "config": "<uuid-5>",
<   "build": "<uuid-3>",
<   "created": "2026-01-02T03:16:05Z",
<   "updated": "2026-01-02T03:16:05Z"
< }
> adalove POST /v2/apps/hello/releases/deploy/
| {"ptypes": ""}
< 204
> adalove GET /v2/apps/hello/releases/v2/
< 200
< {
<   "uuid": "<uuid-4>",
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
<       "created": "2026-01-02T03:18:05Z"
<     }
<   ],
<   "deployed_ptypes": [
<     "web"
<   ],
<   "config": "<uuid-5>",
<   "build": "<uuid-3>",
<   "created": "2026-01-02T03:16:05Z",
<   "updated": "2026-01-02T03:18:05Z"
< }
