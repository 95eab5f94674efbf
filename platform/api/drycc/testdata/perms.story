# An app that is shared.
> adalove POST /v2/apps/
| {"id": "example-go"}
< 201
< {
<   "uuid": "<uuid-1>",
<   "id": "example-go",
<   "uid": 1,
<   "workspace": "adalove",
<   "structure": {},
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:05:05Z"
< }
> adalove GET /v2/apps/example-go/perms/
< 200
< {
<   "users": []
< }
> bobross GET /v2/apps/example-go/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> bobross GET /v2/apps/example-go/perms/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/example-go/perms/
| {"username": "bobross"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> adalove POST /v2/apps/example-go/perms/
| {"username": "bobross"}
< 201
> adalove POST /v2/apps/example-go/perms/
| {"username": "bobross"}
< 409
< {
<   "detail": "bobross may use example-go already, as member."
< }
> adalove POST /v2/apps/example-go/perms/
| {"username": "nobodysuch"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No User matches the given query."
<   }
< }
> adalove POST /v2/apps/example-go/perms/
< 400
< {
<   "username": [
<     "This field is required."
<   ]
< }
> adalove POST /v2/apps/example-go/perms/
| {"username": "adalove"}
< 409
< {
<   "detail": "adalove may use example-go already, as admin of the workspace adalove."
< }
> adalove POST /v2/apps/example-go/perms/
| {"username": "bobross", "permissions": "view,own"}
< 400
< {
<   "permissions": [
<     "\"own\" is not a permission: view, change or delete."
<   ]
< }
> adalove POST /v2/apps/nothere/perms/
| {"username": "bobross"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> adalove GET /v2/apps/example-go/perms/
< 200
< {
<   "users": [
<     "bobross"
<   ]
< }

# Who is let in may use the app as members do, and nothing beside it.
> bobross GET /v2/apps/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-1>",
<       "id": "example-go",
<       "uid": 1,
<       "workspace": "adalove",
<       "structure": {},
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     }
<   ]
< }
> bobross GET /v2/apps/example-go/
< 200
< {
<   "uuid": "<uuid-1>",
<   "id": "example-go",
<   "uid": 1,
<   "workspace": "adalove",
<   "structure": {},
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:05:05Z"
< }
> bobross POST /v2/apps/example-go/settings/
| {"autodeploy": false}
< 201
< {
<   "uuid": "<uuid-2>",
<   "app": "example-go",
<   "routable": true,
<   "autodeploy": false,
<   "autorollback": true,
<   "autoscale": {},
<   "label": {},
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:20:05Z"
< }
> bobross DELETE /v2/apps/example-go/config/
| {"values_refs": {"web": ["db"]}}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross DELETE /v2/apps/example-go/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/workspaces/adalove
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> bobross DELETE /v2/apps/example-go/perms/adalove
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

# Nobody gives more than they have.
> admin POST /v2/auth/register/
| {"username": "test", "password": "opensesame", "email": "test@example.com"}
< 201
< {
<   "id": 4,
<   "email": "test@example.com",
<   "username": "test",
<   "first_name": "",
<   "last_name": "",
<   "is_superuser": false,
<   "is_staff": false,
<   "groups": [],
<   "user_permissions": [],
<   "last_login": null,
<   "date_joined": "2026-01-02T03:25:05Z",
<   "is_active": true
< }
! login test opensesame
> bobross POST /v2/apps/example-go/perms/
| {"username": "test", "permissions": "view,change,delete"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/example-go/perms/
| {"username": "test", "permissions": "view"}
< 201
> test GET /v2/apps/example-go/settings/
< 200
< {
<   "uuid": "<uuid-2>",
<   "app": "example-go",
<   "routable": true,
<   "autodeploy": false,
<   "autorollback": true,
<   "autoscale": {},
<   "label": {},
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:20:05Z"
< }
> test POST /v2/apps/example-go/settings/
| {"autodeploy": true}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> test POST /v2/apps/example-go/perms/
| {"username": "test"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross DELETE /v2/apps/example-go/perms/test
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

# All of it, but never the app itself.
> adalove POST /v2/apps/example-go/perms/
| {"username": "bobross", "permissions": "view,change,delete"}
< 201
> bobross DELETE /v2/apps/example-go/perms/test
< 204
> bobross DELETE /v2/apps/example-go/perms/test
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No User matches the given query."
<   }
< }
> bobross DELETE /v2/apps/example-go/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

# Given up.
> bobross DELETE /v2/apps/example-go/perms/bobross
< 204
> bobross GET /v2/apps/example-go/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No App matches the given query."
<   }
< }
> bobross GET /v2/apps/
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> adalove GET /v2/apps/example-go/perms/
< 200
< {
<   "users": []
< }
