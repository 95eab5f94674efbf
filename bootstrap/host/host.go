package host

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"time"
)

// Errors that callers distinguish. All are wrapped with their subject.
var (
	// ErrLocked says that another process holds the lock.
	ErrLocked = errors.New("locked by another process")
	// ErrMounted says that a file system is mounted at or below a path that
	// should have been removed.
	ErrMounted = errors.New("a file system is mounted below it")
	// ErrGone says that a process ended, or that its number now belongs to
	// another one.
	ErrGone = errors.New("process is gone")
	// ErrNoCommand says that a command is not installed.
	ErrNoCommand = errors.New("command not found")
)

// Host is a whole machine. Its methods may be called from several goroutines.
type Host interface {
	Files
	Commands
	Processes
	Mounts
	Network
	Firewall
	Cgroups
	Kernel
}

// Kind says what a path is.
type Kind string

// The kinds of path that matter here.
const (
	KindFile    Kind = "file"
	KindDir     Kind = "dir"
	KindSymlink Kind = "symlink"
	KindOther   Kind = "other" // sockets, pipes, devices
)

// FileInfo describes a path without following a symlink.
type FileInfo struct {
	Path   string
	Kind   Kind
	Perm   fs.FileMode // permission bits only
	UID    int
	GID    int
	Size   int64
	Target string // of a symlink, as stored
}

// Files reads and changes the file system. Absent paths are reported with an
// error that is fs.ErrNotExist.
type Files interface {
	// ReadFile returns a file's whole contents, following symlinks.
	ReadFile(path string) ([]byte, error)
	// ReadStart returns up to n bytes from the beginning of a file.
	ReadStart(path string, n int) ([]byte, error)
	// Stat describes path itself, not what a symlink points at.
	Stat(path string) (FileInfo, error)
	// List returns the sorted names in a directory.
	List(path string) ([]string, error)
	// Hash returns the lower-case hexadecimal SHA-256 of a file's contents.
	Hash(path string) (string, error)
	// WriteFile replaces path as a whole or not at all: a temporary file in the
	// same directory is written, synced and renamed. The owner is root.
	WriteFile(path string, data []byte, perm fs.FileMode) error
	// CopyFile does what WriteFile does, with the contents of src.
	CopyFile(src, dst string, perm fs.FileMode) error
	// Append adds data to the end of a file, all of it or none, and syncs it.
	// The file is created with perm when it is absent.
	Append(path string, data []byte, perm fs.FileMode) error
	// Mkdir makes one directory. fs.ErrExist when path exists in any form.
	Mkdir(path string, perm fs.FileMode) error
	// Symlink makes path point at target, replacing a symlink that is there.
	// Anything else in the way is fs.ErrExist.
	Symlink(target, path string) error
	// Remove deletes a file, a symlink or an empty directory, and what a killed
	// WriteFile, CopyFile or Symlink left of it. An absent path is no error.
	Remove(path string) error
	// RemoveTree deletes path with all below it. It returns ErrMounted, and
	// deletes nothing, when a file system is mounted at or below path. An
	// absent path is no error.
	RemoveTree(path string) error
	// Lock takes an exclusive lock on a file, which it creates, without
	// waiting. ErrLocked when another process holds it. Calling release gives
	// the lock back and removes the file.
	Lock(path string) (release func() error, err error)
	// Disk describes the file system that path, or its nearest existing
	// parent, is on.
	Disk(path string) (Disk, error)
}

// Disk describes a file system. Sizes are in bytes.
type Disk struct {
	Type       string // "ext4", "overlay", "tmpfs"… or its number in hexadecimal
	Total      uint64
	Free       uint64 // for root
	Inodes     uint64 // 0 when the file system has no fixed number
	InodesFree uint64
}

// Command is a program to run. Secrets belong in Stdin or in files: every user
// of the machine can read arguments.
type Command struct {
	Name  string // looked up in PATH unless it has a slash
	Args  []string
	Stdin []byte
	Env   []string // added to the environment
}

// Output is what a command wrote. Each stream is cut after 1 MiB.
type Output struct {
	Stdout []byte
	Stderr []byte
}

// Commands runs programs.
type Commands interface {
	// Run waits for the command. Its error carries the exit code and the last
	// line of standard error, and is ErrNoCommand when there is no such program.
	// When ctx ends the command is killed.
	Run(ctx context.Context, c Command) (Output, error)
	// LookPath finds a program as Run would. ErrNoCommand when there is none.
	LookPath(name string) (string, error)
	// Spawn starts a program in a session of its own that outlives this
	// process, with both output streams appended to the file logPath. Of this
	// process's environment it gets PATH, HOME and LANG only: what was meant
	// for a command is not meant for a service.
	Spawn(c Command, logPath string) (Process, error)
}

// Process is a running program at one moment.
type Process struct {
	PID       int
	PPID      int
	StartTime uint64 // clock ticks since boot; with PID, unique
	Name      string // the kernel's short name
	Exe       string // "" when unreadable; " (deleted)" is cut off
	Deleted   bool   // the executable was replaced or removed
	Args      []string
	Cgroups   []string // paths inside the hierarchies
	Elsewhere bool     // in another process namespace: in a container, maybe one that is a host of its own
}

// Words returns the words of the command line. A program that sets its own
// title, as k3s does, leaves one argument with spaces in it.
func (p Process) Words() []string { return strings.Fields(strings.Join(p.Args, " ")) }

// Processes lists and signals processes.
type Processes interface {
	// Processes lists all processes that can be seen, kernel threads included.
	Processes() ([]Process, error)
	// Environ returns the environment a process was started with. ErrGone when
	// it has ended.
	Environ(p Process) (map[string]string, error)
	// Signal sends sig to p. ErrGone when p has ended, even if its number is in
	// use again.
	Signal(p Process, sig syscall.Signal) error
	// Self returns the number of this process.
	Self() int
	// Wait sleeps for d, or until ctx ends.
	Wait(ctx context.Context, d time.Duration) error
}

// Mount is one line of mountinfo.
type Mount struct {
	ID     int
	Parent int
	Point  string
	Root   string // the part of the file system that is mounted
	Type   string
	Source string
}

// Mounts lists and removes mounts.
type Mounts interface {
	// Mounts lists them in the order they were made.
	Mounts() ([]Mount, error)
	// Unmount detaches the topmost mount at point, at once for new users and
	// for present ones when they let go of it.
	Unmount(point string) error
}

// Link is a network interface.
type Link struct {
	Name   string
	Type   string // "veth", "bridge", "vxlan", "dummy", "device"…
	Master string // the bridge it belongs to, or ""
}

// Listener is a listening TCP socket.
type Listener struct {
	Address string
	Port    int
	PID     int // 0 when the owner cannot be seen
	Command string
	Exe     string
}

// Network reads and removes what a container network leaves behind.
type Network interface {
	Links() ([]Link, error)
	// DeleteLink removes an interface. An absent one is no error.
	DeleteLink(name string) error
	// Namespaces lists the named network namespaces.
	Namespaces() ([]string, error)
	// DeleteNamespace unmounts and forgets a named network namespace.
	DeleteNamespace(name string) error
	// IPSets lists the kernel's address sets; none when the kernel has no
	// support for them.
	IPSets() ([]string, error)
	// DeleteIPSet removes an address set that no rule uses any more.
	DeleteIPSet(name string) error
	// Listeners lists listening TCP sockets with their owners.
	Listeners() ([]Listener, error)
}

// RuleDump is what one firewall tool saves: the text of iptables-save.
type RuleDump struct {
	Tool string // "iptables" or "ip6tables", with "-legacy" for the old tables
	Text string
}

// Firewall reads and edits packet filter rules.
type Firewall interface {
	// Rules saves the rules of each tool that is there; none without any tool.
	Rules(ctx context.Context) ([]RuleDump, error)
	// EditRules feeds a script to the tool's restore program with --noflush, so
	// that all of it is applied or none.
	EditRules(ctx context.Context, tool, script string) error
}

// Cgroups lists and removes control groups.
type Cgroups interface {
	// Cgroups lists the groups, as absolute paths, whose path inside a
	// hierarchy begins with one of the names (whole components, shell patterns
	// allowed), deepest first.
	Cgroups(names []string) ([]string, error)
	// RemoveCgroup deletes one group without children or processes. An absent
	// one is no error.
	RemoveCgroup(path string) error
}

// Kernel reads facts and changes kernel settings.
type Kernel interface {
	// Sysctl reads a setting by its path below /proc/sys. fs.ErrNotExist when
	// the kernel has no such setting.
	Sysctl(key string) (string, error)
	// SetSysctl writes one.
	SetSysctl(key, value string) error
	// Sysctls lists the keys that match a shell pattern.
	Sysctls(pattern string) ([]string, error)
	// Facts describes the machine.
	Facts() (Facts, error)
	// Clock tells how well the kernel's clock is kept.
	Clock() (Clock, error)
	// Features tells by name what the kernel can do. It tries some of it in a
	// network namespace of its own, which leaves nothing but takes a moment.
	Features() map[string]bool
}

// Clock is how well a clock is kept.
type Clock struct {
	Synced bool          // a time service sets it
	Error  time.Duration // the most it is off, as that service estimates
}

// Facts are what a machine is. Sizes are in bytes.
type Facts struct {
	OS          string // GOOS
	Arch        string // GOARCH
	Distro      string // PRETTY_NAME of os-release
	Release     string // kernel release
	Hostname    string
	UID         int // effective user of this process
	CPUs        int
	MemoryTotal uint64
	MemoryFree  uint64 // available for new programs
	SwapTotal   uint64
	Init        string   // "systemd", "openrc" or "none"
	Container   string   // kind of container this runs in, or ""
	Cgroup      int      // 1, 2, or 0 when none is mounted
	Controllers []string // control group controllers, sorted
	MissingCaps []string // capabilities of a full root that are missing, sorted
	Now         time.Time
}

// The kernel features that Features answers for.
const (
	FeatureOverlay  = "overlay"
	FeatureBridge   = "bridge"
	FeatureVeth     = "veth"
	FeatureVXLAN    = "vxlan"
	FeatureNFTables = "nf_tables"
	FeatureIPTables = "ip_tables"
	FeatureSeccomp  = "seccomp"
	FeatureUserNS   = "user_namespaces"
)
