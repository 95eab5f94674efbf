// Package preflight holds the checks of whether a host can carry the platform,
// which are asked before anything on it is changed. All of them run, and every
// problem is reported at once with what was found, why it matters and what
// cures it. They are entries of the registry of bootstrap/doctor.
package preflight

import (
	"context"
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
	var all []doctor.Check
	for _, c := range []struct {
		id, title string
		scope     doctor.Scope
		look      func(ctx context.Context, e *env) ([]doctor.Finding, error)
	}{
		{"root", "user", doctor.Always, checkRoot},
		{"system", "operating system and architecture", doctor.Before, checkSystem},
		{"kernel", "kernel features", doctor.Always, checkKernel},
		{"capabilities", "capabilities of root", doctor.Always, checkCapabilities},
		{"cgroups", "control groups", doctor.Always, checkCgroups},
		{"memory", "memory", doctor.Always, checkMemory},
		{"disk", "disk space", doctor.Before | doctor.BeforeUpgrade, checkDisk},
		{"inodes", "inodes", doctor.Before | doctor.BeforeUpgrade, checkInodes},
		{"filesystem", "file system of the data folder", doctor.Always, checkFilesystem},
		{"ports", "TCP ports", doctor.Always, checkPorts},
		{"networks", "networks of pods and services", doctor.Always, checkNetworks},
		{"time", "clock", doctor.Always, checkTime},
		{"kubernetes", "other Kubernetes", doctor.Before, checkKubernetes},
		{"domain", "platform domain and DNS search domains", doctor.Always, checkDomain},
		{"hostname", "name of the node", doctor.Always, checkHostname},
		{"swap", "swap", doctor.Always, checkSwap},
		{"container", "container", doctor.Always, checkContainer},
	} {
		// Features of the kernel are tried out, and ports may be waited for.
		costly := c.id == "kernel" || c.id == "ports"
		all = append(all, doctor.Check{ID: c.id, Title: c.title, Scope: c.scope, Costly: costly, Look: func(ctx context.Context) ([]doctor.Finding, error) {
			return c.look(ctx, e)
		}})
	}
	return all, nil
}
