package appliance

import (
	"context"
	_ "embed" // the script that takes the picture
	"fmt"
	"slices"
	"strings"
)

//go:embed picture.sh
var pictureScript string

// Picture is what a machine looks like from outside: mounts, network,
// firewall, kernel settings, ports, processes, cgroups and files, as sorted
// lines "kind<TAB>thing".
type Picture []string

// Photograph takes a picture of the machine without the help of Slipway.
func (m *Machine) Photograph(ctx context.Context) (Picture, error) {
	out, err := m.Output(ctx, "sh", "-c", pictureScript)
	if err != nil {
		return nil, fmt.Errorf("picture of the machine: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	slices.Sort(lines)
	return slices.Compact(lines), nil
}

// Diff lists what came ("+") and what went ("-") from before to after.
func (before Picture) Diff(after Picture) []string {
	var changed []string
	for _, l := range after {
		if _, found := slices.BinarySearch(before, l); !found {
			changed = append(changed, "+ "+l)
		}
	}
	for _, l := range before {
		if _, found := slices.BinarySearch(after, l); !found {
			changed = append(changed, "- "+l)
		}
	}
	return changed
}
