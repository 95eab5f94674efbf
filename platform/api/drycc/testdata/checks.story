# Which link between a domain and its certificate is broken.
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
> adalove POST /v2/apps/hello/domains/
| {"domain": "www.example.com"}
< 201
< {
<   "app": "hello",
<   "domain": "www.example.com",
<   "ptype": "web",
<   "created": "2026-01-02T03:06:05Z",
<   "updated": "2026-01-02T03:06:05Z"
< }
> adalove GET /v2/apps/hello/tls/check/?domain=WWW.example.com.
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "app": "hello",
<       "domain": "www.example.com",
<       "status": "fail",
<       "time": "2026-01-02T03:07:05Z",
<       "links": [
<         {
<           "id": "dns",
<           "state": "fail",
<           "evidence": "NXDOMAIN",
<           "reason": "the name does not exist in the DNS",
<           "cure": "make a record"
<         },
<         {
<           "id": "points",
<           "state": "skipped",
<           "evidence": "",
<           "reason": "the name has no address",
<           "cure": ""
<         }
<       ]
<     }
<   ]
< }
> adalove GET /v2/apps/hello/tls/check/?limit=1
< 200
< {
<   "count": 2,
<   "next": "http://drycc.slipway.localhost/v2/apps/hello/tls/check/?limit=1&offset=1",
<   "previous": null,
<   "results": [
<     {
<       "app": "hello",
<       "domain": "hello.slipway.localhost",
<       "status": "fail",
<       "time": "2026-01-02T03:08:05Z",
<       "links": [
<         {
<           "id": "dns",
<           "state": "fail",
<           "evidence": "NXDOMAIN",
<           "reason": "the name does not exist in the DNS",
<           "cure": "make a record"
<         },
<         {
<           "id": "points",
<           "state": "skipped",
<           "evidence": "",
<           "reason": "the name has no address",
<           "cure": ""
<         }
<       ]
<     }
<   ]
< }
> adalove GET /v2/apps/hello/tls/check/?domain=other.example.com
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Domain matches the given query."
<   }
< }
> adalove GET /v2/apps/hello/tls/check/?domain=127.0.0.1
< 400
< {
<   "domain": [
<     "Hostname does not look valid. It is an IP address, and domains are names: make a DNS record for a name, and add that."
<   ]
< }
> bobross GET /v2/apps/hello/tls/check/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
