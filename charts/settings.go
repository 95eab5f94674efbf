package charts

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strings"
)

// Ports on the node's address that the charts open beside 80 and 443.
const (
	AdminPort        = 9581 // gateway: /ping and /metrics
	NodeExporterPort = 9582 // monitoring: /metrics of the node
)

// Settings is what one installation has of its own. Defaults fills all but
// NodeIP and ControllerAddress.
type Settings struct {
	Domain string // platform domain, "slipway.localhost"
	// FormerDomains are those before: the registry and the API keep their names
	// there, names of apps lead on.
	FormerDomains []string
	NodeIP        string // address of the server whose controller works
	Nodes         int    // how many the cluster has; at least 1

	ClusterDomain string // "cluster.local"
	DNSIP         string // of Service kube-dns, inside the service CIDR
	RegistryIP    string // of Service registry, inside the service CIDR
	GatewayIP     string // of Service gateway, likewise: pods reach the nearest gateway there
	GitIP         string // of the Service of git push, likewise; it is made by the controller
	DataDir       string // of k3s: volumes go to <DataDir>/storage

	// ResolveInside makes pods see the platform domain at GatewayIP rather than
	// where DNS says.
	ResolveInside bool
	DNSUpstreams  []string // empty: those of the node

	ControllerAddress string // where the controller listens; empty: no route to it
	ControllerPort    int
	// ControllerMetrics is the path of its metrics; empty: not scraped.
	ControllerMetrics string

	HTTPPort, HTTPSPort int
	GatewayPorts        []GatewayPort // more of them
	AccessLog           bool
	HTTP3               bool
	FastProxy           bool

	StorageClass     string // of S3 objects; empty: the default class, made by chart cluster
	RegistryClass    string // of images, likewise
	MetricsClass     string // of metrics, likewise
	StorageSize      string // of S3 objects
	RegistrySize     string
	MetricsSize      string
	MetricsRetention string // "90d"
	// SharedRoot says that the node's root mount is shared, so that disks mounted
	// later are seen by the node's metrics.
	SharedRoot bool
	// SidecarMetadata is for a data dir without user extended attributes.
	SidecarMetadata bool

	RegistryS3 *S3 // nil: on a claim

	Builder Builder

	Secrets Secrets
}

// Builder says what builds may have.
type Builder struct {
	ClusterCIDRs []string // of pods and Services; builds reach none of them but what they need
	HostIPs      []string // addresses of nodes; builds reach none
	CPU          string   // all builds together, "1"
	Memory       string   // likewise, "2Gi"
	Processes    int      // of one build step
	UserSpace    bool     // a user namespace of its own
	Idle         string   // after which buildkitd stops, "5m"
	CacheClass   string   // of the cache; empty: the default class
	CacheSize    string   // "20Gi"
	CacheMB      int      // more is dropped
	KeepFreeMB   int      // of the disk, in favour of which the cache is dropped
}

// GatewayPort is a port on which the gateway listens; Protocol is HTTP, HTTPS,
// TCP or TLS.
type GatewayPort struct {
	Port     int
	Protocol string
}

// S3 is storage outside for the registry. Keys are in its Secret.
type S3 struct {
	Endpoint string // "https://host"; empty: AWS
	Region   string
	Bucket   string
}

// Secrets are the names, in PlatformNamespace, of Secrets that exist before
// the charts are installed. They are not changed or removed with them.
type Secrets struct {
	WildcardTLS string // kubernetes.io/tls for *.<Domain>
	Storage     string // accessKey, secretKey: root of the S3 storage
	Registry    string // htpasswd, httpSecret; with RegistryS3 s3AccessKey, s3SecretKey
	Metrics     string // username, password of the metrics UI
}

// Defaults is an installation on k3s's usual networks.
func Defaults() Settings {
	return Settings{
		Domain:            "slipway.localhost",
		Nodes:             1,
		ClusterDomain:     "cluster.local",
		DNSIP:             "10.43.0.10",
		RegistryIP:        "10.43.0.20",
		GatewayIP:         "10.43.0.21",
		GitIP:             "10.43.0.22",
		DataDir:           "/var/lib/rancher/k3s",
		ResolveInside:     true,
		ControllerPort:    9580,
		ControllerMetrics: "/metrics",
		HTTPPort:          80,
		HTTPSPort:         443,
		StorageSize:       "10Gi",
		RegistrySize:      "20Gi",
		MetricsSize:       "5Gi",
		MetricsRetention:  "90d",
		Builder: Builder{
			ClusterCIDRs: []string{"10.42.0.0/16", "10.43.0.0/16"}, CPU: "1", Memory: "2Gi", Processes: 2048,
			UserSpace: true, Idle: "5m", CacheSize: "20Gi", CacheMB: 10 << 10, KeepFreeMB: 5 << 10,
		},
		Secrets: Secrets{
			WildcardTLS: "drycc-wildcard-tls",
			Storage:     "drycc-storage",
			Registry:    "drycc-registry",
			Metrics:     "drycc-metrics",
		},
	}
}

// Validate names every setting that no chart could use. What a chart's schema
// checks as well (names, sizes, ports) is left to it.
func (s Settings) Validate() error {
	var errs []error
	require := func(name, value string) {
		if value == "" {
			errs = append(errs, fmt.Errorf("%s is empty", name))
		}
	}
	require("Domain", s.Domain)
	require("ClusterDomain", s.ClusterDomain)
	require("Secrets.WildcardTLS", s.Secrets.WildcardTLS)
	require("Secrets.Storage", s.Secrets.Storage)
	require("Secrets.Registry", s.Secrets.Registry)
	require("Secrets.Metrics", s.Secrets.Metrics)
	if !path.IsAbs(s.DataDir) {
		errs = append(errs, fmt.Errorf("DataDir %q is not an absolute path", s.DataDir))
	}
	for _, a := range []struct {
		name, value string
		optional    bool
	}{
		{"NodeIP", s.NodeIP, false},
		{"DNSIP", s.DNSIP, false},
		{"RegistryIP", s.RegistryIP, false},
		{"GatewayIP", s.GatewayIP, false},
		{"GitIP", s.GitIP, false},
		{"ControllerAddress", s.ControllerAddress, true},
	} {
		if a.value == "" && a.optional {
			continue
		}
		if _, err := netip.ParseAddr(a.value); err != nil {
			errs = append(errs, fmt.Errorf("%s %q is not an IP address", a.name, a.value))
		}
	}
	// Kubernetes refuses such backends, and a pod would reach only itself.
	if a, err := netip.ParseAddr(s.ControllerAddress); err == nil && (a.IsLoopback() || a.IsUnspecified()) {
		errs = append(errs, fmt.Errorf("ControllerAddress %s cannot be reached from the gateway", a))
	}
	if strings.HasPrefix(s.Domain, "*.") {
		errs = append(errs, fmt.Errorf("domain %q: give it without the wildcard", s.Domain))
	}
	if len(errs) > 0 {
		return fmt.Errorf("chart settings: %w", errors.Join(errs...))
	}
	return nil
}
