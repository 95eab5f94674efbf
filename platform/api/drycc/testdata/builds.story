# A source tree becomes a release.
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
> adalove POST /v2/apps/hello/builds/source/
| tar Dockerfile=FROM base
< 201
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "user": "adalove",
<   "origin": "upload",
<   "ref": "",
<   "sha": "d8a33e56866f6e51772c7a0680bc72021f2d8a5f",
<   "stack": "",
<   "state": "queued",
<   "message": "",
<   "release": null,
<   "created": "2026-01-02T03:06:05Z",
<   "started": null,
<   "ended": null
< }
> adalove GET /v2/apps/hello/builds/<uuid-2>/
< 200
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "user": "adalove",
<   "origin": "upload",
<   "ref": "",
<   "sha": "d8a33e56866f6e51772c7a0680bc72021f2d8a5f",
<   "stack": "container",
<   "state": "succeeded",
<   "message": "",
<   "release": "v2",
<   "created": "2026-01-02T03:06:05Z",
<   "started": "2026-01-02T03:06:05Z",
<   "ended": "2026-01-02T03:06:05Z"
< }
> adalove GET /v2/apps/hello/build/
< 200
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "image": "127.0.0.1:5555/hello/hello:git-d8a33e56",
<   "stack": "container",
<   "sha": "d8a33e56866f6e51772c7a0680bc72021f2d8a5f",
<   "procfile": {
<     "web": "serve"
<   },
<   "dryccfile": {},
<   "dockerfile": "",
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }
# One that does not build makes no release.
! builds fail step 2 ended with code 1
> adalove POST /v2/apps/hello/builds/source/
| tar Dockerfile=FROM else
< 201
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "user": "adalove",
<   "origin": "upload",
<   "ref": "",
<   "sha": "0d56e8828c61c91c375289560da4a20f25af8587",
<   "stack": "",
<   "state": "queued",
<   "message": "",
<   "release": null,
<   "created": "2026-01-02T03:09:05Z",
<   "started": null,
<   "ended": null
< }
> adalove GET /v2/apps/hello/builds/runs/?limit=1
< 200
< {
<   "count": 2,
<   "next": "http://drycc.slipway.localhost/v2/apps/hello/builds/runs/?limit=1&offset=1",
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-3>",
<       "app": "hello",
<       "user": "adalove",
<       "origin": "upload",
<       "ref": "",
<       "sha": "0d56e8828c61c91c375289560da4a20f25af8587",
<       "stack": "",
<       "state": "failed",
<       "message": "step 2 ended with code 1",
<       "release": null,
<       "created": "2026-01-02T03:09:05Z",
<       "started": "2026-01-02T03:09:05Z",
<       "ended": "2026-01-02T03:09:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/hello/builds/<uuid-3>/log/
< 200
< ---> Starting build... but first, coffee!
< Step 1 : FROM base
< ---> Build failed: step 2 ended with code 1
> adalove POST /v2/apps/hello/builds/<uuid-3>/cancel/
< 409
< {
<   "detail": "The build has ended already: failed."
< }
> adalove POST /v2/apps/hello/builds/source/
| no tree at all
< 400
< {
<   "source": [
<     "This is no tar file: send a tar file, plain or compressed with gzip."
<   ]
< }
> adalove GET /v2/apps/hello/builds/<uuid-2>/log/?follow=maybe
< 400
< {
<   "follow": [
<     "Expected true or false."
<   ]
< }
> bobross GET /v2/apps/hello/builds/<uuid-2>/log/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/builds/<uuid-2>/cancel/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

# One that builds can be canceled.
! builds pass
! builds hold
> adalove POST /v2/apps/hello/builds/source/
| tar Dockerfile=FROM slow
< 201
< {
<   "uuid": "<uuid-4>",
<   "app": "hello",
<   "user": "adalove",
<   "origin": "upload",
<   "ref": "",
<   "sha": "c0bff30c675e742631937fb8d2e13a2143f7830c",
<   "stack": "",
<   "state": "queued",
<   "message": "",
<   "release": null,
<   "created": "2026-01-02T03:17:05Z",
<   "started": null,
<   "ended": null
< }
> adalove POST /v2/apps/hello/builds/<uuid-4>/cancel/
< 200
< {
<   "uuid": "<uuid-4>",
<   "app": "hello",
<   "user": "adalove",
<   "origin": "upload",
<   "ref": "",
<   "sha": "c0bff30c675e742631937fb8d2e13a2143f7830c",
<   "stack": "",
<   "state": "canceled",
<   "message": "Canceled by adalove.",
<   "release": null,
<   "created": "2026-01-02T03:17:05Z",
<   "started": "2026-01-02T03:17:05Z",
<   "ended": "2026-01-02T03:18:05Z"
< }
! go
> adalove GET /v2/apps/hello/builds/<uuid-4>/log/
< 200
< ---> Starting build... but first, coffee!
< Step 1 : FROM base
< ---> Build canceled: Canceled by adalove.
