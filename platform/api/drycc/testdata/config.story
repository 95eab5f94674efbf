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

# As the newest client sets.
> adalove POST /v2/apps/hello/config/?merge=true
| {"values": [{"name": "PLATFORM", "value": "drycc", "group": "global"}, {"name": "WORKERS", "value": 4, "ptype": "web"}, {"name": "PASSWORD", "value": "hunter2", "group": "secrets"}]}
< 201
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "PLATFORM",
<       "value": "drycc",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
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
<   "created": "2026-01-02T03:07:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }
> adalove GET /v2/apps/hello/releases/v3
< 200
< {
<   "uuid": "<uuid-4>",
<   "app": "hello",
<   "version": 3,
<   "state": "succeed",
<   "summary": "adalove added values PASSWORD, PLATFORM, WORKERS",
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
<   "config": "<uuid-3>",
<   "build": "<uuid-2>",
<   "created": "2026-01-02T03:07:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }

# The guide's form: a map, which goes to the group global.
> adalove POST /v2/apps/hello/config/
| {"values": {"HELLO": "world", "NUMBER": 5}}
< 201
< {
<   "uuid": "<uuid-5>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "HELLO",
<       "value": "world",
<       "group": "global"
<     },
<     {
<       "name": "NUMBER",
<       "value": "5",
<       "group": "global"
<     },
<     {
<       "name": "PLATFORM",
<       "value": "drycc",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
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
<   "created": "2026-01-02T03:09:05Z",
<   "updated": "2026-01-02T03:09:05Z"
< }
> adalove POST /v2/apps/hello/config/
| {"values": {"HELLO": null}}
< 201
< {
<   "uuid": "<uuid-6>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "NUMBER",
<       "value": "5",
<       "group": "global"
<     },
<     {
<       "name": "PLATFORM",
<       "value": "drycc",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
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
<   "created": "2026-01-02T03:10:05Z",
<   "updated": "2026-01-02T03:10:05Z"
< }
> adalove GET /v2/apps/hello/config/
< 200
< {
<   "uuid": "<uuid-6>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "NUMBER",
<       "value": "5",
<       "group": "global"
<     },
<     {
<       "name": "PLATFORM",
<       "value": "drycc",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
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
<   "created": "2026-01-02T03:10:05Z",
<   "updated": "2026-01-02T03:10:05Z"
< }
> adalove GET /v2/apps/hello/config/?version=v3
< 200
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "PLATFORM",
<       "value": "drycc",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
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
<   "created": "2026-01-02T03:07:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }

# Groups for process types.
> adalove POST /v2/apps/hello/config/
| {"values_refs": {"web": ["secrets"]}}
< 201
< {
<   "uuid": "<uuid-7>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "NUMBER",
<       "value": "5",
<       "group": "global"
<     },
<     {
<       "name": "PLATFORM",
<       "value": "drycc",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
<     }
<   ],
<   "values_refs": {
<     "web": [
<       "secrets"
<     ]
<   },
<   "limits": {
<     "run": "std1.large.c1m1",
<     "web": "std1.large.c1m1"
<   },
<   "tags": {},
<   "registry": {},
<   "healthcheck": {},
<   "lifecycle": {},
<   "termination_grace_period": {},
<   "created": "2026-01-02T03:13:05Z",
<   "updated": "2026-01-02T03:13:05Z"
< }
> adalove DELETE /v2/apps/hello/config/
| {"values_refs": {"web": ["secrets"]}}
< 200
> adalove DELETE /v2/apps/hello/config/
< 400
< {
<   "detail": "ptype or groups is required"
< }

# Everything else that a config holds.
> adalove POST /v2/apps/hello/config/
| {"limits": {"web": "std1.large.c2m2"}, "termination_grace_period": {"web": 60}, "tags": {"web": {"disk": "ssd"}}, "registry": {"web": {"username": "puller", "password": "hunter2"}}}
< 201
< {
<   "uuid": "<uuid-8>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "NUMBER",
<       "value": "5",
<       "group": "global"
<     },
<     {
<       "name": "PLATFORM",
<       "value": "drycc",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
<     }
<   ],
<   "values_refs": {},
<   "limits": {
<     "run": "std1.large.c1m1",
<     "web": "std1.large.c2m2"
<   },
<   "tags": {
<     "web": {
<       "disk": "ssd"
<     }
<   },
<   "registry": {
<     "web": {
<       "password": "hunter2",
<       "username": "puller"
<     }
<   },
<   "healthcheck": {},
<   "lifecycle": {},
<   "termination_grace_period": {
<     "web": "60"
<   },
<   "created": "2026-01-02T03:16:05Z",
<   "updated": "2026-01-02T03:16:05Z"
< }
> adalove POST /v2/apps/hello/config/
| {"healthcheck": {"web": {"liveness_probe": {"http_get": {"path": "/", "port": 5000}, "initial_delay_seconds": 5}}}, "lifecycle": {"web": {"stopSignal": "SIGTERM", "preStop": {"exec": {"command": ["sleep", "1"]}}}}}
< 201
< {
<   "uuid": "<uuid-9>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "NUMBER",
<       "value": "5",
<       "group": "global"
<     },
<     {
<       "name": "PLATFORM",
<       "value": "drycc",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
<     }
<   ],
<   "values_refs": {},
<   "limits": {
<     "run": "std1.large.c1m1",
<     "web": "std1.large.c2m2"
<   },
<   "tags": {
<     "web": {
<       "disk": "ssd"
<     }
<   },
<   "registry": {
<     "web": {
<       "password": "hunter2",
<       "username": "puller"
<     }
<   },
<   "healthcheck": {
<     "web": {
<       "livenessProbe": {
<         "httpGet": {
<           "path": "/",
<           "port": 5000
<         },
<         "initialDelaySeconds": 5
<       }
<     }
<   },
<   "lifecycle": {
<     "web": {
<       "preStop": {
<         "exec": {
<           "command": [
<             "sleep",
<             "1"
<           ]
<         }
<       },
<       "stopSignal": "SIGTERM"
<     }
<   },
<   "termination_grace_period": {
<     "web": "60"
<   },
<   "created": "2026-01-02T03:17:05Z",
<   "updated": "2026-01-02T03:17:05Z"
< }
> adalove POST /v2/apps/hello/config/
| {"healthcheck": {"web": {"livenessProbe": null}}, "lifecycle": {"web": {"preStop": null}}, "tags": {"web": {"disk": null}}, "registry": {"web": {"username": null, "password": null}}}
< 201
< {
<   "uuid": "<uuid-10>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "NUMBER",
<       "value": "5",
<       "group": "global"
<     },
<     {
<       "name": "PLATFORM",
<       "value": "drycc",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
<     }
<   ],
<   "values_refs": {},
<   "limits": {
<     "run": "std1.large.c1m1",
<     "web": "std1.large.c2m2"
<   },
<   "tags": {},
<   "registry": {},
<   "healthcheck": {},
<   "lifecycle": {
<     "web": {
<       "stopSignal": "SIGTERM"
<     }
<   },
<   "termination_grace_period": {
<     "web": "60"
<   },
<   "created": "2026-01-02T03:18:05Z",
<   "updated": "2026-01-02T03:18:05Z"
< }

# The whole again, without what is not named.
> adalove POST /v2/apps/hello/config/?merge=false
| {"values": [{"name": "ONLY", "value": "", "group": "global"}]}
< 201
< {
<   "uuid": "<uuid-11>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "ONLY",
<       "value": "",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
<     }
<   ],
<   "values_refs": {},
<   "limits": {
<     "run": "std1.large.c1m1",
<     "web": "std1.large.c2m2"
<   },
<   "tags": {},
<   "registry": {},
<   "healthcheck": {},
<   "lifecycle": {
<     "web": {
<       "stopSignal": "SIGTERM"
<     }
<   },
<   "termination_grace_period": {
<     "web": "60"
<   },
<   "created": "2026-01-02T03:19:05Z",
<   "updated": "2026-01-02T03:19:05Z"
< }

# Refusals.
> adalove POST /v2/apps/hello/config/
| {"values": {"NOSUCH": null}}
< 409
< {
<   "detail": "adalove changed nothing - release stopped"
< }
> adalove POST /v2/apps/hello/config/
< 409
< {
<   "detail": "adalove changed nothing - release stopped"
< }
> adalove POST /v2/apps/hello/config/?merge=perhaps
| {"values": {"A": "b"}}
< 400
< {
<   "merge": [
<     "Expected true or false."
<   ]
< }
> adalove POST /v2/apps/hello/config/
| {"limits": {"worker": null}}
< 422
< {
<   "detail": "worker does not exist under limits"
< }
> adalove POST /v2/apps/hello/config/
| {"limits": {"web": null}}
< 422
< {
<   "detail": "the web has already been used and cannot be deleted"
< }
> adalove POST /v2/apps/hello/config/
| {"limits": {"web": "huge"}}
< 400
< {
<   "limits": [
<     "The limit plan huge does not exist"
<   ]
< }
> adalove POST /v2/apps/hello/config/
| {"values": {"A=B": "c"}}
< 400
< {
<   "values": [
<     "Config key can only supports: ^[A-z0-9_\\-\\.]+$"
<   ]
< }
> adalove POST /v2/apps/hello/config/
| {"values": {"PORT": "many"}}
< 400
< {
<   "values": [
<     "PORT can only be a numeric value"
<   ]
< }
> adalove POST /v2/apps/hello/config/
| {"values": {"PASSWORD": {"nested": "hunter2"}}}
< 400
< {
<   "values": [
<     "The value of \"PASSWORD\" has to be a string, a number or null."
<   ]
< }
> adalove POST /v2/apps/hello/config/
| {"disk": {"web": "1G"}}
< 400
< {
<   "disk": [
<     "This field is not known here."
<   ]
< }
> adalove POST /v2/apps/hello/config/
| {"healthcheck": {"web": {"livenessProbe": {"livenessProbe": null}}}}
< 400
< {
<   "healthcheck": [
<     "livenessProbe is not a part of livenessProbe"
<   ]
< }
> adalove POST /v2/apps/hello/config/
| {"values": "{"}
< 400
< {
<   "values": [
<     "JSON parse error - it ends too early."
<   ]
< }

# The newest client takes health checks away in this shape.
> adalove POST /v2/apps/hello/config/
| {"healthcheck": {"web": {"liveness_probe": {"http_get": {"port": 80, "path": "/", "http_headers": [{"name": "X-Foo", "value": "bar"}]}, "initial_delay_seconds": 50}}}}
< 201
< {
<   "uuid": "<uuid-12>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "ONLY",
<       "value": "",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
<     }
<   ],
<   "values_refs": {},
<   "limits": {
<     "run": "std1.large.c1m1",
<     "web": "std1.large.c2m2"
<   },
<   "tags": {},
<   "registry": {},
<   "healthcheck": {
<     "web": {
<       "livenessProbe": {
<         "httpGet": {
<           "httpHeaders": [
<             {
<               "name": "X-Foo",
<               "value": "bar"
<             }
<           ],
<           "path": "/",
<           "port": 80
<         },
<         "initialDelaySeconds": 50
<       }
<     }
<   },
<   "lifecycle": {
<     "web": {
<       "stopSignal": "SIGTERM"
<     }
<   },
<   "termination_grace_period": {
<     "web": "60"
<   },
<   "created": "2026-01-02T03:32:05Z",
<   "updated": "2026-01-02T03:32:05Z"
< }
> adalove POST /v2/apps/hello/config/
| {"healthcheck": {"livenessProbe": {"livenessProbe": null}}}
< 201
< {
<   "uuid": "<uuid-13>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "ONLY",
<       "value": "",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
<     }
<   ],
<   "values_refs": {},
<   "limits": {
<     "run": "std1.large.c1m1",
<     "web": "std1.large.c2m2"
<   },
<   "tags": {},
<   "registry": {},
<   "healthcheck": {},
<   "lifecycle": {
<     "web": {
<       "stopSignal": "SIGTERM"
<     }
<   },
<   "termination_grace_period": {
<     "web": "60"
<   },
<   "created": "2026-01-02T03:33:05Z",
<   "updated": "2026-01-02T03:33:05Z"
< }
> adalove POST /v2/apps/hello/config/
| {"healthcheck": {"livenessProbe": {"livenessProbe": null}}}
< 422
< {
<   "detail": "livenessProbe does not exist under healthcheck"
< }

# Bounds as the guide's older clients gave them.
> adalove POST /v2/apps/hello/config/
| {"memory": {"web": "1536M"}, "cpu": {"web": "500m"}}
< 201
< {
<   "uuid": "<uuid-14>",
<   "app": "hello",
<   "values": [
<     {
<       "name": "WORKERS",
<       "value": "4",
<       "ptype": "web"
<     },
<     {
<       "name": "ONLY",
<       "value": "",
<       "group": "global"
<     },
<     {
<       "name": "PASSWORD",
<       "value": "hunter2",
<       "group": "secrets"
<     }
<   ],
<   "values_refs": {},
<   "limits": {
<     "run": "std1.large.c1m1",
<     "web": "std1.large.c1m2"
<   },
<   "tags": {},
<   "registry": {},
<   "healthcheck": {},
<   "lifecycle": {
<     "web": {
<       "stopSignal": "SIGTERM"
<     }
<   },
<   "termination_grace_period": {
<     "web": "60"
<   },
<   "created": "2026-01-02T03:35:05Z",
<   "updated": "2026-01-02T03:35:05Z"
< }
> adalove POST /v2/apps/hello/config/
| {"memory": {"web": "plenty"}}
< 400
< {
<   "memory": [
<     "\"plenty\" is no amount, such as 1 or 0.5"
<   ]
< }
