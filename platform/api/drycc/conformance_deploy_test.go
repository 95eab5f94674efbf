package drycc

import "maps"

// deployRows are limits and transfer.
func deployRows() []row {
	return []row{
		{route: "GET /v2/limits/specs/", query: "keywords=std1,universal", status: 200},
		{route: "GET /v2/limits/specs/{spec}/", arrange: func(c *cell) { c.vars["spec"] = "std1" }, status: 200},
		{route: "GET /v2/limits/plans/", query: "cpu=1&memory=2&spec-id=std1", status: 200},
		{route: "GET /v2/limits/plans/{plan}/", arrange: func(c *cell) { c.vars["plan"] = "std1.large.c1m1" }, status: 200},
		{route: "PATCH /v2/apps/{app}/", arrange: deploy, body: `{"workspace": "bobross"}`, status: 204},
		{route: "PUT /v2/apps/{app}/", arrange: deploy, body: `{"workspace": "bobross"}`, status: 204},
		{route: "POST /v2/apps/{app}/", arrange: deploy, body: `{"owner": "bobross"}`, status: 200},
	}
}

// addDeploySchemas adds the objects of limits.
func addDeploySchemas(all map[string]string) map[string]string {
	maps.Copy(all, map[string]string{
		"Spec": "{id:str cpu:{name:str cores:int clock:str boost:str threads:int} memory:{size:str type:str} " +
			"features:{gpu:{name:str tmus:int rops:int cores:int memory:{size:str type:str}} network:str} disabled:bool}",
		"Plan": "{id:str spec:Spec cpu:int memory:int features:{gpu:int network:int} disabled:bool}",
	})
	return all
}
