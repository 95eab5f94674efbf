# Certificates of an app.
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
> bobross POST /v2/apps/
| {"id": "other"}
< 201
< {
<   "uuid": "<uuid-2>",
<   "id": "other",
<   "uid": 2,
<   "workspace": "bobross",
<   "structure": {},
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "www.example.com"}
< 201
< {
<   "app": "hello",
<   "domain": "www.example.com",
<   "ptype": "web",
<   "created": "2026-01-02T03:07:05Z",
<   "updated": "2026-01-02T03:07:05Z"
< }
> adalove GET /v2/apps/hello/certs/
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> adalove POST /v2/apps/hello/certs/
| {"name": "example-com", "certificate": "<chain-www>", "key": "<key-www>"}
< 201
< {
<   "id": 1,
<   "app": "hello",
<   "owner": "adalove",
<   "name": "example-com",
<   "common_name": "www.example.com",
<   "san": [
<     "www.example.com",
<     "example.com"
<   ],
<   "fingerprint": "DA:86:12:A5:91:2C:FD:E3:44:07:FC:39:E0:E2:48:CA:54:39:EE:3C:9B:83:55:4D:93:A5:FE:D5:8C:25:90:3F",
<   "expires": "<now>",
<   "starts": "<now>",
<   "issuer": "CN=Acme CA,O=Acme",
<   "subject": "CN=www.example.com,O=Acme",
<   "domains": [],
<   "created": "2026-01-02T03:09:05Z",
<   "updated": "2026-01-02T03:09:05Z"
< }
> adalove GET /v2/apps/hello/certs/example-com
< 200
< {
<   "id": 1,
<   "app": "hello",
<   "owner": "adalove",
<   "name": "example-com",
<   "common_name": "www.example.com",
<   "san": [
<     "www.example.com",
<     "example.com"
<   ],
<   "fingerprint": "DA:86:12:A5:91:2C:FD:E3:44:07:FC:39:E0:E2:48:CA:54:39:EE:3C:9B:83:55:4D:93:A5:FE:D5:8C:25:90:3F",
<   "expires": "<now>",
<   "starts": "<now>",
<   "issuer": "CN=Acme CA,O=Acme",
<   "subject": "CN=www.example.com,O=Acme",
<   "domains": [],
<   "created": "2026-01-02T03:09:05Z",
<   "updated": "2026-01-02T03:09:05Z"
< }

# What is refused, each in words.
> adalove POST /v2/apps/hello/certs/
| {"name": "example-com", "certificate": "<chain-www>", "key": "<key-www>"}
< 400
< {
<   "name": [
<     "Certificate with this name already exists. Choose another, or remove that one first."
<   ]
< }
> adalove POST /v2/apps/hello/certs/
| {"name": "Example.com", "certificate": "<chain-www>", "key": "<key-www>"}
< 400
< {
<   "name": [
<     "Can only contain a-z (lowercase), 0-9 and hyphens"
<   ]
< }
> adalove POST /v2/apps/hello/certs/
| {"name": "wrong-key", "certificate": "<chain-www>", "key": "<key-wild>"}
< 400
< [
<   "Certificate and private key do not match! Send the key with which this certificate was requested, or a certificate for this key."
< ]
> adalove POST /v2/apps/hello/certs/
| {"name": "wrong-order", "certificate": "<chain-turned>", "key": "<key-www>"}
< 400
< {
<   "certificate": [
<     "Could not load certificate: the chain is in the wrong order: the site's own certificate, www.example.com, has to come first, then the one that signed it"
<   ]
< }
> adalove POST /v2/apps/hello/certs/
| {"name": "gap", "certificate": "<chain-gap>", "key": "<key-www>"}
< 400
< {
<   "certificate": [
<     "Could not load certificate: the chain is in the wrong order or has a gap: www.example.com is not signed by *.example.org, which follows it; put behind each certificate the one that signed it"
<   ]
< }
> adalove POST /v2/apps/hello/certs/
| {"name": "expired", "certificate": "<chain-old>", "key": "<key-old>"}
< 400
< {
<   "certificate": [
<     "Could not load certificate: the certificate of old.example.com expired on 2026-01-01 00:00:00 UTC: upload a renewed one"
<   ]
< }
> adalove POST /v2/apps/hello/certs/
| {"name": "no-cert", "certificate": "hello", "key": "<key-www>"}
< 400
< {
<   "certificate": [
<     "Could not load certificate: no PEM block \"CERTIFICATE\" in it; give the file in PEM form"
<   ]
< }
> adalove POST /v2/apps/hello/certs/
| {"name": "no-key", "certificate": "<chain-www>", "key": "hello"}
< 400
< {
<   "key": [
<     "Could not load private key: no PEM block \"PRIVATE KEY\" in it; give the file in PEM form"
<   ]
< }
> adalove POST /v2/apps/hello/certs/
| {"name": "key-in-chain", "certificate": "<key-www>", "key": "<key-www>"}
< 400
< {
<   "certificate": [
<     "Could not load certificate: it holds a private key, which has to be sent as key"
<   ]
< }
> adalove POST /v2/apps/hello/certs/
| {"name": "missing", "certificate": "<chain-www>"}
< 400
< {
<   "key": [
<     "This field is required."
<   ]
< }
> bobross POST /v2/apps/hello/certs/
| {"name": "example-com", "certificate": "<chain-www>", "key": "<key-www>"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

# Attach and detach.
> adalove POST /v2/apps/hello/certs/example-com/domain/
| {"domain": "www.example.com"}
< 201
> adalove POST /v2/apps/hello/certs/example-com/domain/
| {"domain": "www.example.com"}
< 409
< {
<   "detail": "example-com is attached to www.example.com already"
< }
> adalove POST /v2/apps/hello/certs/example-com/domain/
| {"domain": "hello.slipway.localhost"}
< 400
< {
<   "detail": "hello.slipway.localhost is the app's own name: it stays, and is served with the platform's certificate"
< }
> adalove POST /v2/apps/hello/certs/example-com/domain/
| {"domain": "nobody.example.com"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Domain matches the given query. The app has none of that name: add it first, with drycc domains add."
<   }
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "blog.example.com"}
< 201
< {
<   "app": "hello",
<   "domain": "blog.example.com",
<   "ptype": "web",
<   "created": "2026-01-02T03:26:05Z",
<   "updated": "2026-01-02T03:26:05Z"
< }
> adalove POST /v2/apps/hello/certs/example-com/domain/
| {"domain": "blog.example.com"}
< 400
< {
<   "domain": [
<     "the certificate example-com is for www.example.com, example.com, not for blog.example.com: attach it to one of these, or upload one for blog.example.com"
<   ]
< }
> adalove GET /v2/apps/hello/certs/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": 1,
<       "app": "hello",
<       "owner": "adalove",
<       "name": "example-com",
<       "common_name": "www.example.com",
<       "san": [
<         "www.example.com",
<         "example.com"
<       ],
<       "fingerprint": "DA:86:12:A5:91:2C:FD:E3:44:07:FC:39:E0:E2:48:CA:54:39:EE:3C:9B:83:55:4D:93:A5:FE:D5:8C:25:90:3F",
<       "expires": "<now>",
<       "starts": "<now>",
<       "issuer": "CN=Acme CA,O=Acme",
<       "subject": "CN=www.example.com,O=Acme",
<       "domains": [
<         "www.example.com"
<       ],
<       "created": "2026-01-02T03:09:05Z",
<       "updated": "2026-01-02T03:09:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/hello/tls/
< 200
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "https_enforced": null,
<   "certs_auto_enabled": null,
<   "issuer": {
<     "email": "",
<     "server": "",
<     "key_id": "",
<     "key_secret": ""
<   },
<   "events": [
<     {
<       "name": "blog.example.com",
<       "kind": "Certificate",
<       "time": "2026-01-02T03:26:05Z",
<       "type": "Ready",
<       "status": "False",
<       "message": "no certificate: attach one, or turn automatic certificates on"
<     },
<     {
<       "name": "www.example.com",
<       "kind": "Certificate",
<       "time": "2026-01-02T03:22:05Z",
<       "type": "Ready",
<       "status": "True",
<       "message": "served with the uploaded certificate example-com"
<     }
<   ],
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:05:05Z"
< }

# A name that a certificate in use speaks for is not another workspace's to take.
> bobross POST /v2/apps/other/domains/
| {"domain": "example.com"}
< 400
< {
<   "domain": [
<     "The domain example.com is already in use by another app: remove it there first, or choose another name"
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "example.com"}
< 201
< {
<   "app": "hello",
<   "domain": "example.com",
<   "ptype": "web",
<   "created": "2026-01-02T03:31:05Z",
<   "updated": "2026-01-02T03:31:05Z"
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "greedy.example.com"}
< 201
< {
<   "app": "hello",
<   "domain": "greedy.example.com",
<   "ptype": "web",
<   "created": "2026-01-02T03:32:05Z",
<   "updated": "2026-01-02T03:32:05Z"
< }
> adalove POST /v2/apps/hello/certs/
| {"name": "greedy", "certificate": "<chain-greedy>", "key": "<key-greedy>"}
< 201
< {
<   "id": 2,
<   "app": "hello",
<   "owner": "adalove",
<   "name": "greedy",
<   "common_name": "greedy.example.com",
<   "san": [
<     "greedy.example.com",
<     "*.slipway.localhost"
<   ],
<   "fingerprint": "7B:90:74:57:35:7C:FA:94:A6:A2:7F:E6:F0:A3:F9:DC:1D:2F:86:3B:D6:0D:A7:AB:9B:BD:E7:EE:F5:A4:AC:E0",
<   "expires": "<now>",
<   "starts": "<now>",
<   "issuer": "CN=greedy.example.com,O=Acme",
<   "subject": "CN=greedy.example.com,O=Acme",
<   "domains": [],
<   "created": "2026-01-02T03:33:05Z",
<   "updated": "2026-01-02T03:33:05Z"
< }
> adalove POST /v2/apps/hello/certs/greedy/domain/
| {"domain": "greedy.example.com"}
< 400
< {
<   "domain": [
<     "the certificate greedy is also for *.slipway.localhost, which is not yours: use one for your own names only"
<   ]
< }

> bobross GET /v2/apps/hello/certs/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/certs/example-com
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross DELETE /v2/apps/hello/certs/example-com/domain/www.example.com
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross DELETE /v2/apps/hello/certs/example-com
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> adalove DELETE /v2/apps/hello/certs/example-com/domain/blog.example.com
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Domain matches the given query. The app has none of that name: add it first, with drycc domains add."
<   }
< }
> adalove DELETE /v2/apps/hello/certs/example-com/domain/www.example.com
< 204
> adalove DELETE /v2/apps/hello/certs/example-com/domain/www.example.com
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Domain matches the given query. The app has none of that name: add it first, with drycc domains add."
<   }
< }
> adalove GET /v2/apps/hello/certs/nobody
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Certificate matches the given query."
<   }
< }
> adalove DELETE /v2/apps/hello/certs/greedy
< 204

# The guide's addresses, over all apps of the user.
> adalove GET /v2/certs
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": 1,
<       "app": "hello",
<       "owner": "adalove",
<       "name": "example-com",
<       "common_name": "www.example.com",
<       "san": [
<         "www.example.com",
<         "example.com"
<       ],
<       "fingerprint": "DA:86:12:A5:91:2C:FD:E3:44:07:FC:39:E0:E2:48:CA:54:39:EE:3C:9B:83:55:4D:93:A5:FE:D5:8C:25:90:3F",
<       "expires": "<now>",
<       "starts": "<now>",
<       "issuer": "CN=Acme CA,O=Acme",
<       "subject": "CN=www.example.com,O=Acme",
<       "domains": [],
<       "created": "2026-01-02T03:09:05Z",
<       "updated": "2026-01-02T03:09:05Z"
<     }
<   ]
< }
> bobross GET /v2/certs
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> adalove POST /v2/certs/
| {"name": "wild", "certificate": "<chain-wild>", "key": "<key-wild>"}
< 201
< {
<   "id": 3,
<   "app": null,
<   "owner": "adalove",
<   "name": "wild",
<   "common_name": "any.example.org",
<   "san": [
<     "*.example.org"
<   ],
<   "fingerprint": "AA:34:32:AF:99:DA:60:D6:BE:48:62:52:BD:E9:D0:4A:F1:BD:82:7A:6D:57:58:96:F5:86:7F:AA:8F:2D:49:1D",
<   "expires": "<now>",
<   "starts": "<now>",
<   "issuer": "CN=any.example.org,O=Acme",
<   "subject": "CN=any.example.org,O=Acme",
<   "domains": [],
<   "created": "2026-01-02T03:46:05Z",
<   "updated": "2026-01-02T03:46:05Z"
< }
> adalove POST /v2/certs/
| {"name": "wild", "certificate": "<chain-wild>", "key": "<key-wild>"}
< 400
< {
<   "name": [
<     "Certificate with this name already exists. Choose another, or remove that one first."
<   ]
< }
> adalove GET /v2/certs/wild
< 200
< {
<   "id": 3,
<   "app": null,
<   "owner": "adalove",
<   "name": "wild",
<   "common_name": "any.example.org",
<   "san": [
<     "*.example.org"
<   ],
<   "fingerprint": "AA:34:32:AF:99:DA:60:D6:BE:48:62:52:BD:E9:D0:4A:F1:BD:82:7A:6D:57:58:96:F5:86:7F:AA:8F:2D:49:1D",
<   "expires": "<now>",
<   "starts": "<now>",
<   "issuer": "CN=any.example.org,O=Acme",
<   "subject": "CN=any.example.org,O=Acme",
<   "domains": [],
<   "created": "2026-01-02T03:46:05Z",
<   "updated": "2026-01-02T03:46:05Z"
< }
> bobross GET /v2/certs/wild
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Certificate matches the given query."
<   }
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "*.example.org"}
< 201
< {
<   "app": "hello",
<   "domain": "*.example.org",
<   "ptype": "web",
<   "created": "2026-01-02T03:50:05Z",
<   "updated": "2026-01-02T03:50:05Z"
< }
> adalove POST /v2/certs/wild/domain/
| {"domain": "*.example.org"}
< 201
> bobross POST /v2/certs/
| {"name": "wild", "certificate": "<chain-wild>", "key": "<key-wild>"}
< 201
< {
<   "id": 4,
<   "app": null,
<   "owner": "bobross",
<   "name": "wild",
<   "common_name": "any.example.org",
<   "san": [
<     "*.example.org"
<   ],
<   "fingerprint": "AA:34:32:AF:99:DA:60:D6:BE:48:62:52:BD:E9:D0:4A:F1:BD:82:7A:6D:57:58:96:F5:86:7F:AA:8F:2D:49:1D",
<   "expires": "<now>",
<   "starts": "<now>",
<   "issuer": "CN=any.example.org,O=Acme",
<   "subject": "CN=any.example.org,O=Acme",
<   "domains": [],
<   "created": "2026-01-02T03:52:05Z",
<   "updated": "2026-01-02T03:52:05Z"
< }
> bobross POST /v2/certs/wild/domain/
| {"domain": "*.example.org"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Domain matches the given query. The app has none of that name: add it first, with drycc domains add."
<   }
< }
> adalove DELETE /v2/certs/wild/domain/*.example.org/
< 204
> adalove POST /v2/certs/example-com/domain/
| {"domain": "www.example.com"}
< 201
> adalove POST /v2/apps/
| {"id": "second"}
< 201
< {
<   "uuid": "<uuid-4>",
<   "id": "second",
<   "uid": 3,
<   "workspace": "adalove",
<   "structure": {},
<   "created": "2026-01-02T03:56:05Z",
<   "updated": "2026-01-02T03:56:05Z"
< }
> adalove POST /v2/apps/second/certs/
| {"name": "example-com", "certificate": "<chain-www>", "key": "<key-www>"}
< 201
< {
<   "id": 5,
<   "app": "second",
<   "owner": "adalove",
<   "name": "example-com",
<   "common_name": "www.example.com",
<   "san": [
<     "www.example.com",
<     "example.com"
<   ],
<   "fingerprint": "DA:86:12:A5:91:2C:FD:E3:44:07:FC:39:E0:E2:48:CA:54:39:EE:3C:9B:83:55:4D:93:A5:FE:D5:8C:25:90:3F",
<   "expires": "<now>",
<   "starts": "<now>",
<   "issuer": "CN=Acme CA,O=Acme",
<   "subject": "CN=www.example.com,O=Acme",
<   "domains": [],
<   "created": "2026-01-02T03:57:05Z",
<   "updated": "2026-01-02T03:57:05Z"
< }
> adalove GET /v2/certs/example-com
< 409
< {
<   "detail": "several of your apps have a certificate example-com: say which app, at /v2/apps/{app}/certs/example-com"
< }
> adalove GET /v2/certs/
< 200
< {
<   "count": 3,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": 1,
<       "app": "hello",
<       "owner": "adalove",
<       "name": "example-com",
<       "common_name": "www.example.com",
<       "san": [
<         "www.example.com",
<         "example.com"
<       ],
<       "fingerprint": "DA:86:12:A5:91:2C:FD:E3:44:07:FC:39:E0:E2:48:CA:54:39:EE:3C:9B:83:55:4D:93:A5:FE:D5:8C:25:90:3F",
<       "expires": "<now>",
<       "starts": "<now>",
<       "issuer": "CN=Acme CA,O=Acme",
<       "subject": "CN=www.example.com,O=Acme",
<       "domains": [
<         "www.example.com"
<       ],
<       "created": "2026-01-02T03:09:05Z",
<       "updated": "2026-01-02T03:09:05Z"
<     },
<     {
<       "id": 3,
<       "app": null,
<       "owner": "adalove",
<       "name": "wild",
<       "common_name": "any.example.org",
<       "san": [
<         "*.example.org"
<       ],
<       "fingerprint": "AA:34:32:AF:99:DA:60:D6:BE:48:62:52:BD:E9:D0:4A:F1:BD:82:7A:6D:57:58:96:F5:86:7F:AA:8F:2D:49:1D",
<       "expires": "<now>",
<       "starts": "<now>",
<       "issuer": "CN=any.example.org,O=Acme",
<       "subject": "CN=any.example.org,O=Acme",
<       "domains": [],
<       "created": "2026-01-02T03:46:05Z",
<       "updated": "2026-01-02T03:46:05Z"
<     },
<     {
<       "id": 5,
<       "app": "second",
<       "owner": "adalove",
<       "name": "example-com",
<       "common_name": "www.example.com",
<       "san": [
<         "www.example.com",
<         "example.com"
<       ],
<       "fingerprint": "DA:86:12:A5:91:2C:FD:E3:44:07:FC:39:E0:E2:48:CA:54:39:EE:3C:9B:83:55:4D:93:A5:FE:D5:8C:25:90:3F",
<       "expires": "<now>",
<       "starts": "<now>",
<       "issuer": "CN=Acme CA,O=Acme",
<       "subject": "CN=www.example.com,O=Acme",
<       "domains": [],
<       "created": "2026-01-02T03:57:05Z",
<       "updated": "2026-01-02T03:57:05Z"
<     }
<   ]
< }
> bobross DELETE /v2/certs/example-com
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Certificate matches the given query."
<   }
< }
> adalove DELETE /v2/certs/wild
< 204
> adalove DELETE /v2/apps/hello/certs/example-com
< 204
> adalove GET /v2/certs/example-com
< 200
< {
<   "id": 5,
<   "app": "second",
<   "owner": "adalove",
<   "name": "example-com",
<   "common_name": "www.example.com",
<   "san": [
<     "www.example.com",
<     "example.com"
<   ],
<   "fingerprint": "DA:86:12:A5:91:2C:FD:E3:44:07:FC:39:E0:E2:48:CA:54:39:EE:3C:9B:83:55:4D:93:A5:FE:D5:8C:25:90:3F",
<   "expires": "<now>",
<   "starts": "<now>",
<   "issuer": "CN=Acme CA,O=Acme",
<   "subject": "CN=www.example.com,O=Acme",
<   "domains": [],
<   "created": "2026-01-02T03:57:05Z",
<   "updated": "2026-01-02T03:57:05Z"
< }
