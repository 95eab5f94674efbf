// Package charts holds the Helm charts of the platform and says in which order,
// where and with which values they are installed.
//
//	early.yaml   rights of k3s itself, applied by k3s before any chart
//	cluster      kube-system: DNS, metrics API, volumes on the node's disk
//	gateway      drycc: Gateway API, Traefik, the one Gateway, the API's route
//	  storage, registry, monitoring   drycc: on claims of the one, with routes
//	                                  and priorities of the two
//	    builder   drycc: on a claim, pushes to the registry
//
// It renders nothing: bootstrap/helm does. Secrets the charts name are made by
// whoever installs them; Secrets lists their keys.
package charts

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed early.yaml
//go:embed all:cluster all:gateway all:storage all:registry all:monitoring all:builder
var files embed.FS

// Namespaces the charts go to.
const (
	SystemNamespace   = "kube-system"
	PlatformNamespace = "drycc"
)

// Chart is one chart and its place in the installation.
type Chart struct {
	Name      string   // also the folder below this package
	Release   string   // name of the Helm release
	Namespace string   // of the release and of all it holds that has one
	After     []string // charts whose objects must exist before this one's
	values    func(Settings) map[string]any
}

// Files is the chart's directory, Chart.yaml at its top.
func (c Chart) Files() (fs.FS, error) {
	sub, err := fs.Sub(files, c.Name)
	if err != nil {
		return nil, fmt.Errorf("chart %s: %w", c.Name, err)
	}
	return sub, nil
}

// Values is what the settings change of the chart's own values.yaml. It holds
// no secrets: Helm keeps values readable in its release records.
func (c Chart) Values(s Settings) map[string]any { return c.values(s) }

// List is all charts, each after those it needs.
func List() []Chart {
	return []Chart{
		{Name: "cluster", Release: "slipway-cluster", Namespace: SystemNamespace, values: clusterValues},
		{Name: "gateway", Release: "slipway-gateway", Namespace: PlatformNamespace, values: gatewayValues},
		{Name: "storage", Release: "slipway-storage", Namespace: PlatformNamespace,
			After: []string{"cluster"}, values: storageValues},
		{Name: "registry", Release: "slipway-registry", Namespace: PlatformNamespace,
			After: []string{"cluster", "gateway"}, values: registryValues},
		{Name: "monitoring", Release: "slipway-monitoring", Namespace: PlatformNamespace,
			After: []string{"cluster", "gateway"}, values: monitoringValues},
		{Name: "builder", Release: "slipway-builder", Namespace: PlatformNamespace,
			After: []string{"cluster", "registry"}, values: builderValues},
	}
}

// EarlyManifest is what k3s has to apply itself, from its manifests directory,
// for the node to become ready: the rights of its cloud controller, of its own
// controllers and of the API server at the kubelet.
func EarlyManifest() []byte {
	data, err := files.ReadFile("early.yaml")
	if err != nil {
		panic(err) // embedded: absent only in a broken build
	}
	return data
}
