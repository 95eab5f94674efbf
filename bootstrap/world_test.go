package bootstrap

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/host/hosttest"
	"github.com/stretchr/testify/require"
)

// rulesBefore are those of a host whose owner has rules of his own.
const rulesBefore = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:MINE - [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -j MINE
-A MINE -s 192.168.0.0/16 -j ACCEPT
COMMIT
`

// rulesAfter are the same with those of a node.
const rulesAfter = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:FLANNEL-FWD - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-SERVICES - [0:0]
:MINE - [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -j MINE
-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
-A FLANNEL-FWD -s 10.42.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-SERVICES -d 10.43.0.10/32 -j KUBE-FORWARD
-A MINE -s 192.168.0.0/16 -j ACCEPT
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
:KUBE-POSTROUTING - [0:0]
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
COMMIT
`

// world is a fake host with what surrounds it.
type world struct {
	t    *testing.T
	host *hosttest.Fake
	svc  *hosttest.Service
	deps InstallDeps
}

func newWorld(t *testing.T) *world {
	t.Helper()
	h := hosttest.New()
	h.Firewalls["iptables"] = rulesBefore
	h.SysctlMap = map[string]string{"net/ipv4/ip_forward": "0", "vm/overcommit_memory": "0", "kernel/panic": "0"}
	h.MountList = []host.Mount{{Point: "/", Type: "ext4", Source: "/dev/vda"}}
	h.LinkList = []host.Link{{Name: "eth0", Type: "device"}, {Name: "lo", Type: "device"}}
	h.Procs = []host.Process{
		{PID: 1, Name: "init", Exe: "/sbin/init"},
		{PID: 999, PPID: 1, StartTime: 9, Name: "installer", Exe: "/usr/local/bin/slipway", Args: []string{"slipway", "uninstall"}},
		{PID: 50, PPID: 1, StartTime: 5, Name: "containerd", Exe: "/usr/bin/containerd", Args: []string{"/usr/bin/containerd"}},
	}
	h.Put("/root/slipway", "the binary")
	h.Put("/etc/hosts", "127.0.0.1 localhost")
	s := DefaultSettings()
	s.AdminPassword = NewSecret("correct-horse")
	w := &world{t: t, host: h}
	w.svc = &hosttest.Service{Host: h, Path: "/etc/systemd/system/slipway.service", OnStart: w.engineStarts}
	p := NewPaths(s)
	wait := func(name string) Part {
		return Part{Name: name, Do: func(ctx context.Context, _ func(string)) error { return h.Change("wait for %s", name) }}
	}
	controller := wait("controller")
	w.deps = InstallDeps{
		Host: h, Service: w.svc, Settings: s, Executable: "/root/slipway",
		Stage: Part{
			Done: func(context.Context) (bool, error) { _, err := h.Stat(p.Bin + "/runc"); return err == nil, nil },
			Do: func(context.Context, func(string)) error {
				return h.WriteFile(p.Bin+"/runc", []byte("runc"), 0o755)
			},
		},
		EngineFiles: func() ([]File, error) {
			return []File{{p.K3sEtc + "/config.yaml", []byte("disable: all\n"), 0o600}}, nil
		},
		NodeReady: wait("node ready"), Charts: []Part{wait("chart cluster"), wait("chart gateway")}, Controller: &controller,
	}
	return w
}

// engineStarts leaves on the host what a running node does.
func (w *world) engineStarts() {
	h := w.host
	var kept []host.Process
	for _, p := range h.Procs {
		if p.Name != "slipway" {
			kept = append(kept, p)
		}
	}
	env := map[string]string{}
	if n, ok := h.Nodes["/etc/slipway/slipway.env"]; ok {
		values, err := host.ParseEnvFile(n.Data)
		require.NoError(w.t, err)
		for _, v := range values {
			env[v.Name] = v.Value
		}
	}
	pid := 2000 + len(h.Changes())
	h.Env[pid] = env
	shim := "/var/lib/slipway/bin/containerd-shim-runc-v2"
	h.Procs = append(kept,
		host.Process{PID: pid, PPID: 1, StartTime: 1, Name: "slipway", Exe: "/usr/local/bin/slipway", Args: []string{"/usr/local/bin/slipway server"}},
		host.Process{PID: pid + 1, PPID: 1, StartTime: 2, Name: "containerd-shim", Exe: shim, Args: []string{shim}, Cgroups: []string{"/system.slice/slipway.service"}},
		host.Process{PID: pid + 2, PPID: pid + 1, StartTime: 3, Name: "traefik", Exe: "/traefik", Args: []string{"traefik"}, Cgroups: []string{"/kubepods/besteffort/pod1/c1"}})
	h.MountList = append(h.MountList[:1:1],
		host.Mount{Point: "/run/k3s/containerd/task/1/rootfs", Type: "overlay", Source: "overlay"},
		host.Mount{Point: "/var/lib/kubelet/pods/1/volumes/token", Type: "tmpfs", Source: "tmpfs"},
		host.Mount{Point: "/run/netns/cni-1", Type: "nsfs", Source: "nsfs"})
	h.NetNS = []string{"cni-1"}
	h.LinkList = append(h.LinkList[:2:2], host.Link{Name: "cni0", Type: "bridge"}, host.Link{Name: "flannel.1", Type: "vxlan"},
		host.Link{Name: "vethab12cd34", Type: "veth", Master: "cni0"})
	h.Firewalls["iptables"] = rulesAfter
	h.Sets = []string{"KUBE-SRC-1"}
	h.CgroupList = []string{"/sys/fs/cgroup/kubepods", "/sys/fs/cgroup/kubepods/besteffort", "/sys/fs/cgroup/kubepods/besteffort/pod1"}
	h.SysctlMap["net/ipv4/ip_forward"], h.SysctlMap["vm/overcommit_memory"] = "1", "1"
	for _, f := range []string{"/var/lib/rancher/k3s/server/db/state.db", "/var/lib/rancher/k3s/storage/pvc-1/data", "/etc/rancher/k3s/k3s.yaml",
		"/etc/rancher/node/password", "/var/lib/kubelet/config", "/run/k3s/containerd/containerd.sock", "/run/flannel/subnet.env",
		"/run/containerd/s/abc", "/run/netns/cni-1", "/var/lib/cni/networks/cbr0/10.42.0.2", "/var/log/pods/kube-system/0.log", "/run/xtables.lock",
		"/var/lib/slipway/controller/slipway.db", "/var/lib/slipway/secret.key"} {
		h.Put(f, "engine")
	}
}

func fixedClock() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }

func (w *world) quiet() Progress {
	return NewProgress(io.Discard, false, nil, fixedClock)
}

func (w *world) install() error {
	return Install{Deps: w.deps, Progress: w.quiet(), Clock: fixedClock}.Run(context.Background())
}

func (w *world) uninstall(keep bool) (Result, error) {
	u := &Uninstall{Host: w.host, Service: w.svc, Settings: w.deps.Settings, Progress: w.quiet(), Clock: fixedClock, KeepData: keep}
	return u.Run(context.Background())
}

// files are all paths but the ledger's, whose lines depend on the way taken.
func (w *world) files() []string {
	var kept []string
	for _, line := range w.host.Tree("/") {
		if !strings.HasPrefix(line, "/var/lib/slipway/ledger/") && !strings.HasPrefix(line, "/etc/slipway/slipway.env") {
			kept = append(kept, line)
		}
	}
	return kept
}

// machine is everything about the host that is not a file.
func (w *world) machine() string {
	h := w.host
	var procs []string
	for _, p := range h.Procs {
		procs = append(procs, p.Name)
	}
	return fmt.Sprint(h.MountList, h.LinkList, h.NetNS, h.Sets, h.CgroupList, h.SysctlMap, procs, host.PlainRules(h.Firewalls["iptables"]))
}

// standing lists the changes the ledger holds, and asserts that none is there
// twice.
func (w *world) standing() []string {
	l, err := OpenLedger(w.host, "/var/lib/slipway/ledger", fixedClock)
	require.NoError(w.t, err)
	seen := map[string]bool{}
	var list []string
	for _, c := range l.Changes() {
		key := string(c.Kind) + " " + c.Path
		require.False(w.t, seen[key], "doubled: %s", key)
		require.True(w.t, c.Made, "not marked as made: %s", key)
		seen[key] = true
		list = append(list, key)
	}
	return list
}
