package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"time"
)

// unmanaged runs the unit on a host without an init system: a supervising
// process in a session of its own restarts the server when it ends. Nothing
// starts it at boot, since nothing does anything at boot on such a host.
type unmanaged struct {
	host Host
	unit Unit
}

var _ Service = (*unmanaged)(nil)

func (s *unmanaged) Manager() string { return ManagerNone }

func (s *unmanaged) Files() []string { return nil }

func (s *unmanaged) Logs() string { return "tail -f " + s.unit.LogFile }

// Install has nothing to write.
func (s *unmanaged) Install(context.Context, Writer, bool) error { return nil }

// state reads what the supervisor wrote; nil when there is none, or it ended.
func (s *unmanaged) state() (*SupervisorState, error) {
	data, err := s.host.ReadFile(s.unit.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var st SupervisorState
	if err := json.Unmarshal(data, &st); err != nil {
		return nil, fmt.Errorf("%s: %w", s.unit.stateFile(), err)
	}
	alive, err := isAlive(s.host, st.Supervisor.process())
	if err != nil || !alive {
		return nil, err
	}
	return &st, nil
}

func (s *unmanaged) Status(context.Context) (Status, error) {
	st, err := s.state()
	if err != nil || st == nil {
		return Status{Detail: "not running; this host has no init system, start it with: slipway install"}, err
	}
	out := Status{Installed: true, Restarts: max(st.Starts-1, 0)}
	if st.Server.PID != 0 {
		if out.Running, err = isAlive(s.host, st.Server.process()); err != nil {
			return Status{}, err
		}
	}
	switch {
	case out.Running:
		out.PID, out.Detail = st.Server.PID, fmt.Sprintf("running (supervised by process %d)", st.Supervisor.PID)
	case st.LastExit != "":
		out.Detail = "restarting: " + st.LastExit
	default:
		out.Detail = "starting"
	}
	return out, nil
}

// startTime is how long the supervisor may take to start its server.
const startTime = 15 * time.Second

func (s *unmanaged) Start(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	p, err := s.host.Spawn(Command{Name: s.unit.Binary, Args: []string{"supervise"}}, s.unit.LogFile)
	if err != nil {
		return fmt.Errorf("start supervisor: %w", err)
	}
	for waited := time.Duration(0); waited < startTime; waited += poll {
		st, err := s.state()
		if err != nil {
			return err
		}
		if st != nil && st.Supervisor.PID == p.PID && st.Starts > 0 {
			return nil
		}
		if alive, err := isAlive(s.host, p); err != nil || !alive {
			return errors.Join(fmt.Errorf("supervisor ended at once: see %s", s.unit.LogFile), err)
		}
		if err := s.host.Wait(ctx, poll); err != nil {
			return err
		}
	}
	return fmt.Errorf("supervisor did not start the server within %s: see %s", startTime, s.unit.LogFile)
}

// Stop asks the supervisor, which asks the server; either that does not listen
// is killed.
func (s *unmanaged) Stop(ctx context.Context) error {
	st, err := s.state()
	if err != nil || st == nil {
		return err
	}
	for _, p := range []Process{st.Supervisor.process(), st.Server.process()} {
		if p.PID == 0 {
			continue
		}
		if err := s.end(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// end stops one process, at last by force.
func (s *unmanaged) end(ctx context.Context, p Process) error {
	for _, try := range []struct {
		sig   syscall.Signal
		limit time.Duration
	}{{syscall.SIGTERM, stopTime + 10*time.Second}, {syscall.SIGKILL, 10 * time.Second}} {
		if err := s.host.Signal(p, try.sig); err != nil {
			if errors.Is(err, ErrGone) {
				return nil
			}
			return err
		}
		gone, err := waitGone(ctx, s.host, p, try.limit)
		if err != nil || gone {
			return err
		}
	}
	return fmt.Errorf("process %d of %s cannot be stopped", p.PID, s.unit.Name)
}

func (s *unmanaged) Uninstall(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	errs := []error{s.host.Remove(s.unit.stateFile()), s.host.Remove(s.unit.pidFile())}
	dir := s.unit.LogFile[:strings.LastIndexByte(s.unit.LogFile, '/')]
	for n := 1; n <= logKeep; n++ {
		errs = append(errs, s.host.Remove(fmt.Sprintf("%s.%d", s.unit.LogFile, n)))
	}
	errs = append(errs, s.host.Remove(s.unit.LogFile))
	if names, err := s.host.List(dir); err == nil && len(names) == 0 {
		errs = append(errs, s.host.Remove(dir))
	}
	return errors.Join(errs...)
}
