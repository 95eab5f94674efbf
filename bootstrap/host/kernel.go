package host

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const sysctlDir = "/proc/sys"

// Sysctl implements Kernel.
func (l *Linux) Sysctl(key string) (string, error) {
	data, err := l.ReadFile(filepath.Join(sysctlDir, key))
	if err != nil {
		return "", fmt.Errorf("sysctl %s: %w", key, err)
	}
	return strings.TrimSpace(string(data)), nil
}

// SetSysctl implements Kernel.
func (l *Linux) SetSysctl(key, value string) error {
	// Written in place: /proc knows no rename.
	f, err := os.OpenFile(l.path(filepath.Join(sysctlDir, key)), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("sysctl %s: %w", key, err)
	}
	_, err = f.WriteString(value + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("sysctl %s: %w", key, err)
	}
	return nil
}

// Sysctls implements Kernel.
func (l *Linux) Sysctls(pattern string) ([]string, error) {
	base := l.path(sysctlDir)
	matches, err := filepath.Glob(filepath.Join(base, pattern))
	if err != nil {
		return nil, fmt.Errorf("sysctl %s: %w", pattern, err)
	}
	for i, m := range matches {
		matches[i] = strings.TrimPrefix(m, base+"/")
	}
	return matches, nil
}

// Facts implements Kernel. What cannot be read is left at its zero value: the
// checks that need it say so.
func (l *Linux) Facts() (Facts, error) {
	f := Facts{
		OS: runtime.GOOS, Arch: runtime.GOARCH, UID: os.Geteuid(), CPUs: runtime.NumCPU(), Now: time.Now(),
		Release: l.line("/proc/sys/kernel/osrelease"), Hostname: l.line("/proc/sys/kernel/hostname"),
		Distro: l.distro(), Init: l.initSystem(), Container: l.container(),
	}
	if err := l.memory(&f); err != nil {
		return Facts{}, err
	}
	f.Cgroup, f.Controllers = l.controllers()
	f.MissingCaps = l.missingCaps()
	return f, nil
}

// Clock implements Kernel.
func (l *Linux) Clock() (Clock, error) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return Clock{}, fmt.Errorf("ask the kernel about its clock: %w", err)
	}
	synced := state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
	return Clock{Synced: synced, Error: time.Duration(t.Maxerror) * time.Microsecond}, nil
}

// line reads a file of one line; "" when it is not there.
func (l *Linux) line(path string) string {
	data, err := l.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func (l *Linux) distro() string {
	data, err := l.ReadFile("/etc/os-release")
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(string(data), "\n") {
		if v, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(v, `"'`)
		}
	}
	return ""
}

// initSystem says who starts services here. The tool alone is not enough: it is
// often installed in containers where nobody runs it.
func (l *Linux) initSystem() string {
	if _, err := l.Stat("/run/systemd/system"); err == nil {
		return "systemd"
	}
	if _, err := l.Stat("/run/openrc/softlevel"); err == nil {
		return "openrc"
	}
	return "none"
}

// container says in which kind of container this runs, if any.
func (l *Linux) container() string {
	if v := l.line("/run/systemd/container"); v != "" {
		return v
	}
	if _, err := l.Stat("/.dockerenv"); err == nil {
		return "docker"
	}
	if _, err := l.Stat("/run/.containerenv"); err == nil {
		return "podman"
	}
	if data, err := l.ReadFile("/proc/1/environ"); err == nil {
		for _, e := range bytes.Split(data, []byte{0}) {
			if v, ok := strings.CutPrefix(string(e), "container="); ok {
				return v
			}
		}
	}
	return ""
}

func (l *Linux) memory(f *Facts) error {
	data, err := l.ReadFile("/proc/meminfo")
	if err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			continue
		}
		switch name {
		case "MemTotal":
			f.MemoryTotal = n << 10
		case "MemAvailable":
			f.MemoryFree = n << 10
		case "SwapTotal":
			f.SwapTotal = n << 10
		}
	}
	return lines.Err()
}

// controllers lists what control groups can control, by version.
func (l *Linux) controllers() (int, []string) {
	if data, err := l.ReadFile(cgroupDir + "/cgroup.controllers"); err == nil {
		list := strings.Fields(string(data))
		sort.Strings(list)
		return 2, list
	}
	mounts, err := l.Mounts()
	if err != nil {
		return 0, nil
	}
	var list []string
	version := 0
	for _, m := range mounts {
		if m.Type == "cgroup" {
			version = 1
			list = append(list, strings.Split(filepath.Base(m.Point), ",")...)
		}
	}
	sort.Strings(list)
	return version, list
}

// Features implements Kernel. Where the kernel has modules that are not loaded
// yet, the module files answer.
func (l *Linux) Features() map[string]bool {
	have := map[string]bool{}
	if data, err := l.ReadFile("/proc/filesystems"); err == nil {
		have[FeatureOverlay] = strings.Contains(string(data), "\toverlay\n")
	}
	loadable := l.modules()
	config := func(name string) bool {
		_, loaded := l.Stat("/sys/module/" + name)
		return loaded == nil || loadable[name]
	}
	have[FeatureOverlay] = have[FeatureOverlay] || config("overlay")
	have[FeatureBridge] = config("bridge")
	have[FeatureVeth] = config("veth")
	have[FeatureVXLAN] = config("vxlan")
	have[FeatureNFTables] = config("nf_tables")
	have[FeatureIPTables] = config("ip_tables") || l.line("/proc/net/ip_tables_names") != ""
	_, err := l.Stat("/proc/sys/kernel/seccomp/actions_avail")
	have[FeatureSeccomp] = err == nil
	_, err = l.Stat("/proc/self/ns/user")
	have[FeatureUserNS] = err == nil
	if l.root == "/" {
		probeFeatures(have)
	}
	return have
}

// modules lists the names that modprobe could load or that are built in.
func (l *Linux) modules() map[string]bool {
	names := map[string]bool{}
	dir := "/lib/modules/" + l.line("/proc/sys/kernel/osrelease")
	for _, file := range []string{"modules.dep", "modules.builtin"} {
		data, err := l.ReadFile(filepath.Join(dir, file))
		if errors.Is(err, fs.ErrNotExist) || err != nil {
			continue
		}
		for _, line := range strings.Split(string(data), "\n") {
			path, _, _ := strings.Cut(line, ":")
			name, _, _ := strings.Cut(filepath.Base(path), ".")
			names[strings.ReplaceAll(name, "-", "_")] = true
		}
	}
	return names
}
