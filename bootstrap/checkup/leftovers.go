package checkup

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
)

// tasks is where containerd keeps a folder for each container that it knows.
const tasks = "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io"

// checkLeftovers finds shims of ours whose pod containerd does not know any
// more, and file systems of containers without a shim. While the service is
// down all of them may be in use: then there is nothing to say.
func checkLeftovers(ctx context.Context, e *env) ([]doctor.Finding, error) {
	if s := e.opts.Service; s != nil {
		if st, err := s.Status(ctx); err != nil || !st.Running {
			return nil, err
		}
	}
	known, err := e.host.List(tasks)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tasksOf := map[string]bool{}
	for _, id := range known {
		tasksOf[id] = true
	}
	var found []doctor.Finding
	shims, err := e.staleShims(tasksOf)
	if err != nil {
		return nil, err
	}
	for _, p := range shims {
		found = append(found, doctor.Finding{Severity: doctor.Warning, Title: "a shim is left without its pod", Evidence: fmt.Sprintf("process %d of pod %s, which containerd does not know", p.PID, shimID(p)),
			Reason: "it and what it runs take memory, and maybe a port", Cure: fmt.Sprintf("kill -9 %d", p.PID),
			Fix: &doctor.Fix{Change: fmt.Sprintf("end process %d and those it started", p.PID), Do: func(context.Context, doctor.Changer) error { return killTree(e.host, p) }}})
	}
	mounts, err := e.staleMounts(tasksOf)
	if err != nil || len(mounts) == 0 {
		return found, err
	}
	return append(found, doctor.Finding{Severity: doctor.Warning, Title: "file systems of ended containers are still mounted", Evidence: fmt.Sprintf("%d, the first at %s", len(mounts), mounts[0]),
		Reason: "their layers cannot be deleted, so the disk fills", Cure: "umount " + mounts[0],
		Fix: &doctor.Fix{Change: fmt.Sprintf("unmount %d file systems of ended containers", len(mounts)), Do: func(context.Context, doctor.Changer) error {
			var errs []error
			for _, m := range mounts {
				errs = append(errs, e.host.Unmount(m))
			}
			return errors.Join(errs...)
		}}}), nil
}

// staleShims lists shims of ours whose sandbox has no folder. A shim that is
// being started has made its folder before it runs. An installation in a
// container has shims at the same path, which are seen from here.
func (e *env) staleShims(known map[string]bool) ([]host.Process, error) {
	all, err := e.host.Processes()
	if err != nil {
		return nil, err
	}
	var stale []host.Process
	for _, p := range all {
		if !p.Elsewhere && p.Exe == filepath.Join(e.opts.Bin, "containerd-shim-runc-v2") && shimID(p) != "" && !known[shimID(p)] {
			stale = append(stale, p)
		}
	}
	return stale, nil
}

// shimID is the sandbox in "containerd-shim-runc-v2 -namespace k8s.io -id ID".
func shimID(p host.Process) string {
	words := p.Words()
	for i, w := range words {
		if w == "-id" && i+1 < len(words) {
			return words[i+1]
		}
	}
	return ""
}

// staleMounts lists root file systems below the folder of a task that is gone,
// the latest first.
func (e *env) staleMounts(known map[string]bool) ([]string, error) {
	mounts, err := e.host.Mounts()
	if err != nil {
		return nil, err
	}
	var stale []string
	for i := len(mounts) - 1; i >= 0; i-- {
		rest, ok := strings.CutPrefix(mounts[i].Point, tasks+"/")
		if !ok {
			continue
		}
		if id, _, _ := strings.Cut(rest, "/"); !known[id] {
			stale = append(stale, mounts[i].Point)
		}
	}
	return stale, nil
}

// killTree ends a shim, then what it started.
func killTree(h host.Host, shim host.Process) error {
	all, err := h.Processes()
	if err != nil {
		return err
	}
	doomed := []host.Process{shim}
	for i := 0; i < len(doomed); i++ {
		for _, p := range all {
			if p.PPID == doomed[i].PID && p.PID != doomed[i].PID {
				doomed = append(doomed, p)
			}
		}
	}
	var errs []error
	for _, p := range doomed {
		if err := h.Signal(p, syscall.SIGKILL); err != nil && !errors.Is(err, host.ErrGone) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
