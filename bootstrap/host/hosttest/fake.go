// Package hosttest is a host in memory for tests: it records every change, can
// refuse any call, and can lose power at any change.
package hosttest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// ErrDead is what every call answers after the host lost power.
var ErrDead = errors.New("the host lost power")

// Node is a path of the fake host.
type Node struct {
	Kind   host.Kind
	Data   string
	Perm   uint32
	Target string
}

// Fake is a host.Host in memory. Its exported fields are its state: tests set
// them before, and compare them after. It is safe for concurrent use through
// its methods.
type Fake struct {
	mu sync.Mutex

	Nodes      map[string]Node
	Procs      []host.Process
	Env        map[int]map[string]string // environment by process
	MountList  []host.Mount
	LinkList   []host.Link
	NetNS      []string
	Sets       []string
	Ports      []host.Listener
	Firewalls  map[string]string // dump by tool
	CgroupList []string
	SysctlMap  map[string]string
	Machine    host.Facts
	ClockState host.Clock
	Kernel     map[string]bool      // features
	Disks      map[string]host.Disk // by path, "/" for all others
	Commands   map[string]bool      // what LookPath finds; nil finds all
	OnRun      func(host.Command) (host.Output, error)

	// Fail, when set, is asked before each call with its text ("write /a",
	// "run systemctl daemon-reload"); the call fails with what it returns.
	Fail func(call string) error
	// DieAt is the number of changes after which the host loses power: from
	// then on every call fails and changes nothing. Negative: never.
	DieAt int
	// Torn makes the change that meets the loss of power, when it is an
	// append, leave half of its data behind.
	Torn bool

	changes []string
	locks   map[string]bool
	nextPID int
}

var _ host.Host = (*Fake)(nil)

// New returns a bare Debian host with an empty disk.
func New() *Fake {
	f := &Fake{
		Nodes: map[string]Node{"/": {Kind: host.KindDir, Perm: 0o755}}, Env: map[int]map[string]string{},
		Firewalls: map[string]string{}, SysctlMap: map[string]string{}, locks: map[string]bool{},
		DieAt: -1, nextPID: 1000, ClockState: host.Clock{Synced: true},
		Disks: map[string]host.Disk{"/": {Type: "ext4", Total: 100 << 30, Free: 50 << 30, Inodes: 1 << 22, InodesFree: 1 << 21}},
		Machine: host.Facts{
			OS: "linux", Arch: "amd64", Distro: "Debian GNU/Linux 12 (bookworm)", Release: "6.1.0-18-amd64",
			Hostname: "node1", CPUs: 2, MemoryTotal: 4 << 30, MemoryFree: 3 << 30, Init: host.ManagerSystemd, Cgroup: 2,
			Controllers: []string{"cpu", "cpuset", "memory", "pids"}, Now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
		},
		Kernel: map[string]bool{
			host.FeatureOverlay: true, host.FeatureBridge: true, host.FeatureVeth: true, host.FeatureVXLAN: true,
			host.FeatureNFTables: true, host.FeatureIPTables: true, host.FeatureSeccomp: true, host.FeatureUserNS: true,
		},
	}
	for _, dir := range []string{"/etc", "/etc/default", "/etc/systemd", "/etc/systemd/system", "/run", "/run/systemd/system",
		"/usr/local/bin", "/var/lib", "/var/log", "/root", "/tmp"} {
		f.MakeDirs(dir)
	}
	return f
}

// MakeDirs adds a directory with its parents, without recording it.
func (f *Fake) MakeDirs(dir string) {
	for d := path.Clean(dir); d != "/"; d = path.Dir(d) {
		if _, ok := f.Nodes[d]; !ok {
			f.Nodes[d] = Node{Kind: host.KindDir, Perm: 0o755}
		}
	}
}

// Put adds a file with its parents, without recording it.
func (f *Fake) Put(file, data string) {
	f.MakeDirs(path.Dir(file))
	f.Nodes[file] = Node{Kind: host.KindFile, Data: data, Perm: 0o644}
}

// Changes returns what was changed so far, one line per change.
func (f *Fake) Changes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.changes...)
}

// Forget empties the record of changes.
func (f *Fake) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes = nil
}

// Revive gives a dead host its power back: locks and processes are gone, files
// stay.
func (f *Fake) Revive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.DieAt, f.locks = -1, map[string]bool{}
}

// Tree lists all paths below dir with their contents, for comparison.
func (f *Fake) Tree(dir string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var lines []string
	for p, n := range f.Nodes {
		if p != dir && host.Below(p, dir) {
			lines = append(lines, fmt.Sprintf("%s %s %04o %s%s", p, n.Kind, n.Perm, n.Data, n.Target))
		}
	}
	sort.Strings(lines)
	return lines
}

// Change records a change made outside the interface, by a step of a test, and
// answers as the host would.
func (f *Fake) Change(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.change(format, args...)
}

// change is called, locked, before every change.
func (f *Fake) change(format string, args ...any) error {
	if f.DieAt >= 0 && len(f.changes) >= f.DieAt {
		return ErrDead
	}
	text := fmt.Sprintf(format, args...)
	if f.Fail != nil {
		if err := f.Fail(text); err != nil {
			return err
		}
	}
	f.changes = append(f.changes, text)
	return nil
}

// look is called, locked, before every call that changes nothing.
func (f *Fake) look(format string, args ...any) error {
	if f.DieAt >= 0 && len(f.changes) >= f.DieAt {
		return ErrDead
	}
	if f.Fail != nil {
		return f.Fail(fmt.Sprintf(format, args...))
	}
	return nil
}

// Self implements host.Processes.
func (f *Fake) Self() int { return 999 }

// Wait implements host.Processes without waiting.
func (f *Fake) Wait(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// Run implements host.Commands: every command is recorded as a change.
func (f *Fake) Run(_ context.Context, c host.Command) (host.Output, error) {
	f.mu.Lock()
	err := f.change("run %s", strings.Join(append([]string{c.Name}, c.Args...), " "))
	f.mu.Unlock()
	if err != nil || f.OnRun == nil {
		return host.Output{}, err
	}
	return f.OnRun(c)
}

// LookPath implements host.Commands.
func (f *Fake) LookPath(name string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Commands != nil && !f.Commands[name] {
		return "", fmt.Errorf("%s: %w", name, host.ErrNoCommand)
	}
	return "/usr/bin/" + name, f.look("look for %s", name)
}

// Spawn implements host.Commands.
func (f *Fake) Spawn(c host.Command, _ string) (host.Process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change("spawn %s", strings.Join(append([]string{c.Name}, c.Args...), " ")); err != nil {
		return host.Process{}, err
	}
	f.nextPID++
	p := host.Process{PID: f.nextPID, PPID: 1, StartTime: uint64(f.nextPID), Name: path.Base(c.Name), Exe: c.Name, Args: append([]string{c.Name}, c.Args...)}
	f.Procs = append(f.Procs, p)
	return p, nil
}

// Processes implements host.Processes.
func (f *Fake) Processes() ([]host.Process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]host.Process(nil), f.Procs...), f.look("processes")
}

// Environ implements host.Processes.
func (f *Fake) Environ(p host.Process) (map[string]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Env[p.PID], f.look("environ %d", p.PID)
}

// Signal implements host.Processes: SIGTERM and SIGKILL end a process at once.
func (f *Fake) Signal(p host.Process, sig syscall.Signal) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, q := range f.Procs {
		if q.PID != p.PID || q.StartTime != p.StartTime {
			continue
		}
		if err := f.change("signal %d %d (%s)", p.PID, int(sig), q.Name); err != nil {
			return err
		}
		if sig == syscall.SIGTERM || sig == syscall.SIGKILL {
			f.Procs = append(f.Procs[:i:i], f.Procs[i+1:]...)
		}
		return nil
	}
	return fmt.Errorf("signal process %d: %w", p.PID, host.ErrGone)
}
