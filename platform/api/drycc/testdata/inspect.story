# What runs, seen from the process types.
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
> adalove GET /v2/apps/hello/ptypes/
< 200
< {
<   "results": [],
<   "count": 0
< }
> adalove POST /v2/apps/hello/build/
| {"image": "slipway.internal/hello:1", "procfile": {"web": "serve", "worker": "work"}}
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
<   "created": "2026-01-02T03:07:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }
> adalove POST /v2/apps/hello/ptypes/scale/
| {"web": 2, "worker": 1}
< 204
> adalove GET /v2/apps/hello/ptypes/
< 200
< {
<   "results": [
<     {
<       "name": "web",
<       "release": "v2",
<       "ready": "2/2",
<       "garbage": false,
<       "up_to_date": 2,
<       "available_replicas": 2,
<       "started": null
<     },
<     {
<       "name": "worker",
<       "release": "v2",
<       "ready": "1/1",
<       "garbage": false,
<       "up_to_date": 1,
<       "available_replicas": 1,
<       "started": null
<     }
<   ],
<   "count": 2
< }
> adalove GET /v2/apps/hello/ptypes/hello-web/describe/
< 200
< {
<   "results": [
<     {
<       "container": "hello-web",
<       "image": "slipway.internal/hello:1",
<       "command": [],
<       "args": [],
<       "liveness_probe": {},
<       "readiness_probe": {},
<       "limits": {
<         "cpu": "1"
<       },
<       "volume_mounts": [],
<       "node_selector": {}
<     }
<   ],
<   "count": 1
< }
> adalove GET /v2/apps/hello/ptypes/web/describe/
< 200
< {
<   "results": [
<     {
<       "container": "hello-web",
<       "image": "slipway.internal/hello:1",
<       "command": [],
<       "args": [],
<       "liveness_probe": {},
<       "readiness_probe": {},
<       "limits": {
<         "cpu": "1"
<       },
<       "volume_mounts": [],
<       "node_selector": {}
<     }
<   ],
<   "count": 1
< }
> adalove GET /v2/apps/hello/ptypes/absent/describe/
< 400
< {
<   "detail": "this procfile type not found"
< }

# And from the pods.
> adalove GET /v2/apps/hello/pods/worker/
< 200
< {
<   "results": [
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
<   "count": 1
< }
> adalove GET /v2/apps/hello/pods/absent/
< 200
< {
<   "results": [],
<   "count": 0
< }
> adalove GET /v2/apps/hello/pods/hello-web-0/describe/
< 200
< {
<   "results": [
<     {
<       "container": "hello-web",
<       "image": "slipway.internal/hello:1",
<       "command": [],
<       "args": [],
<       "state": {
<         "running": {
<           "startedAt": "2026-01-02T03:04:05Z"
<         }
<       },
<       "lastState": {},
<       "ready": true,
<       "restartCount": 0,
<       "status": "Running",
<       "reason": "",
<       "message": ""
<     }
<   ],
<   "count": 1
< }
> adalove GET /v2/apps/hello/pods/hello-web-9/describe/
< 400
< {
<   "detail": "this process not found"
< }

# What the cluster noted. Both forms of a process type are taken.
> adalove GET /v2/apps/hello/events/
< 200
< {
<   "results": [],
<   "count": 0
< }
> adalove GET /v2/apps/hello/events/?pod_name=hello-web-0
< 200
< {
<   "results": [
<     {
<       "reason": "Started",
<       "message": "Started container",
<       "created": "2026-01-02T03:00:00Z"
<     }
<   ],
<   "count": 1
< }
> adalove GET /v2/apps/hello/events/?pod_name=absent
< 200
< {
<   "results": [],
<   "count": 0
< }
> adalove GET /v2/apps/hello/events/?ptype=hello-web
< 200
< {
<   "results": [
<     {
<       "reason": "ScalingReplicaSet",
<       "message": "Scaled up web",
<       "created": "2026-01-02T03:00:00Z"
<     }
<   ],
<   "count": 1
< }
> adalove GET /v2/apps/hello/events/?ptype=web
< 200
< {
<   "results": [
<     {
<       "reason": "ScalingReplicaSet",
<       "message": "Scaled up web",
<       "created": "2026-01-02T03:00:00Z"
<     }
<   ],
<   "count": 1
< }

# The guide's restarts answer with the pods.
> adalove POST /v2/apps/hello/pods/restart/
< 200
< [
<   {
<     "name": "hello-web-0",
<     "state": "up",
<     "release": "v2",
<     "type": "web",
<     "started": null,
<     "ready": "1/1",
<     "restarts": 1
<   },
<   {
<     "name": "hello-web-1",
<     "state": "up",
<     "release": "v2",
<     "type": "web",
<     "started": null,
<     "ready": "1/1",
<     "restarts": 1
<   },
<   {
<     "name": "hello-worker-0",
<     "state": "up",
<     "release": "v2",
<     "type": "worker",
<     "started": null,
<     "ready": "1/1",
<     "restarts": 1
<   }
< ]
> adalove POST /v2/apps/hello/pods/worker/restart/
< 200
< [
<   {
<     "name": "hello-worker-0",
<     "state": "up",
<     "release": "v2",
<     "type": "worker",
<     "started": null,
<     "ready": "1/1",
<     "restarts": 2
<   }
< ]
> adalove POST /v2/apps/hello/pods/hello-web-1/restart/
< 200
< [
<   {
<     "name": "hello-web-0",
<     "state": "up",
<     "release": "v2",
<     "type": "web",
<     "started": null,
<     "ready": "1/1",
<     "restarts": 1
<   },
<   {
<     "name": "hello-web-1",
<     "state": "up",
<     "release": "v2",
<     "type": "web",
<     "started": null,
<     "ready": "1/1",
<     "restarts": 1
<   }
< ]
> adalove POST /v2/apps/hello/pods/worker/hello-worker-0/restart/
< 200
< [
<   {
<     "name": "hello-worker-0",
<     "state": "up",
<     "release": "v2",
<     "type": "worker",
<     "started": null,
<     "ready": "1/1",
<     "restarts": 2
<   }
< ]
> adalove POST /v2/apps/hello/pods/web/hello-worker-0/restart/
< 400
< {
<   "detail": "this process not found"
< }
> adalove POST /v2/apps/hello/pods/absent/restart/
< 400
< {
<   "detail": "this process not found"
< }
> adalove POST /v2/apps/hello/pods/restart/
| {"ptypes": "web"}
< 400
< {
<   "ptypes": [
<     "This field is not known here."
<   ]
< }
> adalove GET /v2/apps/hello/pods/restart/
< 405  Allow: POST, OPTIONS
< {
<   "detail": "Method \"GET\" not allowed."
< }

# Pods are ended by admins.
> adalove DELETE /v2/apps/hello/pods/
| {"pod_ids": "hello-web-0,hello-web-1"}
< 200
> adalove DELETE /v2/apps/hello/pods/
< 400
< {
<   "detail": "pod_ids is a required field"
< }
> adalove DELETE /v2/apps/hello/pods/
| {"pod_ids": "hello-web-0,absent"}
< 400
< {
<   "detail": "this process not found"
< }
> adalove DELETE /v2/apps/hello/pods/
| {"pod_ids": ["hello-web-0"]}
< 400
< {
<   "pod_ids": [
<     "Expected a string, but got a list."
<   ]
< }
> adalove DELETE /v2/apps/hello/pods/
| {"pods": "hello-web-0"}
< 400
< {
<   "pods": [
<     "This field is not known here."
<   ]
< }
> bobross DELETE /v2/apps/hello/pods/
| {"pod_ids": "hello-web-0"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

# With autodeploy off what a release drops stays as garbage until it is cleaned up.
> adalove POST /v2/apps/hello/settings/
| {"autodeploy": false}
< 201
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "routable": true,
<   "autodeploy": false,
<   "autorollback": true,
<   "autoscale": {},
<   "label": {},
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:36:05Z"
< }
> adalove POST /v2/apps/hello/build/
| {"image": "slipway.internal/hello:2", "procfile": {"web": "serve"}}
< 201
< {
<   "uuid": "<uuid-4>",
<   "app": "hello",
<   "image": "slipway.internal/hello:2",
<   "stack": "container",
<   "sha": "",
<   "procfile": {
<     "web": "serve"
<   },
<   "dryccfile": {},
<   "dockerfile": "",
<   "created": "2026-01-02T03:37:05Z",
<   "updated": "2026-01-02T03:37:05Z"
< }
> adalove POST /v2/apps/hello/releases/deploy/
< 204
> adalove GET /v2/apps/hello/ptypes/
< 200
< {
<   "results": [
<     {
<       "name": "web",
<       "release": "v3",
<       "ready": "2/2",
<       "garbage": false,
<       "up_to_date": 2,
<       "available_replicas": 2,
<       "started": null
<     },
<     {
<       "name": "worker",
<       "release": "v2",
<       "ready": "1/1",
<       "garbage": true,
<       "up_to_date": 1,
<       "available_replicas": 1,
<       "started": null
<     }
<   ],
<   "count": 2
< }
> adalove POST /v2/apps/hello/ptypes/clean/
< 400
< {
<   "detail": "ptypes is a required field"
< }
> adalove POST /v2/apps/hello/ptypes/clean/
| {"ptypes": "worker"}
< 400
< {
<   "detail": "ptype worker should not garbage. Scale it to 0 first."
< }
> adalove POST /v2/apps/hello/ptypes/scale/
| {"worker": 0}
< 204
> adalove POST /v2/apps/hello/ptypes/clean/
| {"ptypes": "web,worker"}
< 400
< {
<   "detail": "ptype web should not garbage. The newest release has it."
< }
> adalove POST /v2/apps/hello/ptypes/clean/
| {"ptypes": "absent"}
< 400
< {
<   "detail": "process type absent is not included in procfile"
< }
> adalove POST /v2/apps/hello/ptypes/clean/
| {"ptype": "worker"}
< 400
< {
<   "ptype": [
<     "This field is not known here."
<   ]
< }
> adalove POST /v2/apps/hello/ptypes/clean/
| {"ptypes": "worker"}
< 204
> adalove GET /v2/apps/hello/ptypes/
< 200
< {
<   "results": [
<     {
<       "name": "web",
<       "release": "v3",
<       "ready": "2/2",
<       "garbage": false,
<       "up_to_date": 2,
<       "available_replicas": 2,
<       "started": null
<     }
<   ],
<   "count": 1
< }

# Metrics, with what the nodes tell of the pods.
! use hello hello-web-0
> adalove GET /v2/apps/hello/metrics
< 200
< # HELP drycc_app_release_version The version of the newest release.
< # TYPE drycc_app_release_version gauge
< drycc_app_release_version{app="hello"} 3
< # HELP drycc_app_release_failed 1 while the newest release is a failed one.
< # TYPE drycc_app_release_failed gauge
< drycc_app_release_failed{app="hello"} 0
< # HELP drycc_app_replicas_wanted How many of a process type there should be.
< # TYPE drycc_app_replicas_wanted gauge
< drycc_app_replicas_wanted{app="hello",ptype="web"} 2
< # HELP drycc_app_pods Pods by process type and state.
< # TYPE drycc_app_pods gauge
< drycc_app_pods{app="hello",ptype="web",state="up"} 2
< # HELP drycc_pod_up 1 while the pod takes requests.
< # TYPE drycc_pod_up gauge
< drycc_pod_up{app="hello",ptype="web",pod="hello-web-0",release="v3"} 1
< drycc_pod_up{app="hello",ptype="web",pod="hello-web-1",release="v3"} 1
< # HELP drycc_pod_restarts_total How often the pod's process began again.
< # TYPE drycc_pod_restarts_total counter
< drycc_pod_restarts_total{app="hello",ptype="web",pod="hello-web-0",release="v3"} 0
< drycc_pod_restarts_total{app="hello",ptype="web",pod="hello-web-1",release="v3"} 0
< # HELP drycc_pod_cpu_seconds_total CPU time used.
< # TYPE drycc_pod_cpu_seconds_total counter
< drycc_pod_cpu_seconds_total{app="hello",ptype="web",pod="hello-web-0",release="v3"} 1.5
< # HELP drycc_pod_memory_bytes Memory in use that cannot be taken back.
< # TYPE drycc_pod_memory_bytes gauge
< drycc_pod_memory_bytes{app="hello",ptype="web",pod="hello-web-0",release="v3"} 1048576
< # HELP drycc_pod_disk_bytes What the pod's own files and logs take on the node's disk.
< # TYPE drycc_pod_disk_bytes gauge
< drycc_pod_disk_bytes{app="hello",ptype="web",pod="hello-web-0",release="v3"} 4096
< # HELP drycc_pod_network_received_bytes_total Bytes received.
< # TYPE drycc_pod_network_received_bytes_total counter
< drycc_pod_network_received_bytes_total{app="hello",ptype="web",pod="hello-web-0",release="v3"} 10
< # HELP drycc_pod_network_sent_bytes_total Bytes sent.
< # TYPE drycc_pod_network_sent_bytes_total counter
! away Usage
> adalove GET /v2/apps/hello/metrics
< 200
< # HELP drycc_app_release_version The version of the newest release.
< # TYPE drycc_app_release_version gauge
< drycc_app_release_version{app="hello"} 3
< # HELP drycc_app_release_failed 1 while the newest release is a failed one.
< # TYPE drycc_app_release_failed gauge
< drycc_app_release_failed{app="hello"} 0
< # HELP drycc_app_replicas_wanted How many of a process type there should be.
< # TYPE drycc_app_replicas_wanted gauge
< drycc_app_replicas_wanted{app="hello",ptype="web"} 2
< # HELP drycc_app_pods Pods by process type and state.
< # TYPE drycc_app_pods gauge
< drycc_app_pods{app="hello",ptype="web",state="up"} 2
< # HELP drycc_pod_up 1 while the pod takes requests.
< # TYPE drycc_pod_up gauge
< drycc_pod_up{app="hello",ptype="web",pod="hello-web-0",release="v3"} 1
< drycc_pod_up{app="hello",ptype="web",pod="hello-web-1",release="v3"} 1
< # HELP drycc_pod_restarts_total How often the pod's process began again.
< # TYPE drycc_pod_restarts_total counter
< drycc_pod_restarts_total{app="hello",ptype="web",pod="hello-web-0",release="v3"} 0
< drycc_pod_restarts_total{app="hello",ptype="web",pod="hello-web-1",release="v3"} 0
< # HELP drycc_pod_cpu_seconds_total CPU time used.
< # TYPE drycc_pod_cpu_seconds_total counter
< # HELP drycc_pod_memory_bytes Memory in use that cannot be taken back.
< # TYPE drycc_pod_memory_bytes gauge
< # HELP drycc_pod_disk_bytes What the pod's own files and logs take on the node's disk.
< # TYPE drycc_pod_disk_bytes gauge
< # HELP drycc_pod_network_received_bytes_total Bytes received.
< # TYPE drycc_pod_network_received_bytes_total counter
< # HELP drycc_pod_network_sent_bytes_total Bytes sent.
< # TYPE drycc_pod_network_sent_bytes_total counter
! back Usage

# Strangers are refused before anything is looked up.
> bobross GET /v2/apps/hello/ptypes/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/ptypes/absent/describe/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/pods/absent/describe/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/events/?pod_name=hello-web-0
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/metrics/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/ptypes/clean/
| {"ptypes": "web"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/pods/restart/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/pods/hello-web-0/logs/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> nobody GET /v2/apps/hello/metrics/
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }
> adalove GET /v2/apps/absent/ptypes/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
