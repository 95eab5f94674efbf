# Services, gateways and routes.
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
> adalove GET /v2/apps/hello/services/
< 200
< {
<   "services": []
< }
> adalove GET /v2/apps/hello/routes/
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> adalove POST /v2/apps/hello/build/
| {"image": "slipway.internal/hello:1", "procfile": {"web": "serve", "sleep": "work"}}
< 201
< {
<   "uuid": "<uuid-2>",
<   "app": "hello",
<   "image": "slipway.internal/hello:1",
<   "stack": "container",
<   "sha": "",
<   "procfile": {
<     "sleep": "work",
<     "web": "serve"
<   },
<   "dryccfile": {},
<   "dockerfile": "",
<   "created": "2026-01-02T03:08:05Z",
<   "updated": "2026-01-02T03:08:05Z"
< }
> adalove GET /v2/apps/hello/services/
< 200
< {
<   "services": [
<     {
<       "name": "hello",
<       "domain": "hello.hello.svc",
<       "ptype": "web",
<       "ports": [
<         {
<           "name": "tcp-80",
<           "port": 80,
<           "protocol": "TCP",
<           "targetPort": 5000
<         }
<       ]
<     }
<   ]
< }
> adalove GET /v2/apps/hello/gateways/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": 0,
<       "app": "hello",
<       "name": "hello",
<       "ports": [
<         {
<           "port": 80,
<           "protocol": "HTTP"
<         },
<         {
<           "port": 443,
<           "protocol": "HTTPS"
<         }
<       ],
<       "addresses": [
<         {
<           "type": "IPAddress",
<           "value": "192.0.2.10"
<         }
<       ],
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/hello/routes/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": 0,
<       "app": "hello",
<       "name": "hello",
<       "kind": "HTTPRoute",
<       "parent_refs": [
<         {
<           "name": "hello",
<           "port": 80
<         },
<         {
<           "name": "hello",
<           "port": 443
<         }
<       ],
<       "rules": [
<         {
<           "backendRefs": [
<             {
<               "kind": "Service",
<               "name": "hello",
<               "port": 80,
<               "weight": 100
<             }
<           ]
<         }
<       ],
<       "routable": true,
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     }
<   ]
< }

# A second service.
> adalove POST /v2/apps/hello/services/
| {"ptype": "sleep", "port": 8001, "protocol": "TCP", "target_port": 8001}
< 201
> adalove POST /v2/apps/hello/services/
| {"ptype": "sleep", "port": "53", "protocol": "udp", "targetPort": "5353"}
< 204
> adalove POST /v2/apps/hello/services/
| {"ptype": "sleep", "port": 8001, "protocol": "TCP", "target_port": 9001}
< 400
< {
<   "detail": "port is occupied"
< }
> adalove POST /v2/apps/hello/services/
| {"ptype": "sleep", "port": 70000, "protocol": "TCP", "target_port": 8001}
< 400
< {
<   "port": [
<     "Ensure this value is between 1 and 65535."
<   ]
< }
> adalove POST /v2/apps/hello/services/
| {"ptype": "sleep", "port": 80, "protocol": "ICMP", "target_port": 8001}
< 400
< {
<   "protocol": [
<     "\"ICMP\" is not a valid choice: use TCP, UDP or SCTP."
<   ]
< }
> adalove POST /v2/apps/hello/services/
| {"ptype": "sleep", "port": 80, "protocol": "TCP"}
< 400
< {
<   "target_port": [
<     "Ensure this value is between 1 and 65535."
<   ]
< }
> adalove POST /v2/apps/hello/services/
| {"port": 80, "protocol": "TCP", "target_port": 8001}
< 400
< {
<   "ptype": [
<     "This field is required."
<   ]
< }
> bobross POST /v2/apps/hello/services/
| {"ptype": "sleep", "port": 80, "protocol": "TCP", "target_port": 8001}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> adalove GET /v2/apps/hello/services/
< 200
< {
<   "services": [
<     {
<       "name": "hello",
<       "domain": "hello.hello.svc",
<       "ptype": "web",
<       "ports": [
<         {
<           "name": "tcp-80",
<           "port": 80,
<           "protocol": "TCP",
<           "targetPort": 5000
<         }
<       ]
<     },
<     {
<       "name": "hello-sleep",
<       "domain": "hello-sleep.hello.svc",
<       "ptype": "sleep",
<       "ports": [
<         {
<           "name": "tcp-8001",
<           "port": 8001,
<           "protocol": "TCP",
<           "targetPort": 8001
<         },
<         {
<           "name": "udp-53",
<           "port": 53,
<           "protocol": "UDP",
<           "targetPort": 5353
<         }
<       ]
<     }
<   ]
< }
> adalove DELETE /v2/apps/hello/services/
| {"ptype": "sleep", "port": 53, "protocol": "UDP"}
< 204
> adalove DELETE /v2/apps/hello/services/
| {"ptype": "sleep", "port": 53, "protocol": "UDP"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Service matches the given query."
<   }
< }
> adalove DELETE /v2/apps/hello/services/
| {"ptype": "web", "port": 80, "protocol": "TCP"}
< 400
< {
<   "detail": "the last port of web stays; to take the app off the network outside, disable its routing"
< }
> bobross DELETE /v2/apps/hello/services/
| {"ptype": "sleep", "port": 8001, "protocol": "TCP"}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

# Gateways.
> adalove PUT /v2/apps/hello/gateways/front/
| {"app": "hello", "name": "front", "ports": [{"port": 80, "protocol": "HTTP"}]}
< 201
< {
<   "id": 1,
<   "app": "hello",
<   "name": "front",
<   "ports": [
<     {
<       "port": 80,
<       "protocol": "HTTP"
<     }
<   ],
<   "addresses": [
<     {
<       "type": "IPAddress",
<       "value": "192.0.2.10"
<     }
<   ],
<   "created": "2026-01-02T03:25:05Z",
<   "updated": "2026-01-02T03:25:05Z"
< }
> adalove PUT /v2/apps/hello/gateways/front/
| {"app": "hello", "name": "front", "ports": [{"port": 80, "protocol": "HTTP"}, {"port": 443, "protocol": "HTTPS"}]}
< 200
< {
<   "id": 1,
<   "app": "hello",
<   "name": "front",
<   "ports": [
<     {
<       "port": 80,
<       "protocol": "HTTP"
<     },
<     {
<       "port": 443,
<       "protocol": "HTTPS"
<     }
<   ],
<   "addresses": [
<     {
<       "type": "IPAddress",
<       "value": "192.0.2.10"
<     }
<   ],
<   "created": "2026-01-02T03:25:05Z",
<   "updated": "2026-01-02T03:26:05Z"
< }
> adalove GET /v2/apps/hello/gateways/front/
< 200
< {
<   "id": 1,
<   "app": "hello",
<   "name": "front",
<   "ports": [
<     {
<       "port": 80,
<       "protocol": "HTTP"
<     },
<     {
<       "port": 443,
<       "protocol": "HTTPS"
<     }
<   ],
<   "addresses": [
<     {
<       "type": "IPAddress",
<       "value": "192.0.2.10"
<     }
<   ],
<   "created": "2026-01-02T03:25:05Z",
<   "updated": "2026-01-02T03:26:05Z"
< }
> adalove GET /v2/apps/hello/gateways/hello/
< 200
< {
<   "id": 0,
<   "app": "hello",
<   "name": "hello",
<   "ports": [
<     {
<       "port": 80,
<       "protocol": "HTTP"
<     },
<     {
<       "port": 443,
<       "protocol": "HTTPS"
<     }
<   ],
<   "addresses": [
<     {
<       "type": "IPAddress",
<       "value": "192.0.2.10"
<     }
<   ],
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:05:05Z"
< }
> adalove PUT /v2/apps/hello/gateways/front/
| {"ports": [{"port": 5432, "protocol": "TCP"}]}
< 400
< {
<   "error": {
<     "code": "VALIDATION_ERROR",
<     "message": "Validation failed",
<     "details": {
<       "ports": [
<         "port 5432 (TCP) is not open on this platform: its gateway listens on 80 (HTTP), 443 (HTTPS) and 443 (TLS). An administrator opens more with the setting SLIPWAY_GATEWAY_PORTS."
<       ]
<     }
<   }
< }
> adalove PUT /v2/apps/hello/gateways/front/
| {"ports": [{"port": 80, "protocol": "HTTP"}, {"port": 80, "protocol": "TCP"}]}
< 400
< {
<   "detail": [
<     "port is occupied"
<   ]
< }
> adalove PUT /v2/apps/hello/gateways/front/
| {"ports": [{"port": 80, "protocol": "GOPHER"}]}
< 400
< {
<   "error": {
<     "code": "VALIDATION_ERROR",
<     "message": "Validation failed",
<     "details": {
<       "ports": [
<         "\"GOPHER\" is not a valid choice: use HTTP, HTTPS, TCP, UDP, TLS."
<       ]
<     }
<   }
< }
> adalove PUT /v2/apps/hello/gateways/front/
| {"name": "back", "ports": [{"port": 80, "protocol": "HTTP"}]}
< 400
< {
<   "name": [
<     "This is back, but the address says front."
<   ]
< }
> adalove PUT /v2/apps/hello/gateways/front/
| {"app": "hello"}
< 400
< {
<   "ports": [
<     "This field is required."
<   ]
< }
> adalove PUT /v2/apps/hello/gateways/Front/
| {"ports": [{"port": 80, "protocol": "HTTP"}]}
< 400
< {
<   "error": {
<     "code": "VALIDATION_ERROR",
<     "message": "Validation failed",
<     "details": {
<       "name": [
<         "Can only contain a-z (lowercase), 0-9 and hyphens"
<       ]
<     }
<   }
< }
> adalove PUT /v2/apps/hello/gateways/kube-system/
| {"ports": [{"port": 80, "protocol": "HTTP"}]}
< 400
< {
<   "error": {
<     "code": "VALIDATION_ERROR",
<     "message": "Validation failed",
<     "details": {
<       "name": [
<         "kube-system is a reserved name."
<       ]
<     }
<   }
< }
> bobross PUT /v2/apps/hello/gateways/front/
| {"ports": [{"port": 80, "protocol": "HTTP"}]}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

# The guide's form adds single ports.
> adalove POST /v2/apps/hello/gateways/
| {"name": "side", "port": 80, "protocol": "HTTP"}
< 201
< {
<   "id": 3,
<   "app": "hello",
<   "name": "side",
<   "ports": [
<     {
<       "port": 80,
<       "protocol": "HTTP"
<     }
<   ],
<   "addresses": [
<     {
<       "type": "IPAddress",
<       "value": "192.0.2.10"
<     }
<   ],
<   "created": "2026-01-02T03:37:05Z",
<   "updated": "2026-01-02T03:37:05Z"
< }
> adalove POST /v2/apps/hello/gateways/
| {"name": "side", "port": 443, "protocol": "https"}
< 200
< {
<   "id": 3,
<   "app": "hello",
<   "name": "side",
<   "ports": [
<     {
<       "port": 80,
<       "protocol": "HTTP"
<     },
<     {
<       "port": 443,
<       "protocol": "HTTPS"
<     }
<   ],
<   "addresses": [
<     {
<       "type": "IPAddress",
<       "value": "192.0.2.10"
<     }
<   ],
<   "created": "2026-01-02T03:37:05Z",
<   "updated": "2026-01-02T03:38:05Z"
< }
> adalove POST /v2/apps/hello/gateways/
| {"name": "side", "port": 443, "protocol": "HTTPS"}
< 400
< {
<   "detail": [
<     "port is occupied"
<   ]
< }
> adalove DELETE /v2/apps/hello/gateways/
| {"name": "side", "port": 443, "protocol": "HTTPS"}
< 204
> adalove DELETE /v2/apps/hello/gateways/
| {"name": "side", "port": 443, "protocol": "HTTPS"}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Gateway matches the given query."
<   }
< }
> adalove DELETE /v2/apps/hello/gateways/
| {"name": "side", "port": 80, "protocol": "HTTP"}
< 204
> adalove DELETE /v2/apps/hello/gateways/hello/
< 400
< {
<   "detail": "the app's own gateway stays; to take the app off the network outside, disable its routing"
< }
> adalove GET /v2/apps/hello/gateways/side/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Gateway matches the given query."
<   }
< }

# Routes.
> adalove PUT /v2/apps/hello/routes/sleep/
| {"app": "hello", "name": "sleep", "kind": "HTTPRoute", "parent_refs": [{"name": "front", "port": 80}], "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/sleep"}, "method": "GET", "headers": [{"name": "X-Team", "value": "blue"}]}], "filters": [{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "X-From", "value": "sleep"}]}}], "backendRefs": [{"kind": "Service", "name": "hello-sleep", "port": 8001, "weight": 100}, {"kind": "Service", "name": "gone", "port": 80}]}]}
< 201
< {
<   "id": 1,
<   "app": "hello",
<   "name": "sleep",
<   "kind": "HTTPRoute",
<   "parent_refs": [
<     {
<       "name": "front",
<       "port": 80
<     }
<   ],
<   "rules": [
<     {
<       "matches": [
<         {
<           "path": {
<             "type": "PathPrefix",
<             "value": "/sleep"
<           },
<           "method": "GET",
<           "headers": [
<             {
<               "name": "X-Team",
<               "value": "blue"
<             }
<           ]
<         }
<       ],
<       "filters": [
<         {
<           "type": "ResponseHeaderModifier",
<           "responseHeaderModifier": {
<             "set": [
<               {
<                 "name": "X-From",
<                 "value": "sleep"
<               }
<             ]
<           }
<         }
<       ],
<       "backendRefs": [
<         {
<           "kind": "Service",
<           "name": "hello-sleep",
<           "port": 8001,
<           "weight": 100
<         }
<       ]
<     }
<   ],
<   "routable": true,
<   "created": "2026-01-02T03:45:05Z",
<   "updated": "2026-01-02T03:45:05Z"
< }
> adalove PUT /v2/apps/hello/routes/sleep/
| {"app": "hello", "name": "sleep", "kind": "HTTPRoute", "parent_refs": [{"name": "hello", "port": 443}], "rules": [{"matches": [{"path": {"value": "/sleep"}, "query_params": [{"name": "q", "value": "1"}]}], "filters": [{"type": "URLRewrite", "url_rewrite": {"path": {"type": "ReplacePrefixMatch", "replace_prefix_match": "/"}}}], "backend_refs": [{"name": "sleep", "port": 8001}]}]}
< 200
< {
<   "id": 1,
<   "app": "hello",
<   "name": "sleep",
<   "kind": "HTTPRoute",
<   "parent_refs": [
<     {
<       "name": "hello",
<       "port": 443
<     }
<   ],
<   "rules": [
<     {
<       "matches": [
<         {
<           "path": {
<             "value": "/sleep"
<           },
<           "queryParams": [
<             {
<               "name": "q",
<               "value": "1"
<             }
<           ]
<         }
<       ],
<       "filters": [
<         {
<           "type": "URLRewrite",
<           "urlRewrite": {
<             "path": {
<               "type": "ReplacePrefixMatch",
<               "replacePrefixMatch": "/"
<             }
<           }
<         }
<       ],
<       "backendRefs": [
<         {
<           "kind": "Service",
<           "name": "hello-sleep",
<           "port": 8001
<         }
<       ]
<     }
<   ],
<   "routable": true,
<   "created": "2026-01-02T03:45:05Z",
<   "updated": "2026-01-02T03:46:05Z"
< }
> adalove PUT /v2/apps/hello/routes/calls/
| {"app": "hello", "kind": "GRPCRoute", "parent_refs": [{"name": "hello", "port": 443}], "rules": [{"matches": [{"method": {"service": "acme.Orders"}}], "backendRefs": [{"name": "hello-sleep", "port": 8001}]}]}
< 201
< {
<   "id": 3,
<   "app": "hello",
<   "name": "calls",
<   "kind": "GRPCRoute",
<   "parent_refs": [
<     {
<       "name": "hello",
<       "port": 443
<     }
<   ],
<   "rules": [
<     {
<       "matches": [
<         {
<           "method": {
<             "service": "acme.Orders"
<           }
<         }
<       ],
<       "backendRefs": [
<         {
<           "kind": "Service",
<           "name": "hello-sleep",
<           "port": 8001
<         }
<       ]
<     }
<   ],
<   "routable": true,
<   "created": "2026-01-02T03:47:05Z",
<   "updated": "2026-01-02T03:47:05Z"
< }
> adalove GET /v2/apps/hello/routes/
< 200
< {
<   "count": 3,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": 0,
<       "app": "hello",
<       "name": "hello",
<       "kind": "HTTPRoute",
<       "parent_refs": [
<         {
<           "name": "hello",
<           "port": 80
<         },
<         {
<           "name": "hello",
<           "port": 443
<         }
<       ],
<       "rules": [
<         {
<           "backendRefs": [
<             {
<               "kind": "Service",
<               "name": "hello",
<               "port": 80,
<               "weight": 100
<             }
<           ]
<         }
<       ],
<       "routable": true,
<       "created": "2026-01-02T03:05:05Z",
<       "updated": "2026-01-02T03:05:05Z"
<     },
<     {
<       "id": 1,
<       "app": "hello",
<       "name": "sleep",
<       "kind": "HTTPRoute",
<       "parent_refs": [
<         {
<           "name": "hello",
<           "port": 443
<         }
<       ],
<       "rules": [
<         {
<           "matches": [
<             {
<               "path": {
<                 "value": "/sleep"
<               },
<               "queryParams": [
<                 {
<                   "name": "q",
<                   "value": "1"
<                 }
<               ]
<             }
<           ],
<           "filters": [
<             {
<               "type": "URLRewrite",
<               "urlRewrite": {
<                 "path": {
<                   "type": "ReplacePrefixMatch",
<                   "replacePrefixMatch": "/"
<                 }
<               }
<             }
<           ],
<           "backendRefs": [
<             {
<               "kind": "Service",
<               "name": "hello-sleep",
<               "port": 8001
<             }
<           ]
<         }
<       ],
<       "routable": true,
<       "created": "2026-01-02T03:45:05Z",
<       "updated": "2026-01-02T03:46:05Z"
<     },
<     {
<       "id": 3,
<       "app": "hello",
<       "name": "calls",
<       "kind": "GRPCRoute",
<       "parent_refs": [
<         {
<           "name": "hello",
<           "port": 443
<         }
<       ],
<       "rules": [
<         {
<           "matches": [
<             {
<               "method": {
<                 "service": "acme.Orders"
<               }
<             }
<           ],
<           "backendRefs": [
<             {
<               "kind": "Service",
<               "name": "hello-sleep",
<               "port": 8001
<             }
<           ]
<         }
<       ],
<       "routable": true,
<       "created": "2026-01-02T03:47:05Z",
<       "updated": "2026-01-02T03:47:05Z"
<     }
<   ]
< }
> adalove GET /v2/apps/hello/routes/sleep/
< 200
< {
<   "id": 1,
<   "app": "hello",
<   "name": "sleep",
<   "kind": "HTTPRoute",
<   "parent_refs": [
<     {
<       "name": "hello",
<       "port": 443
<     }
<   ],
<   "rules": [
<     {
<       "matches": [
<         {
<           "path": {
<             "value": "/sleep"
<           },
<           "queryParams": [
<             {
<               "name": "q",
<               "value": "1"
<             }
<           ]
<         }
<       ],
<       "filters": [
<         {
<           "type": "URLRewrite",
<           "urlRewrite": {
<             "path": {
<               "type": "ReplacePrefixMatch",
<               "replacePrefixMatch": "/"
<             }
<           }
<         }
<       ],
<       "backendRefs": [
<         {
<           "kind": "Service",
<           "name": "hello-sleep",
<           "port": 8001
<         }
<       ]
<     }
<   ],
<   "routable": true,
<   "created": "2026-01-02T03:45:05Z",
<   "updated": "2026-01-02T03:46:05Z"
< }

# What a route cannot be.
> adalove PUT /v2/apps/hello/routes/sleep/
| {"kind": "GRPCRoute", "parent_refs": [{"name": "hello", "port": 443}], "rules": [{"backendRefs": [{"name": "hello-sleep", "port": 8001}]}]}
< 400
< {
<   "error": {
<     "code": "VALIDATION_ERROR",
<     "message": "Validation failed",
<     "details": {
<       "kind": [
<         "sleep is a HTTPRoute, which cannot be changed: remove it first."
<       ]
<     }
<   }
< }
> adalove PUT /v2/apps/hello/routes/tcp/
| {"kind": "TCPRoute", "parent_refs": [{"name": "hello", "port": 443}], "rules": [{"backendRefs": [{"name": "hello-sleep", "port": 8001}]}]}
< 400
< {
<   "error": {
<     "code": "VALIDATION_ERROR",
<     "message": "Validation failed",
<     "details": {
<       "kind": [
<         "TCPRoute needs a port of its own, and only 80 (HTTP), 443 (HTTPS) and 443 (TLS) are open on this platform. An administrator opens more with the setting SLIPWAY_GATEWAY_PORTS."
<       ]
<     }
<   }
< }
> adalove PUT /v2/apps/hello/routes/new/
| {"kind": "HTTPRoute", "parent_refs": [{"name": "nobody", "port": 80}], "rules": [{"backendRefs": [{"name": "hello-sleep", "port": 8001}]}]}
< 400
< {
<   "detail": "this gateway nobody does not exist"
< }
> adalove PUT /v2/apps/hello/routes/new/
| {"kind": "HTTPRoute", "parent_refs": [{"name": "hello", "port": 8080}], "rules": [{"backendRefs": [{"name": "hello-sleep", "port": 8001}]}]}
< 400
< {
<   "detail": "listener does not exist, please add gateway listener first."
< }
> adalove PUT /v2/apps/hello/routes/new/
| {"kind": "HTTPRoute", "parent_refs": [{"name": "hello", "port": 80}], "rules": [{"backendRefs": [{"name": "hello-sleep", "port": 9}]}]}
< 400
< {
<   "detail": "route new no available backend"
< }
> adalove PUT /v2/apps/hello/routes/new/
| {"kind": "HTTPRoute", "parent_refs": [{"name": "hello", "port": 80}], "rules": [{"backendRefs": [{"name": "drycc-controller", "namespace": "drycc", "port": 80}]}]}
< 400
< {
<   "error": {
<     "code": "VALIDATION_ERROR",
<     "message": "Validation failed",
<     "details": {
<       "rules": [
<         "backendRefs can only be services of the app itself: leave group and namespace out."
<       ]
<     }
<   }
< }
> adalove PUT /v2/apps/hello/routes/new/
| {"kind": "HTTPRoute", "parent_refs": [{"name": "hello", "port": 80}], "rules": [{"filters": [{"type": "RequestMirror"}], "backendRefs": [{"name": "hello", "port": 80}]}]}
< 400
< {
<   "error": {
<     "code": "VALIDATION_ERROR",
<     "message": "Validation failed",
<     "details": {
<       "rules": [
<         "the gateway cannot carry out the filter \"RequestMirror\"; it can RequestHeaderModifier, ResponseHeaderModifier, RequestRedirect and URLRewrite."
<       ]
<     }
<   }
< }
> adalove PUT /v2/apps/hello/routes/new/
| {"kind": "HTTPRoute", "parent_refs": [{"name": "hello", "port": 80}], "rules": [{"timeouts": {"request": "1s"}, "backendRefs": [{"name": "hello", "port": 80}]}]}
< 400
< {
<   "error": {
<     "code": "VALIDATION_ERROR",
<     "message": "Validation failed",
<     "details": {
<       "rules": [
<         "The field \"timeouts\" is not known here."
<       ]
<     }
<   }
< }
> adalove PUT /v2/apps/hello/routes/new/
| {"kind": "HTTPRoute", "parent_refs": [{"name": "hello", "port": 80}], "rules": [{"matches": [{"path": {"value": "no/slash"}}], "backendRefs": [{"name": "hello", "port": 80}]}]}
< 400
< {
<   "error": {
<     "code": "VALIDATION_ERROR",
<     "message": "Validation failed",
<     "details": {
<       "rules": [
<         "\"no/slash\" is no path: it begins with / and has no empty, . or .. parts."
<       ]
<     }
<   }
< }
> adalove PUT /v2/apps/hello/routes/new/
| {"kind": "HTTPRoute", "parent_refs": [{"name": "hello", "port": 80}], "rules": [{"matches": [{"path": {"type": "RegularExpression", "value": "("}}], "backendRefs": [{"name": "hello", "port": 80}]}]}
< 400
< {
<   "error": {
<     "code": "VALIDATION_ERROR",
<     "message": "Validation failed",
<     "details": {
<       "rules": [
<         "\"(\" is no regular expression."
<       ]
<     }
<   }
< }
> adalove PUT /v2/apps/hello/routes/new/
| {"kind": "HTTPRoute", "parent_refs": [{"name": "hello", "port": 80}], "rules": "x"}
< 400
< {
<   "error": {
<     "code": "VALIDATION_ERROR",
<     "message": "Validation failed",
<     "details": {
<       "rules": [
<         "Expected an object or a list, but got a string."
<       ]
<     }
<   }
< }
> adalove PUT /v2/apps/hello/routes/new/
| {"parent_refs": [{"name": "hello", "port": 80}], "rules": []}
< 400
< {
<   "kind": [
<     "This field is required."
<   ]
< }
> bobross PUT /v2/apps/hello/routes/new/
| {"kind": "HTTPRoute", "parent_refs": [{"name": "hello", "port": 80}], "rules": [{"backendRefs": [{"name": "hello", "port": 80}]}]}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

# The guide's form: add, then attach.
> adalove POST /v2/apps/hello/routes/
| {"name": "doze", "kind": "HTTPRoute", "ptype": "sleep", "port": 8001, "weight": 100}
< 201
< {
<   "id": 4,
<   "app": "hello",
<   "name": "doze",
<   "kind": "HTTPRoute",
<   "parent_refs": [],
<   "rules": [
<     {
<       "backendRefs": [
<         {
<           "kind": "Service",
<           "name": "hello-sleep",
<           "port": 8001,
<           "weight": 100
<         }
<       ]
<     }
<   ],
<   "routable": true,
<   "created": "2026-01-02T04:03:05Z",
<   "updated": "2026-01-02T04:03:05Z"
< }
> adalove POST /v2/apps/hello/routes/
| {"name": "doze", "kind": "HTTPRoute", "ptype": "sleep", "port": 8001}
< 409
< {
<   "detail": "a route doze is there already"
< }
> adalove PATCH /v2/apps/hello/routes/doze/attach/
| {"gateway": "front", "port": 80}
< 204
> adalove PATCH /v2/apps/hello/routes/doze/attach/
| {"gateway": "front", "port": 80}
< 409
< {
<   "detail": "doze is attached to front:80 already"
< }
> adalove PATCH /v2/apps/hello/routes/doze/attach/
| {"gateway": "nobody", "port": 80}
< 400
< {
<   "detail": "this gateway nobody does not exist"
< }
> adalove GET /v2/apps/hello/routes/doze/
< 200
< {
<   "id": 4,
<   "app": "hello",
<   "name": "doze",
<   "kind": "HTTPRoute",
<   "parent_refs": [
<     {
<       "name": "front",
<       "port": 80
<     }
<   ],
<   "rules": [
<     {
<       "backendRefs": [
<         {
<           "kind": "Service",
<           "name": "hello-sleep",
<           "port": 8001,
<           "weight": 100
<         }
<       ]
<     }
<   ],
<   "routable": true,
<   "created": "2026-01-02T04:03:05Z",
<   "updated": "2026-01-02T04:05:05Z"
< }
> adalove PATCH /v2/apps/hello/routes/doze/detach/
| {"gateway": "front", "port": 80}
< 204
> adalove PATCH /v2/apps/hello/routes/doze/detach/
| {"gateway": "front", "port": 80}
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Gateway matches the given query."
<   }
< }
> bobross PATCH /v2/apps/hello/routes/doze/attach/
| {"gateway": "front", "port": 80}
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

> adalove DELETE /v2/apps/hello/routes/doze/
< 204
> adalove DELETE /v2/apps/hello/routes/doze/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Route matches the given query."
<   }
< }
> adalove DELETE /v2/apps/hello/routes/hello/
< 400
< {
<   "detail": "hello is the route that its service has by itself: it stays; to take the app off the network outside, disable its routing"
< }
> adalove PUT /v2/apps/hello/routes/calls/
| {"kind": "GRPCRoute", "parent_refs": [], "rules": []}
< 204
> adalove PUT /v2/apps/hello/gateways/front/
| {"ports": []}
< 204
> adalove DELETE /v2/apps/hello/gateways/front/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No Gateway matches the given query."
<   }
< }
> bobross GET /v2/apps/hello/routes/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/gateways/hello/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }
> bobross GET /v2/apps/hello/services/
< 403
< {
<   "detail": "You do not have permission to perform this action."
< }

# With its routing off an app keeps its routes, and shows none.
> adalove POST /v2/apps/hello/settings/
| {"routable": false}
< 201
< {
<   "uuid": "<uuid-3>",
<   "app": "hello",
<   "routable": false,
<   "autodeploy": true,
<   "autorollback": true,
<   "autoscale": {},
<   "label": {},
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T04:21:05Z"
< }
> adalove GET /v2/apps/hello/routes/hello/
< 200
< {
<   "id": 0,
<   "app": "hello",
<   "name": "hello",
<   "kind": "HTTPRoute",
<   "parent_refs": [
<     {
<       "name": "hello",
<       "port": 80
<     },
<     {
<       "name": "hello",
<       "port": 443
<     }
<   ],
<   "rules": [
<     {
<       "backendRefs": [
<         {
<           "kind": "Service",
<           "name": "hello",
<           "port": 80,
<           "weight": 100
<         }
<       ]
<     }
<   ],
<   "routable": false,
<   "created": "2026-01-02T03:05:05Z",
<   "updated": "2026-01-02T03:05:05Z"
< }
> adalove PUT /v2/apps/hello/gateways/last/
| {"ports": [{"port": 80, "protocol": "HTTP"}]}
< 201
< {
<   "id": 6,
<   "app": "hello",
<   "name": "last",
<   "ports": [
<     {
<       "port": 80,
<       "protocol": "HTTP"
<     }
<   ],
<   "addresses": [
<     {
<       "type": "IPAddress",
<       "value": "192.0.2.10"
<     }
<   ],
<   "created": "2026-01-02T04:23:05Z",
<   "updated": "2026-01-02T04:23:05Z"
< }
> adalove DELETE /v2/apps/hello/gateways/last/
< 204
