package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// wrapperName is the name by which buildkitd calls this program as its runc.
const wrapperName = "build-runc"

const runcPath = "/usr/bin/runc"

// wrapRunc becomes runc. The bundle of a container that is made gets limits
// that BuildKit cannot be asked for: without them a RUN step's processes are
// only bounded by all of the pod's.
func wrapRunc(args []string) error {
	for i, arg := range args {
		if arg == "--bundle" && i+1 < len(args) {
			if err := limitBundle(filepath.Join(args[i+1], "config.json"), limitsFromEnv(), ownCgroups()); err != nil {
				return err
			}
		}
	}
	return syscall.Exec(runcPath, append([]string{runcPath}, args...), os.Environ())
}

// ownCgroups reports whether this pod may make cgroups. In a user namespace it
// may not where the machine's root owns them.
func ownCgroups() bool {
	dir := cgroupRoot
	if _, err := os.Stat(cgroupRoot + "/cgroup.controllers"); err != nil {
		dir = cgroupRoot + "/pids" // version 1
	}
	return unix.Access(dir, unix.W_OK) == nil
}

// limits of one RUN step; 0 is none.
type limits struct {
	pids, memory int64 // processes; bytes
}

func limitsFromEnv() limits {
	number := func(name string) int64 {
		n, err := strconv.ParseInt(os.Getenv(name), 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return limits{pids: number("BUILDER_STEP_PIDS"), memory: number("BUILDER_STEP_MEMORY")}
}

// limitBundle writes the limits into a bundle's configuration.
func limitBundle(path string, l limits, cgroups bool) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("limiting a build step: %w", err)
	}
	var spec map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // some limits are larger than a float64 holds exactly
	if err := decoder.Decode(&spec); err != nil {
		return fmt.Errorf("limiting a build step: %s: %w", path, err)
	}
	if cgroups {
		limitByCgroup(child(child(spec, "linux"), "resources"), l)
	} else {
		limitByUser(spec, l)
	}
	if raw, err = json.Marshal(spec); err != nil {
		return fmt.Errorf("limiting a build step: %w", err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return fmt.Errorf("limiting a build step: %w", err)
	}
	return nil
}

func limitByCgroup(resources map[string]any, l limits) {
	if l.pids > 0 {
		child(resources, "pids")["limit"] = l.pids
	}
	if l.memory > 0 {
		child(resources, "memory")["limit"] = l.memory
	}
}

// limitByUser bounds the processes of the user namespace that steps share with
// buildkitd, which itself is not bounded. Memory is bounded by the pod's.
func limitByUser(spec map[string]any, l limits) {
	linux := child(spec, "linux")
	delete(linux, "resources")
	delete(linux, "cgroupsPath")
	if l.pids == 0 {
		return
	}
	process := child(spec, "process")
	kept := []any{}
	given, _ := process["rlimits"].([]any)
	for _, one := range given {
		if m, ok := one.(map[string]any); !ok || m["type"] != "RLIMIT_NPROC" {
			kept = append(kept, one)
		}
	}
	process["rlimits"] = append(kept, map[string]any{"type": "RLIMIT_NPROC", "soft": l.pids, "hard": l.pids})
}

func child(m map[string]any, name string) map[string]any {
	c, ok := m[name].(map[string]any)
	if !ok {
		c = map[string]any{}
		m[name] = c
	}
	return c
}
