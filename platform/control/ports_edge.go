package control

import (
	"context"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// WorkEdge is the kind of work that brings the cluster's gateways, services,
// routes and certificates of an app in line with its records.
const WorkEdge WorkKind = "edge"

// EdgeStore keeps what apps show to the outside. Changes append events.
type EdgeStore interface {
	// FindEdge reads all records of an app but private keys, in one state. TLS
	// has no UUID and zero times when it was never changed. Domains are sorted
	// by name, services by process type, the others by ID.
	FindEdge(ctx context.Context, app string) (Edge, error)
	// ListPairs lists the certificates that the app's domains are served with,
	// attached ones and own ones, with their private keys.
	ListPairs(ctx context.Context, app string) ([]Pair, error)
	// ListAuto lists the apps whose domains get certificates by themselves, in
	// no order.
	ListAuto(ctx context.Context) ([]string, error)

	AddDomain(ctx context.Context, d platform.Domain) error // Conflict when any app has it
	FindDomain(ctx context.Context, name string) (platform.Domain, error)
	DeleteDomain(ctx context.Context, app, name string, at time.Time) error
	// ListClaims lists which apps other than app have one of names, in lower
	// case, as a domain or in a certificate that is attached. One may be listed
	// several times.
	ListClaims(ctx context.Context, app string, names []string) ([]Claim, error)
	// ListBelow lists which apps outside a workspace have domains below name,
	// in lower case: "www.example.com" and "*.b.example.com" for "example.com".
	ListBelow(ctx context.Context, workspace, name string) ([]Claim, error)

	// AddCert gives the certificate its ID; key is sealed. A name is unique
	// within an app, or among its owner's when it belongs to no app.
	AddCert(ctx context.Context, c platform.Cert, key []byte) (platform.Cert, error)
	// ListCerts lists by ID and counts all that f lets through.
	ListCerts(ctx context.Context, f CertFilter, p Page) ([]platform.Cert, int, error)
	DeleteCert(ctx context.Context, id int64, at time.Time) error // and detaches it
	// AttachCert serves a domain with a certificate; cert 0 detaches what is attached.
	AttachCert(ctx context.Context, app, domain string, cert int64, at time.Time) error
	// SaveLeaf keeps the certificate that a domain got by itself; p and l are
	// of one domain. seen is when the one begins that it replaces, zero for
	// none: Conflict when there is another one by now.
	SaveLeaf(ctx context.Context, p Pair, l Leaf, seen time.Time) error
	CertStore

	SaveTLS(ctx context.Context, t platform.TLS) error
	SaveService(ctx context.Context, s platform.Service) error // without ports: deleted
	// SaveGateway and SaveRoute keep the ID of one that is there. A port of a
	// gateway that is exclusive and another app's is Invalid.
	SaveGateway(ctx context.Context, g platform.Gateway) (platform.Gateway, error)
	DeleteGateway(ctx context.Context, app, name string, at time.Time) error
	SaveRoute(ctx context.Context, r platform.Route) (platform.Route, error)
	DeleteRoute(ctx context.Context, app, name string, at time.Time) error
}

// Edge are an app's records of what it shows to the outside. Only what differs
// from the defaults is recorded.
type Edge struct {
	Domains  []platform.Domain
	TLS      platform.TLS
	Services []platform.Service
	Gateways []platform.Gateway
	Routes   []platform.Route
	Leaves   []Leaf
	Attempts []CertAttempt // sorted by domain; of domains that were tried at a public authority
}

// Leaf tells of a certificate that a domain got by itself.
type Leaf struct {
	Domain          string
	Starts, Expires time.Time
	Issuer          string // address of the public authority; empty: the platform's own
}

// Pair is a certificate chain with its private key, both PEM.
type Pair struct {
	Domain string // that it is served for
	Name   string // of the uploaded certificate; empty for one that came by itself
	Chain  []byte
	Key    []byte // a secret
}

// Claim says that an app speaks for a host name, which may be a wildcard.
type Claim struct {
	App, Workspace string
	Name           string
	Cert           bool // by a certificate that is attached to one of its domains
}

// CertFilter narrows a list of certificates. Username limits it to those of
// the user's apps and the user's own.
type CertFilter struct {
	App, Username, Name string
	OfApp               bool // only certificates of App; those of no app when it is empty
}

// EdgeCluster puts what apps show to the outside in place.
type EdgeCluster interface {
	// Expose makes the cluster's services, gateways, routes and certificates of
	// the app what x says, removes others that it made before, and waits a
	// while until the gateway has taken them. What the gateway or the cluster
	// refuses is Invalid. Idempotent.
	Expose(ctx context.Context, x Exposure) error
}

// Exposure is all that the cluster has to know to show an app to the outside.
type Exposure struct {
	App       platform.App
	Services  []ExposedService
	Certs     []Pair // of domains, sorted by these
	Routes    []ExposedRoute
	HTTPSPort int // of the gateway; for certificates and redirects
	// Challenges are the hosts of which the controller, and not the app, answers
	// ChallengePath over HTTP.
	Challenges []string
}

// ExposedService is a Service of one process type.
type ExposedService struct {
	Name, Ptype string
	Ports       []platform.ServicePort
}

// ExposedRoute is a route with the host names that it answers to.
type ExposedRoute struct {
	Name     string
	Kind     string   // platform.HTTPRoute, platform.GRPCRoute, platform.TCPRoute, platform.TLSRoute
	Hosts    []string // none for a TCPRoute
	HTTP     bool     // on the gateway's plain port
	HTTPS    bool
	Ports    []platform.GatewayPort // more of them; all of those of a TCPRoute or TLSRoute
	Redirect bool                   // answers with a redirect to HTTPS; has no rules
	Rules    []platform.RouteRule
}
