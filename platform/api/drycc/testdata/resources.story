# An empty catalog.
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
> adalove GET /v2/resources/services/
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> adalove GET /v2/resources/services/redis/plans/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Service matches the given query."
<   }
< }
> adalove POST /v2/apps/hello/resources/
| {"name": "redis", "plan": "redis:standard-128"}
< 400
< {
<   "plan": [
<     "The service redis is not offered here; /v2/resources/services/ lists what is."
<   ]
< }
> adalove GET /v2/apps/hello/resources/
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> adalove GET /v2/addon-classes/
< 200
< {
<   "results": [],
<   "count": 0
< }
> adalove GET /v2/addon-classes/redis/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No AddonClass matches the given query."
<   }
< }
> adalove GET /v2/apps/hello/addons/
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> adalove GET /v2/apps/hello/addons/redis/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Resource matches the given query."
<   }
< }
> adalove PUT /v2/apps/hello/addons/redis/
| {"kind": "redis", "plan": "standard-128"}
< 400
< {
<   "plan": [
<     "The service redis is not offered here; /v2/resources/services/ lists what is."
<   ]
< }
> adalove DELETE /v2/apps/hello/addons/redis/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Resource matches the given query."
<   }
< }
> adalove GET /v2/apps/hello/addons/redis/connection/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Resource matches the given query."
<   }
< }

# One that has something.
! offer
> adalove GET /v2/resources/services/
< 200
< {
<   "count": 2,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": "id-of-fixed",
<       "name": "fixed",
<       "updateable": false
<     },
<     {
<       "id": "id-of-redis",
<       "name": "redis",
<       "updateable": true
<     }
<   ]
< }
> adalove GET /v2/resources/services/redis/plans/?limit=1
< 200
< {
<   "count": 2,
<   "next": "http://drycc.slipway.localhost/v2/resources/services/redis/plans/?limit=1&offset=1",
<   "previous": null,
<   "results": [
<     {
<       "id": "id-of-128",
<       "name": "standard-128",
<       "description": "128 MiB"
<     }
<   ]
< }
> adalove GET /v2/resources/services/id-of-redis/plans/?limit=1&offset=1
< 200
< {
<   "count": 2,
<   "next": null,
<   "previous": "http://drycc.slipway.localhost/v2/resources/services/id-of-redis/plans/?limit=1",
<   "results": [
<     {
<       "id": "id-of-256",
<       "name": "standard-256",
<       "description": "256 MiB"
<     }
<   ]
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
<   "created": "2026-01-02T03:20:05Z",
<   "updated": "2026-01-02T03:20:05Z"
< }
> adalove POST /v2/apps/hello/resources/
| {"name": "redis", "plan": "redis:standard-128", "options": {"persistence": true, "replicas": 2, "note": null}}
< 201
< {
<   "uuid": "<uuid-3>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "redis",
<   "plan": "redis:standard-128",
<   "data": {},
<   "options": {
<     "persistence": "true",
<     "replicas": "2"
<   },
<   "status": "Provisioning",
<   "binding": null,
<   "message": null,
<   "created": "2026-01-02T03:21:05Z",
<   "updated": "2026-01-02T03:21:05Z"
< }
> adalove GET /v2/apps/hello/resources/redis/
< 200
< {
<   "uuid": "<uuid-3>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "redis",
<   "plan": "redis:standard-128",
<   "data": {},
<   "options": {
<     "persistence": "true",
<     "replicas": "2"
<   },
<   "status": "Ready",
<   "binding": null,
<   "message": null,
<   "created": "2026-01-02T03:21:05Z",
<   "updated": "2026-01-02T03:21:05Z"
< }

# Binding makes a release.
> adalove PATCH /v2/apps/hello/resources/redis/binding/
| {"bind_action": "bind"}
< 200
< {
<   "uuid": "<uuid-3>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "redis",
<   "plan": "redis:standard-128",
<   "data": {},
<   "options": {
<     "persistence": "true",
<     "replicas": "2"
<   },
<   "status": "Ready",
<   "binding": "Binding",
<   "message": null,
<   "created": "2026-01-02T03:21:05Z",
<   "updated": "2026-01-02T03:23:05Z"
< }
> adalove GET /v2/apps/hello/resources/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-3>",
<       "owner": "adalove",
<       "app": "hello",
<       "name": "redis",
<       "plan": "redis:standard-128",
<       "data": {
<         "REDIS_HOST": "redis.example.com",
<         "REDIS_PASSWORD": "hunter2"
<       },
<       "options": {
<         "persistence": "true",
<         "replicas": "2"
<       },
<       "status": "Ready",
<       "binding": "Ready",
<       "message": null,
<       "created": "2026-01-02T03:21:05Z",
<       "updated": "2026-01-02T03:23:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/hello/config/
< 200
< {
<   "uuid": "<uuid-4>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "REDIS_HOST",
<       "value": "redis.example.com",
<       "group": "global"
<     },
<     {
<       "name": "REDIS_PASSWORD",
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
<   "created": "2026-01-02T03:23:05Z",
<   "updated": "2026-01-02T03:23:05Z"
< }
> adalove GET /v2/apps/hello/releases/?limit=1
< 200
< {
<   "count": 3,
<   "next": "http://drycc.slipway.localhost/v2/apps/hello/releases/?limit=1&offset=1",
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-5>",
<       "app": "hello",
<       "version": 3,
<       "state": "succeed",
<       "summary": "adalove added values REDIS_HOST, REDIS_PASSWORD",
<       "failed": false,
<       "exception": null,
<       "conditions": [
<         {
<           "state": "succeed",
<           "action": "pipeline",
<           "ptypes": [
<             "web"
<           ],
<           "created": "2026-01-02T03:23:05Z"
<         }
<       ],
<       "deployed_ptypes": [
<         "web"
<       ],
<       "config": "<uuid-4>",
<       "build": "<uuid-2>",
<       "created": "2026-01-02T03:23:05Z",
<       "updated": "2026-01-02T03:23:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/hello/addons/redis/connection/
< 200
< {
<   "REDIS_HOST": "redis.example.com",
<   "REDIS_PASSWORD": "hunter2"
< }
> adalove PATCH /v2/apps/hello/resources/redis/binding/
| {"bind_action": "bind"}
< 409
< {
<   "detail": "resource redis is bound already"
< }
> adalove DELETE /v2/apps/hello/resources/redis/
< 400
< {
<   "detail": "resource redis is bound; unbind it first"
< }
> adalove DELETE /v2/apps/hello/
< 400
< {
<   "detail": "hello has resources, such as redis; unbind and destroy them first"
< }

# Another plan.
> adalove PUT /v2/apps/hello/resources/redis/
| {"plan": "redis:standard-256"}
< 200
< {
<   "uuid": "<uuid-3>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "redis",
<   "plan": "redis:standard-256",
<   "data": {
<     "REDIS_HOST": "redis.example.com",
<     "REDIS_PASSWORD": "hunter2"
<   },
<   "options": {
<     "persistence": "true",
<     "replicas": "2"
<   },
<   "status": "Updating",
<   "binding": "Ready",
<   "message": null,
<   "created": "2026-01-02T03:21:05Z",
<   "updated": "2026-01-02T03:31:05Z"
< }
> adalove PUT /v2/apps/hello/resources/redis/
| {"plan": "redis:standard-256"}
< 409
< {
<   "detail": "adalove changed nothing"
< }
> adalove PUT /v2/apps/hello/resources/redis/
| {"plan": "redis:standard-512"}
< 400
< {
<   "plan": [
<     "The service redis has no plan standard-512; /v2/resources/services/redis/plans/ lists what it has."
<   ]
< }
> adalove PUT /v2/apps/hello/resources/redis/
| {"plan": "fixed:one"}
< 400
< {
<   "plan": [
<     "A resource can't become another service: redis is a redis."
<   ]
< }
> adalove PUT /v2/apps/hello/resources/redis/
| {"name": "other", "plan": "redis:standard-128"}
< 400
< {
<   "name": [
<     "The name of a resource can't be changed."
<   ]
< }
> adalove PUT /v2/apps/hello/resources/redis/
| {"options": {"a": {"b": 1}}}
< 400
< {
<   "options": [
<     "Expected a text, a number, true or false, but got an object or a list."
<   ]
< }
> adalove PUT /v2/apps/hello/resources/nosuch/
| {"plan": "redis:standard-128"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Resource matches the given query."
<   }
< }

# Unbinding takes the credentials out again.
> adalove PATCH /v2/apps/hello/resources/redis/binding/
| {"bind_action": "unbind"}
< 200
< {
<   "uuid": "<uuid-3>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "redis",
<   "plan": "redis:standard-256",
<   "data": {
<     "REDIS_HOST": "redis.example.com",
<     "REDIS_PASSWORD": "hunter2"
<   },
<   "options": {
<     "persistence": "true",
<     "replicas": "2"
<   },
<   "status": "Ready",
<   "binding": "Unbinding",
<   "message": null,
<   "created": "2026-01-02T03:21:05Z",
<   "updated": "2026-01-02T03:38:05Z"
< }
> adalove GET /v2/apps/hello/releases/?limit=1
< 200
< {
<   "count": 4,
<   "next": "http://drycc.slipway.localhost/v2/apps/hello/releases/?limit=1&offset=1",
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-6>",
<       "app": "hello",
<       "version": 4,
<       "state": "succeed",
<       "summary": "adalove deleted values REDIS_HOST, REDIS_PASSWORD",
<       "failed": false,
<       "exception": null,
<       "conditions": [
<         {
<           "state": "succeed",
<           "action": "pipeline",
<           "ptypes": [
<             "web"
<           ],
<           "created": "2026-01-02T03:38:05Z"
<         }
<       ],
<       "deployed_ptypes": [
<         "web"
<       ],
<       "config": "<uuid-7>",
<       "build": "<uuid-2>",
<       "created": "2026-01-02T03:38:05Z",
<       "updated": "2026-01-02T03:38:05Z"
<     }
<   ]
< }
> adalove PATCH /v2/apps/hello/resources/redis/binding/
| {"bind_action": "unbind"}
< 400
< {
<   "detail": "resource redis is not bound"
< }
> adalove PATCH /v2/apps/hello/resources/redis/binding/
| {"bind_action": "tie"}
< 400
< {
<   "bind_action": [
<     "Expected bind or unbind."
<   ]
< }
> adalove PATCH /v2/apps/hello/resources/nosuch/binding/
| {"bind_action": "bind"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Resource matches the given query."
<   }
< }

# A variable of the app's own is not overwritten.
> adalove POST /v2/apps/hello/config/
| {"values": {"REDIS_HOST": "mine.example.com"}}
< 201
< {
<   "uuid": "<uuid-8>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "REDIS_HOST",
<       "value": "mine.example.com",
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
<   "created": "2026-01-02T03:43:05Z",
<   "updated": "2026-01-02T03:43:05Z"
< }
> adalove PATCH /v2/apps/hello/resources/redis/binding/
| {"bind_action": "bind"}
< 200
< {
<   "uuid": "<uuid-3>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "redis",
<   "plan": "redis:standard-256",
<   "data": {},
<   "options": {
<     "persistence": "true",
<     "replicas": "2"
<   },
<   "status": "Ready",
<   "binding": "Binding",
<   "message": null,
<   "created": "2026-01-02T03:21:05Z",
<   "updated": "2026-01-02T03:44:05Z"
< }
> adalove GET /v2/apps/hello/resources/redis/
< 200
< {
<   "uuid": "<uuid-3>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "redis",
<   "plan": "redis:standard-256",
<   "data": {},
<   "options": {
<     "persistence": "true",
<     "replicas": "2"
<   },
<   "status": "Ready",
<   "binding": "Failed",
<   "message": "the variable REDIS_HOST is set already; unset it, then unbind and bind the resource again",
<   "created": "2026-01-02T03:21:05Z",
<   "updated": "2026-01-02T03:44:05Z"
< }
> adalove PATCH /v2/apps/hello/resources/redis/binding/
| {"bind_action": "unbind"}
< 200
< {
<   "uuid": "<uuid-3>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "redis",
<   "plan": "redis:standard-256",
<   "data": {},
<   "options": {
<     "persistence": "true",
<     "replicas": "2"
<   },
<   "status": "Ready",
<   "binding": "Unbinding",
<   "message": null,
<   "created": "2026-01-02T03:21:05Z",
<   "updated": "2026-01-02T03:46:05Z"
< }
> adalove DELETE /v2/apps/hello/resources/redis/
< 204
> adalove GET /v2/apps/hello/resources/redis/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Resource matches the given query."
<   }
< }

# What can't be made.
> adalove POST /v2/apps/hello/resources/
| {"name": "fixed", "plan": "fixed:one"}
< 201
< {
<   "uuid": "<uuid-9>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "fixed",
<   "plan": "fixed:one",
<   "data": {},
<   "options": {},
<   "status": "Provisioning",
<   "binding": null,
<   "message": null,
<   "created": "2026-01-02T03:49:05Z",
<   "updated": "2026-01-02T03:49:05Z"
< }
> adalove POST /v2/apps/hello/resources/
| {"name": "fixed", "plan": "fixed:one"}
< 400
< {
<   "name": [
<     "Resource with this name already exists."
<   ]
< }
> adalove PUT /v2/apps/hello/resources/fixed/
| {"plan": "fixed:two"}
< 400
< {
<   "plan": [
<     "The service fixed can't change the plan of a resource; make another one."
<   ]
< }
> adalove POST /v2/apps/hello/resources/
| {"name": "Fixed", "plan": "fixed:one"}
< 400
< {
<   "name": [
<     "Can only contain a-z (lowercase), 0-9 and hyphens"
<   ]
< }
> adalove POST /v2/apps/hello/resources/
| {"name": "drycc-db", "plan": "fixed:one"}
< 400
< {
<   "name": [
<     "drycc-db is a reserved name."
<   ]
< }
> adalove POST /v2/apps/hello/resources/
| {"name": "other", "plan": "fixed"}
< 400
< {
<   "plan": [
<     "Expected a service and a plan, such as redis:standard-128."
<   ]
< }
> adalove POST /v2/apps/hello/resources/
| {"name": "other", "plan": "mysql:5.7"}
< 400
< {
<   "plan": [
<     "The service mysql is not offered here; /v2/resources/services/ lists what is."
<   ]
< }
> adalove POST /v2/apps/hello/resources/
| {"name": "other", "plan": "fixed:three"}
< 400
< {
<   "plan": [
<     "The service fixed has no plan three; /v2/resources/services/fixed/plans/ lists what it has."
<   ]
< }
> adalove POST /v2/apps/hello/resources/
| {"name": "other", "plan": "fixed:one", "colour": "blue"}
< 400
< {
<   "colour": [
<     "This field is not known here."
<   ]
< }

# A service that can't do it says so on the resource.
! unable Provision the disks are full
> adalove POST /v2/apps/hello/resources/
| {"name": "failing", "plan": "redis:standard-128"}
< 201
< {
<   "uuid": "<uuid-10>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "failing",
<   "plan": "redis:standard-128",
<   "data": {},
<   "options": {},
<   "status": "Provisioning",
<   "binding": null,
<   "message": null,
<   "created": "2026-01-02T03:58:05Z",
<   "updated": "2026-01-02T03:58:05Z"
< }
> adalove GET /v2/apps/hello/resources/failing/
< 200
< {
<   "uuid": "<uuid-10>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "failing",
<   "plan": "redis:standard-128",
<   "data": {},
<   "options": {},
<   "status": "Failed",
<   "binding": null,
<   "message": "the disks are full",
<   "created": "2026-01-02T03:58:05Z",
<   "updated": "2026-01-02T03:58:05Z"
< }
> adalove PATCH /v2/apps/hello/resources/failing/binding/
| {"bind_action": "bind"}
< 400
< {
<   "detail": "resource failing can't be bound: it is Failed"
< }
> adalove PUT /v2/apps/hello/resources/failing/
| {"plan": "redis:standard-128"}
< 200
< {
<   "uuid": "<uuid-10>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "failing",
<   "plan": "redis:standard-128",
<   "data": {},
<   "options": {},
<   "status": "Updating",
<   "binding": null,
<   "message": null,
<   "created": "2026-01-02T03:58:05Z",
<   "updated": "2026-01-02T04:01:05Z"
< }
> adalove GET /v2/apps/hello/resources/failing/
< 200
< {
<   "uuid": "<uuid-10>",
<   "owner": "adalove",
<   "app": "hello",
<   "name": "failing",
<   "plan": "redis:standard-128",
<   "data": {},
<   "options": {},
<   "status": "Ready",
<   "binding": null,
<   "message": null,
<   "created": "2026-01-02T03:58:05Z",
<   "updated": "2026-01-02T04:01:05Z"
< }

# The same as addons.
> adalove GET /v2/addon-classes/
< 200
< {
<   "results": [
<     {
<       "name": "fixed",
<       "updateable": false,
<       "plans": [
<         {
<           "id": "id-of-one",
<           "name": "one",
<           "description": ""
<         },
<         {
<           "id": "id-of-two",
<           "name": "two",
<           "description": ""
<         }
<       ]
<     },
<     {
<       "name": "redis",
<       "updateable": true,
<       "plans": [
<         {
<           "id": "id-of-128",
<           "name": "standard-128",
<           "description": "128 MiB"
<         },
<         {
<           "id": "id-of-256",
<           "name": "standard-256",
<           "description": "256 MiB"
<         }
<       ]
<     }
<   ],
<   "count": 2
< }
> adalove GET /v2/addon-classes/redis/
< 200
< {
<   "name": "redis",
<   "updateable": true,
<   "plans": [
<     {
<       "id": "id-of-128",
<       "name": "standard-128",
<       "description": "128 MiB"
<     },
<     {
<       "id": "id-of-256",
<       "name": "standard-256",
<       "description": "256 MiB"
<     }
<   ]
< }
> adalove PUT /v2/apps/hello/addons/cache/
| {"kind": "redis", "plan": "standard-128", "parameters": {"replicas": 1}}
< 201
< {
<   "uuid": "<uuid-11>",
<   "name": "cache",
<   "app": "hello",
<   "plan": "standard-128",
<   "kind": "redis",
<   "multiplier": 1,
<   "parameters": {
<     "replicas": "1"
<   },
<   "created": "2026-01-02T04:05:05Z",
<   "updated": "2026-01-02T04:05:05Z"
< }
> adalove PUT /v2/apps/hello/addons/cache/
| {"kind": "redis", "plan": "standard-256"}
< 200
< {
<   "uuid": "<uuid-11>",
<   "name": "cache",
<   "app": "hello",
<   "plan": "standard-256",
<   "kind": "redis",
<   "multiplier": 1,
<   "parameters": {
<     "replicas": "1"
<   },
<   "created": "2026-01-02T04:05:05Z",
<   "updated": "2026-01-02T04:06:05Z"
< }
> adalove PUT /v2/apps/hello/addons/cache/
| {"plan": "standard-256"}
< 400
< {
<   "kind": [
<     "This field is required."
<   ]
< }
> adalove PUT /v2/apps/hello/addons/cache/
| {"name": "other", "kind": "redis", "plan": "standard-256"}
< 400
< {
<   "name": [
<     "The name of an addon can't be changed."
<   ]
< }
> adalove GET /v2/apps/hello/addons/cache/
< 200
< {
<   "uuid": "<uuid-11>",
<   "name": "cache",
<   "app": "hello",
<   "plan": "standard-256",
<   "kind": "redis",
<   "multiplier": 1,
<   "parameters": {
<     "replicas": "1"
<   },
<   "created": "2026-01-02T04:05:05Z",
<   "updated": "2026-01-02T04:06:05Z"
< }
> adalove GET /v2/apps/hello/addons/
< 200
< {
<   "count": 3,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-11>",
<       "name": "cache",
<       "app": "hello",
<       "plan": "standard-256",
<       "kind": "redis",
<       "multiplier": 1,
<       "parameters": {
<         "replicas": "1"
<       },
<       "created": "2026-01-02T04:05:05Z",
<       "updated": "2026-01-02T04:06:05Z"
<     },
<     {
<       "uuid": "<uuid-10>",
<       "name": "failing",
<       "app": "hello",
<       "plan": "standard-128",
<       "kind": "redis",
<       "multiplier": 1,
<       "parameters": {},
<       "created": "2026-01-02T03:58:05Z",
<       "updated": "2026-01-02T04:01:05Z"
<     },
<     {
<       "uuid": "<uuid-9>",
<       "name": "fixed",
<       "app": "hello",
<       "plan": "one",
<       "kind": "fixed",
<       "multiplier": 1,
<       "parameters": {},
<       "created": "2026-01-02T03:49:05Z",
<       "updated": "2026-01-02T03:49:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/hello/addons/cache/connection/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "cache has no connection yet; bind it: PATCH /v2/apps/hello/resources/cache/binding/"
<   }
< }
> adalove DELETE /v2/apps/hello/addons/cache/
< 204
> adalove GET /v2/apps/hello/addons/cache/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Resource matches the given query."
<   }
< }

# Strangers.
> bobross GET /v2/apps/hello/resources/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/resources/
| {"name": "theirs", "plan": "fixed:one"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/resources/fixed/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross PUT /v2/apps/hello/resources/fixed/
| {"plan": "fixed:two"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross PATCH /v2/apps/hello/resources/fixed/binding/
| {"bind_action": "bind"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross DELETE /v2/apps/hello/resources/fixed/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/addons/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/addons/fixed/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross PUT /v2/apps/hello/addons/fixed/
| {"kind": "fixed", "plan": "two"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross DELETE /v2/apps/hello/addons/fixed/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/addons/fixed/connection/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/resources/services/
< 200
< {
<   "count": 2,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": "id-of-fixed",
<       "name": "fixed",
<       "updateable": false
<     },
<     {
<       "id": "id-of-redis",
<       "name": "redis",
<       "updateable": true
<     }
<   ]
< }
> nobody GET /v2/resources/services/
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }

# Without resources the app can go.
> adalove DELETE /v2/apps/hello/resources/fixed/
< 204
> adalove DELETE /v2/apps/hello/resources/failing/
< 204
> adalove DELETE /v2/apps/hello/
< 204
