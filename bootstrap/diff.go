package bootstrap

import (
	"fmt"
	"regexp"
	"sort"
	"strings"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Difference is one respect in which a host differs from its snapshot.
type Difference struct {
	What string `json:"what"` // "mount", "interface", "rule"…
	Text string `json:"text"`
	New  bool   `json:"new"` // it is there now and was not before; else the reverse
	// Foreign says that it bears no mark of ours: somebody else's doing, such as
	// a program installed since. It is shown and does not count.
	Foreign bool `json:"foreign"`
}

// String shows it as a line of a diff.
func (d Difference) String() string {
	sign := "-"
	if d.New {
		sign = "+"
	}
	line := fmt.Sprintf("%s %s %s", sign, d.What, d.Text)
	if d.Foreign {
		line += "  (not ours)"
	}
	return line
}

// Diff compares the host after an uninstall with the snapshot of before the
// install. Paths below keep are left out. What appeared counts when it has a
// name of ours. What disappeared counts: but not mounts and interfaces without
// a name of ours, which come and go with logins and cables.
func (s *Snapshot) Diff(after *Snapshot, p Paths, keep []string) []Difference {
	var all []Difference
	all = append(all, comesAndGoes(listDiff("mount", s.Mounts, after.Mounts, ourMount(p)), ourMount(p))...)
	all = append(all, comesAndGoes(listDiff("interface", s.Links, after.Links, ourLink), ourLink)...)
	all = append(all, listDiff("network namespace", s.Namespaces, after.Namespaces, prefix("cni-"))...)
	for _, tool := range tools(s.Rules, after.Rules) {
		all = append(all, listDiff("rule "+tool, s.Rules[tool], after.Rules[tool], host.OurRule)...)
	}
	all = append(all, listDiff("ipset", s.IPSets, after.IPSets, ourSet)...)
	all = append(all, listDiff("unit", s.Units, after.Units, always)...)
	all = append(all, additions(listDiff("listening port", s.Listeners, after.Listeners, ourPort))...)
	all = append(all, additions(listDiff("process", s.Processes, after.Processes, always))...)
	all = append(all, listDiff("control group", s.Cgroups, after.Cgroups, always)...)
	all = append(all, mapDiff("sysctl", s.Sysctls, after.Sysctls, s.Sysctls)...)
	all = append(all, mapDiff("path", without(s.Paths, keep), without(after.Paths, keep), nil)...)
	return append(all, mapDiff("path", without(s.Trees, keep), without(after.Trees, keep), nil)...)
}

// comesAndGoes marks what disappeared as foreign unless it has a name of ours.
func comesAndGoes(diff []Difference, isOurs func(string) bool) []Difference {
	for i := range diff {
		diff[i].Foreign = !isOurs(diff[i].Text)
	}
	return diff
}

// Counts reports whether a list of differences holds one of ours.
func Counts(diff []Difference) bool {
	for _, d := range diff {
		if !d.Foreign {
			return true
		}
	}
	return false
}

// additions drops what went away: programs that ended by themselves are no
// difference an uninstall could make.
func additions(diff []Difference) []Difference {
	var kept []Difference
	for _, d := range diff {
		if d.New {
			kept = append(kept, d)
		}
	}
	return kept
}

// listDiff compares two lists as multisets.
func listDiff(what string, before, after []string, isOurs func(string) bool) []Difference {
	count := map[string]int{}
	for _, b := range before {
		count[b]--
	}
	for _, a := range after {
		count[a]++
	}
	var diff []Difference
	for line, n := range count {
		for ; n < 0; n++ {
			diff = append(diff, Difference{What: what, Text: line})
		}
		for ; n > 0; n-- {
			diff = append(diff, Difference{What: what, Text: line, New: true, Foreign: !isOurs(line)})
		}
	}
	sort.Slice(diff, func(i, j int) bool { return diff[i].Text < diff[j].Text })
	return diff
}

// mapDiff compares two maps. With limit, only its keys are looked at.
func mapDiff(what string, before, after, limit map[string]string) []Difference {
	keys := map[string]bool{}
	for k := range before {
		keys[k] = true
	}
	for k := range after {
		if _, ok := limit[k]; ok || limit == nil {
			keys[k] = true
		}
	}
	names := make([]string, 0, len(keys))
	for k := range keys {
		names = append(names, k)
	}
	sort.Strings(names)
	var diff []Difference
	for _, k := range names {
		b, had := before[k]
		a, has := after[k]
		switch {
		case had && has && a != b:
			diff = append(diff, Difference{What: what, Text: k + ": " + b + " is now " + a, New: true})
		case had && !has && what != "sysctl": // a setting goes with its interface or module
			diff = append(diff, Difference{What: what, Text: k})
		case has && !had:
			diff = append(diff, Difference{What: what, Text: k + ": " + a, New: true, Foreign: related(k, ownersPaths()) && what == "path"})
		}
	}
	return diff
}

func tools(a, b map[string][]string) []string {
	seen := map[string]bool{}
	var all []string
	for _, m := range []map[string][]string{a, b} {
		for t := range m {
			if !seen[t] {
				seen[t] = true
				all = append(all, t)
			}
		}
	}
	sort.Strings(all)
	return all
}

// without leaves out the kept paths, what is below them, and the folders they
// are in, which have to stay for them.
func without(paths map[string]string, keep []string) map[string]string {
	if len(keep) == 0 {
		return paths
	}
	left := map[string]string{}
	for path, line := range paths {
		if !related(path, keep) {
			left[path] = line
		}
	}
	return left
}

func always(string) bool { return true }

func prefix(p string) func(string) bool {
	return func(s string) bool { return strings.HasPrefix(s, p) }
}

func ourMount(p Paths) func(string) bool {
	return func(line string) bool {
		for _, dir := range mountFolders(p) {
			if strings.HasPrefix(line, dir+"/") || strings.HasPrefix(line, dir+" ") {
				return true
			}
		}
		return strings.HasPrefix(line, "/run/netns/cni-")
	}
}

func ourLink(line string) bool {
	name, kind, _ := strings.Cut(line, " ")
	for _, l := range ourLinks() {
		if name == l {
			return true
		}
	}
	// The bridge plugin names pods' interfaces with eight hexadecimal digits.
	return kind == "veth" && regexp.MustCompile(`^veth[0-9a-f]{8}$`).MatchString(name)
}

func ourSet(name string) bool {
	return strings.HasPrefix(name, "KUBE-") || strings.HasPrefix(name, "inet6:KUBE-")
}

// ourPort knows the ports of the platform; others are somebody else's.
func ourPort(line string) bool {
	for _, port := range Ports() {
		if strings.HasSuffix(line, fmt.Sprintf(":%d", port)) {
			return true
		}
	}
	return false
}

// Ports are the TCP ports that a server of the platform listens on: gateway,
// Kubernetes API, git, controller, kubelet and the engine's inner ones.
func Ports() []int {
	return []int{80, 443, 2222, 6443, 9580, 10248, 10249, 10250, 10256, 10257, 10258, 10259, 6444, 10010}
}

// related reports whether path is kept, below what is kept, or a folder that
// holds what is kept.
func related(path string, keep []string) bool {
	for _, k := range keep {
		if host.Below(path, k) || host.Below(k, path) {
			return true
		}
	}
	return false
}
