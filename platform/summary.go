package platform

import (
	"fmt"
	"sort"
	"strings"
)

// FieldChange lists the keys of one config field that a change touched.
type FieldChange struct {
	Field                   string // "values", "limits"…
	Added, Changed, Deleted []string
}

// Empty reports whether nothing changed.
func (f FieldChange) Empty() bool {
	return len(f.Added)+len(f.Changed)+len(f.Deleted) == 0
}

func (f FieldChange) String() string {
	var parts []string
	for _, g := range []struct {
		verb string
		keys []string
	}{{"added", f.Added}, {"changed", f.Changed}, {"deleted", f.Deleted}} {
		if len(g.keys) > 0 {
			parts = append(parts, g.verb+" "+f.Field+" "+strings.Join(unique(g.keys), ", "))
		}
	}
	return strings.Join(parts, ", ")
}

func unique(keys []string) []string {
	sorted := append([]string(nil), keys...)
	sort.Strings(sorted)
	out := sorted[:0]
	for i, k := range sorted {
		if i == 0 || k != sorted[i-1] {
			out = append(out, k)
		}
	}
	return out
}

// SummaryInitial is the summary of an app's first release.
func SummaryInitial(workspace string) string { return workspace + " created initial release" }

// SummaryBuild is the summary of a release with a new build.
func SummaryBuild(workspace string, b Build) string {
	what := b.Image
	if b.SHA != "" {
		what = b.SHA[:min(7, len(b.SHA))]
	}
	return workspace + " deployed " + what
}

// SummaryConfig is the summary of a release with a changed config; it names
// keys, never values.
func SummaryConfig(workspace string, changes []FieldChange) string {
	var parts []string
	for _, c := range changes {
		if !c.Empty() {
			parts = append(parts, c.String())
		}
	}
	return workspace + " " + strings.Join(parts, ", ")
}

// SummaryRollback is the summary of a release that repeats version.
func SummaryRollback(username string, version int) string {
	return fmt.Sprintf("%s rolled back to v%d", username, version)
}
