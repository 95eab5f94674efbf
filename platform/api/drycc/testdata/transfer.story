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
> bobross GET /v2/workspaces/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-3>",
<       "id": "bobross",
<       "uid": 3,
<       "email": "bobross@example.com",
<       "created": "2026-01-02T03:04:05Z",
<       "updated": "2026-01-02T03:04:05Z"
<     }
<   ]
< }

# Nobody but an admin of its workspace gives an app away; others do not see it.
> bobross PATCH /v2/apps/hello/
| {"workspace": "bobross"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> bobross PATCH /v2/apps/hello/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> bobross POST /v2/apps/hello/
| {"owner": "bobross"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> admin PUT /v2/apps/hello/
| {"workspace": "bobross"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> adalove PATCH /v2/apps/hello/
| {}
< 400
< [
<   "workspace is required"
< ]
> adalove PATCH /v2/apps/hello/
| {"workspace": "nothere"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> adalove PATCH /v2/apps/hello/
| {"workspace": 5}
< 400
< {
<   "workspace": [
<     "Expected a string, but got a number."
<   ]
< }
> adalove PATCH /v2/apps/hello/
| {"worksapce": "bobross"}
< 400
< {
<   "worksapce": [
<     "This field is not known here."
<   ]
< }

> adalove PATCH /v2/apps/hello/
| {"workspace": "bobross"}
< 204
> adalove GET /v2/apps/hello/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> bobross GET /v2/apps/hello/
< 200
< {
<   "uuid": "<uuid-1>",
<   "id": "hello",
<   "uid": 1,
<   "workspace": "bobross",
<   "structure": {
<     "web": 1
<   },
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:16:05Z"
< }
> bobross GET /v2/apps/hello/releases/?limit=1
< 200
< {
<   "count": 2,
<   "next": "http://drycc.slipway.localhost/v2/apps/hello/releases/?limit=1&offset=1",
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-4>",
<       "app": "hello",
<       "version": 2,
<       "state": "succeed",
<       "summary": "adalove deployed slipway.internal/hello:1",
<       "failed": false,
<       "exception": null,
<       "conditions": [
<         {
<           "state": "succeed",
<           "action": "pipeline",
<           "ptypes": [
<             "web"
<           ],
<           "created": "2026-01-02T03:06:05Z"
<         }
<       ],
<       "deployed_ptypes": [
<         "web"
<       ],
<       "config": "<uuid-5>",
<       "build": "<uuid-2>",
<       "created": "2026-01-02T03:06:05Z",
<       "updated": "2026-01-02T03:06:05Z"
<     }
<   ]
< }

# To where it is already, with all that a client read before.
> bobross PUT /v2/apps/hello/
| {"uuid": "<uuid-1>", "id": "hello", "uid": 1, "workspace": "bobross", "structure": {"web": 1}, "created": "2026-01-02T03:05:05Z", "updated": "2026-01-02T03:05:05Z"}
< 204

# As the guide does.
> bobross POST /v2/apps/hello/
< 400
< {
<   "owner": [
<     "This field is required."
<   ]
< }
> bobross POST /v2/apps/hello/
| {"owner": "nobody"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No User matches the given query."
<   }
< }
> bobross POST /v2/apps/hello/
| {"owner": "adalove"}
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
<   "updated": "2026-01-02T03:23:05Z"
< }
> bobross GET /v2/apps/hello/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
