package bootstrap

import "path/filepath"

// Paths are the places on a host that the installer or the engine touches.
//
//	/etc/slipway          config.yaml, credentials (0600), slipway.env (0600)
//	/etc/rancher/k3s      k3s.yaml, config.yaml, registries.yaml
//	/etc/rancher/node     k3s's password of this node
//	/var/lib/slipway      bin, ca, controller/slipway.db, git, ssh, secret.key, ledger,
//	                      checkpoints, upgrade (the record of the latest one)
//	/var/lib/rancher/k3s  the engine's data; storage/ holds the volumes
//	/var/log/slipway      slipway.log (openrc and none)
//	/run/slipway          pid file, socket
//	/usr/local/bin        slipway
type Paths struct {
	Etc         string
	Config      string
	Credentials string
	EnvFile     string

	Lib        string
	Bin        string // carried programs
	CA         string
	Controller string // folder of the database
	Git        string // folder of the repositories
	GitKeys    string // folder of the host keys of git push
	SecretKey  string
	Ledger     string

	Checkpoints string // what the platform was like before an upgrade
	Upgrade     string // record of the latest upgrade

	LogDir  string
	LogFile string
	RunDir  string
	Lock    string // one install at a time; outside all folders we make

	Binary  string
	UnitDir string // of systemd

	K3sData    string
	Volumes    string // volume data below K3sData
	K3sEtc     string
	Kubeconfig string
	NodeEtc    string
	Kubelet    string
}

// NewPaths returns the places for the given settings.
func NewPaths(s Settings) Paths {
	return Paths{
		Etc: "/etc/slipway", Config: "/etc/slipway/config.yaml",
		Credentials: "/etc/slipway/credentials", EnvFile: "/etc/slipway/slipway.env",
		Lib: "/var/lib/slipway", Bin: "/var/lib/slipway/bin", CA: "/var/lib/slipway/ca",
		Controller: "/var/lib/slipway/controller", SecretKey: "/var/lib/slipway/secret.key",
		Git: "/var/lib/slipway/git", GitKeys: "/var/lib/slipway/ssh",
		Ledger: "/var/lib/slipway/ledger", Checkpoints: "/var/lib/slipway/checkpoints", Upgrade: "/var/lib/slipway/upgrade",
		LogDir: "/var/log/slipway", LogFile: "/var/log/slipway/slipway.log",
		RunDir: "/run/slipway", Lock: "/run/slipway-install.lock",
		Binary: filepath.Join(s.BinDir, "slipway"), UnitDir: s.SystemdDir,
		K3sData: s.DataDir, Volumes: filepath.Join(s.DataDir, "storage"),
		K3sEtc: "/etc/rancher/k3s", Kubeconfig: "/etc/rancher/k3s/k3s.yaml", NodeEtc: "/etc/rancher/node",
		Kubelet: "/var/lib/kubelet",
	}
}

// Share is a place that the engine fills and that may have been there before.
type Share struct {
	Path string
	// Ours limits what of a place that was there before is ours to shell
	// patterns below it; empty means everything that was not there before.
	Ours []string
}

// EngineTrees are the folders that k3s, containerd, the kubelet and the network
// plugins make by themselves.
func (p Paths) EngineTrees() []Share {
	return []Share{
		{Path: p.K3sData}, {Path: p.K3sEtc}, {Path: p.NodeEtc}, {Path: p.Kubelet},
		{Path: "/run/k3s"}, {Path: "/run/flannel"},
		{Path: "/run/containerd", Ours: []string{"runc/k8s.io", "io.containerd.*/k8s.io"}},
		{Path: "/var/lib/cni", Ours: []string{"networks/cbr0", "results/cbr0-*", "cache/results/cbr0-*"}},
		{Path: "/var/log/pods"}, {Path: "/var/log/containers"},
		{Path: "/usr/libexec/kubernetes"}, {Path: "/run/xtables.lock"},
		{Path: "/run/nri", Ours: []string{"nri.sock"}},
	}
}

// OwnTrees are the folders that are wholly ours.
func (p Paths) OwnTrees() []Share {
	return []Share{
		{Path: p.Bin}, {Path: p.CA}, {Path: p.Controller}, {Path: p.Git}, {Path: p.GitKeys}, {Path: p.SecretKey},
		{Path: p.Checkpoints}, {Path: p.Upgrade}, {Path: p.LogDir}, {Path: p.RunDir},
	}
}

// Watched lists everything a snapshot looks at.
func (p Paths) Watched(unitFiles []string) []string {
	list := []string{p.Etc, p.Lib, p.Binary, filepath.Dir(p.K3sEtc), filepath.Dir(p.K3sData)}
	for _, s := range append(p.EngineTrees(), p.OwnTrees()...) {
		list = append(list, s.Path)
	}
	list = append(list, ownersPaths()...)
	list = append(list, "/etc/systemd/system/multi-user.target.wants/slipway.service")
	return append(list, unitFiles...)
}

// ownersPaths are looked at only to see that what their owner has there stays.
func ownersPaths() []string { return []string{"/etc/cni", "/opt/cni", "/root/.kube", netnsFolder} }

// netnsFolder holds the named network namespaces: those of pods and others.
const netnsFolder = "/run/netns"
