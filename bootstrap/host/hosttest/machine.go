package hosttest

import (
	"context"
	"fmt"
	"path"
	"sort"
	"strings"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Mounts implements host.Mounts.
func (f *Fake) Mounts() ([]host.Mount, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]host.Mount(nil), f.MountList...), f.look("mounts")
}

// Unmount implements host.Mounts.
func (f *Fake) Unmount(point string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.MountList) - 1; i >= 0; i-- {
		if f.MountList[i].Point != point {
			continue
		}
		if err := f.change("unmount %s", point); err != nil {
			return err
		}
		f.MountList = append(f.MountList[:i:i], f.MountList[i+1:]...)
		return nil
	}
	return fmt.Errorf("unmount %s: not mounted", point)
}

// Links implements host.Network.
func (f *Fake) Links() ([]host.Link, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]host.Link(nil), f.LinkList...), f.look("links")
}

// DeleteLink implements host.Network.
func (f *Fake) DeleteLink(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, l := range f.LinkList {
		if l.Name != name {
			continue
		}
		if err := f.change("delete link %s", name); err != nil {
			return err
		}
		f.LinkList = append(f.LinkList[:i:i], f.LinkList[i+1:]...)
		return nil
	}
	return nil
}

// Namespaces implements host.Network.
func (f *Fake) Namespaces() ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.NetNS...), f.look("namespaces")
}

// without returns list less one element.
func without(list []string, drop string) []string {
	var kept []string
	for _, s := range list {
		if s != drop {
			kept = append(kept, s)
		}
	}
	return kept
}

// DeleteNamespace implements host.Network.
func (f *Fake) DeleteNamespace(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("delete namespace %s", name); err != nil {
		return err
	}
	f.NetNS = without(f.NetNS, name)
	delete(f.Nodes, "/run/netns/"+name)
	var kept []host.Mount
	for _, m := range f.MountList {
		if m.Point != "/run/netns/"+name {
			kept = append(kept, m)
		}
	}
	f.MountList = kept
	return nil
}

// IPSets implements host.Network.
func (f *Fake) IPSets() ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.Sets...), f.look("ipsets")
}

// DeleteIPSet implements host.Network.
func (f *Fake) DeleteIPSet(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("delete ipset %s", name); err != nil {
		return err
	}
	f.Sets = without(f.Sets, name)
	return nil
}

// Listeners implements host.Network.
func (f *Fake) Listeners() ([]host.Listener, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]host.Listener(nil), f.Ports...), f.look("listeners")
}

// Rules implements host.Firewall.
func (f *Fake) Rules(context.Context) ([]host.RuleDump, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var dumps []host.RuleDump
	for tool, text := range f.Firewalls {
		dumps = append(dumps, host.RuleDump{Tool: tool, Text: text})
	}
	sort.Slice(dumps, func(i, j int) bool { return dumps[i].Tool < dumps[j].Tool })
	return dumps, f.look("rules")
}

// EditRules implements host.Firewall: it plays the script on the dump and
// refuses what the kernel would refuse, such as deleting a chain that is in use.
func (f *Fake) EditRules(_ context.Context, tool, script string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	text, err := playScript(f.Firewalls[tool], script)
	if err != nil {
		return fmt.Errorf("%s: %w", tool, err)
	}
	if err := f.change("edit rules %s", tool); err != nil {
		return err
	}
	f.Firewalls[tool] = text
	return nil
}

// playScript applies the -D, -F and -X lines of a restore script to a dump.
func playScript(dump, script string) (string, error) {
	tables := host.ParseRules(dump)
	var t *host.Table
	for _, line := range strings.Split(strings.TrimSpace(script), "\n") {
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(line, "*"):
			t = nil
			for i := range tables {
				if tables[i].Name == line[1:] {
					t = &tables[i]
				}
			}
			if t == nil {
				return "", fmt.Errorf("no table %s", line)
			}
		case line == "COMMIT":
		case t == nil:
			return "", fmt.Errorf("%q stands outside a table", line)
		default:
			if err := playLine(t, verb, rest); err != nil {
				return "", err
			}
		}
	}
	return formatRules(tables), nil
}

func playLine(t *host.Table, verb, rest string) error {
	switch verb {
	case "-D":
		for i, r := range t.Rules {
			if r == "-A "+rest {
				t.Rules = append(t.Rules[:i:i], t.Rules[i+1:]...)
				return nil
			}
		}
		return fmt.Errorf("no rule %q", rest)
	case "-F":
		var kept []string
		for _, r := range t.Rules {
			if !strings.HasPrefix(r, "-A "+rest+" ") {
				kept = append(kept, r)
			}
		}
		t.Rules = kept
		return nil
	case "-X":
		for _, r := range t.Rules {
			if strings.Contains(r+" ", " "+rest+" ") {
				return fmt.Errorf("chain %s is in use by %q", rest, r)
			}
		}
		for i, c := range t.Chains {
			if c.Name == rest && c.Policy == "-" {
				t.Chains = append(t.Chains[:i:i], t.Chains[i+1:]...)
				return nil
			}
		}
		return fmt.Errorf("no chain %s", rest)
	}
	return fmt.Errorf("unexpected verb %q", verb)
}

func formatRules(tables []host.Table) string {
	var b strings.Builder
	for _, t := range tables {
		fmt.Fprintf(&b, "*%s\n", t.Name)
		for _, c := range t.Chains {
			fmt.Fprintf(&b, ":%s %s [0:0]\n", c.Name, c.Policy)
		}
		for _, r := range t.Rules {
			b.WriteString(r + "\n")
		}
		b.WriteString("COMMIT\n")
	}
	return b.String()
}

// Cgroups implements host.Cgroups.
func (f *Fake) Cgroups(names []string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []string
	for _, c := range f.CgroupList {
		for part := c; part != "/" && part != "."; part = path.Dir(part) {
			if matchesAny(path.Base(part), names) {
				found = append(found, c)
				break
			}
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return strings.Count(found[i], "/") > strings.Count(found[j], "/") })
	return found, f.look("cgroups")
}

func matchesAny(name string, patterns []string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(p, name); err == nil && ok {
			return true
		}
	}
	return false
}

// RemoveCgroup implements host.Cgroups.
func (f *Fake) RemoveCgroup(p string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("remove cgroup %s", p); err != nil {
		return err
	}
	f.CgroupList = without(f.CgroupList, p)
	return nil
}

// Sysctl implements host.Kernel.
func (f *Fake) Sysctl(key string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	v, ok := f.SysctlMap[key]
	if !ok {
		return "", absent("sysctl", key)
	}
	return v, f.look("sysctl %s", key)
}

// SetSysctl implements host.Kernel.
func (f *Fake) SetSysctl(key, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.SysctlMap[key]; !ok {
		return absent("sysctl", key)
	}
	if err := f.change("sysctl %s=%s", key, value); err != nil {
		return err
	}
	f.SysctlMap[key] = value
	return nil
}

// Sysctls implements host.Kernel.
func (f *Fake) Sysctls(pattern string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var keys []string
	for k := range f.SysctlMap {
		if ok, err := path.Match(pattern, k); err == nil && ok {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys, f.look("sysctls %s", pattern)
}

// Facts implements host.Kernel.
func (f *Fake) Facts() (host.Facts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Machine, f.look("facts")
}

// Clock implements host.Kernel.
func (f *Fake) Clock() (host.Clock, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ClockState, f.look("clock")
}

// Features implements host.Kernel.
func (f *Fake) Features() map[string]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Kernel
}
