package host

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Options are what a Linux host may be told about itself.
type Options struct {
	// Root is put before every path; "" means "/". Tests use it.
	Root string
	// Carried is the folder of the programs we carry for hosts that lack them
	// (iptables): searched after the PATH of this process.
	Carried string
}

// Linux is the machine this process runs on.
type Linux struct {
	root    string
	carried string
	sys     syscalls
}

// syscalls are the calls that act on the machine whatever the root is; tests
// with a root of their own replace them.
type syscalls struct {
	unmount     func(point string, flags int) error
	links       func() ([]Link, error)
	deleteLink  func(name string) error
	ipsets      func() ([]string, error)
	deleteIPSet func(name string) error
}

var _ Host = (*Linux)(nil)

// NewLinux returns this machine. It changes nothing.
func NewLinux(o Options) *Linux {
	root := o.Root
	if root == "" {
		root = "/"
	}
	return &Linux{root: root, carried: o.Carried, sys: syscalls{
		unmount: unix.Unmount, links: netlinkLinks, deleteLink: netlinkDelete,
		ipsets: netlinkIPSets, deleteIPSet: netlinkDeleteIPSet,
	}}
}

// Self implements Processes.
func (l *Linux) Self() int { return os.Getpid() }

// Wait implements Processes.
func (l *Linux) Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
