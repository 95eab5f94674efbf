package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/trim"
	"github.com/slipway-paas/slipway/embedded"
)

// How much the heaps of k3s and containerd may grow between two collections,
// in percent. At rest less than Go's usual 100: on a small host the memory is
// worth more than the few percent of CPU it costs. While everything starts the
// CPU is what is short, and what is collected is needed again a second later.
const (
	startPercent = 200
	restPercent  = 40
)

// tuneMemory prepares this process for its start, and containerd, which it
// starts and which does little, for its rest, unless the operator has set GOGC.
func tuneMemory() error {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.SetGCPercent(startPercent)
	// k3s hands CONTAINERD_* on to containerd without the prefix.
	return os.Setenv("CONTAINERD_GOGC", strconv.Itoa(restPercent))
}

// settle is how long after everything is ready the programs have done what
// they do only at their start.
const settle = 20 * time.Second

// runTrim gives back, once everything is ready, the memory that the platform's
// programs needed only to start.
func (s *server) runTrim(ctx context.Context) error {
	if s.board.Watch(ctx, lifecycle.AllReady) != nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(settle):
	}
	s.trim()
	<-ctx.Done()
	return nil
}

func (s *server) trim() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(restPercent)
	}
	debug.FreeOSMemory()
	processes, err := host.NewLinux(host.Options{}).Processes()
	if err != nil {
		s.log.WithError(err).Warn("memory: listing processes")
		return
	}
	names := carriedPrograms()
	var pids []int
	for _, p := range processes {
		if platformProcess(p, s.paths, names) {
			pids = append(pids, p.PID)
		}
	}
	result, err := trim.Processes(pids)
	if err != nil {
		s.log.WithError(err).Info("memory: not all could be trimmed")
	}
	s.log.WithField("processes", result.Processes).WithField("before", result.Before>>20).
		WithField("after", result.After>>20).Info("memory: start-up code given back (MB)")
}

// carriedPrograms are the programs of the carried images, apps' examples apart.
func carriedPrograms() []string {
	manifest, err := embedded.Load()
	if err != nil {
		return nil
	}
	var names []string
	for _, image := range manifest.Images {
		if image.Name != "hello" {
			names = append(names, "/usr/bin/"+image.Name)
		}
	}
	return names
}

// platformProcess reports whether a process is one of the platform's: this
// program and its children under other names, the shims, or a carried program
// in a pod. Programs of the same name that the host runs are not.
func platformProcess(p host.Process, paths bootstrap.Paths, names []string) bool {
	if p.Exe == paths.Binary || filepath.Dir(p.Exe) == paths.Bin {
		return true
	}
	inPod := slices.ContainsFunc(p.Cgroups, func(c string) bool { return strings.Contains(c, "kubepods") })
	return inPod && slices.Contains(names, p.Exe)
}
