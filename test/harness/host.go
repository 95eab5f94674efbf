package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Options describe a host.
type Options struct {
	Name     string // one to eight lower-case letters and digits
	Address  string // in 172.31.77.0/24, not .1
	RootFS   string // as RootFS returns it
	DataSize string // size of /var/lib, such as "2g", which then is lost with a power cut; empty: the disk's
	Keep     bool   // let the host outlive this program; Sweep ends it
}

// Host is a running host. Its methods are not for concurrent use, except Command.
type Host struct {
	Options
	dir     string
	cgroups []string
	record  record
	cmd     *exec.Cmd
	ended   chan struct{} // closed when process 1 has been reaped
}

// Boot makes a host and returns when its systemd has started everything. A
// host of that name from before is removed first.
func Boot(ctx context.Context, o Options) (*Host, error) {
	if !regexp.MustCompile(`^[a-z][a-z0-9]{0,7}$`).MatchString(o.Name) {
		return nil, fmt.Errorf("host name %q: one to eight lower-case letters and digits", o.Name)
	}
	if err := find(o.Name).remove(); err != nil {
		return nil, err
	}
	h := &Host{Options: o, dir: filepath.Join(stateDir, o.Name), record: record{Name: o.Name, Link: linkName(o.Name)}}
	if !o.Keep {
		h.record.Maker, h.record.MakerStart = os.Getpid(), startTime(os.Getpid())
	}
	for _, d := range []string{"upper", "work", "root", "data"} {
		if err := os.MkdirAll(filepath.Join(h.dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	// Known as ours from here on: a sweep by another program leaves it alone.
	if err := h.record.write(); err != nil {
		return nil, err
	}
	if err := h.configure(); err != nil {
		return nil, err
	}
	if err := h.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("boot host %s: %w", o.Name, err), h.Close())
	}
	return h, nil
}

// configure writes what an installer of Debian asks for.
func (h *Host) configure() error {
	etc := filepath.Join(h.dir, "upper/etc")
	if err := os.Mkdir(etc, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(etc, "hostname"), []byte(h.Name+"\n"), 0o644); err != nil {
		return err
	}
	hosts := "127.0.0.1\tlocalhost\n" + h.Address + "\t" + h.Name + "\n::1\tlocalhost ip6-localhost ip6-loopback\n"
	return os.WriteFile(filepath.Join(etc, "hosts"), []byte(hosts), 0o644)
}

// Reboot ends every process of the host at once, as pulling the plug does, and
// starts it again on what it had written.
func (h *Host) Reboot(ctx context.Context) error {
	if err := h.Kill(); err != nil {
		return err
	}
	if err := h.start(ctx); err != nil {
		return fmt.Errorf("boot host %s again: %w", h.Name, err)
	}
	return nil
}

// Kill pulls the plug. Files stay for the next start.
func (h *Host) Kill() error {
	if err := h.record.kill(); err != nil {
		return err
	}
	if h.ended != nil {
		<-h.ended
	}
	return errors.Join(removeCgroups(h.Name), removeLink(h.record.Link))
}

// Close ends the host and removes what was made for it; the bridge stays for
// the others. With Keep it does nothing.
func (h *Host) Close() error {
	if h.Keep {
		return nil
	}
	if err := h.Kill(); err != nil {
		return err
	}
	return h.record.remove()
}

// Files is the folder with what was written below the host's root, as this
// machine sees it; also while the host is off. /var/lib is not below it.
func (h *Host) Files() string { return filepath.Join(h.dir, "upper") }

// Data is the folder that is /var/lib of the host, also while it is off.
func (h *Host) Data() string { return filepath.Join(h.dir, "data") }

// Console is what process 1 has printed.
func (h *Host) Console() string {
	b, _ := os.ReadFile(filepath.Join(h.dir, "console.log"))
	return string(b)
}

func (h *Host) start(ctx context.Context) error {
	if err := makeBridge(); err != nil {
		return err
	}
	var err error
	if h.cgroups, err = makeCgroups(h.Name); err != nil {
		return err
	}
	ready, err := h.spawn()
	if err != nil {
		return err
	}
	defer ready.Close()
	if err := h.record.write(); err != nil {
		return err
	}
	for _, dir := range h.cgroups {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), fmt.Appendf(nil, "%d", h.record.PID), 0o644); err != nil {
			return fmt.Errorf("enter cgroup: %w", err)
		}
	}
	if err := plug(h.Name, h.Address, h.record.PID); err != nil {
		return err
	}
	// Without this byte process 1 ends by itself: a host killed half-made is gone.
	if _, err := ready.Write([]byte{1}); err != nil {
		return err
	}
	return h.waitBooted(ctx)
}

// spawn starts this program again as the future process 1, in new namespaces;
// it waits for a byte on the returned pipe before it becomes one.
func (h *Host) spawn() (*os.File, error) {
	console, err := os.OpenFile(filepath.Join(h.dir, "console.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer console.Close()
	wait, ready, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer wait.Close()
	h.cmd = exec.Command("/proc/self/exe")
	h.cmd.Args = []string{childName, h.Name, h.dir, h.RootFS, h.DataSize}
	h.cmd.Stdout, h.cmd.Stderr = console, console
	h.cmd.ExtraFiles = []*os.File{wait}
	h.cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid:     true,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET,
	}
	if !h.Keep {
		h.cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	started := make(chan error)
	h.ended = make(chan struct{})
	go func() {
		// The death signal follows the thread that started the process.
		runtime.LockOSThread()
		defer close(h.ended)
		err := h.cmd.Start()
		started <- err
		if err == nil {
			_ = h.cmd.Wait() // how it ended is in the console log
		}
	}()
	if err := <-started; err != nil {
		return nil, errors.Join(err, ready.Close())
	}
	h.record.PID = h.cmd.Process.Pid
	h.record.Start = startTime(h.record.PID)
	return ready, nil
}

// waitBooted asks systemd until it says that it has started everything.
func (h *Host) waitBooted(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for tick := time.NewTicker(200 * time.Millisecond); ; {
		out, _ := h.Command(ctx, "systemctl", "is-system-running").Output()
		switch state := strings.TrimSpace(string(out)); state {
		case "running":
			tick.Stop()
			return nil
		case "degraded":
			tick.Stop()
			failed, _ := h.Command(ctx, "systemctl", "list-units", "--failed", "--no-legend", "--plain").Output()
			return fmt.Errorf("units did not start:\n%s", failed)
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return fmt.Errorf("systemd did not start: %w\n%s", ctx.Err(), tail(h.Console(), 20))
		case <-h.ended:
			tick.Stop()
			return fmt.Errorf("process 1 ended:\n%s", tail(h.Console(), 20))
		case <-tick.C:
		}
	}
}
