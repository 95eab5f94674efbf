package main

import (
	"context"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	daemonPath    = "/usr/bin/buildkitd"
	readyPatience = 30 * time.Second
	stopPatience  = 15 * time.Second
	readyLook     = 20 * time.Millisecond
)

// daemon is a running buildkitd.
type daemon struct {
	process *os.Process
	ended   chan struct{} // closed when it has ended
	ready   chan struct{} // closed when it listens
}

func startDaemon(ctx context.Context, children *reaper) (*daemon, error) {
	if err := removeSocket(daemonSocket); err != nil {
		return nil, err
	}
	d := &daemon{ended: make(chan struct{}), ready: make(chan struct{})}
	err := children.start(func() (int, error) {
		p, err := os.StartProcess(daemonPath, []string{daemonPath, "--config", configFile}, &os.ProcAttr{
			Files: []*os.File{nil, os.Stderr, os.Stderr}, Env: os.Environ(),
			// Should this process die, so does it.
			Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
		})
		if err != nil {
			return 0, err
		}
		d.process = p
		return p.Pid, nil
	}, func() { close(d.ended) })
	if err != nil {
		return nil, err
	}
	go d.probe(ctx)
	return d, nil
}

// probe looks until buildkitd listens or has ended.
func (d *daemon) probe(ctx context.Context) {
	tick := time.NewTicker(readyLook)
	defer tick.Stop()
	for {
		if answers() {
			close(d.ready)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-d.ended:
			return
		case <-tick.C:
		}
	}
}

// answers reports whether buildkitd greets: it opens its socket before it is
// ready to serve.
func answers() bool {
	conn, err := net.Dial("unix", daemonSocket)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(readyPatience)); err != nil {
		return false
	}
	_, err = conn.Read(make([]byte, 1))
	return err == nil
}

// waitReady reports whether it listens; it waits for that.
func (d *daemon) waitReady() bool {
	select {
	case <-d.ready:
		return true
	case <-d.ended:
	case <-time.After(readyPatience):
	}
	return false
}

// stop ends it, and with it all that it runs.
func (d *daemon) stop() {
	_ = d.process.Signal(syscall.SIGTERM)
	select {
	case <-d.ended:
	case <-time.After(stopPatience):
		_ = d.process.Kill()
		<-d.ended
	}
}
