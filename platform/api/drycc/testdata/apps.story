# A new app has its first release and no build.
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
> adalove GET /v2/apps/hello/
< 200
< {
<   "uuid": "<uuid-1>",
<   "id": "hello",
<   "uid": 1,
<   "workspace": "adalove",
<   "structure": {},
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:05:05Z"
< }
> adalove GET /v2/apps/hello/releases/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-2>",
<       "app": "hello",
<       "version": 1,
<       "state": "created",
<       "summary": "adalove created initial release",
<       "failed": false,
<       "exception": null,
<       "conditions": [],
<       "deployed_ptypes": [],
<       "config": "<uuid-3>",
<       "build": null,
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/hello/build/
< 200
< {
<   "uuid": null,
<   "app": null,
<   "image": "",
<   "stack": "",
<   "sha": "",
<   "procfile": null,
<   "dryccfile": null,
<   "dockerfile": "",
<   "created": null,
<   "updated": null
< }
> adalove GET /v2/apps/hello/config/
< 200
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "values": [],
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
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:05:05Z"
< }
> adalove GET /v2/apps/hello/settings/
< 200
< {
<   "uuid": "<uuid-4>",
<   "app": "hello",
<   "routable": true,
<   "autodeploy": true,
<   "autorollback": true,
<   "autoscale": {},
<   "label": {},
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:05:05Z"
< }
> adalove GET /v2/apps/hello/domains/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "app": "hello",
<       "domain": "hello.slipway.localhost",
<       "ptype": "web",
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/hello/domains/?offset=1
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": "http://drycc.slipway.localhost/v2/apps/hello/domains/?limit=100",
<   "results": []
< }
> adalove GET /v2/apps/hello/pods/
< 200
< {
<   "results": [],
<   "count": 0
< }

# As the newest client makes one; and one without a name.
> adalove POST /v2/apps/
| {"id": "second", "workspace": "adalove"}
< 201
< {
<   "uuid": "<uuid-5>",
<   "id": "second",
<   "uid": 2,
<   "workspace": "adalove",
<   "structure": {},
<   "created": "2026-01-02T03:14:05Z",
<   "updated": "2026-01-02T03:14:05Z"
< }
> adalove POST /v2/apps/
< 201
< {
<   "uuid": "<uuid-6>",
<   "id": "jfwyfc-iqahncqn",
<   "uid": 3,
<   "workspace": "adalove",
<   "structure": {},
<   "created": "2026-01-02T03:15:05Z",
<   "updated": "2026-01-02T03:15:05Z"
< }
> adalove GET /v2/apps/?workspace=adalove&limit=-1
< 200
< {
<   "count": 3,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-1>",
<       "id": "hello",
<       "uid": 1,
<       "workspace": "adalove",
<       "structure": {},
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     },
<     {
<       "uuid": "<uuid-6>",
<       "id": "jfwyfc-iqahncqn",
<       "uid": 3,
<       "workspace": "adalove",
<       "structure": {},
<       "created": "2026-01-02T03:15:05Z",
<       "updated": "2026-01-02T03:15:05Z"
<     },
<     {
<       "uuid": "<uuid-5>",
<       "id": "second",
<       "uid": 2,
<       "workspace": "adalove",
<       "structure": {},
<       "created": "2026-01-02T03:14:05Z",
<       "updated": "2026-01-02T03:14:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/?search=he
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-1>",
<       "id": "hello",
<       "uid": 1,
<       "workspace": "adalove",
<       "structure": {},
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/?limit=1&offset=1
< 200
< {
<   "count": 3,
<   "next": "http://drycc.slipway.localhost/v2/apps/?limit=1&offset=2",
<   "previous": "http://drycc.slipway.localhost/v2/apps/?limit=1",
<   "results": [
<     {
<       "uuid": "<uuid-6>",
<       "id": "jfwyfc-iqahncqn",
<       "uid": 3,
<       "workspace": "adalove",
<       "structure": {},
<       "created": "2026-01-02T03:15:05Z",
<       "updated": "2026-01-02T03:15:05Z"
<     }
<   ]
< }
> bobross GET /v2/apps/
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> bobross GET /v2/apps/?workspace=adalove
< 403
< {
<   "detail": "You are not a member of workspace 'adalove'"
< }
> bobross GET /v2/apps/?workspace=nosuch
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }

# Refusals.
> adalove POST /v2/apps/
| {"id": "hello"}
< 400
< {
<   "id": [
<     "Application with this id already exists."
<   ]
< }
> adalove POST /v2/apps/
| {"id": "Hello World"}
< 400
< {
<   "id": [
<     "App name must start with an alphabetic character, cannot end with a hyphen and can only contain a-z (lowercase), 0-9 and hyphens."
<   ]
< }
> adalove POST /v2/apps/
| {"id": "tiny"}
< 400
< {
<   "id": [
<     "App name must start with an alphabetic character, cannot end with a hyphen and can only contain a-z (lowercase), 0-9 and hyphens."
<   ]
< }
> adalove POST /v2/apps/
| {"id": "drycc-builder"}
< 400
< {
<   "id": [
<     "drycc-builder is a reserved name."
<   ]
< }
> adalove POST /v2/apps/
| {"id": "third", "workspace": "nosuch"}
< 400
< {
<   "workspace": [
<     "Object with id=nosuch does not exist."
<   ]
< }
> adalove POST /v2/apps/
| {"id": "third", "workspace": "bobross"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> adalove POST /v2/apps/
| {"id": 5}
< 400
< {
<   "id": [
<     "Expected a string, but got a number."
<   ]
< }
> adalove POST /v2/apps/
| {"name": "third"}
< 400
< {
<   "name": [
<     "This field is not known here."
<   ]
< }
> nobody POST /v2/apps/
| {"id": "third"}
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }
> adalove PUT /v2/apps/
< 405  Allow: GET, HEAD, POST, OPTIONS
< {
<   "detail": "Method \"PUT\" not allowed."
< }

# What is not one's own does not exist, not even for superusers.
> bobross GET /v2/apps/hello/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> admin GET /v2/apps/hello/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> bobross DELETE /v2/apps/hello/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> adalove GET /v2/apps/nosuch/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> adalove DELETE /v2/apps/hello/
< 204
> adalove GET /v2/apps/hello/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> adalove GET /v2/apps/hello/releases/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
