# Domains of an app.
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
> adalove GET /v2/apps/hello/domains/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "app": "hello",
<       "domain": "hello.slipway.localhost",
<       "ptype": "web",
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     }
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "WWW.Example.com.", "ptype": "web"}
< 201
< {
<   "app": "hello",
<   "domain": "www.example.com",
<   "ptype": "web",
<   "created": "2026-01-02T03:08:05Z",
<   "updated": "2026-01-02T03:08:05Z"
< }

# The guide's form has no process type.
> adalove POST /v2/apps/hello/domains/
| {"domain": "bücher.example"}
< 201
< {
<   "app": "hello",
<   "domain": "xn--bcher-kva.example",
<   "ptype": "web",
<   "created": "2026-01-02T03:09:05Z",
<   "updated": "2026-01-02T03:09:05Z"
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "*.example.org", "ptype": "worker"}
< 201
< {
<   "app": "hello",
<   "domain": "*.example.org",
<   "ptype": "worker",
<   "created": "2026-01-02T03:10:05Z",
<   "updated": "2026-01-02T03:10:05Z"
< }
> adalove GET /v2/apps/hello/domains/
< 200
< {
<   "count": 4,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "app": "hello",
<       "domain": "hello.slipway.localhost",
<       "ptype": "web",
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     },
<     {
<       "app": "hello",
<       "domain": "*.example.org",
<       "ptype": "worker",
<       "created": "2026-01-02T03:10:05Z",
<       "updated": "2026-01-02T03:10:05Z"
<     },
<     {
<       "app": "hello",
<       "domain": "www.example.com",
<       "ptype": "web",
<       "created": "2026-01-02T03:08:05Z",
<       "updated": "2026-01-02T03:08:05Z"
<     },
<     {
<       "app": "hello",
<       "domain": "xn--bcher-kva.example",
<       "ptype": "web",
<       "created": "2026-01-02T03:09:05Z",
<       "updated": "2026-01-02T03:09:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/hello/domains/?limit=2&offset=1
< 200
< {
<   "count": 4,
<   "next": "http://drycc.slipway.localhost/v2/apps/hello/domains/?limit=2&offset=3",
<   "previous": "http://drycc.slipway.localhost/v2/apps/hello/domains/?limit=2",
<   "results": [
<     {
<       "app": "hello",
<       "domain": "*.example.org",
<       "ptype": "worker",
<       "created": "2026-01-02T03:10:05Z",
<       "updated": "2026-01-02T03:10:05Z"
<     },
<     {
<       "app": "hello",
<       "domain": "www.example.com",
<       "ptype": "web",
<       "created": "2026-01-02T03:08:05Z",
<       "updated": "2026-01-02T03:08:05Z"
<     }
<   ]
< }

# Names that are not taken.
> adalove POST /v2/apps/hello/domains/
| {"domain": "www.example.com", "ptype": "web"}
< 400
< {
<   "domain": [
<     "The domain www.example.com is already in use by another app: remove it there first, or choose another name"
<   ]
< }
> bobross POST /v2/apps/other/domains/
| {"domain": "xn--bcher-kva.example", "ptype": "web"}
< 400
< {
<   "domain": [
<     "The domain xn--bcher-kva.example is already in use by another app: remove it there first, or choose another name"
<   ]
< }
> bobross POST /v2/apps/other/domains/
| {"domain": "hello.slipway.localhost", "ptype": "web"}
< 400
< {
<   "domain": [
<     "The domain hello.slipway.localhost is already in use by another app: remove it there first, or choose another name"
<   ]
< }
> bobross POST /v2/apps/other/domains/
| {"domain": "other.slipway.localhost", "ptype": "web"}
< 400
< {
<   "domain": [
<     "The domain other.slipway.localhost is already in use by another app: remove it there first, or choose another name"
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "drycc.slipway.localhost", "ptype": "web"}
< 400
< {
<   "domain": [
<     "drycc.slipway.localhost is the platform's: choose a name of your own, or one below the app's, hello.slipway.localhost"
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "registry.slipway.localhost", "ptype": "web"}
< 400
< {
<   "domain": [
<     "registry.slipway.localhost is the platform's: choose a name of your own, or one below the app's, hello.slipway.localhost"
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "slipway.localhost", "ptype": "web"}
< 400
< {
<   "domain": [
<     "slipway.localhost is the platform's: choose a name of your own, or one below the app's, hello.slipway.localhost"
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "*.slipway.localhost", "ptype": "web"}
< 400
< {
<   "domain": [
<     "*.slipway.localhost is the platform's: choose a name of your own, or one below the app's, hello.slipway.localhost"
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "*.localhost", "ptype": "web"}
< 400
< {
<   "domain": [
<     "Hostname does not look valid. The wildcard stands for all of localhost: give a name with a dot below which it stands, such as *.example.localhost."
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "*", "ptype": "web"}
< 400
< {
<   "domain": [
<     "Hostname can't only be a wildcard: give the name below which it stands, such as *.example.com"
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "a_b.example.com", "ptype": "web"}
< 400
< {
<   "domain": [
<     "Hostname does not look valid, could not convert to ACE: names of sites have no underscore; use a hyphen"
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "a.*.example.com", "ptype": "web"}
< 400
< {
<   "domain": [
<     "Hostname does not look valid. A wildcard can only be the whole first label: *.example.com."
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "10.0.0.1", "ptype": "web"}
< 400
< {
<   "domain": [
<     "Hostname does not look valid. It is an IP address, and domains are names: make a DNS record for a name, and add that."
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "nul\u0000.example.com", "ptype": "web"}
< 400
< {
<   "domain": [
<     "Hostname does not look valid, could not convert to ACE: disallowed rune U+0000; letters of any language, digits and inner hyphens are allowed"
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "", "ptype": "web"}
< 400
< {
<   "domain": [
<     "This field is required."
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "ok.example.com", "ptype": "W"}
< 400
< {
<   "ptype": [
<     "Process types can only supports: ^(?P<type>[a-z0-9]+(\\-[a-z0-9]+)*)$"
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": "ok.example.com", "port": 80}
< 400
< {
<   "port": [
<     "This field is not known here."
<   ]
< }
> adalove POST /v2/apps/hello/domains/
| {"domain": 7
< 400
< {
<   "detail": "JSON parse error - it ends too early."
< }

# A free name below the platform's domain may be a domain; then no app can be called so.
> adalove POST /v2/apps/hello/domains/
| {"domain": "lovely.slipway.localhost"}
< 201
< {
<   "app": "hello",
<   "domain": "lovely.slipway.localhost",
<   "ptype": "web",
<   "created": "2026-01-02T03:31:05Z",
<   "updated": "2026-01-02T03:31:05Z"
< }
> bobross POST /v2/apps/
| {"id": "lovely"}
< 400
< {
<   "id": [
<     "lovely.slipway.localhost would be the address of the app and is a domain of another one."
<   ]
< }

> bobross GET /v2/apps/hello/domains/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/domains/
| {"domain": "mine.example.com"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross DELETE /v2/apps/hello/domains/www.example.com
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> adalove DELETE /v2/apps/hello/domains/hello.slipway.localhost
< 400
< {
<   "detail": "hello.slipway.localhost is the app's own name: it stays, and is served with the platform's certificate"
< }
> adalove DELETE /v2/apps/hello/domains/nobody.example.com
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Domain matches the given query."
<   }
< }
> adalove DELETE /v2/apps/hello/domains/bücher.example
< 204
> adalove DELETE /v2/apps/hello/domains/*.example.org
< 204
> adalove GET /v2/apps/hello/domains/
< 200
< {
<   "count": 3,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "app": "hello",
<       "domain": "hello.slipway.localhost",
<       "ptype": "web",
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     },
<     {
<       "app": "hello",
<       "domain": "lovely.slipway.localhost",
<       "ptype": "web",
<       "created": "2026-01-02T03:31:05Z",
<       "updated": "2026-01-02T03:31:05Z"
<     },
<     {
<       "app": "hello",
<       "domain": "www.example.com",
<       "ptype": "web",
<       "created": "2026-01-02T03:08:05Z",
<       "updated": "2026-01-02T03:08:05Z"
<     }
<   ]
< }

# HTTPS.
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
<       "name": "lovely.slipway.localhost",
<       "kind": "Certificate",
<       "time": "2026-01-02T03:31:05Z",
<       "type": "Ready",
<       "status": "False",
<       "message": "no certificate: attach one, or turn automatic certificates on"
<     },
<     {
<       "name": "www.example.com",
<       "kind": "Certificate",
<       "time": "2026-01-02T03:08:05Z",
<       "type": "Ready",
<       "status": "False",
<       "message": "no certificate: attach one, or turn automatic certificates on"
<     }
<   ],
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:05:05Z"
< }
> adalove POST /v2/apps/hello/tls/
| {"https_enforced": true}
< 201
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "https_enforced": true,
<   "certs_auto_enabled": null,
<   "issuer": {
<     "email": "",
<     "server": "",
<     "key_id": "",
<     "key_secret": ""
<   },
<   "events": [
<     {
<       "name": "lovely.slipway.localhost",
<       "kind": "Certificate",
<       "time": "2026-01-02T03:31:05Z",
<       "type": "Ready",
<       "status": "False",
<       "message": "no certificate: attach one, or turn automatic certificates on"
<     },
<     {
<       "name": "www.example.com",
<       "kind": "Certificate",
<       "time": "2026-01-02T03:08:05Z",
<       "type": "Ready",
<       "status": "False",
<       "message": "no certificate: attach one, or turn automatic certificates on"
<     }
<   ],
<   "created": "2026-01-02T03:42:05Z",
<   "updated": "2026-01-02T03:42:05Z"
< }
> adalove POST /v2/apps/hello/tls/
| {"https_enforced": true}
< 409
< {
<   "detail": "adalove changed nothing"
< }
> adalove POST /v2/apps/hello/tls/
| {"certs_auto_enabled": true}
< 201
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "https_enforced": true,
<   "certs_auto_enabled": true,
<   "issuer": {
<     "email": "",
<     "server": "",
<     "key_id": "",
<     "key_secret": ""
<   },
<   "events": [
<     {
<       "name": "lovely.slipway.localhost",
<       "kind": "Certificate",
<       "time": "2026-01-02T03:31:05Z",
<       "type": "Ready",
<       "status": "False",
<       "message": "waiting for a certificate"
<     },
<     {
<       "name": "www.example.com",
<       "kind": "Certificate",
<       "time": "2026-01-02T03:08:05Z",
<       "type": "Ready",
<       "status": "False",
<       "message": "waiting for a certificate"
<     }
<   ],
<   "created": "2026-01-02T03:42:05Z",
<   "updated": "2026-01-02T03:44:05Z"
< }
> adalove POST /v2/apps/hello/tls/
| {"issuer": {"email": "ada@example.com", "server": "https://acme.example.net/directory", "key_id": "kid", "key_secret": "hunter2"}}
< 201
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "https_enforced": true,
<   "certs_auto_enabled": true,
<   "issuer": {
<     "email": "ada@example.com",
<     "server": "https://acme.example.net/directory",
<     "key_id": "kid",
<     "key_secret": ""
<   },
<   "events": [
<     {
<       "name": "lovely.slipway.localhost",
<       "kind": "Certificate",
<       "time": "2026-01-02T03:31:05Z",
<       "type": "Ready",
<       "status": "False",
<       "message": "waiting for a certificate"
<     },
<     {
<       "name": "www.example.com",
<       "kind": "Certificate",
<       "time": "2026-01-02T03:08:05Z",
<       "type": "Ready",
<       "status": "False",
<       "message": "waiting for a certificate"
<     }
<   ],
<   "created": "2026-01-02T03:42:05Z",
<   "updated": "2026-01-02T03:45:05Z"
< }
> adalove POST /v2/apps/hello/tls/
| {"issuer": {"server": "http://acme.example.net/directory"}}
< 400
< {
<   "issuer": [
<     "server has to begin with https://."
<   ]
< }
> adalove POST /v2/apps/hello/tls/
| {"issuer": {"key_id": "kid"}}
< 400
< {
<   "issuer": [
<     "key_id and key_secret belong together: give both or none."
<   ]
< }
> adalove POST /v2/apps/hello/tls/
| {"https_enforced": "yes"}
< 400
< {
<   "https_enforced": [
<     "Expected true or false, but got a string."
<   ]
< }
> adalove POST /v2/apps/hello/tls/
| {}
< 409
< {
<   "detail": "adalove changed nothing"
< }
> bobross GET /v2/apps/hello/tls/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross POST /v2/apps/hello/tls/
| {"https_enforced": false}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> adalove GET /v2/apps/hello/tls/
< 200
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "https_enforced": true,
<   "certs_auto_enabled": true,
<   "issuer": {
<     "email": "ada@example.com",
<     "server": "https://acme.example.net/directory",
<     "key_id": "kid",
<     "key_secret": ""
<   },
<   "events": [
<     {
<       "name": "lovely.slipway.localhost",
<       "kind": "Certificate",
<       "time": "2026-01-02T03:31:05Z",
<       "type": "Ready",
<       "status": "False",
<       "message": "waiting for a certificate"
<     },
<     {
<       "name": "www.example.com",
<       "kind": "Certificate",
<       "time": "2026-01-02T03:08:05Z",
<       "type": "Ready",
<       "status": "False",
<       "message": "waiting for a certificate"
<     }
<   ],
<   "created": "2026-01-02T03:42:05Z",
<   "updated": "2026-01-02T03:45:05Z"
< }
