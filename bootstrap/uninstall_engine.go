package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// The times a process gets to end by itself, and to be gone when killed.
const (
	graceTime = 5 * time.Second
	killTime  = 20 * time.Second
	lookEvery = 100 * time.Millisecond
)

// killProcesses ends what the server left running: shims, and the processes in
// pods, which are asked first.
func (r *removal) killProcesses(ctx context.Context) error {
	_, pods, err := findOurs(r.Host, r.paths)
	if err != nil {
		return err
	}
	if err := r.signal(pods, syscall.SIGTERM); err != nil {
		return err
	}
	if _, err := r.waitForNone(ctx, graceTime, true); err != nil {
		return err
	}
	// Killing a process may let another start; so look again until none is
	// left.
	for waited := time.Duration(0); waited < killTime; waited += time.Second {
		engine, pods, err := findOurs(r.Host, r.paths)
		if err != nil {
			return err
		}
		if len(engine)+len(pods) == 0 {
			return nil
		}
		if err := r.signal(append(engine, pods...), syscall.SIGKILL); err != nil {
			return err
		}
		if _, err := r.waitForNone(ctx, time.Second, false); err != nil {
			return err
		}
	}
	engine, pods, err := findOurs(r.Host, r.paths)
	if err != nil || len(engine)+len(pods) == 0 {
		return err
	}
	var left []string
	for _, q := range append(engine, pods...) {
		left = append(left, fmt.Sprintf("%d (%s)", q.PID, q.Name))
	}
	return fmt.Errorf("processes that cannot be killed: %s", strings.Join(left, ", "))
}

func (r *removal) signal(list []host.Process, sig syscall.Signal) error {
	var errs []error
	for _, q := range list {
		if err := r.Host.Signal(q, sig); err != nil && !errors.Is(err, host.ErrGone) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// waitForNone waits until none of our processes, or none in pods, is left.
func (r *removal) waitForNone(ctx context.Context, limit time.Duration, podsOnly bool) (bool, error) {
	for waited := time.Duration(0); waited < limit; waited += lookEvery {
		engine, pods, err := findOurs(r.Host, r.paths)
		if err != nil {
			return false, err
		}
		if len(pods) == 0 && (podsOnly || len(engine) == 0) {
			return true, nil
		}
		if err := r.Host.Wait(ctx, lookEvery); err != nil {
			return false, err
		}
	}
	return false, nil
}

// mountFolders are where mounts of pods and of the engine are.
func mountFolders(p Paths) []string {
	return []string{"/run/k3s", p.Kubelet, p.K3sData, "/run/containerd", p.Lib, p.RunDir}
}

// unmountAll unmounts what was mounted since the install below the engine's
// folders, the last first. What was mounted there before stays.
func (r *removal) unmountAll(context.Context) error {
	mounts, err := r.Host.Mounts()
	if err != nil {
		return err
	}
	var errs []error
	for i := len(mounts) - 1; i >= 0; i-- {
		m := mounts[i]
		if r.before.hadMount(m) || len(host.MountsBelow(mounts[i:i+1], mountFolders(r.paths)...)) == 0 {
			continue
		}
		if err := r.Host.Unmount(m.Point); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// removeNetwork deletes the namespaces of pods, their interfaces, and the
// bridges and tunnels between them.
func (r *removal) removeNetwork(context.Context) error {
	names, err := r.Host.Namespaces()
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range names {
		if strings.HasPrefix(n, "cni-") && !r.had(func(s *Snapshot) []string { return s.Namespaces }, n) {
			errs = append(errs, r.Host.DeleteNamespace(n))
		}
	}
	errs = append(errs, r.removeNetnsFolder())
	links, err := r.Host.Links()
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	hadLink := func(l host.Link) bool {
		return r.had(func(s *Snapshot) []string { return s.Links }, l.Name+" "+l.Type)
	}
	for _, l := range links { // those of pods before their bridge
		if l.Master == "cni0" && l.Type == "veth" && !hadLink(l) {
			errs = append(errs, r.Host.DeleteLink(l.Name))
		}
	}
	for _, l := range links {
		if l.Master != "cni0" && ourLink(l.Name+" "+l.Type) && !hadLink(l) {
			errs = append(errs, r.Host.DeleteLink(l.Name))
		}
	}
	return errors.Join(errs...)
}

// removeNetnsFolder removes the folder of the namespaces when the engine made
// it and nobody else uses it: other tools mount it over itself.
func (r *removal) removeNetnsFolder() error {
	if r.before == nil || r.before.Paths[netnsFolder] != "" {
		return nil
	}
	names, err := r.Host.List(netnsFolder)
	if isAbsent(err) || len(names) > 0 {
		return nil
	}
	mounts, err := r.Host.Mounts()
	if err != nil || len(host.MountsBelow(mounts, netnsFolder)) > 0 {
		return err
	}
	return r.Host.Remove(netnsFolder)
}

// had reports whether a list of the snapshot holds a line.
func (r *removal) had(list func(*Snapshot) []string, line string) bool {
	return r.before != nil && contains(list(r.before), line)
}

// removeRules takes our chains and the rules that lead to them out of the
// firewall, and the address sets they used.
func (r *removal) removeRules(ctx context.Context) error {
	dumps, err := r.Host.Rules(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range dumps {
		errs = append(errs, r.removeRulesOf(ctx, d))
	}
	sets, err := r.Host.IPSets()
	if err != nil {
		errs = append(errs, err)
	}
	for _, s := range sets {
		if ourSet(s) && !r.had(func(s *Snapshot) []string { return s.IPSets }, s) {
			errs = append(errs, r.Host.DeleteIPSet(s))
		}
	}
	after, err := r.Host.Rules(ctx)
	r.rules = after
	return errors.Join(append(errs, err)...)
}

// removeRulesOf edits one tool's tables as a whole; if that is refused, table by
// table, so that one stubborn table does not keep the others.
func (r *removal) removeRulesOf(ctx context.Context, d host.RuleDump) error {
	before := ""
	if r.before != nil {
		before = r.before.RuleText[d.Tool]
	}
	script := host.RemovalScript(d.Text, before)
	if script == "" {
		return nil
	}
	if r.Host.EditRules(ctx, d.Tool, script) == nil {
		return nil
	}
	var errs []error
	for _, table := range strings.SplitAfter(script, "COMMIT\n") {
		if table != "" {
			errs = append(errs, r.Host.EditRules(ctx, d.Tool, table))
		}
	}
	return errors.Join(errs...)
}

// removeCgroups deletes the groups of pods, the deepest first. The kernel
// refuses while a killed process has not quite ended.
func (r *removal) removeCgroups(ctx context.Context) error {
	if err := r.stopPodSlice(ctx); err != nil {
		return err
	}
	var last error
	for waited := time.Duration(0); waited < graceTime; waited += lookEvery {
		groups, err := r.Host.Cgroups(ourCgroups())
		if err != nil {
			return err
		}
		var errs []error
		for _, g := range groups {
			if !r.had(func(s *Snapshot) []string { return s.Cgroups }, g) {
				errs = append(errs, r.Host.RemoveCgroup(g))
			}
		}
		if last = errors.Join(errs...); last == nil {
			return nil
		}
		if err := r.Host.Wait(ctx, lookEvery); err != nil {
			return err
		}
	}
	return last
}

// podSlice is systemd's unit above the groups of all pods, where systemd makes
// them for the kubelet.
const podSlice = "kubepods.slice"

// stopPodSlice has systemd give up the groups of pods. Those it still knows of
// would come back at its next reload.
func (r *removal) stopPodSlice(ctx context.Context) error {
	if r.Service.Manager() != host.ManagerSystemd {
		return nil
	}
	groups, err := r.Host.Cgroups([]string{podSlice})
	if err != nil {
		return err
	}
	for _, g := range groups {
		if filepath.Base(g) != podSlice || r.had(func(s *Snapshot) []string { return s.Cgroups }, g) {
			continue
		}
		_, err := r.Host.Run(ctx, host.Command{Name: "systemctl", Args: []string{"stop", podSlice}})
		return err
	}
	return nil
}

// restoreSysctls writes back the kernel settings of before the install, in the
// order of the patterns.
func (r *removal) restoreSysctls(context.Context) error {
	if r.before == nil {
		return nil
	}
	var errs []error
	for _, pattern := range sysctlPatterns() {
		keys, err := r.Host.Sysctls(pattern)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, k := range keys {
			old, known := r.before.Sysctls[k]
			now, err := r.Host.Sysctl(k)
			if isAbsent(err) || !known || (err == nil && now == old) {
				continue
			}
			if err == nil {
				err = r.Host.SetSysctl(k, old)
			}
			if err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// removeSockets removes the sockets of our shims where other containers' shims
// have theirs too. Each shim's bundle names its socket.
func (r *removal) removeSockets() error {
	const bundles = "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io"
	names, err := r.Host.List(bundles)
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range names {
		for _, socket := range shimSockets(r.Host, filepath.Join(bundles, n)) {
			if host.Below(socket, "/run/containerd/s") {
				errs = append(errs, r.Host.Remove(socket))
			}
		}
	}
	return errors.Join(errs...)
}

// shimSockets reads where a shim listens: older shims write an address, newer
// ones a document.
func shimSockets(h host.Files, bundle string) []string {
	var found []string
	if data, err := h.ReadFile(filepath.Join(bundle, "address")); err == nil {
		found = append(found, strings.TrimPrefix(strings.TrimSpace(string(data)), "unix://"))
	}
	if data, err := h.ReadFile(filepath.Join(bundle, "bootstrap.json")); err == nil {
		var doc struct {
			Address string `json:"address"`
		}
		if json.Unmarshal(data, &doc) == nil && doc.Address != "" {
			found = append(found, strings.TrimPrefix(doc.Address, "unix://"))
		}
	}
	return found
}
