# With a mail server an invitation waits until the invited agrees.
> adalove POST /v2/workspaces/adalove/invitations
| {"email": "bobross@example.com"}
< 201
< {
<   "id": 1,
<   "email": "bobross@example.com",
<   "token": "<token-1>",
<   "inviter": "adalove",
<   "accepted": false,
<   "workspace": "adalove",
<   "created": "2026-01-02T03:05:05Z"
< }
> bobross GET /v2/workspaces/adalove
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> adalove GET /v2/workspaces/adalove/invitations
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": 1,
<       "email": "bobross@example.com",
<       "token": "<token-1>",
<       "inviter": "adalove",
<       "accepted": false,
<       "workspace": "adalove",
<       "created": "2026-01-02T03:05:05Z"
<     }
<   ]
< }
> nobody GET /v2/workspaces/bobross/invitations/<token-1>
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No WorkspaceInvitation matches the given query."
<   }
< }
> nobody GET /v2/workspaces/adalove/invitations/wrong
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No WorkspaceInvitation matches the given query."
<   }
< }
> browser GET /v2/workspaces/adalove/invitations/wrong
< 404
< <p class="brand">Slipway</p>
< <h1>This invitation is not valid</h1>
< <p>It may have been taken back, or replaced by a newer one. Ask whoever invited you.</p>
> nobody GET /v2/workspaces/adalove/invitations/<token-1>
< 200
< {
<   "workspace_id": "adalove",
<   "user_exists": true,
<   "register_url": "http://drycc.slipway.localhost/v2/auth/register/"
< }
> nobody GET /v2/workspaces/adalove/invitations/<token-1>
< 200
< {
<   "workspace_id": "adalove",
<   "user_exists": true,
<   "register_url": "http://drycc.slipway.localhost/v2/auth/register/"
< }
> browser GET /v2/workspaces/adalove/invitations/<token-1>
< 200
< <p class="brand">Slipway</p>
< <h1>Invitation accepted</h1>
< <p>You are a member of the workspace adalove now.</p>
> bobross GET /v2/workspaces/adalove/members
< 200
< {
<   "count": 2,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": 2,
<       "user": "adalove",
<       "email": "adalove@example.com",
<       "role": "admin",
<       "alerts": false,
<       "workspace": "adalove",
<       "created": "2026-01-02T03:04:05Z",
<       "updated": "2026-01-02T03:04:05Z"
<     },
<     {
<       "id": 4,
<       "user": "bobross",
<       "email": "bobross@example.com",
<       "role": "member",
<       "alerts": false,
<       "workspace": "adalove",
<       "created": "2026-01-02T03:11:05Z",
<       "updated": "2026-01-02T03:11:05Z"
<     }
<   ]
< }
> adalove GET /v2/workspaces/adalove/invitations
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }

# One whom nobody knows agrees before there is an account.
> adalove POST /v2/workspaces/adalove/invitations
| {"email": "test@example.com"}
< 201
< {
<   "id": 2,
<   "email": "test@example.com",
<   "token": "<token-2>",
<   "inviter": "adalove",
<   "accepted": false,
<   "workspace": "adalove",
<   "created": "2026-01-02T03:16:05Z"
< }
> browser GET /v2/workspaces/adalove/invitations/<token-2>
< 200
< <p class="brand">Slipway</p>
< <h1>Invitation accepted</h1>
< <p>There is no account for test@example.com yet. Once there is, its first login makes you a member of the workspace adalove.</p>
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
<   "date_joined": "2026-01-02T03:18:05Z",
<   "is_active": true
< }
! login test opensesame
> test GET /v2/workspaces/adalove/members/test
< 200
< {
<   "id": 6,
<   "user": "test",
<   "email": "test@example.com",
<   "role": "member",
<   "alerts": false,
<   "workspace": "adalove",
<   "created": "2026-01-02T03:18:05Z",
<   "updated": "2026-01-02T03:18:05Z"
< }

# One that is taken back, by admins only.
> adalove POST /v2/workspaces/adalove/invitations
| {"email": "eve@example.com"}
< 201
< {
<   "id": 3,
<   "email": "eve@example.com",
<   "token": "<token-3>",
<   "inviter": "adalove",
<   "accepted": false,
<   "workspace": "adalove",
<   "created": "2026-01-02T03:20:05Z"
< }
> bobross DELETE /v2/workspaces/adalove/invitations/<token-3>
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> nobody DELETE /v2/workspaces/adalove/invitations/<token-3>
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }
> admin DELETE /v2/workspaces/adalove/invitations/<token-3>
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> nobody PUT /v2/workspaces/adalove/invitations/<token-3>
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }
> adalove DELETE /v2/workspaces/adalove/invitations/<token-3>
< 204
> adalove DELETE /v2/workspaces/adalove/invitations/<token-3>
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No WorkspaceInvitation matches the given query."
<   }
< }
> nobody GET /v2/workspaces/adalove/invitations/<token-3>
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No WorkspaceInvitation matches the given query."
<   }
< }

# One that the mail server does not take.
> adalove POST /v2/workspaces/adalove/invitations
| {"email": "bounce@example.com"}
< 503
< {
<   "detail": "The invitation could not be sent: the mail server did not take it. Ask an administrator to check the SMTP settings."
< }
> adalove GET /v2/workspaces/adalove/invitations
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
