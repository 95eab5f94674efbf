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
| {"image": "slipway.internal/hello:1", "stack": "container", "procfile": {"web": "serve", "worker": "work"}}
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
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }
> adalove GET /v2/apps/hello/volumes/
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }

# The guide's first volume.
> adalove POST /v2/apps/hello/volumes/
| {"name": "myvolume", "size": "200m"}
< 201
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "name": "myvolume",
<   "size": "200M",
<   "path": {},
<   "type": "csi",
<   "parameters": {},
<   "created": "2026-01-02T03:08:05Z",
<   "updated": "2026-01-02T03:08:05Z"
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "mynfsvolume", "size": "2G", "type": "nfs", "parameters": {"nfs": {"server": "nfs.example.com", "path": "/"}}}
< 201
< {
<   "uuid": "<uuid-4>",
<   "app": "hello",
<   "name": "mynfsvolume",
<   "size": "2G",
<   "path": {},
<   "type": "nfs",
<   "parameters": {
<     "nfs": {
<       "path": "/",
<       "server": "nfs.example.com"
<     }
<   },
<   "created": "2026-01-02T03:09:05Z",
<   "updated": "2026-01-02T03:09:05Z"
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "myossvolume", "size": "2G", "type": "oss", "parameters": {"oss": {"server": "oss.example.com", "bucket": "vbucket", "access_key": "ak", "secret_key": "hunter2", "path_style": true}}}
< 201
< {
<   "uuid": "<uuid-5>",
<   "app": "hello",
<   "name": "myossvolume",
<   "size": "2G",
<   "path": {},
<   "type": "oss",
<   "parameters": {
<     "oss": {
<       "access_key": "ak",
<       "bucket": "vbucket",
<       "path_style": "true",
<       "secret_key": "********",
<       "server": "oss.example.com"
<     }
<   },
<   "created": "2026-01-02T03:10:05Z",
<   "updated": "2026-01-02T03:10:05Z"
< }
> adalove GET /v2/apps/hello/volumes/?limit=2
< 200
< {
<   "count": 3,
<   "next": "http://drycc.slipway.localhost/v2/apps/hello/volumes/?limit=2&offset=2",
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-4>",
<       "app": "hello",
<       "name": "mynfsvolume",
<       "size": "2G",
<       "path": {},
<       "type": "nfs",
<       "parameters": {
<         "nfs": {
<           "path": "/",
<           "server": "nfs.example.com"
<         }
<       },
<       "created": "2026-01-02T03:09:05Z",
<       "updated": "2026-01-02T03:09:05Z"
<     },
<     {
<       "uuid": "<uuid-5>",
<       "app": "hello",
<       "name": "myossvolume",
<       "size": "2G",
<       "path": {},
<       "type": "oss",
<       "parameters": {
<         "oss": {
<           "access_key": "ak",
<           "bucket": "vbucket",
<           "path_style": "true",
<           "secret_key": "********",
<           "server": "oss.example.com"
<         }
<       },
<       "created": "2026-01-02T03:10:05Z",
<       "updated": "2026-01-02T03:10:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/hello/volumes/myvolume/
< 200
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "name": "myvolume",
<   "size": "200M",
<   "path": {},
<   "type": "csi",
<   "parameters": {},
<   "created": "2026-01-02T03:08:05Z",
<   "updated": "2026-01-02T03:08:05Z"
< }

# A mount is rolled out by itself: no release, and the answer is the volume before.
> adalove PATCH /v2/apps/hello/volumes/myvolume/path/
| {"path": {"web": "/data/web/"}}
< 200
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "name": "myvolume",
<   "size": "200M",
<   "path": {},
<   "type": "csi",
<   "parameters": {},
<   "created": "2026-01-02T03:08:05Z",
<   "updated": "2026-01-02T03:08:05Z"
< }
> adalove GET /v2/apps/hello/volumes/myvolume/
< 200
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "name": "myvolume",
<   "size": "200M",
<   "path": {
<     "web": "/data/web"
<   },
<   "type": "csi",
<   "parameters": {},
<   "created": "2026-01-02T03:08:05Z",
<   "updated": "2026-01-02T03:13:05Z"
< }
> adalove PATCH /v2/apps/hello/volumes/mynfsvolume/path/
| {"path": {"web": "/data/nfs", "run": "/nfs"}}
< 200
< {
<   "uuid": "<uuid-4>",
<   "app": "hello",
<   "name": "mynfsvolume",
<   "size": "2G",
<   "path": {},
<   "type": "nfs",
<   "parameters": {
<     "nfs": {
<       "path": "/",
<       "server": "nfs.example.com"
<     }
<   },
<   "created": "2026-01-02T03:09:05Z",
<   "updated": "2026-01-02T03:09:05Z"
< }
> adalove GET /v2/apps/hello/releases/?limit=1
< 200
< {
<   "count": 2,
<   "next": "http://drycc.slipway.localhost/v2/apps/hello/releases/?limit=1&offset=1",
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-6>",
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
<             "web",
<             "worker"
<           ],
<           "created": "2026-01-02T03:06:05Z"
<         }
<       ],
<       "deployed_ptypes": [
<         "web",
<         "worker"
<       ],
<       "config": "<uuid-7>",
<       "build": "<uuid-2>",
<       "created": "2026-01-02T03:06:05Z",
<       "updated": "2026-01-02T03:06:05Z"
<     }
<   ]
< }

# Larger, never smaller.
> adalove PATCH /v2/apps/hello/volumes/myvolume/
| {"name": "myvolume", "size": "1g"}
< 200
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "name": "myvolume",
<   "size": "1G",
<   "path": {
<     "web": "/data/web"
<   },
<   "type": "csi",
<   "parameters": {},
<   "created": "2026-01-02T03:08:05Z",
<   "updated": "2026-01-02T03:17:05Z"
< }
> adalove PATCH /v2/apps/hello/volumes/myvolume/
| {"size": "1024M"}
< 409
< {
<   "detail": "volume myvolume has 1G already"
< }
> adalove PATCH /v2/apps/hello/volumes/myvolume/
| {"size": "500M"}
< 400
< {
<   "size": [
<     "Shrink volume is not supported."
<   ]
< }
> adalove PATCH /v2/apps/hello/volumes/mynfsvolume/
| {"size": "3G"}
< 400
< {
<   "detail": "only volumes of type csi can be expanded; the size of mynfsvolume is its server's affair"
< }
> adalove PATCH /v2/apps/hello/volumes/myvolume/
| {"name": "other", "size": "2G"}
< 400
< {
<   "name": [
<     "The name of a volume can't be changed."
<   ]
< }
> adalove PATCH /v2/apps/hello/volumes/nosuch/
| {"size": "2G"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Volume matches the given query."
<   }
< }

# What can't be made.
> adalove POST /v2/apps/hello/volumes/
| {"name": "myvolume", "size": "2G"}
< 400
< {
<   "name": [
<     "Volume with this name already exists."
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "My_Volume", "size": "2G"}
< 400
< {
<   "name": [
<     "Can only contain a-z (lowercase), 0-9 and hyphens"
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "ab", "size": "2G"}
< 400
< {
<   "name": [
<     "The length of name must be between 3 and 63"
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "default", "size": "2G"}
< 400
< {
<   "name": [
<     "default is a reserved name."
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "sizeless"}
< 400
< {
<   "size": [
<     "This field may not be blank."
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "toolarge", "size": "16385G"}
< 400
< {
<   "size": [
<     "Volume size format: a number and its unit, G or M, between 1M and 16384G, such as 10G: 16385G"
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "typed", "size": "2G", "type": "tape"}
< 400
< {
<   "type": [
<     "\"tape\" is not a valid choice: use csi, nfs or oss."
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "noserver", "size": "2G", "type": "nfs"}
< 400
< {
<   "parameters": [
<     "parameters cannot be empty when the type is not csi."
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "noserver", "size": "2G", "type": "nfs", "parameters": {"nfs": {"path": "/"}}}
< 400
< {
<   "parameters": [
<     "server is required for type nfs."
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "mixed", "size": "2G", "type": "nfs", "parameters": {"oss": {"bucket": "b"}}}
< 400
< {
<   "parameters": [
<     "These are of type \"oss\", and the volume is of type nfs."
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "strange", "size": "2G", "type": "nfs", "parameters": {"nfs": {"server": "s", "path": "/", "options": "rw"}}}
< 400
< {
<   "parameters": [
<     "The parameter \"options\" is not known for type nfs."
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "mounted", "size": "2G", "path": {"web": "/x"}}
< 400
< {
<   "path": [
<     "A new volume is mounted nowhere; mount it when it is there."
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "listed", "size": "2G", "parameters": ["x"]}
< 400
< {
<   "parameters": [
<     "Expected an object, but got a list."
<   ]
< }
> adalove POST /v2/apps/hello/volumes/
| {"name": "member", "size": "2G", "colour": "blue"}
< 400
< {
<   "colour": [
<     "This field is not known here."
<   ]
< }

# What can't be mounted.
> adalove PATCH /v2/apps/hello/volumes/myvolume/path/
| {"path": {"web": "/data/web"}}
< 400
< {
<   "detail": "mount path not changed"
< }
> adalove PATCH /v2/apps/hello/volumes/myvolume/path/
| {"path": {"worker": null}}
< 400
< {
<   "detail": "mount path not changed"
< }
> adalove PATCH /v2/apps/hello/volumes/myvolume/path/
| {"path": {"web": "/data/nfs"}}
< 400
< {
<   "detail": "path /data/nfs is used by another volume"
< }
> adalove PATCH /v2/apps/hello/volumes/myvolume/path/
| {"path": {"clock": "/data"}}
< 400
< {
<   "detail": "process type clock is not included in procfile"
< }
> adalove PATCH /v2/apps/hello/volumes/myvolume/path/
| {"path": {"web": "data"}}
< 400
< {
<   "path": [
<     "Volume path format: /path"
<   ]
< }
> adalove PATCH /v2/apps/hello/volumes/myvolume/path/
| {"path": {"web": "/"}}
< 400
< {
<   "path": [
<     "Volume path format: /path"
<   ]
< }
> adalove PATCH /v2/apps/hello/volumes/myvolume/path/
< 400
< {
<   "path": [
<     "path is a required field"
<   ]
< }
> adalove PATCH /v2/apps/hello/volumes/myossvolume/path/
| {"path": {"web": "/oss"}}
< 400
< {
<   "detail": "volume myossvolume is a bucket, and this platform carries no driver that mounts buckets; let the app use the bucket over S3, or mount a volume of type csi or nfs"
< }
> adalove PATCH /v2/apps/hello/volumes/nosuch/path/
| {"path": {"web": "/x"}}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Volume matches the given query."
<   }
< }
> adalove DELETE /v2/apps/hello/volumes/myvolume/
< 400
< {
<   "detail": "this volume is mounting"
< }

# The file client.
> adalove GET /v2/apps/hello/volumes/myvolume/filer/_/ping
< 503
< {
<   "detail": "no file client is bound to volume myvolume; bind it first"
< }
> writer:x OPTIONS /v2/apps/hello/volumes/myvolume/filer/webdav/
< 428
< {
<   "detail": "No file client is bound to this volume; bind it first."
< }
> nobody GET /v2/apps/hello/volumes/myvolume/filer/webdav/
< 401  WWW-Authenticate: Basic realm="volume"
< {
<   "detail": "The files of a volume are open to the user and password that binding gave."
< }
> adalove GET /v2/apps/hello/volumes/myvolume/filer/webdav/
< 401  WWW-Authenticate: Basic realm="volume"
< {
<   "detail": "The files of a volume are open to the user and password that binding gave."
< }
> adalove POST /v2/apps/hello/volumes/myvolume/filer/_/bind
< 200
< {
<   "username": "writer",
<   "password": "<key-1>"
< }
> adalove POST /v2/apps/hello/volumes/myvolume/filer/_/bind/
< 200
< {
<   "username": "writer",
<   "password": "<key-1>"
< }
> adalove GET /v2/apps/hello/volumes/myvolume/filer/_/ping
< 200
< pong
> writer:<key-1> OPTIONS /v2/apps/hello/volumes/myvolume/filer/webdav/
< 200  Allow: OPTIONS, PROPFIND, MOVE
> writer:<key-1> PUT /v2/apps/hello/volumes/myvolume/filer/webdav/a/testfile
| testtext
< 201
> writer:<key-1> GET /v2/apps/hello/volumes/myvolume/filer/webdav/a/testfile
< 200
< testtext
> writer:<key-1> PROPFIND /v2/apps/hello/volumes/myvolume/filer/webdav/a/
< 207
< <href>/v2/apps/hello/volumes/myvolume/filer/webdav/a/</href>
> writer:wrong GET /v2/apps/hello/volumes/myvolume/filer/webdav/a/testfile
< 401  WWW-Authenticate: Basic realm="volume"
< wrong password
> writer:x GET /v2/apps/hello/volumes/nosuch/filer/webdav/a
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Volume matches the given query."
<   }
< }
> adalove POST /v2/apps/hello/volumes/nosuch/filer/_/bind
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Volume matches the given query."
<   }
< }
> adalove POST /v2/apps/hello/volumes/myossvolume/filer/_/bind
< 400
< {
<   "detail": "volume myossvolume is a bucket, and this platform carries no driver that mounts buckets; let the app use the bucket over S3, or mount a volume of type csi or nfs"
< }
> adalove GET /v2/apps/hello/volumes/nosuch/filer/_/ping
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Volume matches the given query."
<   }
< }
! away PingFiler
> adalove GET /v2/apps/hello/volumes/myvolume/filer/_/ping
< 503
< {
<   "detail": "the cluster does not answer"
< }
! back PingFiler
! end-filer hello myvolume
> writer:<key-1> GET /v2/apps/hello/volumes/myvolume/filer/webdav/a/testfile
< 428
< {
<   "detail": "No file client is bound to this volume; bind it first."
< }
! away StartFiler
> adalove POST /v2/apps/hello/volumes/myvolume/filer/_/bind
< 503
< {
<   "detail": "the cluster does not answer"
< }
! back StartFiler

# Strangers.
> bobross GET /v2/apps/hello/volumes/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/volumes/
| {"name": "theirs", "size": "2G"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/volumes/myvolume/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross PATCH /v2/apps/hello/volumes/myvolume/
| {"size": "4G"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross PATCH /v2/apps/hello/volumes/myvolume/path/
| {"path": {"web": null}}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross DELETE /v2/apps/hello/volumes/myvolume/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/volumes/myvolume/filer/_/bind
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/volumes/myvolume/filer/_/ping
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> nobody GET /v2/apps/hello/volumes/
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }

# Out of the pods, and gone.
> adalove PATCH /v2/apps/hello/volumes/myvolume/path/
| {"path": {"web": null}}
< 200
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "name": "myvolume",
<   "size": "1G",
<   "path": {
<     "web": "/data/web"
<   },
<   "type": "csi",
<   "parameters": {},
<   "created": "2026-01-02T03:08:05Z",
<   "updated": "2026-01-02T03:17:05Z"
< }
> adalove DELETE /v2/apps/hello/volumes/myvolume/
< 204
> adalove DELETE /v2/apps/hello/volumes/myossvolume
< 204
> adalove DELETE /v2/apps/hello/volumes/myvolume/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Volume matches the given query."
<   }
< }
> adalove GET /v2/apps/hello/volumes/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-4>",
<       "app": "hello",
<       "name": "mynfsvolume",
<       "size": "2G",
<       "path": {
<         "run": "/nfs",
<         "web": "/data/nfs"
<       },
<       "type": "nfs",
<       "parameters": {
<         "nfs": {
<           "path": "/",
<           "server": "nfs.example.com"
<         }
<       },
<       "created": "2026-01-02T03:09:05Z",
<       "updated": "2026-01-02T03:15:05Z"
<     }
<   ]
< }

# While the storage is still there, the name is taken.
> adalove POST /v2/apps/hello/volumes/
| {"name": "again", "size": "1G"}
< 201
< {
<   "uuid": "<uuid-8>",
<   "app": "hello",
<   "name": "again",
<   "size": "1G",
<   "path": {},
<   "type": "csi",
<   "parameters": {},
<   "created": "2026-01-02T04:20:05Z",
<   "updated": "2026-01-02T04:20:05Z"
< }
! hold RemoveVolume
> adalove DELETE /v2/apps/hello/volumes/again/
< 204
> adalove POST /v2/apps/hello/volumes/
| {"name": "again", "size": "1G"}
< 409
< {
<   "detail": "volume again is still being deleted; try again in a moment"
< }
> adalove GET /v2/apps/hello/volumes/again/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Volume matches the given query."
<   }
< }
! go
> adalove POST /v2/apps/hello/volumes/
| {"name": "again", "size": "1G"}
< 201
< {
<   "uuid": "<uuid-9>",
<   "app": "hello",
<   "name": "again",
<   "size": "1G",
<   "path": {},
<   "type": "csi",
<   "parameters": {},
<   "created": "2026-01-02T04:24:05Z",
<   "updated": "2026-01-02T04:24:05Z"
< }
