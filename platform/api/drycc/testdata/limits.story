# What is on offer is the same for every user.
> bobross GET /v2/limits/specs/
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": "std1",
<       "cpu": {
<         "name": "Universal CPU",
<         "cores": 32,
<         "clock": "3100MHz",
<         "boost": "3700MHz",
<         "threads": 64
<       },
<       "memory": {
<         "size": "64GB",
<         "type": "DDR4-ECC"
<       },
<       "features": {
<         "gpu": {
<           "name": "Integrated GPU",
<           "tmus": 1,
<           "rops": 1,
<           "cores": 128,
<           "memory": {
<             "size": "shared",
<             "type": "shared"
<           }
<         },
<         "network": "10G"
<       },
<       "disabled": false
<     }
<   ]
< }
> bobross GET /v2/limits/specs/?keywords=std1,DDR4
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": "std1",
<       "cpu": {
<         "name": "Universal CPU",
<         "cores": 32,
<         "clock": "3100MHz",
<         "boost": "3700MHz",
<         "threads": 64
<       },
<       "memory": {
<         "size": "64GB",
<         "type": "DDR4-ECC"
<       },
<       "features": {
<         "gpu": {
<           "name": "Integrated GPU",
<           "tmus": 1,
<           "rops": 1,
<           "cores": 128,
<           "memory": {
<             "size": "shared",
<             "type": "shared"
<           }
<         },
<         "network": "10G"
<       },
<       "disabled": false
<     }
<   ]
< }
> bobross GET /v2/limits/specs/?keywords=std1,arm
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> bobross GET /v2/limits/specs/std1/
< 200
< {
<   "id": "std1",
<   "cpu": {
<     "name": "Universal CPU",
<     "cores": 32,
<     "clock": "3100MHz",
<     "boost": "3700MHz",
<     "threads": 64
<   },
<   "memory": {
<     "size": "64GB",
<     "type": "DDR4-ECC"
<   },
<   "features": {
<     "gpu": {
<       "name": "Integrated GPU",
<       "tmus": 1,
<       "rops": 1,
<       "cores": 128,
<       "memory": {
<         "size": "shared",
<         "type": "shared"
<       }
<     },
<     "network": "10G"
<   },
<   "disabled": false
< }
> bobross GET /v2/limits/specs/std9/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No LimitSpec matches the given query."
<   }
< }
> bobross GET /v2/limits/plans/?cpu=1&memory=2&spec-id=std1
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": "std1.large.c1m2",
<       "spec": {
<         "id": "std1",
<         "cpu": {
<           "name": "Universal CPU",
<           "cores": 32,
<           "clock": "3100MHz",
<           "boost": "3700MHz",
<           "threads": 64
<         },
<         "memory": {
<           "size": "64GB",
<           "type": "DDR4-ECC"
<         },
<         "features": {
<           "gpu": {
<             "name": "Integrated GPU",
<             "tmus": 1,
<             "rops": 1,
<             "cores": 128,
<             "memory": {
<               "size": "shared",
<               "type": "shared"
<             }
<           },
<           "network": "10G"
<         },
<         "disabled": false
<       },
<       "cpu": 1,
<       "memory": 2,
<       "features": {
<         "gpu": 1,
<         "network": 1
<       },
<       "disabled": false
<     }
<   ]
< }
> bobross GET /v2/limits/plans/?cpu=2&limit=1&offset=1
< 200
< {
<   "count": 4,
<   "next": "http://drycc.slipway.localhost/v2/limits/plans/?cpu=2&limit=1&offset=2",
<   "previous": "http://drycc.slipway.localhost/v2/limits/plans/?cpu=2&limit=1",
<   "results": [
<     {
<       "id": "std1.large.c2m4",
<       "spec": {
<         "id": "std1",
<         "cpu": {
<           "name": "Universal CPU",
<           "cores": 32,
<           "clock": "3100MHz",
<           "boost": "3700MHz",
<           "threads": 64
<         },
<         "memory": {
<           "size": "64GB",
<           "type": "DDR4-ECC"
<         },
<         "features": {
<           "gpu": {
<             "name": "Integrated GPU",
<             "tmus": 1,
<             "rops": 1,
<             "cores": 128,
<             "memory": {
<               "size": "shared",
<               "type": "shared"
<             }
<           },
<           "network": "10G"
<         },
<         "disabled": false
<       },
<       "cpu": 2,
<       "memory": 4,
<       "features": {
<         "gpu": 1,
<         "network": 1
<       },
<       "disabled": false
<     }
<   ]
< }
> bobross GET /v2/limits/plans/?cpu=0&memory=512
< 200
< {
<   "count": 1,
<   "next": null,
<   "previous": null,
<   "results": [
<     {
<       "id": "std1.large.c64m512",
<       "spec": {
<         "id": "std1",
<         "cpu": {
<           "name": "Universal CPU",
<           "cores": 32,
<           "clock": "3100MHz",
<           "boost": "3700MHz",
<           "threads": 64
<         },
<         "memory": {
<           "size": "64GB",
<           "type": "DDR4-ECC"
<         },
<         "features": {
<           "gpu": {
<             "name": "Integrated GPU",
<             "tmus": 1,
<             "rops": 1,
<             "cores": 128,
<             "memory": {
<               "size": "shared",
<               "type": "shared"
<             }
<           },
<           "network": "10G"
<         },
<         "disabled": false
<       },
<       "cpu": 64,
<       "memory": 512,
<       "features": {
<         "gpu": 1,
<         "network": 1
<       },
<       "disabled": false
<     }
<   ]
< }
> bobross GET /v2/limits/plans/?cpu=many
< 400
< {
<   "cpu": [
<     "Enter a whole number."
<   ]
< }
> bobross GET /v2/limits/plans/?spec-id=std9
< 200
< {
<   "count": 0,
<   "next": null,
<   "previous": null,
<   "results": []
< }
> bobross GET /v2/limits/plans/std1.large.c64m512/
< 200
< {
<   "id": "std1.large.c64m512",
<   "spec": {
<     "id": "std1",
<     "cpu": {
<       "name": "Universal CPU",
<       "cores": 32,
<       "clock": "3100MHz",
<       "boost": "3700MHz",
<       "threads": 64
<     },
<     "memory": {
<       "size": "64GB",
<       "type": "DDR4-ECC"
<     },
<     "features": {
<       "gpu": {
<         "name": "Integrated GPU",
<         "tmus": 1,
<         "rops": 1,
<         "cores": 128,
<         "memory": {
<           "size": "shared",
<           "type": "shared"
<         }
<       },
<       "network": "10G"
<     },
<     "disabled": false
<   },
<   "cpu": 64,
<   "memory": 512,
<   "features": {
<     "gpu": 1,
<     "network": 1
<   },
<   "disabled": false
< }
> bobross GET /v2/limits/plans/std1.huge/
< 404
< {
<   "error": {
<     "code": "NOT_FOUND",
<     "message": "No LimitPlan matches the given query."
<   }
< }
> nobody GET /v2/limits/plans/
< 401  WWW-Authenticate: token
< {
<   "detail": "Authentication credentials were not provided."
< }
