package house

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/slipway-paas/slipway/test/harness"
)

// Main is the TestMain of a package whose tests make hosts; command is how they
// are run. Hosts that a killed run has left are removed before, and what is left
// of ours afterwards, unless it is to be kept.
func Main(m *testing.M, command string) int {
	harness.Init()
	if os.Geteuid() != 0 {
		fmt.Fprintf(os.Stderr, "these tests make hosts of this machine: run them as root (sudo %s)\n", command)
		return 1
	}
	if err := harness.Sweep(); err != nil {
		fmt.Fprintln(os.Stderr, "hosts of an earlier run:", err)
		return 1
	}
	lower := raise()
	code := m.Run()
	if Keep() {
		return code
	}
	if err := harness.Sweep(); err != nil {
		fmt.Fprintln(os.Stderr, "remove hosts:", err)
		code = 1
	}
	lower()
	return code
}

// Keep reports whether what the tests made is to stay, to be looked at.
func Keep() bool { return os.Getenv("KEEP") != "" }

// instances is how many inotify instances systemd, k3s and containerd of some
// hosts may need: all hosts count as one user here.
const instances = 1024

// raise gives a machine with fewer instances that many until lower is called.
func raise() (lower func()) {
	const file = "/proc/sys/fs/inotify/max_user_instances"
	before, err := os.ReadFile(file)
	if n, bad := strconv.Atoi(strings.TrimSpace(string(before))); err != nil || bad != nil || n >= instances {
		return func() {}
	}
	_ = os.WriteFile(file, []byte(strconv.Itoa(instances)), 0o644) // a few hosts get by without
	return func() {
		if !harness.Any() { // those of another program need them still
			_ = os.WriteFile(file, before, 0o644) // of use to others at worst
		}
	}
}
