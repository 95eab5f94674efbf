# With REGISTRATION_MODE=enabled anybody makes an account, and nobody an
# administrator.
> nobody POST /v2/auth/register/
| {"username": "eve", "password": "opensesame", "email": "eve@example.com"}
< 201
< {
<   "id": 4,
<   "email": "eve@example.com",
<   "username": "eve",
<   "first_name": "",
<   "last_name": "",
<   "is_superuser": false,
<   "is_staff": false,
<   "groups": [],
<   "user_permissions": [],
<   "last_login": null,
<   "date_joined": "2026-01-02T03:05:05Z",
<   "is_active": true
< }
! login eve opensesame
> eve GET /v2/workspaces/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-1>",
<       "id": "evespace",
<       "uid": 4,
<       "email": "eve@example.com",
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     }
<   ]
< }
> adalove POST /v2/auth/register/
| {"username": "mallory", "password": "opensesame", "email": "mallory@example.com"}
< 201
< {
<   "id": 5,
<   "email": "mallory@example.com",
<   "username": "mallory",
<   "first_name": "",
<   "last_name": "",
<   "is_superuser": false,
<   "is_staff": false,
<   "groups": [],
<   "user_permissions": [],
<   "last_login": null,
<   "date_joined": "2026-01-02T03:07:05Z",
<   "is_active": true
< }
> nobody POST /v2/auth/register/
| {"username": "admin", "password": "opensesame", "email": "mallory@example.com"}
< 400
< {
<   "username": [
<     "A user with that username already exists."
<   ]
< }
