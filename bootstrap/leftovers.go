package bootstrap

import (
	"path/filepath"
	"strings"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// ourCgroups are the groups that the kubelet and we make.
func ourCgroups() []string { return []string{"kubepods", "kubepods.slice", "k3s", "slipway"} }

// ourLinks are the interfaces that flannel, the bridge plugin and kube-proxy
// make. Those of pods are found by the bridge they belong to.
func ourLinks() []string {
	return []string{"cni0", "flannel.1", "flannel-v6.1", "flannel-wg", "flannel-wg-v6", "kube-ipvs0", "nodelocaldns"}
}

// ours tells our processes from others. Looking for names alone would hit other
// people's containerd; so a process is ours if it runs in a pod's group, or runs
// a program from our folders, or is our binary in one of its serving roles.
type ours struct {
	paths  Paths
	spared map[int]bool // this process and those it was started by
	base   []string     // control groups of this process
}

func newOurs(self int, all []host.Process, p Paths) ours {
	o := ours{paths: p, spared: map[int]bool{}}
	byPID := map[int]host.Process{}
	for _, q := range all {
		byPID[q.PID] = q
	}
	o.base = byPID[self].Cgroups
	for pid := self; pid > 1 && !o.spared[pid]; pid = byPID[pid].PPID {
		o.spared[pid] = true
	}
	return o
}

// is reports whether a process is one of ours.
func (o ours) is(q host.Process) bool {
	if o.spared[q.PID] || q.PID <= 1 {
		return false
	}
	return o.inPod(q) || o.isEngine(q)
}

// inPod reports whether a process runs in a pod of this host. When we run in a
// pod ourselves, as in a test cluster, all its processes have kubepods in their
// path: only what comes below our own group counts.
func (o ours) inPod(q host.Process) bool {
	for _, path := range q.Cgroups {
		rest, below := path, len(o.base) == 0
		for _, b := range o.base {
			if hasPodGroup(b) {
				if r, ok := strings.CutPrefix(path, b+"/"); ok {
					rest, below = "/"+r, true
				}
			} else {
				below = true
			}
		}
		if below && hasPodGroup(rest) {
			return true
		}
	}
	return false
}

func hasPodGroup(path string) bool {
	for _, part := range strings.Split(path, "/") {
		if part == "kubepods" || part == "kubepods.slice" {
			return true
		}
	}
	return false
}

// isEngine reports whether a process is the server or a program it carries.
func (o ours) isEngine(q host.Process) bool {
	if q.Elsewhere { // of an installation in a container, with the same paths
		return false
	}
	if q.Exe != "" && (host.Below(q.Exe, o.paths.K3sData) || host.Below(q.Exe, o.paths.Bin)) {
		return true
	}
	words := q.Words()
	if len(words) == 0 {
		return false
	}
	name := filepath.Base(words[0])
	if q.Exe == o.paths.Binary {
		switch name {
		case "containerd", "containerd-shim-runc-v2":
			return true
		}
		return len(words) > 1 && (words[1] == "server" || words[1] == "agent" || words[1] == "supervise")
	}
	return name == "containerd-shim-runc-v2" && strings.Contains(strings.Join(words, " "), " /run/k3s/containerd/")
}

// find lists our processes.
func findOurs(h host.Host, p Paths) (engine, pods []host.Process, err error) {
	all, err := h.Processes()
	if err != nil {
		return nil, nil, err
	}
	o := newOurs(h.Self(), all, p)
	for _, q := range all {
		switch {
		case !o.is(q):
		case o.isEngine(q):
			engine = append(engine, q)
		default:
			pods = append(pods, q)
		}
	}
	return engine, pods, nil
}
