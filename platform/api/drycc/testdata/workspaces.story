# A workspace and its first admin.
> adalove POST /v2/workspaces/
| {"id": "galaxy", "email": "team@example.com"}
< 201
< {
<   "uuid": "<uuid-1>",
<   "id": "galaxy",
<   "uid": 4,
<   "email": "team@example.com",
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:05:05Z"
< }
> adalove POST /v2/workspaces
| {"id": "nomail"}
< 201
< {
<   "uuid": "<uuid-2>",
<   "id": "nomail",
<   "uid": 5,
<   "email": "adalove@example.com",
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }
> bobross POST /v2/workspaces/
| {"id": "galaxy", "email": "bob@example.com"}
< 400
< {
<   "id": [
<     "Workspace with this id already exists."
<   ]
< }
> bobross POST /v2/workspaces/
| {"id": "no", "email": "bob@example.com"}
< 400
< {
<   "id": [
<     "App name must start with an alphabetic character, cannot end with a hyphen and can only contain a-z (lowercase), 0-9 and hyphens."
<   ]
< }
> bobross POST /v2/workspaces/
| {"id": "personal", "email": "bob@example.com"}
< 400
< {
<   "id": [
<     "personal is a reserved name."
<   ]
< }
> bobross POST /v2/workspaces/
| {"id": "nebula", "email": "bob"}
< 400
< {
<   "email": [
<     "Enter a valid email address."
<   ]
< }
> bobross POST /v2/workspaces/
| {"email": "bob@example.com"}
< 400
< {
<   "id": [
<     "This field is required."
<   ]
< }
> nobody POST /v2/workspaces/
| {"id": "nebula"}
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }

# Strangers see nothing of it.
> bobross GET /v2/workspaces/galaxy
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> bobross PATCH /v2/workspaces/galaxy
| {"email": "bob@example.com"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> bobross DELETE /v2/workspaces/galaxy
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> bobross GET /v2/workspaces/galaxy/members
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> bobross GET /v2/workspaces/galaxy/members/adalove
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> bobross PATCH /v2/workspaces/galaxy/members/adalove
| {"role": "viewer"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> bobross DELETE /v2/workspaces/galaxy/members/adalove
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> bobross GET /v2/workspaces/galaxy/invitations
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> bobross POST /v2/workspaces/galaxy/invitations
| {"email": "bobross@example.com"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> bobross GET /v2/workspaces/nothere/members
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }

# Alone, one stays and stays admin.
> adalove GET /v2/workspaces/galaxy/members
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": 4,
<       "user": "adalove",
<       "email": "adalove@example.com",
<       "role": "admin",
<       "alerts": false,
<       "workspace": "galaxy",
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     }
<   ]
< }
> adalove PATCH /v2/workspaces/galaxy/members/adalove
| {"role": "viewer"}
< 403
< {
<   "detail": "Cannot change the role of the only member of the workspace"
< }
> adalove DELETE /v2/workspaces/galaxy/members/adalove
< 403
< {
<   "detail": "Cannot remove the only member of the workspace"
< }

# Without a mail server an invited user is a member at once.
> adalove POST /v2/workspaces/galaxy/invitations
| {"email": "bobross@example.com"}
< 201
< {
<   "id": 1,
<   "email": "bobross@example.com",
<   "token": "<token-1>",
<   "inviter": "adalove",
<   "accepted": true,
<   "workspace": "galaxy",
<   "created": "2026-01-02T03:26:05Z"
< }
> adalove POST /v2/workspaces/galaxy/invitations
| {"email": "BobRoss@example.com"}
< 400
< [
<   "User is already a member of the workspace"
< ]
> adalove POST /v2/workspaces/galaxy/invitations
| {"email": "bob"}
< 400
< {
<   "email": [
<     "Enter a valid email address."
<   ]
< }
> adalove POST /v2/workspaces/galaxy/invitations
< 400
< {
<   "email": [
<     "This field is required."
<   ]
< }
> bobross GET /v2/workspaces/galaxy/members
< 200
< {
<   "count": 2,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": 4,
<       "user": "adalove",
<       "email": "adalove@example.com",
<       "role": "admin",
<       "alerts": false,
<       "workspace": "galaxy",
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     },
<     {
<       "id": 6,
<       "user": "bobross",
<       "email": "bobross@example.com",
<       "role": "member",
<       "alerts": false,
<       "workspace": "galaxy",
<       "created": "2026-01-02T03:26:05Z",
<       "updated": "2026-01-02T03:26:05Z"
<     }
<   ]
< }
> bobross GET /v2/workspaces/galaxy/members/bobross
< 200
< {
<   "id": 6,
<   "user": "bobross",
<   "email": "bobross@example.com",
<   "role": "member",
<   "alerts": false,
<   "workspace": "galaxy",
<   "created": "2026-01-02T03:26:05Z",
<   "updated": "2026-01-02T03:26:05Z"
< }
> adalove GET /v2/workspaces/galaxy/members/nobodysuch
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No WorkspaceMember matches the given query."
<   }
< }

# One whom nobody knows becomes one with the first login.
> adalove POST /v2/workspaces/galaxy/invitations
| {"email": "test@example.com"}
< 201
< {
<   "id": 2,
<   "email": "test@example.com",
<   "token": "<token-2>",
<   "inviter": "adalove",
<   "accepted": true,
<   "workspace": "galaxy",
<   "created": "2026-01-02T03:33:05Z"
< }
> bobross GET /v2/workspaces/galaxy/invitations
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": 2,
<       "email": "test@example.com",
<       "token": "<token-2>",
<       "inviter": "adalove",
<       "accepted": true,
<       "workspace": "galaxy",
<       "created": "2026-01-02T03:33:05Z"
<     }
<   ]
< }
> admin POST /v2/auth/register/
| {"username": "test", "password": "opensesame", "email": "Test@example.com"}
< 201
< {
<   "id": 4,
<   "email": "Test@example.com",
<   "username": "test",
<   "first_name": "",
<   "last_name": "",
<   "is_superuser": false,
<   "is_staff": false,
<   "groups": [],
<   "user_permissions": [],
<   "last_login": null,
<   "date_joined": "2026-01-02T03:35:05Z",
<   "is_active": true
< }
! login test opensesame
> test GET /v2/workspaces/
< 200
< {
<   "count": 2,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-1>",
<       "id": "galaxy",
<       "uid": 4,
<       "email": "team@example.com",
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     },
<     {
<       "uuid": "<uuid-3>",
<       "id": "testspace",
<       "uid": 6,
<       "email": "Test@example.com",
<       "created": "2026-01-02T03:35:05Z",
<       "updated": "2026-01-02T03:35:05Z"
<     }
<   ]
< }
> adalove GET /v2/workspaces/galaxy/invitations
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }

# Members change their own alerts, admins everything.
> bobross PATCH /v2/workspaces/galaxy/members/bobross
| {"alerts": true}
< 200
< {
<   "id": 6,
<   "user": "bobross",
<   "email": "bobross@example.com",
<   "role": "member",
<   "alerts": true,
<   "workspace": "galaxy",
<   "created": "2026-01-02T03:26:05Z",
<   "updated": "2026-01-02T03:38:05Z"
< }
> bobross PATCH /v2/workspaces/galaxy/members/bobross
| {"role": "admin"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross PATCH /v2/workspaces/galaxy/members/adalove
| {"alerts": true}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross PATCH /v2/workspaces/galaxy
| {"email": "bob@example.com"}
< 403
< {
<   "detail": "Only workspace admins can update workspaces"
< }
> bobross PUT /v2/workspaces/galaxy
| {"email": "bob@example.com"}
< 403
< {
<   "detail": "Only workspace admins can update workspaces"
< }
> bobross DELETE /v2/workspaces/galaxy
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/workspaces/galaxy/invitations
| {"email": "eve@example.com"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross DELETE /v2/workspaces/galaxy/members/test
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> adalove PATCH /v2/workspaces/galaxy/members/test
| {"role": "viewer", "alerts": false}
< 200
< {
<   "id": 8,
<   "user": "test",
<   "email": "Test@example.com",
<   "role": "viewer",
<   "alerts": false,
<   "workspace": "galaxy",
<   "created": "2026-01-02T03:35:05Z",
<   "updated": "2026-01-02T03:46:05Z"
< }
> adalove PATCH /v2/workspaces/galaxy/members/test
| {"role": "owner"}
< 400
< {
<   "role": [
<     "\"owner\" is not a valid choice: viewer, member or admin."
<   ]
< }
> adalove PATCH /v2/workspaces/galaxy/members/adalove
| {"role": "member"}
< 403
< {
<   "detail": "Cannot change the role of the only admin of the workspace: make another member admin first"
< }
> adalove DELETE /v2/workspaces/galaxy/members/adalove
< 403
< {
<   "detail": "Cannot remove the only admin of the workspace: make another member admin first"
< }
> adalove PATCH /v2/workspaces/galaxy
| {"id": "andromeda", "email": "new@example.com"}
< 200
< {
<   "uuid": "<uuid-1>",
<   "id": "galaxy",
<   "uid": 4,
<   "email": "new@example.com",
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:50:05Z"
< }
> adalove PUT /v2/workspaces/galaxy
| {"email": "newer@example.com"}
< 200
< {
<   "uuid": "<uuid-1>",
<   "id": "galaxy",
<   "uid": 4,
<   "email": "newer@example.com",
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:51:05Z"
< }
> adalove PUT /v2/workspaces/galaxy
| {"email": "new"}
< 400
< {
<   "email": [
<     "Enter a valid email address."
<   ]
< }
> adalove PATCH /v2/workspaces/galaxy
< 200
< {
<   "uuid": "<uuid-1>",
<   "id": "galaxy",
<   "uid": 4,
<   "email": "newer@example.com",
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:51:05Z"
< }
> adalove PATCH /v2/workspaces/galaxy
| {"name": "x"}
< 400
< {
<   "name": [
<     "This field is not known here."
<   ]
< }

# The roles in an app.
> bobross POST /v2/apps/
| {"id": "peachy-waxwork", "workspace": "galaxy"}
< 201
< {
<   "uuid": "<uuid-4>",
<   "id": "peachy-waxwork",
<   "uid": 1,
<   "workspace": "galaxy",
<   "structure": {},
<   "created": "2026-01-02T03:55:05Z",
<   "updated": "2026-01-02T03:55:05Z"
< }
> test GET /v2/apps/peachy-waxwork/
< 200
< {
<   "uuid": "<uuid-4>",
<   "id": "peachy-waxwork",
<   "uid": 1,
<   "workspace": "galaxy",
<   "structure": {},
<   "created": "2026-01-02T03:55:05Z",
<   "updated": "2026-01-02T03:55:05Z"
< }
> test POST /v2/apps/peachy-waxwork/settings/
| {"autodeploy": false}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

# The end of it.
> adalove DELETE /v2/workspaces/galaxy
< 403
< {
<   "detail": "Cannot delete workspace with more than one member"
< }
> test DELETE /v2/workspaces/galaxy/members/test
< 204
> adalove DELETE /v2/workspaces/galaxy/members/bobross
< 204
> bobross GET /v2/workspaces/galaxy
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> adalove DELETE /v2/workspaces/galaxy
< 409
< {
<   "detail": "The workspace galaxy has apps: transfer or destroy them first."
< }
> adalove DELETE /v2/apps/peachy-waxwork/
< 204
> adalove DELETE /v2/workspaces/galaxy
< 204
> adalove GET /v2/workspaces/galaxy
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
