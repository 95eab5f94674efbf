package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// reaper waits for all children, as process 1 has to: those of programs that
// died become its own.
type reaper struct {
	mu    sync.Mutex
	ended map[int]func() // by process id
}

// start runs begin, which starts a process and says its id, and calls ended
// when that has ended.
func (r *reaper) start(begin func() (int, error), ended func()) error {
	r.mu.Lock() // not reaped before it is known
	defer r.mu.Unlock()
	pid, err := begin()
	if err == nil {
		r.ended[pid] = ended
	}
	return err
}

// run reaps until ctx ends.
func (r *reaper) run(ctx context.Context) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGCHLD)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
		}
		for r.reap() {
		}
	}
}

// reap reports whether a child had ended.
func (r *reaper) reap() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
	if err == syscall.EINTR {
		return true
	}
	if err != nil || pid <= 0 {
		return false
	}
	if ended := r.ended[pid]; ended != nil {
		delete(r.ended, pid)
		ended()
	}
	return true
}
