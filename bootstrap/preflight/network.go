package preflight

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
)

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// checkPorts finds who holds the ports we need. Our own server, and pods of our
// own node, may.
func checkPorts(ctx context.Context, e *env) ([]doctor.Finding, error) {
	for try := 1; ; try++ {
		found, unseen, err := e.portsInUse()
		if err != nil || !unseen || try == endingTries {
			return found, err
		}
		if err := e.host.Wait(ctx, endingPause); err != nil {
			return nil, err
		}
	}
}

// A killed process keeps its ports for a moment after it can no longer be
// seen: an installer that runs right after a crash must not stumble over them.
const (
	endingTries = 25
	endingPause = 200 * time.Millisecond
)

// portsInUse also reports whether a port is held by a process that cannot be
// seen.
func (e *env) portsInUse() (found []doctor.Finding, unseen bool, err error) {
	listeners, err := e.host.Listeners()
	if err != nil {
		return nil, false, err
	}
	all, err := e.host.Processes()
	if err != nil {
		return nil, false, err
	}
	byPID := map[int]host.Process{}
	for _, p := range all {
		byPID[p.PID] = p
	}
	for _, port := range e.opts.Ports {
		var holders []string
		cure := ""
		for _, l := range listeners {
			if l.Port != port.Number || e.ownListener(l, byPID[l.PID]) {
				continue
			}
			unseen = unseen || l.PID == 0
			holders = append(holders, holder(l, byPID[l.PID]))
			cure = portCure(l, port)
		}
		if len(holders) > 0 {
			found = append(found, doctor.Finding{Severity: doctor.Error, Title: fmt.Sprintf("port %d is in use", port.Number),
				Evidence: strings.Join(unique(holders), "; "), Reason: port.Use + " listens there", Cure: cure})
		}
	}
	return found, unseen, nil
}

func (e *env) ownListener(l host.Listener, p host.Process) bool {
	if !e.opts.Own {
		return false
	}
	if l.Exe == e.opts.Binary || p.Exe == e.opts.Binary {
		return true
	}
	for _, group := range p.Cgroups {
		if strings.Contains(group, "/kubepods") {
			return true
		}
	}
	return false
}

func holder(l host.Listener, p host.Process) string {
	if l.PID == 0 {
		return fmt.Sprintf("a process that cannot be seen listens on %s", netip.AddrPortFrom(parseAddr(l.Address), uint16(l.Port)))
	}
	name := l.Command
	if p.Exe != "" {
		name = p.Exe
	}
	return fmt.Sprintf("process %d (%s) listens on %s", l.PID, name, netip.AddrPortFrom(parseAddr(l.Address), uint16(l.Port)))
}

func parseAddr(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.IPv4Unspecified()
	}
	return a
}

func portCure(l host.Listener, p Port) string {
	if l.PID == 0 {
		return fmt.Sprintf("find it with: ss -ltnp 'sport = :%d'", p.Number)
	}
	return fmt.Sprintf("stop it (systemctl disable --now %s, or kill %d), or give it another port", l.Command, l.PID)
}

func unique(list []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// checkNetworks looks for addresses of pods or services that the host reaches
// elsewhere already.
func checkNetworks(_ context.Context, e *env) ([]doctor.Finding, error) {
	data, err := e.host.ReadFile("/proc/net/route")
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []doctor.Finding
	for _, r := range parseRoutes(string(data)) {
		if r.net.Bits() == 0 || ownLink(r.link) {
			continue
		}
		for _, ours := range []struct {
			name string
			net  netip.Prefix
		}{{"CLUSTER_CIDR", e.opts.ClusterCIDR}, {"SERVICE_CIDR", e.opts.ServiceCIDR}} {
			if ours.net.IsValid() && ours.net.Overlaps(r.net) {
				found = append(found, doctor.Finding{Severity: doctor.Error, Title: fmt.Sprintf("%s=%s is in use", ours.name, ours.net),
					Evidence: fmt.Sprintf("the host reaches %s through %s", r.net, r.link),
					Reason:   "the host would reach pods there instead, or the other way round",
					Cure:     "set " + ours.name + " to a network that is free here"})
			}
		}
	}
	return found, nil
}

func ownLink(name string) bool {
	return name == "cni0" || strings.HasPrefix(name, "flannel") || name == "kube-ipvs0"
}

type route struct {
	link string
	net  netip.Prefix
}

// parseRoutes reads /proc/net/route, whose addresses are little-endian words.
func parseRoutes(text string) []route {
	var routes []route
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if i == 0 || len(f) < 8 {
			continue
		}
		addr, err := hex.DecodeString(f[1])
		mask, err2 := hex.DecodeString(f[7])
		if err != nil || err2 != nil || len(addr) != 4 || len(mask) != 4 {
			continue
		}
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], binary.LittleEndian.Uint32(addr))
		ones := bits.OnesCount32(binary.LittleEndian.Uint32(mask))
		routes = append(routes, route{f[0], netip.PrefixFrom(netip.AddrFrom4(b), ones)})
	}
	return routes
}

// checkDomain finds search domains under the platform's. Pods inherit them, so
// every name a pod looks up is also tried with the search domain behind it; and
// since *.<domain> answers anything, it would answer that first.
func checkDomain(_ context.Context, e *env) ([]doctor.Finding, error) {
	files := []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}
	if e.opts.ResolvConf != "" {
		files = []string{e.opts.ResolvConf}
	}
	for _, file := range files {
		data, err := e.host.ReadFile(file)
		if isAbsent(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, search := range searchDomains(string(data)) {
			if search == e.opts.Domain || strings.HasSuffix(search, "."+e.opts.Domain) {
				return doctor.One(doctor.Finding{Severity: doctor.Error, Title: "the platform domain is a DNS search domain of this host",
					Evidence: fmt.Sprintf("%s searches %s, and the platform domain is %s", file, search, e.opts.Domain),
					Reason:   fmt.Sprintf("pods inherit the search domain, and the wildcard *.%s would answer every name they look up", e.opts.Domain),
					Cure:     "set PLATFORM_DOMAIN to a name of its own, such as apps." + e.opts.Domain + ", or take the search domain out of " + file})
			}
		}
	}
	return nil, nil
}

// searchDomains returns the last search or domain line's names, as resolvers
// do.
func searchDomains(text string) []string {
	var domains []string
	for _, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) > 1 && (f[0] == "search" || f[0] == "domain") {
			domains = domains[:0]
			for _, d := range f[1:] {
				domains = append(domains, strings.ToLower(strings.TrimSuffix(d, ".")))
			}
		}
	}
	return domains
}

func checkHostname(_ context.Context, e *env) ([]doctor.Finding, error) {
	name, cure := e.facts.Hostname, "set one: hostnamectl set-hostname node1; or set K3S_NODE_NAME"
	if e.opts.NodeName != "" {
		name, cure = e.opts.NodeName, "set K3S_NODE_NAME to another one"
	}
	f := doctor.Finding{Severity: doctor.Error, Evidence: fmt.Sprintf("%q", name), Cure: cure, Reason: "it becomes the name of the node in Kubernetes"}
	lower := strings.ToLower(name)
	switch {
	case lower == "" || lower == "(none)" || strings.HasPrefix(lower, "localhost"):
		f.Title = "the host has no name of its own"
		f.Reason += ", where every node needs another one"
		return doctor.One(f)
	case len(lower) > 63 || !regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`).MatchString(lower):
		f.Title = "the host name cannot be a node's name"
		f.Reason += ", which has up to 63 letters, digits, hyphens and dots"
		return doctor.One(f)
	}
	return nil, nil
}

// checkKubernetes looks for another Kubernetes, which would share ports,
// folders and firewall chains with ours.
func checkKubernetes(_ context.Context, e *env) ([]doctor.Finding, error) {
	if e.opts.Own {
		return nil, nil
	}
	var signs []string
	for _, path := range []string{"/etc/rancher/k3s/k3s.yaml", "/etc/rancher/rke2", filepath.Join(e.opts.DataDir, "server"), filepath.Join(e.opts.DataDir, "agent"),
		"/var/lib/rancher/rke2", "/etc/kubernetes/admin.conf", "/etc/kubernetes/kubelet.conf", "/var/lib/k0s", "/var/snap/microk8s",
		"/etc/systemd/system/k3s.service", "/etc/systemd/system/k3s-agent.service", "/etc/init.d/k3s"} {
		_, err := e.host.Stat(path)
		if err != nil && !isAbsent(err) {
			return nil, err
		}
		if err == nil {
			signs = append(signs, path)
		}
	}
	all, err := e.host.Processes()
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		switch p.Name {
		case "kubelet", "kube-apiserver", "kubelite", "k3s-server", "k3s-agent", "k3s", "k0s", "rke2":
			signs = append(signs, fmt.Sprintf("process %d (%s)", p.PID, p.Name))
		}
	}
	if len(signs) == 0 {
		return nil, nil
	}
	return doctor.One(doctor.Finding{Severity: doctor.Error, Title: "there is another Kubernetes on this host", Evidence: strings.Join(signs, ", "),
		Reason: "it would share ports, folders and firewall chains with this one, and neither would work",
		Cure:   "use another host, or remove it first (k3s: k3s-uninstall.sh); folders it left behind too"})
}
