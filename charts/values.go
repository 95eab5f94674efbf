package charts

import (
	"net"
	"net/netip"
	"path"
	"slices"
	"strings"
)

func clusterValues(s Settings) map[string]any {
	gateway, git := []string{}, []string{}
	if s.ResolveInside {
		gateway, git = append(gateway, s.GatewayIP), append(git, s.GitIP)
	}
	upstreams := []any{}
	for _, u := range s.DNSUpstreams {
		upstreams = append(upstreams, u)
	}
	return map[string]any{
		"platform": map[string]any{"domain": s.Domain, "formerDomains": list(s.FormerDomains), "gatewayIPs": list(gateway), "gitIPs": list(git)},
		"dns": map[string]any{
			"clusterIP":     s.DNSIP,
			"clusterDomain": s.ClusterDomain,
			"upstreams":     upstreams,
			"replicas":      min(max(s.Nodes, 1), 2),
		},
		"volumes": map[string]any{"path": path.Join(s.DataDir, "storage")},
	}
}

func gatewayValues(s Settings) map[string]any {
	ports := []any{}
	for _, p := range s.GatewayPorts {
		ports = append(ports, map[string]any{"port": p.Port, "protocol": p.Protocol})
	}
	return map[string]any{
		"domain":         s.Domain,
		"formerDomains":  list(s.FormerDomains),
		"clusterIP":      s.GatewayIP,
		"wildcardSecret": s.Secrets.WildcardTLS,
		"httpPort":       s.HTTPPort,
		"httpsPort":      s.HTTPSPort,
		"ports":          ports,
		"adminPort":      AdminPort,
		"accessLog":      s.AccessLog,
		"http3":          s.HTTP3,
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
		"domain":        s.Domain,
		"formerDomains": list(s.FormerDomains),
		"clusterIP":     s.RegistryIP,
		"secret":        s.Secrets.Registry,
		"storage":       storage,
		"persistence":   claim(s.RegistryClass, s.RegistrySize),
	}
}

func monitoringValues(s Settings) map[string]any {
	scrape := map[string]any{"gatewayPort": AdminPort}
	if s.ControllerAddress != "" && s.ControllerMetrics != "" {
		// By its Service, which leads to whichever server's works.
		scrape["controller"] = "drycc-controller." + PlatformNamespace + ".svc:80"
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

func builderValues(s Settings) map[string]any {
	b := s.Builder
	nodes := []string{}
	for _, a := range append([]string{s.NodeIP}, b.HostIPs...) {
		// A loopback address is that of the pod itself in there.
		if p, err := netip.ParseAddr(a); err == nil && p.Is4() && !p.IsLoopback() && !slices.Contains(nodes, a) {
			nodes = append(nodes, a)
		}
	}
	return map[string]any{
		"registry":      net.JoinHostPort(s.RegistryIP, "5000"),
		"domain":        s.Domain,
		"formerDomains": list(s.FormerDomains),
		"network":       map[string]any{"cluster": list(b.ClusterCIDRs), "nodes": list(nodes)},
		"idle":          b.Idle,
		"userNamespace": b.UserSpace,
		"persistence":   claim(b.CacheClass, b.CacheSize),
		"cache":         map[string]any{"maxMegabytes": b.CacheMB, "keepFreeMegabytes": b.KeepFreeMB},
		"step":          map[string]any{"pids": b.Processes},
		"resources":     map[string]any{"limits": map[string]any{"cpu": b.CPU, "memory": b.Memory}},
	}
}

// list is words as Helm takes them.
func list(words []string) []any {
	out := []any{}
	for _, w := range words {
		out = append(out, w)
	}
	return out
}

func claim(class, size string) map[string]any {
	return map[string]any{"storageClass": class, "size": size}
}
