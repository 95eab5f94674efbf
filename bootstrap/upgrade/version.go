package upgrade

import (
	"fmt"
	"strings"

	"golang.org/x/mod/semver"
)

// Version is a program by all its names.
type Version struct {
	Slipway    string `json:"slipway"`    // "v0.3.0"
	Kubernetes string `json:"kubernetes"` // "v1.35.1+k3s1"
	SHA256     string `json:"sha256"`     // of the binary, hex
}

// Steps says why from can't become to; empty when it can. The rules are those
// of Kubernetes: forward only, and no minor version left out.
func Steps(from, to Version) []string {
	var no []string
	if c := compare(to.Slipway, from.Slipway); c < 0 {
		no = append(no, fmt.Sprintf("%s is older than the installed %s, whose database it could not read; \"slipway upgrade --rollback\" goes back to the version before the last upgrade", to.Slipway, from.Slipway))
	}
	was, wasMinor, okWas := minor(from.Kubernetes)
	will, willMinor, okWill := minor(to.Kubernetes)
	switch {
	case !okWas || !okWill:
		no = append(no, fmt.Sprintf("the Kubernetes versions %q and %q can't be compared", from.Kubernetes, to.Kubernetes))
	case semver.Compare(to.Kubernetes, from.Kubernetes) < 0:
		no = append(no, fmt.Sprintf("it would take Kubernetes back from %s to %s", from.Kubernetes, to.Kubernetes))
	case was != will || willMinor > wasMinor+1:
		no = append(no, fmt.Sprintf("from Kubernetes %s to %s a minor version is left out; upgrade first to a slipway with Kubernetes v%d.%d",
			from.Kubernetes, to.Kubernetes, was, wasMinor+1))
	}
	return no
}

// compare orders versions. What a build from a work tree adds to its tag (as in
// "v0.3.0-12-gabcdef-dirty") is newer than the tag, where the rules for
// pre-releases say older.
func compare(a, b string) int {
	baseA, afterA := described(a)
	baseB, afterB := described(b)
	if c := semver.Compare(baseA, baseB); c != 0 {
		return c
	}
	return afterA - afterB
}

// described splits what git describe says into the tag and the number of
// commits after it.
func described(v string) (tag string, after int) {
	v = strings.TrimSuffix(v, "-dirty")
	head, last, ok := cutLast(v)
	if !ok || !strings.HasPrefix(last, "g") {
		return v, 0
	}
	tag, count, ok := cutLast(head)
	if !ok {
		return v, 0
	}
	if _, err := fmt.Sscanf(count, "%d", &after); err != nil {
		return v, 0
	}
	return tag, after
}

func cutLast(s string) (head, tail string, ok bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func minor(v string) (major, minor int, ok bool) {
	if !semver.IsValid(v) {
		return 0, 0, false
	}
	n, err := fmt.Sscanf(semver.MajorMinor(v), "v%d.%d", &major, &minor)
	return major, minor, err == nil && n == 2
}
