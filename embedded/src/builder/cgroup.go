package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const cgroupRoot = "/sys/fs/cgroup"

// prepareCgroup makes room for the cgroups of RUN steps. With cgroup v2 a group
// that has children with controllers may hold no process itself, so this one
// moves to a child. With v1 nothing is needed, and in a user namespace that was
// given no cgroups nothing can be done: see limitByUser.
func prepareCgroup() error {
	if !ownCgroups() {
		fmt.Fprintln(os.Stderr, "builder: no cgroups of its own; steps are limited by user")
		return nil
	}
	raw, err := os.ReadFile(filepath.Join(cgroupRoot, "cgroup.controllers"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cgroups: %w", err)
	}
	own := filepath.Join(cgroupRoot, "init")
	if err := os.MkdirAll(own, 0o755); err != nil {
		return fmt.Errorf("cgroups: %w", err)
	}
	procs, err := os.ReadFile(filepath.Join(cgroupRoot, "cgroup.procs"))
	if err != nil {
		return fmt.Errorf("cgroups: %w", err)
	}
	for _, pid := range strings.Fields(string(procs)) {
		// One that has ended meanwhile cannot be moved, and need not be.
		_ = os.WriteFile(filepath.Join(own, "cgroup.procs"), []byte(pid), 0o644)
	}
	controllers := "+" + strings.Join(strings.Fields(string(raw)), " +")
	if err := os.WriteFile(filepath.Join(cgroupRoot, "cgroup.subtree_control"), []byte(controllers), 0o644); err != nil {
		return fmt.Errorf("cgroups: giving controllers to build steps: %w", err)
	}
	return nil
}
