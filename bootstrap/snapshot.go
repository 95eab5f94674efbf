package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Snapshot describes a host in the respects in which an install changes it.
// Every list is sorted, so that two can be compared.
type Snapshot struct {
	Time       time.Time           `json:"time"`
	Mounts     []string            `json:"mounts"` // "point type source"
	Links      []string            `json:"links"`  // "name type"
	Namespaces []string            `json:"namespaces"`
	Rules      map[string][]string `json:"rules"`    // comparable lines by tool
	RuleText   map[string]string   `json:"ruleText"` // as dumped, by tool
	IPSets     []string            `json:"ipsets"`
	Units      []string            `json:"units"`     // unit files of ours
	Listeners  []string            `json:"listeners"` // "address:port"
	Processes  []string            `json:"processes"` // of programs with our names
	Cgroups    []string            `json:"cgroups"`
	Sysctls    map[string]string   `json:"sysctls"`
	Paths      map[string]string   `json:"paths"` // watched paths that are there, with what they are
	Trees      map[string]string   `json:"trees"` // what is below those

	// Ended says that what came after this snapshot was uninstalled, with data
	// kept.
	Ended bool `json:"ended,omitempty"`
}

// treeLimit bounds what is remembered of a watched folder that was there
// before; a folder of ours is absent then and costs nothing.
const treeLimit = 5000

// sysctlPatterns are the kernel settings that k3s, the kubelet, kube-proxy,
// flannel and the network plugins write. Forwarding comes first because writing
// it resets others.
func sysctlPatterns() []string {
	return []string{
		"net/ipv4/ip_forward", "net/ipv4/conf/*/forwarding", "net/ipv6/conf/*/forwarding",
		"net/ipv4/conf/*/route_localnet", "net/ipv4/conf/*/arp_ignore", "net/ipv4/conf/*/arp_announce",
		"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables", "net/bridge/bridge-nf-call-arptables",
		"net/ipv4/vs/conntrack", "net/core/devconf_inherit_init_net",
		"net/netfilter/nf_conntrack_max", "net/netfilter/nf_conntrack_tcp_timeout_established",
		"net/netfilter/nf_conntrack_tcp_timeout_close_wait", "net/netfilter/nf_conntrack_tcp_be_liberal",
		"net/netfilter/nf_conntrack_udp_timeout", "net/netfilter/nf_conntrack_udp_timeout_stream",
		"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
		"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
	}
}

// TakeSnapshot describes the host as it is.
func TakeSnapshot(ctx context.Context, h host.Host, p Paths, unitFiles []string, now time.Time) (*Snapshot, error) {
	s := &Snapshot{Time: now.UTC(), Rules: map[string][]string{}, RuleText: map[string]string{},
		Sysctls: map[string]string{}, Paths: map[string]string{}, Trees: map[string]string{}}
	rules, err := h.Rules(ctx)
	if err != nil {
		return nil, err
	}
	s.setRules(rules)
	for _, look := range []func() error{
		func() error { return s.lookMounts(h) }, func() error { return s.lookNetwork(h) },
		func() error { return s.lookProcesses(h, p) }, func() error { return s.lookCgroups(h) },
		func() error { return s.lookSysctls(h) }, func() error { return s.lookPaths(h, p, unitFiles) },
	} {
		if err := look(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Snapshot) setRules(dumps []host.RuleDump) {
	s.Rules, s.RuleText = map[string][]string{}, map[string]string{}
	for _, d := range dumps {
		s.RuleText[d.Tool] = d.Text
		s.Rules[d.Tool] = host.PlainRules(d.Text)
	}
}

func mountLine(m host.Mount) string { return m.Point + " " + m.Type + " " + m.Source }

func (s *Snapshot) lookMounts(h host.Host) error {
	mounts, err := h.Mounts()
	if err != nil {
		return err
	}
	for _, m := range mounts {
		s.Mounts = append(s.Mounts, mountLine(m))
	}
	sort.Strings(s.Mounts)
	return nil
}

func (s *Snapshot) lookNetwork(h host.Host) error {
	links, err := h.Links()
	if err != nil {
		return err
	}
	for _, l := range links {
		s.Links = append(s.Links, l.Name+" "+l.Type)
	}
	sort.Strings(s.Links)
	if s.Namespaces, err = h.Namespaces(); err != nil {
		return err
	}
	if s.IPSets, err = h.IPSets(); err != nil {
		return err
	}
	ports, err := h.Listeners()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, l := range ports {
		line := fmt.Sprintf("%s:%d", l.Address, l.Port)
		if !seen[line] {
			seen[line] = true
			s.Listeners = append(s.Listeners, line)
		}
	}
	sort.Strings(s.Listeners)
	return nil
}

// lookProcesses remembers programs by their command, not their number, which
// changes when they are restarted.
func (s *Snapshot) lookProcesses(h host.Host, p Paths) error {
	all, err := h.Processes()
	if err != nil {
		return err
	}
	ours := newOurs(h.Self(), all, p)
	for _, q := range all {
		if ours.is(q) {
			s.Processes = append(s.Processes, q.Name)
		}
	}
	sort.Strings(s.Processes)
	return nil
}

func (s *Snapshot) lookCgroups(h host.Host) (err error) {
	if s.Cgroups, err = h.Cgroups(ourCgroups()); err != nil {
		return err
	}
	sort.Strings(s.Cgroups)
	return nil
}

func (s *Snapshot) lookSysctls(h host.Host) error {
	for _, pattern := range sysctlPatterns() {
		keys, err := h.Sysctls(pattern)
		if err != nil {
			return err
		}
		for _, k := range keys {
			v, err := h.Sysctl(k)
			if isAbsent(err) {
				continue
			}
			if err != nil {
				return err
			}
			s.Sysctls[k] = v
		}
	}
	return nil
}

func (s *Snapshot) lookPaths(h host.Host, p Paths, unitFiles []string) error {
	for _, path := range p.Watched(unitFiles) {
		// The ledger's own folder may be there from a run that was killed
		// before its first record.
		if path == p.Lib && onlyLedger(h, p) {
			continue
		}
		line, err := pathLine(h, path)
		if isAbsent(err) {
			continue
		}
		if err != nil {
			return err
		}
		s.Paths[path] = line
		if _, err := lookTree(h, path, p.Ledger, s.Trees); err != nil {
			return err
		}
	}
	for _, u := range unitFiles {
		if _, ok := s.Paths[u]; ok {
			s.Units = append(s.Units, u)
		}
	}
	return nil
}

func onlyLedger(h host.Host, p Paths) bool {
	names, err := h.List(p.Lib)
	return err == nil && (len(names) == 0 || len(names) == 1 && filepath.Join(p.Lib, names[0]) == p.Ledger)
}

// pathLine says what a path is, in a form that shows any change to it.
func pathLine(h host.Host, path string) (string, error) {
	info, err := h.Stat(path)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("%s %04o %d:%d", info.Kind, info.Perm, info.UID, info.GID)
	switch info.Kind {
	case host.KindSymlink:
		line += " -> " + info.Target
	case host.KindFile:
		sum, err := h.Hash(path)
		if err != nil {
			return "", err
		}
		line += " " + sum
	}
	return line, nil
}

// lookTree adds what is below dir, up to treeLimit paths in all.
func lookTree(h host.Host, dir, skip string, into map[string]string) (bool, error) {
	info, err := h.Stat(dir)
	if err != nil || info.Kind != host.KindDir || dir == skip {
		return true, err
	}
	names, err := h.List(dir)
	if err != nil {
		return false, err
	}
	for _, n := range names {
		if len(into) >= treeLimit {
			return false, nil
		}
		path := filepath.Join(dir, n)
		if path == skip {
			continue
		}
		line, err := pathLine(h, path)
		if isAbsent(err) {
			continue // gone while we looked
		}
		if err != nil {
			return false, err
		}
		into[path] = line
		if strings.HasPrefix(line, string(host.KindDir)) {
			if more, err := lookTree(h, path, skip, into); err != nil || !more {
				return more, ignoreAbsent(err)
			}
		}
	}
	return true, nil
}

func ignoreAbsent(err error) error {
	if isAbsent(err) {
		return nil
	}
	return err
}

// hadMount reports whether the mount was there at the time of the snapshot.
func (s *Snapshot) hadMount(m host.Mount) bool {
	if s == nil {
		return false
	}
	return contains(s.Mounts, mountLine(m))
}

func contains(sorted []string, line string) bool {
	i := sort.SearchStrings(sorted, line)
	return i < len(sorted) && sorted[i] == line
}

// errNoLedger is answered by an uninstall on a host without a ledger.
var errNoLedger = errors.New("nothing is installed here: there is no ledger")
