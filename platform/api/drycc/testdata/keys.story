# Nobody has a key at first.
> adalove GET /v2/keys/
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> adalove POST /v2/keys/
| {"id": "ada@laptop1", "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX ada@laptop1"}
< 201
< {
<   "uuid": "<uuid-1>",
<   "owner": "adalove",
<   "id": "ada@laptop1",
<   "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX ada@laptop1",
<   "fingerprint": "80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b",
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }
> adalove POST /v2/keys/
| {"id": "work: office/desk #2 ü", "public": "  ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAWH/m0NSFtoxIJDqCvxF569nNGqotlK6iLxqUVcnhdp ada@laptop2\n"}
< 201
< {
<   "uuid": "<uuid-2>",
<   "owner": "adalove",
<   "id": "work: office/desk #2 ü",
<   "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAWH/m0NSFtoxIJDqCvxF569nNGqotlK6iLxqUVcnhdp ada@laptop2",
<   "fingerprint": "2a:c1:f1:a6:82:2e:a7:1a:34:e3:47:14:e4:c5:04:f0",
<   "created": "2026-01-02T03:07:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }
> adalove GET /v2/keys/
< 200
< {
<   "count": 2,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-1>",
<       "owner": "adalove",
<       "id": "ada@laptop1",
<       "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX ada@laptop1",
<       "fingerprint": "80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b",
<       "created": "2026-01-02T03:06:05Z",
<       "updated": "2026-01-02T03:06:05Z"
<     },
<     {
<       "uuid": "<uuid-2>",
<       "owner": "adalove",
<       "id": "work: office/desk #2 ü",
<       "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAWH/m0NSFtoxIJDqCvxF569nNGqotlK6iLxqUVcnhdp ada@laptop2",
<       "fingerprint": "2a:c1:f1:a6:82:2e:a7:1a:34:e3:47:14:e4:c5:04:f0",
<       "created": "2026-01-02T03:07:05Z",
<       "updated": "2026-01-02T03:07:05Z"
<     }
<   ]
< }
> adalove GET /v2/keys/?limit=1
< 200
< {
<   "count": 2,
<   "next": "http://drycc.slipway.localhost/v2/keys/?limit=1&offset=1",
<   "previous": null,
<   "results": [
<     {
<       "uuid": "<uuid-1>",
<       "owner": "adalove",
<       "id": "ada@laptop1",
<       "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX ada@laptop1",
<       "fingerprint": "80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b",
<       "created": "2026-01-02T03:06:05Z",
<       "updated": "2026-01-02T03:06:05Z"
<     }
<   ]
< }
> adalove GET /v2/keys/ada@laptop1
< 200
< {
<   "uuid": "<uuid-1>",
<   "owner": "adalove",
<   "id": "ada@laptop1",
<   "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX ada@laptop1",
<   "fingerprint": "80:41:f8:1e:50:2c:8c:10:e7:51:5a:6e:3c:de:ab:5b",
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }
> adalove GET /v2/keys/work:%20office%2Fdesk%20%232%20%C3%BC/
< 200
< {
<   "uuid": "<uuid-2>",
<   "owner": "adalove",
<   "id": "work: office/desk #2 ü",
<   "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAWH/m0NSFtoxIJDqCvxF569nNGqotlK6iLxqUVcnhdp ada@laptop2",
<   "fingerprint": "2a:c1:f1:a6:82:2e:a7:1a:34:e3:47:14:e4:c5:04:f0",
<   "created": "2026-01-02T03:07:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }
> adalove GET /v2/keys/work:%20office/desk%20%232%20%C3%BC/
< 200
< {
<   "uuid": "<uuid-2>",
<   "owner": "adalove",
<   "id": "work: office/desk #2 ü",
<   "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAWH/m0NSFtoxIJDqCvxF569nNGqotlK6iLxqUVcnhdp ada@laptop2",
<   "fingerprint": "2a:c1:f1:a6:82:2e:a7:1a:34:e3:47:14:e4:c5:04:f0",
<   "created": "2026-01-02T03:07:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }

# The same key under another comment is the same key, whoever has it.
> bobross POST /v2/keys/
| {"id": "mine", "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX bob@laptop"}
< 400
< {
<   "public": [
<     "Public Key is already in use"
<   ]
< }
> adalove POST /v2/keys/
| {"id": "again", "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX ada@laptop1"}
< 400
< {
<   "public": [
<     "Public Key is already in use"
<   ]
< }
> adalove POST /v2/keys/
| {"id": "ada@laptop1", "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICZ05xydvjIf/O7w9pzn2LazefnPtXnUANvni7+8roDB ada@laptop3"}
< 400
< {
<   "id": [
<     "SSH Key with this id already exists."
<   ]
< }

# An id is the owner's own: another may use the same name.
> bobross POST /v2/keys/
| {"id": "ada@laptop1", "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICZ05xydvjIf/O7w9pzn2LazefnPtXnUANvni7+8roDB ada@laptop3"}
< 201
< {
<   "uuid": "<uuid-3>",
<   "owner": "bobross",
<   "id": "ada@laptop1",
<   "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICZ05xydvjIf/O7w9pzn2LazefnPtXnUANvni7+8roDB ada@laptop3",
<   "fingerprint": "a5:b0:3e:8c:fe:5f:d9:1a:af:2f:ad:90:85:d5:5e:b0",
<   "created": "2026-01-02T03:16:05Z",
<   "updated": "2026-01-02T03:16:05Z"
< }
> bobross DELETE /v2/keys/ada@laptop1
< 204

# What is wrong is told.
> adalove POST /v2/keys/
| {"public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICZ05xydvjIf/O7w9pzn2LazefnPtXnUANvni7+8roDB ada@laptop3"}
< 400
< {
<   "id": [
<     "This field may not be blank."
<   ]
< }
> adalove POST /v2/keys/
| {"id": "x"}
< 400
< {
<   "public": [
<     "This field may not be blank."
<   ]
< }
> adalove POST /v2/keys/
| {"id": "x", "public": "ssh-ed25519 AAAA*C3NzaC1lZDI1NTE5"}
< 400
< {
<   "public": [
<     "Key contains invalid base64 chars"
<   ]
< }
> adalove POST /v2/keys/
| {"id": "x", "public": "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAICZ05xydvjIf/O7w9pzn2LazefnPtXnUANvni7+8roDB"}
< 400
< {
<   "public": [
<     "The key is of another type than its line says; send the .pub file as it is."
<   ]
< }
> adalove POST /v2/keys/
| {"id": "x", "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"}
< 400
< {
<   "public": [
<     "This is no public key that can be used here. Make one with: ssh-keygen -t ed25519"
<   ]
< }
> adalove POST /v2/keys/
| {"id": "x", "public": "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----"}
< 400
< {
<   "public": [
<     "This is a private key, which should never leave your machine. Send the public one, from the file that ends in .pub."
<   ]
< }
> adalove POST /v2/keys/
| {"id": "a\nb", "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICZ05xydvjIf/O7w9pzn2LazefnPtXnUANvni7+8roDB ada@laptop3"}
< 400
< {
<   "id": [
<     "A key's id can't hold line breaks or other control characters."
<   ]
< }
> adalove POST /v2/keys/
| {"id": 7, "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICZ05xydvjIf/O7w9pzn2LazefnPtXnUANvni7+8roDB ada@laptop3"}
< 400
< {
<   "id": [
<     "Expected a string, but got a number."
<   ]
< }
> adalove POST /v2/keys/
| {"id": "x", "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICZ05xydvjIf/O7w9pzn2LazefnPtXnUANvni7+8roDB ada@laptop3", "admin": true}
< 400
< {
<   "admin": [
<     "This field is not known here."
<   ]
< }

# Another's keys are not there.
> bobross GET /v2/keys/
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> bobross GET /v2/keys/ada@laptop1
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Key matches the given query."
<   }
< }
> bobross DELETE /v2/keys/ada@laptop1
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Key matches the given query."
<   }
< }
> nobody GET /v2/keys/
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }
> adalove DELETE /v2/keys/ada@laptop1/
< 204
> adalove DELETE /v2/keys/ada@laptop1/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Key matches the given query."
<   }
< }
> adalove PUT /v2/keys/x
< 405  Allow: GET, HEAD, DELETE, OPTIONS
< {
<   "detail": "Method \"PUT\" not allowed."
< }
