package main

import (
	"net/http"
	"sync"
	"time"
)

// life ends when nothing was asked for a while. A request that is still being
// answered, a long upload for instance, keeps it up.
type life struct {
	idle time.Duration

	mu    sync.Mutex
	open  int // requests being answered
	timer *time.Timer
}

func newLife(idle time.Duration, over func()) *life {
	return &life{idle: idle, timer: time.AfterFunc(idle, over)}
}

func (l *life) end() { l.timer.Stop() }

func (l *life) enter() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open++
	l.timer.Stop()
}

func (l *life) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open--; l.open == 0 {
		l.timer.Reset(l.idle)
	}
}

// keep counts the requests of next. The probes of the node that the pod runs
// on say nothing about people, and do not count.
func (l *life) keep(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == readyPath {
			next.ServeHTTP(w, r)
			return
		}
		l.enter()
		defer l.leave()
		next.ServeHTTP(w, r)
	})
}

// readyPath is asked by the node, every few seconds.
const readyPath = "/_/ready"
