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
| {"image": "slipway.internal/hello:1", "stack": "container", "procfile": {"web": "serve", "worker": "work"}}
< 201
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "image": "slipway.internal/hello:1",
<   "stack": "container",
<   "sha": "",
<   "procfile": {
<     "web": "serve",
<     "worker": "work"
<   },
<   "dryccfile": {},
<   "dockerfile": "",
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }
> adalove POST /v2/apps/hello/ptypes/scale/
| {"web": 2, "worker": 1}
< 204
> adalove GET /v2/apps/hello/pods/?limit=1000
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
<       "name": "hello-web-1",
<       "state": "up",
<       "release": "v2",
<       "type": "web",
<       "started": null,
<       "ready": "1/1",
<       "restarts": 0
<     },
<     {
<       "name": "hello-worker-0",
<       "state": "up",
<       "release": "v2",
<       "type": "worker",
<       "started": null,
<       "ready": "1/1",
<       "restarts": 0
<     }
<   ],
<   "count": 3
< }
> adalove GET /v2/apps/hello/
< 200
< {
<   "uuid": "<uuid-1>",
<   "id": "hello",
<   "uid": 1,
<   "workspace": "adalove",
<   "structure": {
<     "web": 2,
<     "worker": 1
<   },
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }

# The guide's older address.
> adalove POST /v2/apps/hello/scale/
| {"web": 1, "worker": 0}
< 204
> adalove POST /v2/apps/hello/ptypes/restart/
| {"ptypes": "web"}
< 204
> adalove POST /v2/apps/hello/ptypes/restart/
< 204
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
<       "restarts": 2
<     }
<   ],
<   "count": 1
< }

# Refusals.
> adalove POST /v2/apps/hello/ptypes/scale/
< 400
< {
<   "detail": "process types and their numbers are required"
< }
> adalove POST /v2/apps/hello/ptypes/scale/
| {"web": null}
< 400
< {
<   "web": [
<     "This field may not be null."
<   ]
< }
> adalove POST /v2/apps/hello/ptypes/scale/
| {"web": "many"}
< 400
< {
<   "web": [
<     "Expected an integer, but got a string."
<   ]
< }
> adalove POST /v2/apps/hello/ptypes/scale/
| {"web": 1.5}
< 400
< {
<   "web": [
<     "Expected an integer, but got the number 1.5."
<   ]
< }
> adalove POST /v2/apps/hello/ptypes/scale/
| {"web": -1}
< 400
< {
<   "detail": "the number of web processes must be between 0 and 10000"
< }
> adalove POST /v2/apps/hello/ptypes/scale/
| {"nosuch": 1}
< 400
< {
<   "detail": "Process type nosuch does not exist in application"
< }
> adalove POST /v2/apps/hello/ptypes/restart/
| {"ptypes": "nosuch"}
< 400
< {
<   "detail": "process type nosuch is not included in procfile"
< }
> adalove GET /v2/apps/hello/scale/
< 405  Allow: POST, OPTIONS
< {
<   "detail": "Method \"GET\" not allowed."
< }

# The cluster does not answer.
! away Pods
> adalove GET /v2/apps/hello/pods/
< 503
< {
<   "detail": "the cluster does not answer"
< }
! back Pods
! away Restart
> adalove POST /v2/apps/hello/ptypes/restart/
< 503
< {
<   "detail": "the cluster does not answer"
< }
! back Restart
