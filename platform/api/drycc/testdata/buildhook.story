# A host of git repositories tells of pushes.
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
> adalove GET /v2/apps/hello/builds/hook/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No BuildHook matches the given query."
<   }
< }
> adalove POST /v2/apps/hello/builds/hook/
| {"url": "https://git.example.com/blog.git", "branch": "live", "username": "bot", "password": "hunter2"}
< 201
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "user": "adalove",
<   "address": "http://drycc.slipway.localhost/v2/builds/hook/<uuid-2>/",
<   "url": "https://git.example.com/blog.git",
<   "branch": "live",
<   "username": "bot",
<   "public_key": "",
<   "host_key": "",
<   "created": "2026-01-02T03:07:05Z",
<   "secret": "<secret-1>"
< }
> adalove GET /v2/apps/hello/builds/hook/
< 200
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "user": "adalove",
<   "address": "http://drycc.slipway.localhost/v2/builds/hook/<uuid-2>/",
<   "url": "https://git.example.com/blog.git",
<   "branch": "live",
<   "username": "bot",
<   "public_key": "",
<   "host_key": "",
<   "created": "2026-01-02T03:07:05Z"
< }
> bobross GET /v2/apps/hello/builds/hook/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
# What is wrong is named.
> adalove POST /v2/apps/hello/builds/hook/
| {"url": "https://bot:hunter2@git.example.com/blog.git"}
< 400
< {
<   "url": [
<     "Leave user name and password out of the address; they have fields of their own."
<   ]
< }
> adalove POST /v2/apps/hello/builds/hook/
| {"url": "/etc/passwd"}
< 400
< {
<   "url": [
<     "Enter the address of a git repository: https://host/path.git, ssh://git@host/path.git or git@host:path.git."
<   ]
< }
> adalove POST /v2/apps/hello/builds/hook/
| {"url": "https://git.example.com/blog.git", "branch": "--exec=x"}
< 400
< {
<   "branch": [
<     "\"--exec=x\" is no name of a branch."
<   ]
< }
# Nobody calls without proof.
> nobody POST /v2/builds/hook/<uuid-2>/
| {"ref": "refs/heads/live"}
< 403
< {
<   "detail": "The signature is not that of this hook's secret."
< }
> adalove POST /v2/builds/hook/<uuid-2>/
< 403
< {
<   "detail": "The signature is not that of this hook's secret."
< }
> nobody POST /v2/builds/hook/nothere/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No BuildHook matches the given query."
<   }
< }
> forge POST /v2/builds/hook/<uuid-2>/
| {"ref": "refs/heads/main"}
< 200
< {
<   "detail": "Nothing is built: this hook is for the branch live.",
<   "build": null
< }
> forge POST /v2/builds/hook/<uuid-2>/
| {"ref": "refs/heads/live", "after": "c0ffee12c0ffee12c0ffee12c0ffee12c0ffee12"}
< 202
< {
<   "detail": "Building. See `drycc builds logs <uuid-3> -a hello`.",
<   "build": "<uuid-3>"
< }
# Without waiting for a push.
> adalove POST /v2/apps/hello/builds/hook/pull/
< 201
< {
<   "uuid": "<uuid-4>",
<   "app": "hello",
<   "user": "adalove",
<   "origin": "hook",
<   "ref": "refs/heads/live",
<   "sha": "",
<   "stack": "",
<   "state": "queued",
<   "message": "",
<   "release": null,
<   "created": "2026-01-02T03:18:05Z",
<   "started": null,
<   "ended": null
< }
> adalove GET /v2/apps/hello/builds/<uuid-4>/
< 200
< {
<   "uuid": "<uuid-4>",
<   "app": "hello",
<   "user": "adalove",
<   "origin": "hook",
<   "ref": "refs/heads/live",
<   "sha": "c0ffee12c0ffee12c0ffee12c0ffee12c0ffee12",
<   "stack": "container",
<   "state": "succeeded",
<   "message": "",
<   "release": "v3",
<   "created": "2026-01-02T03:18:05Z",
<   "started": "2026-01-02T03:18:05Z",
<   "ended": "2026-01-02T03:18:05Z"
< }
> adalove GET /v2/apps/hello/builds/<uuid-4>/log/
< 200
< ---> Fetching live of https://git.example.com/blog.git
< ---> fetched
< ---> The newest commit is c0ffee12
< ---> Starting build... but first, coffee!
< Step 1 : FROM base
< ---> Build complete.
< ---> Launching App...
< ---> Done, hello:v3 deployed to Workflow
< ---> http://hello.slipway.localhost
< ---> Use 'drycc open' to view this application in your browser
< ---> To learn more, use 'drycc help' or visit https://www.drycc.cc
> adalove DELETE /v2/apps/hello/builds/hook/
< 204
> adalove GET /v2/apps/hello/builds/hook/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No BuildHook matches the given query."
<   }
< }
> nobody POST /v2/builds/hook/<uuid-2>/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No BuildHook matches the given query."
<   }
< }
