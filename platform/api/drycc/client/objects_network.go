package client

// Domain is a host name of an app.
type Domain struct {
	App     string `json:"app"`
	Domain  string `json:"domain"`
	Ptype   string `json:"ptype"`
	Created string `json:"created"`
	Updated string `json:"updated"`
}

// Cert is a certificate. The key is never shown.
type Cert struct {
	ID          int      `json:"id"`
	App         string   `json:"app"`
	Owner       string   `json:"owner,omitempty"`
	Name        string   `json:"name"`
	CommonName  string   `json:"common_name"`
	SAN         []string `json:"san"`
	Fingerprint string   `json:"fingerprint"`
	Expires     string   `json:"expires"`
	Starts      string   `json:"starts"`
	Issuer      string   `json:"issuer"`
	Subject     string   `json:"subject"`
	Domains     []string `json:"domains"`
	Created     string   `json:"created"`
	Updated     string   `json:"updated"`
}

// TLS is how an app does HTTPS. A switch that was never set is nil.
type TLS struct {
	Meta
	App              string     `json:"app"`
	HTTPSEnforced    *bool      `json:"https_enforced"`
	CertsAutoEnabled *bool      `json:"certs_auto_enabled"`
	Issuer           *Issuer    `json:"issuer"`
	Events           []TLSEvent `json:"events"`
}

// Issuer is the ACME account that certificates come from.
type Issuer struct {
	Email     string `json:"email"`
	Server    string `json:"server"`
	KeyID     string `json:"key_id"`
	KeySecret string `json:"key_secret"`
}

// TLSEvent is something that happened to an automatic certificate.
type TLSEvent struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Time    string `json:"time"`
	Type    string `json:"type"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

// Diagnosis is how the links between a domain and its certificate are. Status
// is the worst of them: ok, warn or fail.
type Diagnosis struct {
	App    string `json:"app"`
	Domain string `json:"domain"`
	Status string `json:"status"`
	Time   string `json:"time"`
	Links  []Link `json:"links"`
}

// Link is one of them. State is ok, warn, fail or skipped.
type Link struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Evidence string `json:"evidence"`
	Reason   string `json:"reason"`
	Cure     string `json:"cure"`
}

// Service makes a process type reachable inside the cluster.
type Service struct {
	Name   string        `json:"name"`
	Domain string        `json:"domain"`
	Ptype  string        `json:"ptype"`
	Ports  []ServicePort `json:"ports"`
}

// ServicePort is one port of a Service.
type ServicePort struct {
	Name       string `json:"name"`
	Port       int    `json:"port"`
	Protocol   string `json:"protocol"`
	TargetPort int    `json:"targetPort"`
}

// Gateway is where requests come in from outside.
type Gateway struct {
	ID        int           `json:"id"`
	App       string        `json:"app"`
	Name      string        `json:"name"`
	Ports     []GatewayPort `json:"ports"`
	Addresses []Address     `json:"addresses"`
	Created   string        `json:"created"`
	Updated   string        `json:"updated"`
}

// GatewayPort is a listener of a Gateway.
type GatewayPort struct {
	Port     int    `json:"port"`
	Protocol string `json:"protocol"`
}

// Address is where a Gateway can be reached.
type Address struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Route joins gateways with services. Rules are the Gateway API's for Kind.
type Route struct {
	ID         int              `json:"id"`
	App        string           `json:"app"`
	Name       string           `json:"name"`
	Kind       string           `json:"kind"`
	ParentRefs []ParentRef      `json:"parent_refs"`
	Rules      []map[string]any `json:"rules"`
	Routable   bool             `json:"routable"`
	Created    string           `json:"created"`
	Updated    string           `json:"updated"`
}

// ParentRef names a gateway's listener.
type ParentRef struct {
	Name string `json:"name"`
	Port int    `json:"port"`
}

// Volume is storage that outlives pods. Path is where it is mounted, by
// process type.
type Volume struct {
	Meta
	App        string            `json:"app"`
	Owner      string            `json:"owner,omitempty"`
	Name       string            `json:"name"`
	Size       string            `json:"size"`
	Path       map[string]string `json:"path"`
	Type       string            `json:"type"`
	Parameters map[string]any    `json:"parameters,omitempty"`
}

// Spec describes machines.
type Spec struct {
	ID       string       `json:"id"`
	CPU      SpecCPU      `json:"cpu"`
	Memory   SpecMemory   `json:"memory"`
	Features SpecFeatures `json:"features"`
	Disabled bool         `json:"disabled"`
}

// SpecCPU is a Spec's processor.
type SpecCPU struct {
	Name    string `json:"name"`
	Cores   int    `json:"cores"`
	Clock   string `json:"clock"`
	Boost   string `json:"boost"`
	Threads int    `json:"threads"`
}

// SpecMemory is memory of a kind.
type SpecMemory struct {
	Size string `json:"size"`
	Type string `json:"type"`
}

// SpecFeatures is what a Spec has besides.
type SpecFeatures struct {
	GPU     SpecGPU `json:"gpu"`
	Network string  `json:"network"`
}

// SpecGPU is a Spec's graphics processor.
type SpecGPU struct {
	Name   string     `json:"name"`
	TMUs   int        `json:"tmus"`
	ROPs   int        `json:"rops"`
	Cores  int        `json:"cores"`
	Memory SpecMemory `json:"memory"`
}

// Plan is how much a process may use. CPU is in cores, Memory in GiB.
type Plan struct {
	ID       string       `json:"id"`
	Spec     Spec         `json:"spec"`
	CPU      int          `json:"cpu"`
	Memory   int          `json:"memory"`
	Features PlanFeatures `json:"features"`
	Disabled bool         `json:"disabled"`
}

// PlanFeatures is how much of a Spec's features a Plan has.
type PlanFeatures struct {
	GPU     int `json:"gpu"`
	Network int `json:"network"`
}

// Resource is a backing service of an app.
type Resource struct {
	Meta
	App     string            `json:"app"`
	Owner   string            `json:"owner,omitempty"`
	Name    string            `json:"name"`
	Plan    string            `json:"plan"`
	Status  string            `json:"status"`
	Binding string            `json:"binding"`
	Message string            `json:"message,omitempty"`
	Data    map[string]string `json:"data"`
	Options map[string]any    `json:"options,omitempty"`
}

// ResourceService is an entry of the catalog.
type ResourceService struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Updateable bool   `json:"updateable"`
}

// ResourcePlan is a size of a ResourceService.
type ResourcePlan struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
}
