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

# The guide's request: an image and nothing else.
! hold Apply
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
> adalove GET /v2/apps/hello/releases/v2/
< 200
< {
<   "uuid": "<uuid-3>",
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
<   "config": "<uuid-4>",
<   "build": "<uuid-2>",
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }
! go
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
<       "created": "2026-01-02T03:07:05Z"
<     }
<   ],
<   "deployed_ptypes": [
<     "web"
<   ],
<   "config": "<uuid-4>",
<   "build": "<uuid-2>",
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }
> adalove GET /v2/apps/hello/build/
< 200
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
> adalove GET /v2/apps/hello/
< 200
< {
<   "uuid": "<uuid-1>",
<   "id": "hello",
<   "uid": 1,
<   "workspace": "adalove",
<   "structure": {
<     "web": 1
<   },
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }

# As the newest client sends it.
> adalove POST /v2/apps/hello/build/
| {"image": "slipway.internal/hello:2", "stack": "container", "procfile": {"web": "serve", "worker": "work hard"}, "dryccfile": {}}
< 201
< {
<   "uuid": "<uuid-5>",
<   "app": "hello",
<   "image": "slipway.internal/hello:2",
<   "stack": "container",
<   "sha": "",
<   "procfile": {
<     "web": "serve",
<     "worker": "work hard"
<   },
<   "dryccfile": {},
<   "dockerfile": "",
<   "created": "2026-01-02T03:12:05Z",
<   "updated": "2026-01-02T03:12:05Z"
< }
> adalove GET /v2/apps/hello/releases/?ptypes=web,worker
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-6>",
<       "app": "hello",
<       "version": 3,
<       "state": "succeed",
<       "summary": "adalove deployed slipway.internal/hello:2",
<       "failed": false,
<       "exception": null,
<       "conditions": [
<         {
<           "state": "succeed",
<           "action": "pipeline",
<           "ptypes": [
<             "web",
<             "worker"
<           ],
<           "created": "2026-01-02T03:12:05Z"
<         }
<       ],
<       "deployed_ptypes": [
<         "web",
<         "worker"
<       ],
<       "config": "<uuid-4>",
<       "build": "<uuid-5>",
<       "created": "2026-01-02T03:12:05Z",
<       "updated": "2026-01-02T03:12:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/hello/build/?version=v2
< 200
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
> adalove GET /v2/apps/hello/build/?version=2
< 200
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
> adalove GET /v2/apps/hello/build/?version=v9
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Release matches the given query."
<   }
< }
> adalove GET /v2/apps/hello/build/?version=last
< 400
< {
<   "version": [
<     "Expected a version such as v3."
<   ]
< }

# A release that crashes keeps the one before and is marked.
! refuse slipway.internal/hello:3 CrashLoopBackOff exited with code 1: no such file
> adalove POST /v2/apps/hello/build/
| {"image": "slipway.internal/hello:3", "stack": "container"}
< 201
< {
<   "uuid": "<uuid-7>",
<   "app": "hello",
<   "image": "slipway.internal/hello:3",
<   "stack": "container",
<   "sha": "",
<   "procfile": {},
<   "dryccfile": {},
<   "dockerfile": "",
<   "created": "2026-01-02T03:18:05Z",
<   "updated": "2026-01-02T03:18:05Z"
< }
> adalove GET /v2/apps/hello/releases/v4
< 200
< {
<   "uuid": "<uuid-8>",
<   "app": "hello",
<   "version": 4,
<   "state": "crashed",
<   "summary": "adalove deployed slipway.internal/hello:3",
<   "failed": true,
<   "exception": "CrashLoopBackOff: There was a problem deploying v4. Rolling back to release v3. process type web: exited with code 1: no such file",
<   "conditions": [
<     {
<       "state": "crashed",
<       "action": "pipeline",
<       "ptypes": [
<         "web"
<       ],
<       "exception": "CrashLoopBackOff: There was a problem deploying v4. Rolling back to release v3. process type web: exited with code 1: no such file",
<       "created": "2026-01-02T03:18:05Z"
<     }
<   ],
<   "deployed_ptypes": [
<     "web"
<   ],
<   "config": "<uuid-4>",
<   "build": "<uuid-7>",
<   "created": "2026-01-02T03:18:05Z",
<   "updated": "2026-01-02T03:18:05Z"
< }
> adalove GET /v2/apps/hello/pods/
< 200
< {
<   "results": [
<     {
<       "name": "hello-web-0",
<       "state": "up",
<       "release": "v3",
<       "type": "web",
<       "started": null,
<       "ready": "1/1",
<       "restarts": 0
<     }
<   ],
<   "count": 1
< }

# Back to an older release: a new one.
> adalove POST /v2/apps/hello/releases/rollback/
| {"version": 2}
< 201
< {
<   "version": 5
< }
> adalove POST /v2/apps/hello/releases/rollback/
< 201
< {
<   "version": 6
< }
> adalove GET /v2/apps/hello/releases/?limit=2
< 200
< {
<   "count": 6,
<   "next": "http://drycc.slipway.localhost/v2/apps/hello/releases/?limit=2&offset=2",
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-9>",
<       "app": "hello",
<       "version": 6,
<       "state": "succeed",
<       "summary": "adalove rolled back to v3",
<       "failed": false,
<       "exception": null,
<       "conditions": [
<         {
<           "state": "succeed",
<           "action": "pipeline",
<           "ptypes": [
<             "web",
<             "worker"
<           ],
<           "created": "2026-01-02T03:22:05Z"
<         }
<       ],
<       "deployed_ptypes": [
<         "web",
<         "worker"
<       ],
<       "config": "<uuid-4>",
<       "build": "<uuid-5>",
<       "created": "2026-01-02T03:22:05Z",
<       "updated": "2026-01-02T03:22:05Z"
<     },
<     {
<       "uuid": "<uuid-10>",
<       "app": "hello",
<       "version": 5,
<       "state": "succeed",
<       "summary": "adalove rolled back to v2",
<       "failed": false,
<       "exception": null,
<       "conditions": [
<         {
<           "state": "succeed",
<           "action": "pipeline",
<           "ptypes": [
<             "web"
<           ],
<           "created": "2026-01-02T03:21:05Z"
<         }
<       ],
<       "deployed_ptypes": [
<         "web"
<       ],
<       "config": "<uuid-4>",
<       "build": "<uuid-2>",
<       "created": "2026-01-02T03:21:05Z",
<       "updated": "2026-01-02T03:21:05Z"
<     }
<   ]
< }
> adalove POST /v2/apps/hello/releases/rollback/
| {"version": 1}
< 400
< {
<   "detail": "Cannot roll back to initial release."
< }
> adalove POST /v2/apps/hello/releases/rollback/
| {"version": 4}
< 400
< {
<   "detail": "Cannot roll back to failed release."
< }
> adalove POST /v2/apps/hello/releases/rollback/
| {"version": -1}
< 400
< {
<   "detail": "version cannot be below 0"
< }
> adalove POST /v2/apps/hello/releases/rollback/
| {"version": 99}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Release matches the given query."
<   }
< }
> adalove POST /v2/apps/hello/releases/rollback/
| {"version": "two"}
< 400
< {
<   "version": [
<     "Expected an integer, but got a string."
<   ]
< }

# Deploy again.
> adalove POST /v2/apps/hello/releases/deploy/
| {"ptypes": "", "force": true}
< 204
> adalove POST /v2/apps/hello/releases/deploy/
< 204
> adalove POST /v2/apps/hello/releases/deploy/
| {"ptypes": "web,nosuch"}
< 400
< {
<   "detail": "process type nosuch is not exists"
< }
> adalove POST /v2/apps/hello/releases/deploy/
| {"ptypes": ["web"]}
< 400
< {
<   "ptypes": [
<     "Expected a string, but got a list."
<   ]
< }

# Refusals.
> adalove GET /v2/apps/hello/releases/v99/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Release matches the given query."
<   }
< }
> adalove GET /v2/apps/hello/releases/v0/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Release matches the given query."
<   }
< }
> adalove GET /v2/apps/hello/releases/v99999999999999999999/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Release matches the given query."
<   }
< }
> adalove GET /v2/apps/hello/releases/5/
< 404
< <!doctype html>
< <html lang="en">
< <head><title>Not Found</title></head>
< <body>
< <h1>Not Found</h1>
< <p>The requested resource was not found on this server. The API begins at <a href="/v2/">/v2/</a>.</p>
< </body>
< </html>
> adalove POST /v2/apps/hello/build/
< 400
< {
<   "image": [
<     "This field may not be blank."
<   ]
< }
> adalove POST /v2/apps/hello/build/
| {"image": "not an image"}
< 400
< {
<   "image": [
<     "\"not an image\" is not an image reference: a name is made of lower-case letters and digits, joined by single '.', '_', '__' or '-'."
<   ]
< }
> adalove POST /v2/apps/hello/build/
| {"image": "localhost:5000/hello"}
< 400
< {
<   "detail": "image must not use the loopback address"
< }
> adalove POST /v2/apps/hello/build/
| {"image": "hello", "procfile": {"Web": "serve"}}
< 400
< {
<   "procfile": [
<     "Process types can only supports: ^(?P<type>[a-z0-9]+(\\-[a-z0-9]+)*)$"
<   ]
< }
> adalove POST /v2/apps/hello/build/
| {"image": "hello", "procfile": {"web": 5}}
< 400
< {
<   "procfile": [
<     "Expected a string, but got a number."
<   ]
< }
> adalove POST /v2/apps/hello/build/
| {"image": "hello", "procfile": "web: serve"}
< 400
< {
<   "procfile": [
<     "Expected an object or a list, but got a string."
<   ]
< }
> adalove POST /v2/apps/hello/build/
| {"image": "hello", "tag": "1"}
< 400
< {
<   "tag": [
<     "This field is not known here."
<   ]
< }
> adalove POST /v2/apps/hello/build/
| {"image": "hello"
< 400
< {
<   "detail": "JSON parse error - it ends too early."
< }
> adalove POST /v2/apps/hello/build/
| {"image": "hello", "dryccfile": {"pipeline": 1}}
< 400
< {
<   "dryccfile": [
<     "not a valid .drycc description: pipeline can't be a number"
<   ]
< }
> adalove PUT /v2/apps/hello/build/
< 405  Allow: GET, HEAD, POST, OPTIONS
< {
<   "detail": "Method \"PUT\" not allowed."
< }
