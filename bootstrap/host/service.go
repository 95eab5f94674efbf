package host

import (
	"context"
	"fmt"
	"io/fs"
	"time"
)

// The service managers.
const (
	ManagerSystemd = "systemd"
	ManagerOpenRC  = "openrc"
	ManagerNone    = "none"
)

// Unit is the one service we run.
type Unit struct {
	Name        string // "slipway"
	Description string
	Binary      string   // absolute path
	Args        []string // "server" or "agent"
	EnvFile     string   // our settings for the process, may be absent
	UnitDir     string   // of systemd; "" is /etc/systemd/system
	LogFile     string   // openrc and none; systemd has its journal
	RunDir      string   // pid file and state
}

// pidFile holds the number of the supervising process.
func (u Unit) pidFile() string { return u.RunDir + "/" + u.Name + ".pid" }

// stateFile is what the supervisor says about itself.
func (u Unit) stateFile() string { return u.RunDir + "/supervise.json" }

// Status is what a manager knows about the service.
type Status struct {
	Installed bool
	Running   bool
	PID       int    // of the server process, 0 when it does not run
	Restarts  int    // since the last start
	Detail    string // one line for people
}

// Writer writes the files of a service; the journal of host changes is one.
type Writer interface {
	WriteFile(path string, data []byte, perm fs.FileMode) error
}

// Service runs the unit under the host's service manager. All methods may be
// called in any state and any number of times.
type Service interface {
	// Manager returns "systemd", "openrc" or "none".
	Manager() string
	// Install writes the unit through w, and has it started at boot when enable
	// is set and the manager can do that.
	Install(ctx context.Context, w Writer, enable bool) error
	// Start starts the service, or restarts one that runs. It returns when the
	// process was started, not when it is ready.
	Start(ctx context.Context) error
	// Stop ends the server process. Pods go on running, as with k3s.
	Stop(ctx context.Context) error
	Status(ctx context.Context) (Status, error)
	// Uninstall stops the service and takes the unit out again.
	Uninstall(ctx context.Context) error
	// Files lists what Install writes.
	Files() []string
	// Logs tells people how to read the log.
	Logs() string
}

// NewService returns the unit under the named manager.
func NewService(manager string, h Host, u Unit) (Service, error) {
	switch manager {
	case ManagerSystemd:
		return &systemd{host: h, unit: u}, nil
	case ManagerOpenRC:
		return &openrc{host: h, unit: u}, nil
	case ManagerNone:
		return &unmanaged{host: h, unit: u}, nil
	}
	return nil, fmt.Errorf("service manager %q: choose systemd, openrc or none", manager)
}

// stopTime is how long a server may take to stop, as with systemd.
const stopTime = 90 * time.Second

// poll is how often a state is looked at that nothing announces.
const poll = 100 * time.Millisecond

// waitGone waits until p has ended.
func waitGone(ctx context.Context, h Processes, p Process, limit time.Duration) (bool, error) {
	for waited := time.Duration(0); waited < limit; waited += poll {
		alive, err := isAlive(h, p)
		if err != nil || !alive {
			return !alive, err
		}
		if err := h.Wait(ctx, poll); err != nil {
			return false, err
		}
	}
	return false, nil
}

func isAlive(h Processes, p Process) (bool, error) {
	all, err := h.Processes()
	if err != nil {
		return false, err
	}
	for _, q := range all {
		if q.PID == p.PID && q.StartTime == p.StartTime {
			return true, nil
		}
	}
	return false, nil
}
