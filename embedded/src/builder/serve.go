package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

const (
	runDir       = "/run/buildkit"
	holdSocket   = runDir + "/hold.sock"
	daemonSocket = runDir + "/buildkitd.sock"
	spoolDir     = "/var/lib/buildkit/spool"
	configFile   = "/etc/buildkit/buildkitd.toml"
	cniFile      = "/etc/buildkit/cni.json"
)

// serve keeps buildkitd for those who hold it: one connection to the socket
// each. It answers "+" once buildkitd listens and hangs up if it never does.
func serve(ctx context.Context) error {
	if err := os.MkdirAll(runDir, 0o700); err != nil {
		return err
	}
	// buildkitd calls its runc by name.
	if err := linkWrapper(); err != nil {
		return err
	}
	// What a builder that was killed has left.
	if err := errors.Join(os.RemoveAll(spoolDir), removeSocket(holdSocket), removeSocket(daemonSocket)); err != nil {
		return err
	}
	idle, err := time.ParseDuration(env("BUILDER_IDLE", "5m"))
	if err != nil {
		return fmt.Errorf("BUILDER_IDLE: %w", err)
	}
	if err := prepareCgroup(); err != nil {
		return err
	}
	if err := masquerade(cniFile); err != nil {
		return err
	}
	listener, err := net.Listen("unix", holdSocket)
	if err != nil {
		return err
	}
	defer listener.Close()
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	k := &keeper{idle: idle, holds: make(chan net.Conn), gone: make(chan bool), children: &reaper{ended: map[int]func(){}}}
	// It reaps beyond ctx: what ctx ends has to be waited for.
	go k.children.run(context.WithoutCancel(ctx))
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			select {
			case k.holds <- conn:
			case <-ctx.Done():
				_ = conn.Close()
			}
		}
	}()
	fmt.Fprintln(os.Stderr, "builder: ready; buildkitd starts with the first build and stops", idle, "after the last")
	return k.run(ctx)
}

func linkWrapper() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	name := runDir + "/" + wrapperName
	if err := removeSocket(name); err != nil {
		return err
	}
	return os.Symlink(self, name)
}

func removeSocket(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func env(name, otherwise string) string {
	if v := strings.TrimSpace(os.Getenv(name)); v != "" {
		return v
	}
	return otherwise
}

// keeper starts and stops buildkitd. All of it happens in run.
type keeper struct {
	idle     time.Duration
	holds    chan net.Conn // who wants buildkitd
	gone     chan bool     // one of them hung up; true: its build was cut off
	daemon   *daemon       // nil while none runs
	held     int
	dirty    bool // buildkitd holds on to what a build wrote that was cut off
	children *reaper
}

func (k *keeper) run(ctx context.Context) error {
	timer := time.NewTimer(k.idle)
	timer.Stop()
	for {
		var ended <-chan struct{}
		if k.daemon != nil {
			ended = k.daemon.ended
		}
		select {
		case <-ctx.Done():
			k.stop()
			return nil
		case conn := <-k.holds:
			timer.Stop()
			k.held++
			go k.watch(conn, k.start(ctx))
		case cut := <-k.gone:
			k.dirty = k.dirty || cut
			if k.held--; k.held > 0 || k.daemon == nil {
				continue
			}
			if k.dirty {
				k.stop()
			} else {
				timer.Reset(k.idle)
			}
		case <-timer.C:
			if k.held == 0 {
				k.stop()
			}
		case <-ended:
			fmt.Fprintln(os.Stderr, "builder: buildkitd ended by itself")
			k.daemon = nil
		}
	}
}

// start starts buildkitd unless it runs; nil when it cannot be started.
func (k *keeper) start(ctx context.Context) *daemon {
	if k.daemon == nil {
		d, err := startDaemon(ctx, k.children)
		if err != nil {
			fmt.Fprintln(os.Stderr, "builder: starting buildkitd:", err)
			return nil
		}
		k.daemon = d
	}
	return k.daemon
}

func (k *keeper) stop() {
	if k.daemon != nil {
		k.daemon.stop()
		k.daemon, k.dirty = nil, false
	}
}

// watch answers one who holds, and waits until they hang up.
func (k *keeper) watch(conn net.Conn, d *daemon) {
	last := make([]byte, 1)
	defer func() { k.gone <- last[0] != '.' }()
	defer conn.Close()
	if d == nil || !d.waitReady() {
		return
	}
	if _, err := conn.Write([]byte("+")); err != nil {
		return
	}
	_, _ = conn.Read(last) // ends when they hang up
}
