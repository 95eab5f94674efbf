# The first thing a client asks. 401 is the right answer.
> nobody GET /v2/
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }
> nobody GET /healthz
< 200
< OK
> nobody GET /readiness
< 200
< OK
> stranger GET /v2/
< 401  WWW-Authenticate: token
< {
<   "detail": "Invalid token."
< }

# A password is exchanged for a key, the key for a token, once.
> nobody POST /v2/auth/login/
| {"username": "adalove", "password": "correct horse battery staple"}
< 200
< {
<   "key": "<key-1>"
< }
> nobody GET /v2/auth/token/<key-1>/?alias=laptop
< 200
< {
<   "uuid": "<uuid-1>",
<   "token": "<token-1>",
<   "username": "adalove"
< }
> nobody GET /v2/auth/token/<key-1>/?alias=laptop
< 404
> nobody GET /v2/auth/token/00000000000000000000000000000000/
< 404

# Refused logins.
> nobody POST /v2/auth/login/
| {"username": "adalove", "password": "wrong"}
< 400
< {
<   "error": "invalid_grant",
<   "error_description": "Invalid credentials given."
< }
> nobody POST /v2/auth/login/
| {"username": "nobodysuch", "password": "wrong"}
< 400
< {
<   "error": "invalid_grant",
<   "error_description": "Invalid credentials given."
< }
> nobody POST /v2/auth/login/
| {"password": "x"}
< 400
< {
<   "detail": "Send both username and password, or neither to log in with a browser."
< }
> nobody POST /v2/auth/login/
| {"username": "adalove"}
< 400
< {
<   "detail": "Send both username and password, or neither to log in with a browser."
< }
> nobody POST /v2/auth/login/
| {"username": "adalove", "password": 1}
< 400
< {
<   "password": [
<     "Expected a string, but got a number."
<   ]
< }
> nobody POST /v2/auth/login/
| username=adalove
< 400
< {
<   "detail": "JSON parse error - invalid character 'u' looking for beginning of value."
< }

# Who am I.
> adalove GET /v2/
< 200
< {
<   "apps": "http://drycc.slipway.localhost/v2/apps/",
<   "keys": "http://drycc.slipway.localhost/v2/keys/",
<   "tokens": "http://drycc.slipway.localhost/v2/tokens/",
<   "workspaces": "http://drycc.slipway.localhost/v2/workspaces/"
< }
> adalove GET /v2/auth/whoami/
< 200
< {
<   "id": 2,
<   "email": "adalove@example.com",
<   "username": "adalove",
<   "first_name": "",
<   "last_name": "",
<   "is_superuser": false,
<   "is_staff": false,
<   "groups": [],
<   "user_permissions": [],
<   "last_login": "2026-01-02T03:10:05Z",
<   "date_joined": "2026-01-02T03:04:05Z",
<   "is_active": true
< }
> admin GET /v2/auth/whoami/
< 200
< {
<   "id": 1,
<   "email": "",
<   "username": "admin",
<   "first_name": "",
<   "last_name": "",
<   "is_superuser": true,
<   "is_staff": true,
<   "groups": [],
<   "user_permissions": [],
<   "last_login": "2026-01-02T03:04:05Z",
<   "date_joined": "<now>",
<   "is_active": true
< }
> nobody GET /v2/auth/whoami/
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }

# One's own tokens, nobody else's.
> adalove GET /v2/tokens/
< 200
< {
<   "count": 2,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-2>",
<       "owner": "adalove",
<       "alias": "workflow-cli",
<       "fuzzy_key": "<fuzzy-1>",
<       "created": "2026-01-02T03:04:05Z",
<       "updated": "2026-01-02T03:04:05Z"
<     },
<     {
<       "uuid": "<uuid-1>",
<       "owner": "adalove",
<       "alias": "laptop",
<       "fuzzy_key": "<fuzzy-2>",
<       "created": "2026-01-02T03:10:05Z",
<       "updated": "2026-01-02T03:10:05Z"
<     }
<   ]
< }
> adalove GET /v2/tokens/?limit=1
< 200
< {
<   "count": 2,
<   "next": "http://drycc.slipway.localhost/v2/tokens/?limit=1&offset=1",
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-2>",
<       "owner": "adalove",
<       "alias": "workflow-cli",
<       "fuzzy_key": "<fuzzy-1>",
<       "created": "2026-01-02T03:04:05Z",
<       "updated": "2026-01-02T03:04:05Z"
<     }
<   ]
< }
> adalove GET /v2/tokens/<uuid-1>/
< 200
< {
<   "uuid": "<uuid-1>",
<   "owner": "adalove",
<   "alias": "laptop",
<   "fuzzy_key": "<fuzzy-2>",
<   "created": "2026-01-02T03:10:05Z",
<   "updated": "2026-01-02T03:10:05Z"
< }
> bobross GET /v2/tokens/<uuid-1>/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Token matches the given query."
<   }
< }
> bobross DELETE /v2/tokens/<uuid-1>/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Token matches the given query."
<   }
< }
> adalove DELETE /v2/tokens/<uuid-1>/
< 204
> adalove DELETE /v2/tokens/<uuid-1>/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Token matches the given query."
<   }
< }
> adalove GET /v2/tokens/not-a-uuid/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Token matches the given query."
<   }
< }

# A user has a workspace from the start.
> adalove GET /v2/workspaces/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-3>",
<       "id": "adalove",
<       "uid": 2,
<       "email": "adalove@example.com",
<       "created": "2026-01-02T03:04:05Z",
<       "updated": "2026-01-02T03:04:05Z"
<     }
<   ]
< }
> adalove GET /v2/workspaces/adalove
< 200
< {
<   "uuid": "<uuid-3>",
<   "id": "adalove",
<   "uid": 2,
<   "email": "adalove@example.com",
<   "created": "2026-01-02T03:04:05Z",
<   "updated": "2026-01-02T03:04:05Z"
< }
> bobross GET /v2/workspaces/adalove
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
> adalove GET /v2/workspaces/nosuch
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Workspace matches the given query."
<   }
< }
