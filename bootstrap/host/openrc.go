package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// openrc runs the unit under supervise-daemon.
type openrc struct {
	host Host
	unit Unit
}

var _ Service = (*openrc)(nil)

func (o *openrc) Manager() string { return ManagerOpenRC }

func (o *openrc) path() string { return "/etc/init.d/" + o.unit.Name }

func (o *openrc) Files() []string { return []string{o.path(), "/etc/logrotate.d/" + o.unit.Name} }

func (o *openrc) Logs() string { return "tail -f " + o.unit.LogFile }

func (o *openrc) script() string {
	return fmt.Sprintf(`#!/sbin/openrc-run

name="%[1]s"
description="%[2]s"
supervisor=supervise-daemon
command="%[3]s"
command_args="%[4]s"
output_log="%[5]s"
error_log="%[5]s"
pidfile="%[6]s"
respawn_delay=5
respawn_max=0
retry="TERM/90/KILL/5"
rc_ulimit="-n 1048576"

set -o allexport
if [ -f /etc/environment ]; then . /etc/environment; fi
if [ -f "/etc/default/%[1]s" ]; then . "/etc/default/%[1]s"; fi
if [ -f "%[7]s" ]; then . "%[7]s"; fi
set +o allexport

depend() {
	after network-online
	want cgroups
}

start_pre() {
	checkpath --directory --mode 0755 "%[8]s"
	checkpath --directory --mode 0750 "$(dirname "%[5]s")"
}
`, o.unit.Name, o.unit.Description, o.unit.Binary, strings.Join(o.unit.Args, " "),
		o.unit.LogFile, o.unit.pidFile(), o.unit.EnvFile, o.unit.RunDir)
}

// logrotate keeps the log bounded; copytruncate because the daemon holds the
// file open.
func (o *openrc) logrotate() string {
	return fmt.Sprintf("%s {\n\tsize 10M\n\trotate 3\n\tmissingok\n\tnotifempty\n\tcopytruncate\n}\n", o.unit.LogFile)
}

func (o *openrc) Install(ctx context.Context, w Writer, enable bool) error {
	if err := w.WriteFile(o.path(), []byte(o.script()), 0o755); err != nil {
		return err
	}
	if info, err := o.host.Stat("/etc/logrotate.d"); err == nil && info.Kind == KindDir {
		if err := w.WriteFile("/etc/logrotate.d/"+o.unit.Name, []byte(o.logrotate()), 0o644); err != nil {
			return err
		}
	}
	if !enable {
		return nil
	}
	_, err := o.host.Run(ctx, Command{Name: "rc-update", Args: []string{"add", o.unit.Name, "default"}})
	return err
}

func (o *openrc) Start(ctx context.Context) error { return o.service(ctx, o.unit.Name, "restart") }

func (o *openrc) Stop(ctx context.Context) error {
	if ok, err := o.installed(); err != nil || !ok {
		return err
	}
	return o.service(ctx, "--ifstarted", o.unit.Name, "stop")
}

func (o *openrc) service(ctx context.Context, args ...string) error {
	_, err := o.host.Run(ctx, Command{Name: "rc-service", Args: args})
	return err
}

func (o *openrc) installed() (bool, error) {
	_, err := o.host.Stat(o.path())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (o *openrc) Status(ctx context.Context) (Status, error) {
	installed, err := o.installed()
	if err != nil || !installed {
		return Status{Detail: "no service " + o.unit.Name}, err
	}
	out, err := o.host.Run(ctx, Command{Name: "rc-service", Args: []string{o.unit.Name, "status"}})
	st := Status{Installed: true, Detail: firstLine(string(out.Stdout))}
	if err != nil { // a stopped service is reported by the exit code
		return st, nil
	}
	st.PID, err = findServer(o.host, o.unit)
	st.Running = st.PID != 0
	return st, err
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// findServer finds the process that runs the unit's binary with its arguments.
func findServer(h Processes, u Unit) (int, error) {
	all, err := h.Processes()
	if err != nil {
		return 0, err
	}
	for _, p := range all {
		words := p.Words()
		if p.Exe == u.Binary && len(words) > 1 && len(u.Args) > 0 && words[1] == u.Args[0] {
			return p.PID, nil
		}
	}
	return 0, nil
}

func (o *openrc) Uninstall(ctx context.Context) error {
	installed, err := o.installed()
	if err != nil || !installed {
		return err
	}
	stopErr := o.Stop(ctx)
	_, delErr := o.host.Run(ctx, Command{Name: "rc-update", Args: []string{"del", o.unit.Name, "default"}})
	if delErr != nil && strings.Contains(delErr.Error(), "not in the runlevel") {
		delErr = nil
	}
	errs := []error{stopErr, delErr}
	for _, f := range o.Files() {
		errs = append(errs, o.host.Remove(f))
	}
	return errors.Join(errs...)
}
