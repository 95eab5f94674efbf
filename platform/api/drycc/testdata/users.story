# Accounts are made by administrators, as the guide asks for them.
> admin POST /v2/auth/register/
| {"username": "test", "password": "opensesame", "email": "test@example.com", "first_name": "test", "last_name": "testerson"}
< 201
< {
<   "id": 4,
<   "email": "test@example.com",
<   "username": "test",
<   "first_name": "test",
<   "last_name": "testerson",
<   "is_superuser": false,
<   "is_staff": false,
<   "groups": [],
<   "user_permissions": [],
<   "last_login": null,
<   "date_joined": "2026-01-02T03:05:05Z",
<   "is_active": true
< }
> nobody POST /v2/auth/register/
| {"username": "eve", "password": "opensesame", "email": "eve@example.com"}
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }
> adalove POST /v2/auth/register/
| {"username": "eve", "password": "opensesame", "email": "eve@example.com"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> stranger POST /v2/auth/register/
| {"username": "eve", "password": "opensesame", "email": "eve@example.com"}
< 401  WWW-Authenticate: token
< {
<   "detail": "Invalid token."
< }
> nobody PUT /v2/auth/register/
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }

# What does not make an account.
> admin POST /v2/auth/register/
| {"username": "test", "password": "opensesame", "email": "test@example.com"}
< 400
< {
<   "username": [
<     "A user with that username already exists."
<   ]
< }
> admin POST /v2/auth/register/
| {"username": "Eve Online", "password": "opensesame", "email": "eve@example.com"}
< 400
< {
<   "username": [
<     "Enter a valid username: a lower-case letter, then at least 2 lower-case letters or digits."
<   ]
< }
> admin POST /v2/auth/register/
| {"username": "eve", "password": "opensesame", "email": "eve"}
< 400
< {
<   "email": [
<     "Enter a valid email address."
<   ]
< }
> admin POST /v2/auth/register/
| {"username": "eve", "password": "opensesame"}
< 400
< {
<   "email": [
<     "This field is required."
<   ]
< }
> admin POST /v2/auth/register/
| {"username": "eve", "password": " ", "email": "eve@example.com"}
< 400
< {
<   "password": [
<     "This field may not be blank."
<   ]
< }
> admin POST /v2/auth/register/
| {"password": "opensesame", "email": "eve@example.com"}
< 400
< {
<   "username": [
<     "This field is required."
<   ]
< }
> admin POST /v2/auth/register/
| {"username": "eve", "password": "opensesame", "email": "eve@example.com", "is_superuser": true}
< 400
< {
<   "is_superuser": [
<     "This field is not known here."
<   ]
< }

# The new user is there, with a workspace.
! login test opensesame
> test GET /v2/auth/whoami/
< 200
< {
<   "id": 4,
<   "email": "test@example.com",
<   "username": "test",
<   "first_name": "test",
<   "last_name": "testerson",
<   "is_superuser": false,
<   "is_staff": false,
<   "groups": [],
<   "user_permissions": [],
<   "last_login": "2026-01-02T03:16:05Z",
<   "date_joined": "2026-01-02T03:05:05Z",
<   "is_active": true
< }
> test GET /v2/workspaces/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-1>",
<       "id": "testspace",
<       "uid": 4,
<       "email": "test@example.com",
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     }
<   ]
< }

# Passwords.
> test POST /v2/auth/passwd/
| {"password": "opensesame", "new_password": "bar"}
< 200
! login test bar
> test POST /v2/auth/passwd/
| {"password": "opensesame", "new_password": "foo"}
< 400
< {
<   "detail": "Current password does not match"
< }
> test POST /v2/auth/passwd/
| {"new_password": "foo"}
< 400
< {
<   "password": [
<     "This field is required."
<   ]
< }
> test POST /v2/auth/passwd/
| {"password": "bar"}
< 400
< {
<   "new_password": [
<     "This field may not be blank."
<   ]
< }
> test POST /v2/auth/passwd/
| {"username": "adalove", "new_password": "foo"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> admin POST /v2/auth/passwd/
| {"username": "nobodysuch", "new_password": "foo"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No User matches the given query."
<   }
< }
> admin POST /v2/auth/passwd/
| {"username": "test", "new_password": "swordfish"}
< 200
> nobody POST /v2/auth/passwd/
| {"username": "test", "new_password": "swordfish"}
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }
! login test swordfish

# A new key for the token that asks; the old one is useless.
> test POST /v2/auth/tokens/
< 200
< {
<   "token": "<token-1>"
< }
> test GET /v2/auth/whoami/
< 401  WWW-Authenticate: token
< {
<   "detail": "Invalid token."
< }
! token test <token-1>
> test GET /v2/tokens/
< 200
< {
<   "count": 3,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-2>",
<       "owner": "test",
<       "alias": "workflow-cli",
<       "fuzzy_key": "<fuzzy-1>",
<       "created": "2026-01-02T03:16:05Z",
<       "updated": "2026-01-02T03:16:05Z"
<     },
<     {
<       "uuid": "<uuid-3>",
<       "owner": "test",
<       "alias": "workflow-cli",
<       "fuzzy_key": "<fuzzy-2>",
<       "created": "2026-01-02T03:19:05Z",
<       "updated": "2026-01-02T03:19:05Z"
<     },
<     {
<       "uuid": "<uuid-4>",
<       "owner": "test",
<       "alias": "workflow-cli",
<       "fuzzy_key": "<fuzzy-3>",
<       "created": "2026-01-02T03:26:05Z",
<       "updated": "2026-01-02T03:27:05Z"
<     }
<   ]
< }
> test POST /v2/auth/tokens/
| {"username": "adalove"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> test POST /v2/auth/tokens/
| {"all": "true"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> test POST /v2/auth/tokens/
| {"all": "perhaps"}
< 400
< {
<   "all": [
<     "Must be a valid boolean."
<   ]
< }
> admin POST /v2/auth/tokens/
| {"username": "test"}
< 200
< {
<   "token": "<token-2>"
< }
> test GET /v2/auth/whoami/
< 401  WWW-Authenticate: token
< {
<   "detail": "Invalid token."
< }
! token test <token-2>
> test GET /v2/tokens/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-5>",
<       "owner": "test",
<       "alias": "",
<       "fuzzy_key": "<fuzzy-4>",
<       "created": "2026-01-02T03:33:05Z",
<       "updated": "2026-01-02T03:33:05Z"
<     }
<   ]
< }
> admin POST /v2/auth/tokens/
| {"username": "nobodysuch"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No User matches the given query."
<   }
< }
> test POST /v2/auth/tokens/
| {"username": "test", "all": true}
< 200
< {
<   "token": "<token-3>"
< }
! token test <token-3>

# Everybody, for administrators.
> admin GET /v2/users
< 200
< {
<   "count": 4,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": 1,
<       "email": "",
<       "username": "admin",
<       "first_name": "",
<       "last_name": "",
<       "is_superuser": true,
<       "is_staff": true,
<       "groups": [],
<       "user_permissions": [],
<       "last_login": "2026-01-02T03:04:05Z",
<       "date_joined": "<now>",
<       "is_active": true
<     },
<     {
<       "id": 2,
<       "email": "adalove@example.com",
<       "username": "adalove",
<       "first_name": "",
<       "last_name": "",
<       "is_superuser": false,
<       "is_staff": false,
<       "groups": [],
<       "user_permissions": [],
<       "last_login": "2026-01-02T03:04:05Z",
<       "date_joined": "2026-01-02T03:04:05Z",
<       "is_active": true
<     },
<     {
<       "id": 3,
<       "email": "bobross@example.com",
<       "username": "bobross",
<       "first_name": "",
<       "last_name": "",
<       "is_superuser": false,
<       "is_staff": false,
<       "groups": [],
<       "user_permissions": [],
<       "last_login": "2026-01-02T03:04:05Z",
<       "date_joined": "2026-01-02T03:04:05Z",
<       "is_active": true
<     },
<     {
<       "id": 4,
<       "email": "test@example.com",
<       "username": "test",
<       "first_name": "test",
<       "last_name": "testerson",
<       "is_superuser": false,
<       "is_staff": false,
<       "groups": [],
<       "user_permissions": [],
<       "last_login": "2026-01-02T03:26:05Z",
<       "date_joined": "2026-01-02T03:05:05Z",
<       "is_active": true
<     }
<   ]
< }
> admin GET /v2/users?limit=1&offset=1
< 200
< {
<   "count": 4,
<   "next": "http://drycc.slipway.localhost/v2/users?limit=1&offset=2",
<   "previous": "http://drycc.slipway.localhost/v2/users?limit=1",
<   "results": [
<     {
<       "id": 2,
<       "email": "adalove@example.com",
<       "username": "adalove",
<       "first_name": "",
<       "last_name": "",
<       "is_superuser": false,
<       "is_staff": false,
<       "groups": [],
<       "user_permissions": [],
<       "last_login": "2026-01-02T03:04:05Z",
<       "date_joined": "2026-01-02T03:04:05Z",
<       "is_active": true
<     }
<   ]
< }
> adalove GET /v2/users
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> nobody GET /v2/users
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }

# A user who is kept out, and let in again.
> adalove PATCH /v2/users/test/disable/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> adalove PATCH /v2/users/test/enable/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> admin PATCH /v2/users/test/disable/
< 204
> admin PATCH /v2/users/test/disable/
< 409
< {
<   "detail": "test is disabled already."
< }
> test GET /v2/auth/whoami/
< 401  WWW-Authenticate: token
< {
<   "detail": "User inactive or deleted."
< }
> nobody POST /v2/auth/login/
| {"username": "test", "password": "swordfish"}
< 400
< {
<   "error": "invalid_grant",
<   "error_description": "Invalid credentials given."
< }
> admin PATCH /v2/users/test/enable/
< 204
> admin PATCH /v2/users/test/enable/
< 409
< {
<   "detail": "test is enabled already."
< }
> admin PATCH /v2/users/nobodysuch/enable/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No User matches the given query."
<   }
< }
> test GET /v2/auth/whoami/
< 200
< {
<   "id": 4,
<   "email": "test@example.com",
<   "username": "test",
<   "first_name": "test",
<   "last_name": "testerson",
<   "is_superuser": false,
<   "is_staff": false,
<   "groups": [],
<   "user_permissions": [],
<   "last_login": "2026-01-02T03:26:05Z",
<   "date_joined": "2026-01-02T03:05:05Z",
<   "is_active": true
< }
> admin PATCH /v2/users/admin/disable/
< 409
< {
<   "detail": "admin is the last administrator: make another user one first."
< }

# Administrators.
> admin GET /v2/admin/perms/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "username": "admin",
<       "is_superuser": true
<     }
<   ]
< }
> adalove GET /v2/admin/perms/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> adalove POST /v2/admin/perms
| {"username": "adalove"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> admin POST /v2/admin/perms
| {"username": "adalove"}
< 201
> admin POST /v2/admin/perms
| {"username": "adalove"}
< 409
< {
<   "detail": "adalove is an administrator already."
< }
> admin POST /v2/admin/perms
| {"username": "nobodysuch"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No User matches the given query."
<   }
< }
> admin POST /v2/admin/perms
< 400
< {
<   "username": [
<     "This field is required."
<   ]
< }
> adalove GET /v2/admin/perms/
< 200
< {
<   "count": 2,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "username": "admin",
<       "is_superuser": true
<     },
<     {
<       "username": "adalove",
<       "is_superuser": true
<     }
<   ]
< }
> bobross DELETE /v2/admin/perms/adalove
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> adalove DELETE /v2/admin/perms/admin
< 204
> adalove DELETE /v2/admin/perms/admin
< 409
< {
<   "detail": "admin is no administrator."
< }
> adalove DELETE /v2/admin/perms/adalove
< 409
< {
<   "detail": "adalove is the last administrator: make another user one first."
< }
> admin GET /v2/users
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

# Accounts that end.
> bobross DELETE /v2/auth/cancel/
| {"username": "test"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> test DELETE /v2/auth/cancel/
< 204
> test GET /v2/auth/whoami/
< 401  WWW-Authenticate: token
< {
<   "detail": "Invalid token."
< }
> adalove DELETE /v2/auth/cancel/
| {"username": "nobodysuch"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No User matches the given query."
<   }
< }
> adalove DELETE /v2/auth/cancel/
< 409
< {
<   "detail": "adalove is the last administrator: make another user one first."
< }
> bobross POST /v2/apps/
| {"id": "peachy-waxwork"}
< 201
< {
<   "uuid": "<uuid-6>",
<   "id": "peachy-waxwork",
<   "uid": 1,
<   "workspace": "bobross",
<   "structure": {},
<   "created": "2026-01-02T04:11:05Z",
<   "updated": "2026-01-02T04:11:05Z"
< }
> bobross DELETE /v2/auth/cancel/
< 409
< {
<   "detail": "bobross is the only admin of the workspace bobross, which has 1 app: destroy the apps or transfer them to another workspace (drycc apps transfer) first."
< }
> adalove DELETE /v2/auth/cancel/
| {"username": "bobross"}
< 409
< {
<   "detail": "bobross is the only admin of the workspace bobross, which has 1 app: destroy the apps or transfer them to another workspace (drycc apps transfer) first."
< }
> bobross DELETE /v2/apps/peachy-waxwork
< 204
> bobross DELETE /v2/auth/cancel/
< 204
> bobross GET /v2/auth/whoami/
< 401  WWW-Authenticate: token
< {
<   "detail": "Invalid token."
< }

# A new key for the administrator, and nobody else's works any more.
> adalove POST /v2/auth/tokens/
| {"all": "true"}
< 200
< {
<   "token": "<token-4>"
< }
> admin GET /v2/auth/whoami/
< 401  WWW-Authenticate: token
< {
<   "detail": "Invalid token."
< }
! token adalove <token-4>
> adalove GET /v2/auth/whoami/
< 200
< {
<   "id": 2,
<   "email": "adalove@example.com",
<   "username": "adalove",
<   "first_name": "",
<   "last_name": "",
<   "is_superuser": true,
<   "is_staff": true,
<   "groups": [],
<   "user_permissions": [],
<   "last_login": "2026-01-02T03:04:05Z",
<   "date_joined": "2026-01-02T03:04:05Z",
<   "is_active": true
< }
