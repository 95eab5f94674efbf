package charts

import (
	"net"
	"path"
	"strconv"
	"strings"
)

func clusterValues(s Settings) map[string]any {
	nodeIPs := []any{}
	if s.ResolveInside && s.NodeIP != "" {
		nodeIPs = append(nodeIPs, s.NodeIP)
	}
	upstreams := []any{}
	for _, u := range s.DNSUpstreams {
		upstreams = append(upstreams, u)
	}
	return map[string]any{
		"platform": map[string]any{"domain": s.Domain, "nodeIPs": nodeIPs},
		"dns": map[string]any{
			"clusterIP":     s.DNSIP,
			"clusterDomain": s.ClusterDomain,
			"upstreams":     upstreams,
		},
		"volumes": map[string]any{"path": path.Join(s.DataDir, "storage")},
	}
}

func gatewayValues(s Settings) map[string]any {
	return map[string]any{
		"domain":         s.Domain,
		"wildcardSecret": s.Secrets.WildcardTLS,
		"httpPort":       s.HTTPPort,
		"httpsPort":      s.HTTPSPort,
		"adminPort":      AdminPort,
		"accessLog":      s.AccessLog,
		"fastProxy":      s.FastProxy,
		"controller":     map[string]any{"address": s.ControllerAddress, "port": s.ControllerPort},
	}
}

func storageValues(s Settings) map[string]any {
	metadata := "xattr"
	if s.SidecarMetadata {
		metadata = "sidecar"
	}
	return map[string]any{
		"keysSecret":  s.Secrets.Storage,
		"metadata":    metadata,
		"persistence": claim(s.StorageClass, s.StorageSize),
	}
}

func registryValues(s Settings) map[string]any {
	storage := map[string]any{"type": "filesystem"}
	if s.RegistryS3 != nil {
		storage = map[string]any{"type": "s3", "s3": map[string]any{
			"endpoint": s.RegistryS3.Endpoint,
			"region":   s.RegistryS3.Region,
			"bucket":   s.RegistryS3.Bucket,
			"secure":   !strings.HasPrefix(s.RegistryS3.Endpoint, "http://"),
		}}
	}
	return map[string]any{
		"domain":      s.Domain,
		"clusterIP":   s.RegistryIP,
		"secret":      s.Secrets.Registry,
		"storage":     storage,
		"persistence": claim(s.RegistryClass, s.RegistrySize),
	}
}

func monitoringValues(s Settings) map[string]any {
	scrape := map[string]any{"gatewayPort": AdminPort}
	if s.ControllerAddress != "" && s.ControllerMetrics != "" {
		scrape["controller"] = net.JoinHostPort(s.ControllerAddress, strconv.Itoa(s.ControllerPort))
		scrape["controllerPath"] = s.ControllerMetrics
	}
	return map[string]any{
		"domain": s.Domain,
		"scrape": scrape,
		"victoriaMetrics": map[string]any{
			"retention":   s.MetricsRetention,
			"authSecret":  s.Secrets.Metrics,
			"persistence": claim(s.MetricsClass, s.MetricsSize),
		},
		"nodeExporter": map[string]any{"port": NodeExporterPort, "followMounts": s.SharedRoot},
	}
}

func claim(class, size string) map[string]any {
	return map[string]any{"storageClass": class, "size": size}
}
