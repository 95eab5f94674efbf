package harness

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// hierarchy is one mounted cgroup tree: all of version 2, or one controller
// (or the named tree of systemd) of version 1.
type hierarchy struct {
	mount   string // where this machine has it
	version int
	options string // version 1: "cpu,cpuacct" or "none,name=systemd"
}

// hierarchies reads the cgroup mounts of a mountinfo file.
func hierarchies(mountinfo string) ([]hierarchy, error) {
	f, err := os.Open(mountinfo)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var found []hierarchy
	for s := bufio.NewScanner(f); s.Scan(); {
		before, after, _ := strings.Cut(s.Text(), " - ")
		place, source := strings.Fields(before), strings.Fields(after)
		if len(place) < 5 || len(source) < 3 {
			continue
		}
		switch source[0] {
		case "cgroup2":
			found = append(found, hierarchy{mount: place[4], version: 2})
		case "cgroup":
			found = append(found, hierarchy{mount: place[4], version: 1, options: controllers(source[2])})
		}
	}
	return found, nil
}

// controllers keeps what names a version 1 tree among its mount options.
func controllers(options string) string {
	var named []string
	for _, o := range strings.Split(options, ",") {
		switch {
		case o == "rw" || o == "ro" || o == "xattr" || strings.HasPrefix(o, "release_agent="):
		case strings.HasPrefix(o, "name="):
			named = append(named, "none", o)
		default:
			named = append(named, o)
		}
	}
	return strings.Join(named, ",")
}

// cgroupName is the group of a host below the root of every tree.
func cgroupName(host string) string { return "slipway-test-" + host }

// makeCgroups makes the host's group in every tree and returns their folders.
func makeCgroups(host string) ([]string, error) {
	trees, err := hierarchies("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, t := range trees {
		dir := filepath.Join(t.mount, cgroupName(host))
		if t.version == 2 {
			delegate(t.mount)
		}
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("cgroup of host %s: %w", host, err)
		}
		dirs = append(dirs, dir)
		// A new cpuset group has no processors and takes no process until it has.
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
			if all, err := os.ReadFile(filepath.Join(t.mount, name)); err == nil && t.version == 1 {
				if err := os.WriteFile(filepath.Join(dir, name), all, 0o644); err != nil {
					return nil, err
				}
			}
		}
	}
	return dirs, nil
}

// delegate hands every controller of a version 2 tree to its children, as far
// as they are not in use elsewhere.
func delegate(mount string) {
	all, err := os.ReadFile(filepath.Join(mount, "cgroup.controllers"))
	if err != nil {
		return
	}
	for _, c := range strings.Fields(string(all)) {
		// One at a time: a controller bound to version 1 refuses and must not stop the rest.
		_ = os.WriteFile(filepath.Join(mount, "cgroup.subtree_control"), []byte("+"+c), 0o644)
	}
}

// removeCgroups ends every process that is still in the host's groups and
// removes the groups, deepest first.
func removeCgroups(host string) error {
	trees, err := hierarchies("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var failed error
	for _, t := range trees {
		failed = errors.Join(failed, removeTree(filepath.Join(t.mount, cgroupName(host))))
	}
	return failed
}

// thaw lets frozen processes of the host run, so that a signal ends them: runc
// freezes a container for a moment when it makes or ends one, and a host that
// is killed in that moment would never be gone.
func thaw(host string) {
	trees, err := hierarchies("/proc/self/mountinfo")
	if err != nil {
		return // nothing is frozen where there are no groups
	}
	for _, t := range trees {
		_ = filepath.WalkDir(filepath.Join(t.mount, cgroupName(host)), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				// Either file is there in trees of its version only; groups come and go.
				_ = writeExisting(filepath.Join(path, "freezer.state"), "THAWED")
				_ = writeExisting(filepath.Join(path, "cgroup.freeze"), "0")
			}
			return nil
		})
	}
}

func writeExisting(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func removeTree(dir string) error {
	var groups []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && d.IsDir() {
			groups = append(groups, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.Reverse(groups) // parents come first in a walk
	for _, g := range groups {
		if err := removeGroup(g); err != nil {
			return err
		}
	}
	return nil
}

// removeGroup kills what lives in one group and waits for the kernel to let it
// go: rmdir answers EBUSY until the last process has been reaped.
func removeGroup(dir string) error {
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := os.Remove(dir)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("cgroup stays in use: %w", err)
		}
		for _, pid := range members(dir) {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// members lists the processes of one group.
func members(dir string) []int {
	b, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return nil
	}
	var pids []int
	for _, w := range strings.Fields(string(b)) {
		var pid int
		if _, err := fmt.Sscan(w, &pid); err == nil && pid > 1 {
			pids = append(pids, pid)
		}
	}
	return pids
}
