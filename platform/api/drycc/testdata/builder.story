# What the builder asks, with the service key.
> adalove POST /v2/keys/
| {"id": "ada@laptop", "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX ada@laptop1"}
< 201
< {
<   "uuid": "<uuid-1>",
<   "owner": "adalove",
<   "id": "ada@laptop",
<   "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX ada@laptop1",
<   "fingerprint": "80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b",
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:05:05Z"
< }
> service GET /v2/hooks/key/80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b
< 200
< {
<   "username": "adalove",
<   "apps": []
< }
> adalove POST /v2/apps/
| {"id": "hello"}
< 201
< {
<   "uuid": "<uuid-2>",
<   "id": "hello",
<   "uid": 1,
<   "workspace": "adalove",
<   "structure": {},
<   "created": "2026-01-02T03:07:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }
> adalove POST /v2/apps/
| {"id": "world"}
< 201
< {
<   "uuid": "<uuid-3>",
<   "id": "world",
<   "uid": 2,
<   "workspace": "adalove",
<   "structure": {},
<   "created": "2026-01-02T03:08:05Z",
<   "updated": "2026-01-02T03:08:05Z"
< }
> service GET /v2/hooks/key/80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b
< 200
< {
<   "username": "adalove",
<   "apps": [
<     "hello",
<     "world"
<   ]
< }
> service GET /v2/hooks/key/SHA256:ESjRhL0F8SQkSqTOI3VPd6L/JCB1cGnt4yE/+yAIw6c
< 200
< {
<   "username": "adalove",
<   "apps": [
<     "hello",
<     "world"
<   ]
< }
> service GET /v2/hooks/key/2a:c1:f1:a6:82:2e:a7:1a:34:e3:47:14:e4:c5:04:f0
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Key matches the given query."
<   }
< }
> bearer GET /v2/hooks/key/80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b/
< 200
< {
<   "username": "adalove",
<   "apps": [
<     "hello",
<     "world"
<   ]
< }

# A key that is not the service's opens nothing, nor does a user's token.
> nobody GET /v2/hooks/key/80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> stranger GET /v2/hooks/key/80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> adalove GET /v2/hooks/key/80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> admin POST /v2/hooks/build/
| {"receive_user": "adalove", "receive_repo": "hello", "image": "slipway.internal/hello:1"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> wrongkey GET /v2/hooks/key/80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> wrongkey POST /v2/alerts/
| {"workspace": "adalove", "alerts": []}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
# And the service key is no user's.
> bearer GET /v2/apps/
< 401  WWW-Authenticate: token
< {
<   "detail": "Invalid token."
< }

> service GET /v2/hooks/keys/hello/
< 200
< {
<   "adalove": [
<     {
<       "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX ada@laptop1",
<       "fingerprint": "80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b"
<     }
<   ]
< }
> service GET /v2/hooks/keys/hello/adalove/
< 200
< {
<   "adalove": [
<     {
<       "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX ada@laptop1",
<       "fingerprint": "80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b"
<     }
<   ]
< }
> service GET /v2/hooks/keys/hello/bobross/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> service GET /v2/hooks/keys/nothere/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> service GET /v2/hooks/keys/nothere/adalove/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }

> service POST /v2/hooks/config/
| {"receive_user": "adalove", "receive_repo": "hello"}
< 200
< {
<   "uuid": "<uuid-4>",
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
<   "created": "2026-01-02T03:07:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }
> service POST /v2/hooks/config/
| {"receive_user": "bobross", "receive_repo": "hello"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> service POST /v2/hooks/config/
| {"receive_user": "adalove", "receive_repo": "nothere"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> service POST /v2/hooks/config/
| {"receive_user": "nobody", "receive_repo": "hello"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No User matches the given query."
<   }
< }
> service POST /v2/hooks/config/
| {"receive_user": "adalove"}
< 400
< {
<   "receive_repo": [
<     "This field is required."
<   ]
< }
> service POST /v2/hooks/config/
| {"receive_repo": "hello"}
< 400
< {
<   "receive_user": [
<     "This field is required."
<   ]
< }

# A push makes a build and a release; its image may be on the node's own registry.
> service POST /v2/hooks/build/
| {"receive_user": "adalove", "receive_repo": "hello", "sha": "060da68f654e75fac06dbedd1995d5f8ad9084db", "stack": "buildpack", "image": "127.0.0.1:5555/hello/hello:git-060da68f", "procfile": {"web": "serve"}, "dockerfile": "", "dryccfile": {}}
< 200
< {
<   "release": {
<     "version": 2
<   }
< }
> adalove GET /v2/apps/hello/releases/v2/
< 200
< {
<   "uuid": "<uuid-5>",
<   "app": "hello",
<   "version": 2,
<   "state": "succeed",
<   "summary": "adalove deployed 060da68",
<   "failed": false,
<   "exception": null,
<   "conditions": [
<     {
<       "state": "succeed",
<       "action": "pipeline",
<       "ptypes": [
<         "web"
<       ],
<       "created": "2026-01-02T03:31:05Z"
<     }
<   ],
<   "deployed_ptypes": [
<     "web"
<   ],
<   "config": "<uuid-4>",
<   "build": "<uuid-6>",
<   "created": "2026-01-02T03:31:05Z",
<   "updated": "2026-01-02T03:31:05Z"
< }
> adalove GET /v2/apps/hello/build/
< 200
< {
<   "uuid": "<uuid-6>",
<   "app": "hello",
<   "image": "127.0.0.1:5555/hello/hello:git-060da68f",
<   "stack": "buildpack",
<   "sha": "060da68f654e75fac06dbedd1995d5f8ad9084db",
<   "procfile": {
<     "web": "serve"
<   },
<   "dryccfile": {},
<   "dockerfile": "",
<   "created": "2026-01-02T03:31:05Z",
<   "updated": "2026-01-02T03:31:05Z"
< }
> adalove POST /v2/apps/hello/build/
| {"image": "127.0.0.1:5555/hello/hello:git-060da68f"}
< 400
< {
<   "detail": "image must not use the loopback address"
< }
> adalove GET /v2/apps/hello/builds/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-6>",
<       "app": "hello",
<       "image": "127.0.0.1:5555/hello/hello:git-060da68f",
<       "stack": "buildpack",
<       "sha": "060da68f654e75fac06dbedd1995d5f8ad9084db",
<       "procfile": {
<         "web": "serve"
<       },
<       "dryccfile": {},
<       "dockerfile": "",
<       "created": "2026-01-02T03:31:05Z",
<       "updated": "2026-01-02T03:31:05Z"
<     }
<   ]
< }
> adalove POST /v2/apps/hello/builds/
| {"image": "slipway.internal/hello:1"}
< 201
< {
<   "uuid": "<uuid-7>",
<   "app": "hello",
<   "image": "slipway.internal/hello:1",
<   "stack": "container",
<   "sha": "",
<   "procfile": {},
<   "dryccfile": {},
<   "dockerfile": "",
<   "created": "2026-01-02T03:36:05Z",
<   "updated": "2026-01-02T03:36:05Z"
< }
> adalove GET /v2/apps/hello/builds/?limit=1
< 200
< {
<   "count": 2,
<   "next": "http://drycc.slipway.localhost/v2/apps/hello/builds/?limit=1&offset=1",
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-7>",
<       "app": "hello",
<       "image": "slipway.internal/hello:1",
<       "stack": "container",
<       "sha": "",
<       "procfile": {},
<       "dryccfile": {},
<       "dockerfile": "",
<       "created": "2026-01-02T03:36:05Z",
<       "updated": "2026-01-02T03:36:05Z"
<     }
<   ]
< }
> bobross GET /v2/apps/hello/builds/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/builds/
| {"image": "slipway.internal/hello:1"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> service POST /v2/hooks/build/
| {"receive_user": "bobross", "receive_repo": "hello", "sha": "060da68f", "image": "127.0.0.1:5555/hello/hello:git-060da68f", "stack": "container"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> service POST /v2/hooks/build/
| {"receive_user": "adalove", "receive_repo": "nothere", "image": "127.0.0.1:5555/x/x:1"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> service POST /v2/hooks/build/
| {"receive_user": "adalove", "receive_repo": "hello", "image": "Not An Image"}
< 400
< {
<   "image": [
<     "\"Not An Image\" is not an image reference: a name is made of lower-case letters and digits, joined by single '.', '_', '__' or '-'."
<   ]
< }
> service POST /v2/hooks/build/
| {"receive_user": "adalove", "receive_repo": "hello", "image": "127.0.0.1:5555/x/x:1", "colour": "red"}
< 400
< {
<   "colour": [
<     "This field is not known here."
<   ]
< }
> service POST /v2/hooks/build/
| {"receive_repo": "hello"}
< 400
< {
<   "receive_user": [
<     "This field is required."
<   ]
< }

# Alerts.
> service POST /v2/alerts/
| {"workspace": "adalove", "alerts": [{"title": "down", "content": "web does not answer", "severity": "critical", "since": "10m"}]}
< 204
> service POST /v2/alerts/
| {"workspace": "drycc", "alerts": []}
< 204
> service POST /v2/alerts/
| {"alerts": []}
< 400
< {
<   "workspace": [
<     "This field is required."
<   ]
< }
> service POST /v2/alerts/
| {"workspace": "nothere", "alerts": []}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> service POST /v2/alerts/
| {"workspace": "adalove", "alerts": {"title": "x"}}
< 400
< {
<   "alerts": [
<     "Expected a list, but got an object."
<   ]
< }
