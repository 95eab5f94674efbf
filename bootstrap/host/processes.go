package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Processes implements Processes.
func (l *Linux) Processes() ([]Process, error) {
	names, err := l.List("/proc")
	if err != nil {
		return nil, fmt.Errorf("processes: %w", err)
	}
	var all []Process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		p, err := l.process(pid)
		if errors.Is(err, ErrGone) {
			continue // it ended while we looked
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].PID < all[j].PID })
	return all, nil
}

// process reads one process. ErrGone when there is none, or only its zombie.
func (l *Linux) process(pid int) (Process, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := l.ReadFile(dir + "/stat")
	if err != nil {
		return Process{}, fmt.Errorf("process %d: %w", pid, goneError(err))
	}
	p, state, err := parseStat(string(stat))
	if err != nil {
		return Process{}, fmt.Errorf("process %d: %w", pid, err)
	}
	if state == "Z" || state == "X" {
		return Process{}, fmt.Errorf("process %d: %w", pid, ErrGone)
	}
	// What follows may be unreadable (other users, kernel threads) or vanish;
	// the process is then described by what there is.
	if exe, err := os.Readlink(l.path(dir + "/exe")); err == nil {
		p.Exe, p.Deleted = strings.CutSuffix(exe, " (deleted)")
	}
	if own, err := os.Readlink(l.path("/proc/self/ns/pid")); err == nil {
		theirs, err := os.Readlink(l.path(dir + "/ns/pid"))
		p.Elsewhere = err == nil && theirs != own
	}
	if args, err := l.ReadFile(dir + "/cmdline"); err == nil && len(args) > 0 {
		p.Args = strings.Split(strings.TrimRight(string(args), "\x00"), "\x00")
	}
	if groups, err := l.ReadFile(dir + "/cgroup"); err == nil {
		p.Cgroups = parseProcCgroups(string(groups))
	}
	return p, nil
}

// goneError turns the errors of a vanished /proc entry into ErrGone.
func goneError(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return ErrGone
	}
	return err
}

// parseStat reads /proc/<pid>/stat. The name stands in parentheses and may hold
// parentheses and spaces itself, so the last closing one counts.
func parseStat(s string) (p Process, state string, err error) {
	open, end := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if open < 0 || end < open {
		return p, "", fmt.Errorf("stat %q: no name", s)
	}
	f := strings.Fields(s[end+1:])
	if len(f) < 20 {
		return p, "", fmt.Errorf("stat %q: too few fields", s)
	}
	p.Name = s[open+1 : end]
	if p.PID, err = strconv.Atoi(strings.TrimSpace(s[:open])); err != nil {
		return p, "", fmt.Errorf("stat: %w", err)
	}
	if p.PPID, err = strconv.Atoi(f[1]); err != nil {
		return p, "", fmt.Errorf("stat: %w", err)
	}
	if p.StartTime, err = strconv.ParseUint(f[19], 10, 64); err != nil {
		return p, "", fmt.Errorf("stat: %w", err)
	}
	return p, f[0], nil
}

// parseProcCgroups returns the distinct paths of /proc/<pid>/cgroup.
func parseProcCgroups(s string) []string {
	var paths []string
	seen := map[string]bool{"/": true}
	for _, line := range strings.Split(s, "\n") {
		part := strings.SplitN(line, ":", 3)
		if len(part) == 3 && !seen[part[2]] {
			seen[part[2]] = true
			paths = append(paths, part[2])
		}
	}
	return paths
}

// Environ implements Processes.
func (l *Linux) Environ(p Process) (map[string]string, error) {
	if err := l.same(p); err != nil {
		return nil, err
	}
	data, err := l.ReadFile(filepath.Join("/proc", strconv.Itoa(p.PID), "environ"))
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", p.PID, goneError(err))
	}
	env := map[string]string{}
	for _, entry := range bytes.Split(data, []byte{0}) {
		if name, value, ok := strings.Cut(string(entry), "="); ok {
			env[name] = value
		}
	}
	return env, nil
}

// same reports ErrGone unless the number still belongs to p.
func (l *Linux) same(p Process) error {
	now, err := l.process(p.PID)
	if err != nil {
		return err
	}
	if now.StartTime != p.StartTime {
		return fmt.Errorf("process %d: %w", p.PID, ErrGone)
	}
	return nil
}

// Signal implements Processes. The descriptor is taken before the start time is
// compared, so the process that was compared is the one that gets the signal.
func (l *Linux) Signal(p Process, sig syscall.Signal) error {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		if errors.Is(err, unix.ENOSYS) { // kernels before 5.3
			return l.signalByNumber(p, sig)
		}
		return fmt.Errorf("signal process %d: %w", p.PID, goneError(err))
	}
	err = l.same(p)
	if err == nil {
		if err = unix.PidfdSendSignal(fd, sig, nil, 0); err != nil {
			err = fmt.Errorf("signal process %d: %w", p.PID, goneError(err))
		}
	}
	return errors.Join(err, unix.Close(fd))
}

// signalByNumber leaves a gap of microseconds between check and signal.
func (l *Linux) signalByNumber(p Process, sig syscall.Signal) error {
	if err := l.same(p); err != nil {
		return err
	}
	if err := unix.Kill(p.PID, sig); err != nil {
		return fmt.Errorf("signal process %d: %w", p.PID, goneError(err))
	}
	return nil
}
