// Package node says how a node's k3s is configured: the files k3s, the
// kubelet and containerd read, made from a few settings and what the host
// can do. It is pure: it returns the files and writes nothing.
package node

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// Config is what a node's files depend on.
type Config struct {
	DataDir        string // k3s data folder, /var/lib/rancher/k3s
	NodeName       string // empty: the host's name
	NodeIP         string // empty: k3s finds the address of the default route
	ClusterCIDR    string // pods, "10.42.0.0/16"
	ServiceCIDR    string // services, "10.43.0.0/16"
	FlannelBackend string // "vxlan" or "host-gw"
	PauseImage     string
	TLSSANs        []string // further names the API server's certificate holds
	Agent          bool     // no control plane on this node
	ServerURL      string   // set on a node that joins: https://first:6443
	Token          string   // with which it joins
	KubeMode       string   // permission of the kubeconfig, octal; empty: 0600
	ResolvConf     string   // name servers for pods; empty: the host's
	Registry       Registry
	Hardening      Hardening // empty: HardeningDefault

	// What the host can't do; see preflight.
	CgroupV1            bool // the kubelet must be told that it is allowed
	RestrictOOMScoreAdj bool // no CAP_SYS_RESOURCE: lowering oom_score_adj is refused
}

// Registry is the platform registry as a node's containerd reaches it.
type Registry struct {
	Host               string   // "registry.slipway.localhost"
	Former             []string // names it had before, in references of old images
	Endpoint           string   // "http://10.43.0.20:5000"
	Username, Password string
}

// File is one file to write. Secret files are for root only.
type File struct {
	Path   string
	Data   []byte
	Secret bool
}

// Files returns all files of a node in a fixed order.
func (c Config) Files() ([]File, error) {
	options := c.server()
	if c.Agent {
		options = c.common()
	}
	k3s, err := yaml.Marshal(options)
	if err != nil {
		return nil, fmt.Errorf("k3s config: %w", err)
	}
	kubelet, err := yaml.Marshal(c.kubelet())
	if err != nil {
		return nil, fmt.Errorf("kubelet config: %w", err)
	}
	registries, err := yaml.Marshal(c.registries())
	if err != nil {
		return nil, fmt.Errorf("registries: %w", err)
	}
	files := []File{
		{Path: "/etc/rancher/k3s/config.yaml", Data: withHeader(k3s), Secret: true},
		{Path: KubeletPath, Data: withHeader(kubelet)},
		{Path: "/etc/rancher/k3s/registries.yaml", Data: withHeader(registries), Secret: true},
	}
	if c.RestrictOOMScoreAdj {
		files = append(files, c.containerd()...)
	}
	if c.Agent {
		return files, nil
	}
	policies, err := c.policyFiles()
	return append(files, policies...), err
}

// KubeletPath is where the KubeletConfiguration lies.
const KubeletPath = "/etc/slipway/kubelet.yaml"

func withHeader(b []byte) []byte {
	return append([]byte("# Written by slipway; \"slipway install\" writes it again.\n"), b...)
}

// common are the options that servers and agents have. An agent is told the
// rest, networks and name servers among it, by the server it joins.
func (c Config) common() map[string]any {
	m := map[string]any{
		"data-dir":    c.DataDir,
		"pause-image": c.PauseImage,
		"kubelet-arg": []string{"config=" + KubeletPath},
	}
	for key, value := range map[string]string{"node-name": c.NodeName, "node-ip": c.NodeIP, "server": c.ServerURL, "token": c.Token, "resolv-conf": c.ResolvConf} {
		if value != "" {
			m[key] = value
		}
	}
	return m
}

// server is k3s's config file on a server. k3s's packaged components are off:
// they are not part of k3s as a library, and the charts bring ours.
func (c Config) server() map[string]any {
	m := c.common()
	for key, value := range map[string]any{
		"write-kubeconfig-mode":       cmp.Or(c.KubeMode, "0600"),
		"disable":                     []string{"coredns", "local-storage", "metrics-server", "traefik", "servicelb"},
		"disable-helm-controller":     true,
		"flannel-backend":             c.FlannelBackend,
		"cluster-cidr":                c.ClusterCIDR,
		"service-cidr":                c.ServiceCIDR,
		"secrets-encryption":          true,
		"kube-apiserver-arg":          c.apiServerArgs(),
		"kube-controller-manager-arg": c.controllerManagerArgs(),
		"kube-scheduler-arg":          []string{"profiling=false"},
	} {
		m[key] = value
	}
	if len(c.TLSSANs) > 0 {
		m["tls-san"] = c.TLSSANs
	}
	return m
}

// kubelet is the KubeletConfiguration beyond what k3s sets itself.
func (c Config) kubelet() map[string]any {
	m := map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1",
		"kind":       "KubeletConfiguration",
		// Image layers come from the local registry mostly; pulling two at a
		// time keeps a slow one from holding up the rest.
		"serializeImagePulls":   false,
		"maxParallelImagePulls": 3,
		// A crashed app is tried again within a minute rather than five.
		"crashLoopBackOff": map[string]any{"maxContainerRestartPeriod": "60s"},
		"featureGates":     map[string]bool{"KubeletCrashLoopBackOffMax": true},
	}
	c.hardenKubelet(m)
	if c.CgroupV1 {
		m["failCgroupV1"] = false
	}
	return m
}

// registries tells containerd how to pull from the platform registry: over
// the service address, with the platform's credentials, without the gateway.
func (c Config) registries() map[string]any {
	if c.Registry.Host == "" {
		return map[string]any{}
	}
	host := hostPort(c.Registry.Endpoint)
	mirrors := map[string]any{}
	for _, name := range append([]string{c.Registry.Host}, c.Registry.Former...) {
		mirrors[name] = map[string]any{"endpoint": []string{c.Registry.Endpoint}}
	}
	return map[string]any{
		"mirrors": mirrors,
		"configs": map[string]any{
			host: map[string]any{
				"auth": map[string]string{"username": c.Registry.Username, "password": c.Registry.Password},
			},
		},
	}
}

func hostPort(endpoint string) string {
	_, rest, found := strings.Cut(endpoint, "://")
	if !found {
		return endpoint
	}
	return strings.TrimSuffix(rest, "/")
}

// containerd makes containerd leave oom_score_adj alone where the kernel
// would refuse to lower it. k3s's own config has no switch for it, so ours
// imports a small file ahead of k3s's.
func (c Config) containerd() []File {
	dir := filepath.Join(c.DataDir, "agent/etc/containerd")
	drop := filepath.Join(dir, "slipway.toml")
	return []File{
		{Path: drop, Data: []byte("version = 3\n\n[plugins.'io.containerd.cri.v1.runtime']\n  restrict_oom_score_adj = true\n")},
		{Path: filepath.Join(dir, "config-v3.toml.tmpl"), Data: []byte(fmt.Sprintf("imports = [%q]\n\n{{ template \"base\" . }}\n", drop))},
	}
}
