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

# Below an app a stranger is told so; superusers and staff pass.
> bobross GET /v2/apps/hello/config/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/config/
| {"values": {"A": "b"}}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross DELETE /v2/apps/hello/config/
| {"values_refs": {"web": ["g"]}}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/build/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/build/
| {"image": "slipway.internal/hello:2"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/releases/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/releases/v2/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/releases/deploy/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/releases/rollback/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/settings/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/settings/
| {"routable": false}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/domains/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/pods/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/ptypes/scale/
| {"web": 0}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/scale/
| {"web": 0}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/ptypes/restart/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> admin GET /v2/apps/hello/releases/?limit=1
< 200
< {
<   "count": 2,
<   "next": "http://drycc.slipway.localhost/v2/apps/hello/releases/?limit=1&offset=1",
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-3>",
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
<       "config": "<uuid-4>",
<       "build": "<uuid-2>",
<       "created": "2026-01-02T03:06:05Z",
<       "updated": "2026-01-02T03:06:05Z"
<     }
<   ]
< }
> admin POST /v2/apps/hello/ptypes/scale/
| {"web": 2}
< 204

# Apps that do not exist look the same to everybody.
> bobross GET /v2/apps/nosuch/config/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> admin GET /v2/apps/nosuch/config/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }

# Paths that are not there, and hostile ones.
> adalove GET /v2/apps/hello/nosuch/
< 404
< <!doctype html>
< <html lang="en">
< <head><title>Not Found</title></head>
< <body>
< <h1>Not Found</h1>
< <p>The requested resource was not found on this server. The API begins at <a href="/v2/">/v2/</a>.</p>
< </body>
< </html>
> adalove GET /v2/apps/..%2fhello/config/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> adalove GET /v2/apps/%00/config/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> adalove GET /v2/apps/hello'--/config/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
