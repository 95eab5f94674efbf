package bootstrap

import (
	"net/netip"
	"strings"
)

// Verdict says what becomes of a setting.
type Verdict string

// The verdicts. Every name of the Drycc guide has one.
const (
	// Honoured means what the guide says it means.
	Honoured Verdict = "honoured"
	// Mapped has the nearest meaning that this product has.
	Mapped Verdict = "mapped"
	// Refused has no effect, for the reason given.
	Refused Verdict = "refused"
)

// Setting is one row of the settings table: the single place that knows a name.
type Setting struct {
	Name     string // in the environment
	Group    string // heading in the documentation
	Key      string // in config.yaml, "" when it is not kept there
	Default  string // as shown
	Meaning  string
	Verdict  Verdict
	Effect   string // what a mapped one does, or why a refused one does nothing
	Harmless string // the value of a refused one that asks for what happens anyway
	Secret   bool   // kept in the credentials file, never shown

	apply check                 // reads it into Settings
	show  func(Settings) string // writes it back, "" when there is nothing to keep
}

// The groups of the table, in the order of the documentation.
const (
	groupGuide      = "Names of the Drycc guide"
	groupController = "Controller"
	groupBackup     = "Backups"
	groupCluster    = "Cluster and volumes"
	groupK3s        = "Names of k3s"
	groupInstaller  = "Names of the installer"
	groupProxy      = "Proxy"
)

// SettingsTable returns all settings that are known.
func SettingsTable() []Setting {
	var all []Setting
	all = append(all, guidePlatform()...)
	all = append(all, rehomeSettings()...)
	all = append(all, acmeSettings()...)
	all = append(all, guideReplicas()...)
	all = append(all, guideVolumes()...)
	all = append(all, controllerSettings()...)
	all = append(all, deploySettings()...)
	all = append(all, gitSettings()...)
	all = append(all, builderSettings()...)
	all = append(all, backupSettings()...)
	all = append(all, upgradeSettings()...)
	all = append(all, identitySettings()...)
	all = append(all, gatewaySettings()...)
	all = append(all, clusterSettings()...)
	all = append(all, hardeningSettings()...)
	all = append(all, k3sSettings()...)
	all = append(all, installerSettings()...)
	return append(all, proxySettings()...)
}

// refused makes a row that only explains itself.
func refused(group, name, meaning, why string) Setting {
	return Setting{Name: name, Group: group, Meaning: meaning, Verdict: Refused, Effect: why}
}

func guidePlatform() []Setting {
	g := groupGuide
	return []Setting{
		{Name: "PLATFORM_DOMAIN", Group: g, Key: "domain", Default: "slipway.localhost", Verdict: Honoured,
			Meaning: "domain of the platform: the API is at drycc.<domain>, an app at <app>.<domain>",
			apply:   domain, show: func(s Settings) string { return s.Domain }},
		{Name: "DRYCC_ADMIN_USERNAME", Group: g, Key: "admin-username", Default: "admin", Verdict: Honoured,
			Meaning: "name of the first administrator",
			apply:   username, show: func(s Settings) string { return s.AdminUsername }},
		{Name: "DRYCC_ADMIN_PASSWORD", Group: g, Default: "generated", Verdict: Honoured, Secret: true,
			Meaning: "password of the first administrator, kept in /etc/slipway/credentials",
			apply:   password, show: func(s Settings) string { return s.AdminPassword.Reveal() }},
		{Name: "DATABASE_URL", Group: groupCluster, Default: "SQLite in /var/lib/slipway", Verdict: Honoured, Secret: true,
			Meaning: "a PostgreSQL database for the controller's records, postgres://user:password@host:5432/name?sslmode=verify-full; records are not moved there from SQLite",
			apply:   databaseURL, show: func(s Settings) string { return s.DatabaseURL.Reveal() }},
		withHarmless("stable", refused(g, "CHANNEL", "release channel", "the binary is the release: install another binary for another version")),
		{Name: "KUBERNETES_SERVICE_HOST", Group: g, Key: "api-host", Verdict: Mapped,
			Meaning: "name of a load balancer in front of the Kubernetes API", Effect: "added to the names in the certificate of the API",
			apply: func(s *Settings, v string) (string, string) {
				if strings.ContainsAny(v, " /\"'") {
					return "is not a host name", "give one name or address, or several with commas between"
				}
				s.APIHosts = strings.Split(v, ",")
				return "", ""
			},
			show: func(s Settings) string { return strings.Join(s.APIHosts, ",") }},
		withHarmless("6443", refused(g, "KUBERNETES_SERVICE_PORT", "port of a load balancer in front of the Kubernetes API",
			"nothing here connects through that load balancer; clients name the port in their kubeconfig")),
		refused(g, "METALLB_CONFIG_FILE", "MetalLB configuration", "there is no MetalLB: the gateway listens on ports 80 and 443 of the node"),
		refused(g, "LONGHORN_CONFIG_FILE", "Longhorn configuration", "there is no Longhorn: volumes are folders on the node"),
		refused(g, "INSTALL_DRYCC_MIRROR", "download mirror", "nothing is downloaded: all programs and images are in the binary"),
		{Name: "K3S_DATA_DIR", Group: g, Key: "data-dir", Default: "/var/lib/rancher/k3s", Verdict: Honoured,
			Meaning: "folder for the data of k3s, volumes among them",
			apply:   folder(func(s *Settings) *string { return &s.DataDir }), show: func(s Settings) string { return s.DataDir }},
		refused(g, "CONTROLLER_APP_RUNTIME_CLASS", "RuntimeClass of apps", "apps run with runc, the one runtime that is carried"),
		refused(g, "CONTROLLER_APP_GATEWAY_CLASS", "GatewayClass of apps", "apps share the platform's one Gateway, of class traefik"),
		{Name: "CONTROLLER_APP_STORAGE_CLASS", Group: g, Key: "app-storage-class", Verdict: Honoured,
			Meaning: "StorageClass of new volumes of apps; without it the cluster's default",
			apply:   kubeName(func(s *Settings) *string { return &s.AppClass }), show: func(s Settings) string { return s.AppClass }},
		refused(g, "VICTORIAMETRICS_CONFIG_FILE", "VictoriaMetrics configuration",
			"the monitoring chart is our own and has other values; see VICTORIAMETRICS_VMSTORAGE_PERSISTENCE_SIZE"),
	}
}

func withHarmless(v string, s Setting) Setting {
	s.Harmless = v
	return s
}

// guideReplicas are numbers of copies of parts that are one process here.
func guideReplicas() []Setting {
	const inController = "this part is in the controller, which is one process"
	const noBroker = "there is no Helm broker"
	rows := []struct{ name, part, why string }{
		{"BUILDER_REPLICAS", "builder", inController},
		{"CONTROLLER_API_REPLICAS", "controller API", inController},
		{"CONTROLLER_CELERY_REPLICAS", "controller worker", inController},
		{"CONTROLLER_METRIC_REPLICAS", "controller metrics", inController},
		{"CONTROLLER_MUTATE_REPLICAS", "controller admission", inController},
		{"CONTROLLER_WEBHOOK_REPLICAS", "controller webhook", inController},
		{"TIMESERIES_REPLICAS", "time series database", "metrics are kept by one VictoriaMetrics"},
		{"PASSPORT_REPLICAS", "login", inController},
		{"REGISTRY_REPLICAS", "registry", "the registry keeps its images on a volume that one pod can write"},
		{"HELMBROKER_API_REPLICAS", "Helm broker API", noBroker},
		{"HELMBROKER_CELERY_REPLICAS", "Helm broker worker", noBroker},
	}
	var all []Setting
	for _, r := range rows {
		all = append(all, withHarmless("1", refused(groupGuide, r.name, "number of copies: "+r.part, r.why)))
	}
	return all
}

// volumeRows are the two settings of a volume that exists.
func volumeRows(group, prefix, key, part string, v Verdict, effect string, size string, field func(*Settings) *Volume) []Setting {
	return []Setting{
		{Name: prefix + "_PERSISTENCE_SIZE", Group: group, Key: key + "-size", Default: size, Verdict: v,
			Meaning: "size of the volume: " + part, Effect: effect,
			apply: quantity(func(s *Settings) *string { return &field(s).Size }),
			show:  func(s Settings) string { return field(&s).Size }},
		{Name: prefix + "_PERSISTENCE_STORAGE_CLASS", Group: group, Key: key + "-storage-class", Verdict: v,
			Meaning: "StorageClass of the volume: " + part, Effect: effect,
			apply: kubeName(func(s *Settings) *string { return &field(s).Class }),
			show:  func(s Settings) string { return field(&s).Class }},
	}
}

func guideVolumes() []Setting {
	var all []Setting
	all = append(all, volumeRows(groupGuide, "STORAGE", "storage", "S3 storage", Honoured, "", "5Gi",
		func(s *Settings) *Volume { return &s.StorageVolume })...)
	all = append(all, volumeRows(groupGuide, "VICTORIAMETRICS_VMSTORAGE", "metrics", "metrics", Mapped,
		"the volume of the one VictoriaMetrics process", "10Gi", func(s *Settings) *Volume { return &s.MetricsVolume })...)
	for _, r := range []struct{ prefix, part, why string }{
		{"VALKEY", "Valkey", "there is no Valkey"},
		{"MONITOR_GRAFANA", "Grafana", "there is no Grafana; the user interface of VictoriaMetrics needs no volume"},
		{"DATABASE", "database", "the database is SQLite in /var/lib/slipway, or PostgreSQL elsewhere by DATABASE_URL"},
		{"TIMESERIES", "time series database", "metrics are kept by VictoriaMetrics: set VICTORIAMETRICS_VMSTORAGE_PERSISTENCE_SIZE"},
		{"HELMBROKER", "Helm broker", "there is no Helm broker"},
		{"VICTORIAMETRICS_VMAGENT", "metrics agent", "one process collects and keeps the metrics: set VICTORIAMETRICS_VMSTORAGE_PERSISTENCE_SIZE"},
	} {
		all = append(all,
			refused(groupGuide, r.prefix+"_PERSISTENCE_SIZE", "size of the volume: "+r.part, r.why),
			refused(groupGuide, r.prefix+"_PERSISTENCE_STORAGE_CLASS", "StorageClass of the volume: "+r.part, r.why))
	}
	return all
}

func clusterSettings() []Setting {
	g := groupCluster
	all := []Setting{
		{Name: "CLUSTER_CIDR", Group: g, Key: "cluster-cidr", Default: "10.42.0.0/16", Verdict: Honoured, Meaning: "addresses of pods",
			apply: cidr(func(s *Settings) *netip.Prefix { return &s.ClusterCIDR }, 8, 23),
			show:  func(s Settings) string { return s.ClusterCIDR.String() }},
		{Name: "SERVICE_CIDR", Group: g, Key: "service-cidr", Default: "10.43.0.0/16", Verdict: Honoured, Meaning: "addresses of services",
			apply: cidr(func(s *Settings) *netip.Prefix { return &s.ServiceCIDR }, 12, 24),
			show:  func(s Settings) string { return s.ServiceCIDR.String() }},
		refused(g, "DRYCC_REGISTRY", "registry of the platform's images", "all images of the platform are in the binary"),
		refused(g, "CONTAINERD_RUNTIMES", "more container runtimes", "runc is the one runtime that is carried"),
	}
	return append(all, volumeRows(g, "REGISTRY", "registry", "images pushed to the registry", Honoured, "", "10Gi",
		func(s *Settings) *Volume { return &s.RegistryVolume })...)
}
