// Package preflight holds the checks of whether a host can carry the platform,
// which are asked before anything on it is changed. All of them run, and every
// problem is reported at once with what was found, why it matters and what
// cures it. They are entries of the registry of bootstrap/doctor.
package preflight

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Options are what the checks compare the host with.
type Options struct {
	Domain      string
	DataDir     string // of k3s
	Binary      string // where slipway is, or will be, installed
	Bin         string // folder of the carried programs
	ResolvConf  string // that pods will inherit, "" is the host's
	NodeName    string // "" is the host name
	ClusterCIDR netip.Prefix
	ServiceCIDR netip.Prefix
	Ports       []Port
	BuildTime   time.Time // of the binary; zero when unknown
	// Own says that slipway is installed here already, so that its own ports,
	// processes and folders are no obstacle.
	Own bool
}

// Port is a TCP port that the platform needs.
type Port struct {
	Number int
	Use    string // completes "… listens there": "the gateway (HTTP)"
}

// ServerPorts are the ports of a server; git is that of git push.
func ServerPorts(git int) []Port {
	return []Port{
		{80, "the gateway (HTTP)"}, {443, "the gateway (HTTPS)"}, {git, "git push over SSH"},
		{6443, "the Kubernetes API"}, {9580, "the controller"}, {9581, "the gateway's metrics"}, {9582, "the node's metrics"}, {9583, "the door for nodes that join"}, {10250, "the kubelet"},
	}
}

// EtcdPorts are needed beside those of a server where servers are several.
func EtcdPorts() []Port {
	return []Port{{2379, "etcd"}, {2380, "etcd, for the other servers"}}
}

// AgentPorts are the ports of an agent: the gateway runs on every node.
func AgentPorts() []Port {
	return []Port{
		{80, "the gateway (HTTP)"}, {443, "the gateway (HTTPS)"},
		{9581, "the gateway's metrics"}, {9582, "the node's metrics"}, {10250, "the kubelet"},
	}
}

// env is what checks look at, gathered once.
type env struct {
	host  host.Host
	facts host.Facts
	opts  Options
}

// Checks returns the entries for the registry, in the order of the report.
// Those of the room on disks are asked before an install only: what a running
// platform needs of it is another question.
func Checks(h host.Host, o Options) ([]doctor.Check, error) {
	facts, err := h.Facts()
	if err != nil {
		return nil, fmt.Errorf("preflight: %w", err)
	}
	e := &env{host: h, facts: facts, opts: o}
	const onDisk = doctor.Before | doctor.BeforeUpgrade
	return doctor.Checks(e, []doctor.Entry[*env]{
		{ID: "root", Title: "user", Scope: doctor.Always, Look: checkRoot},
		{ID: "system", Title: "operating system and architecture", Scope: doctor.Before, Look: checkSystem},
		// Features of the kernel are tried out.
		{ID: "kernel", Title: "kernel features", Scope: doctor.Always, Costly: true, Look: checkKernel},
		{ID: "capabilities", Title: "capabilities of root", Scope: doctor.Always, Look: checkCapabilities},
		{ID: "cgroups", Title: "control groups", Scope: doctor.Always, Look: checkCgroups},
		{ID: "memory", Title: "memory", Scope: doctor.Always, Look: checkMemory},
		{ID: "disk", Title: "disk space", Scope: onDisk, Look: checkDisk},
		{ID: "inodes", Title: "inodes", Scope: onDisk, Look: checkInodes},
		{ID: "filesystem", Title: "file system of the data folder", Scope: doctor.Always, Look: checkFilesystem},
		// Ports may be waited for.
		{ID: "ports", Title: "TCP ports", Scope: doctor.Always, Costly: true, Look: checkPorts},
		{ID: "networks", Title: "networks of pods and services", Scope: doctor.Always, Look: checkNetworks},
		{ID: "time", Title: "clock", Scope: doctor.Always, Look: checkTime},
		{ID: "kubernetes", Title: "other Kubernetes", Scope: doctor.Before, Look: checkKubernetes},
		{ID: "domain", Title: "platform domain and DNS search domains", Scope: doctor.Always, Look: checkDomain},
		{ID: "hostname", Title: "name of the node", Scope: doctor.Always, Look: checkHostname},
		{ID: "swap", Title: "swap", Scope: doctor.Always, Look: checkSwap},
		{ID: "container", Title: "container", Scope: doctor.Always, Look: checkContainer},
	}), nil
}
