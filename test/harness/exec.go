package harness

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Command prepares a program inside the host: in all of its namespaces, below
// its root, in its cgroups, with a clean environment. Add to cmd.Env what the
// program needs. Ending the command early ends the entry only; the program
// itself lives on until the host ends.
func (h *Host) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	// The shell enters the groups before nsenter forks into the namespaces.
	script := `for g; do [ "$g" != -- ] || break; shift; echo 0 >"$g/cgroup.procs" || exit 125; done; shift; exec nsenter "$@"`
	words := []string{"-c", script, "sh"}
	words = append(words, h.cgroups...)
	words = append(words, "--", "--target", strconv.Itoa(h.record.PID), "--all", "--root", "--wdns=/", "--", name)
	cmd := exec.CommandContext(ctx, "/bin/sh", append(words, args...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
	return cmd
}

// Output runs a program inside the host and returns what it printed on both
// streams; an error names the program and ends with its words.
func (h *Host) Output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := h.Command(ctx, name, args...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s on host %s: %w\n%s", name, h.Name, err, tail(string(out), 20))
	}
	return string(out), nil
}

// Put copies a file of this machine into the host, through its upper layer as
// its own processes see it.
func (h *Host) Put(file, path string, mode os.FileMode) error {
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	inside := filepath.Join(h.Root(), path)
	to, err := os.OpenFile(inside, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if _, err := to.ReadFrom(from); err != nil {
		_ = to.Close()
		return fmt.Errorf("copy %s to host %s: %w", file, h.Name, err)
	}
	return to.Close()
}

// Network prepares a program of this machine that runs in the host's network
// only, for tools that a bare host has not got.
func (h *Host) Network(ctx context.Context, name string, args ...string) *exec.Cmd {
	words := []string{"--target", strconv.Itoa(h.record.PID), "--net", "--", name}
	return exec.CommandContext(ctx, "nsenter", append(words, args...)...)
}

// Root is where this machine sees the host's files.
func (h *Host) Root() string { return fmt.Sprintf("/proc/%d/root", h.record.PID) }

// Processes lists what runs in the host, as this machine numbers it.
func (h *Host) Processes() []int {
	var all []int
	for _, dir := range h.cgroups[:1] { // every process is somewhere in each tree
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				all = append(all, members(path)...)
			}
			return nil // groups come and go while we look
		})
	}
	return all
}
