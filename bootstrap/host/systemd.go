package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
)

// systemd runs the unit as users of k3s expect it: the process says when it is
// ready, and stopping it leaves pods alone.
type systemd struct {
	host Host
	unit Unit
}

var _ Service = (*systemd)(nil)

func (s *systemd) Manager() string { return ManagerSystemd }

func (s *systemd) name() string { return s.unit.Name + ".service" }

func (s *systemd) path() string {
	dir := s.unit.UnitDir
	if dir == "" {
		dir = "/etc/systemd/system"
	}
	return filepath.Join(dir, s.name())
}

func (s *systemd) Files() []string { return []string{s.path()} }

func (s *systemd) Logs() string { return "journalctl -u " + s.unit.Name }

// text is the unit file. TimeoutStartSec=0 because the first start imports all
// images, which on a slow disk takes longer than any fixed time.
// A crashed server starts again after a second, without an end: while the API
// server is away the gateway's watches back off, and the sooner they find it
// the fewer requests go to pods that a rollout has ended meanwhile.
//
// While the host boots all pods start at the same moment as the server that
// they wait for, so until it has said that it is ready it comes first. A weight
// counts among neighbours only: pods are in the root slice, and so is the unit.
func (s *systemd) text() string {
	return fmt.Sprintf(`[Unit]
StartLimitIntervalSec=0
Description=%s
Documentation=https://github.com/slipway-paas/slipway
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
EnvironmentFile=-/etc/default/%%N
EnvironmentFile=-/etc/sysconfig/%%N
EnvironmentFile=-%s
ExecStart=%s
KillMode=process
Delegate=yes
Slice=-.slice
StartupCPUWeight=1000
User=root
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=1s

[Install]
WantedBy=multi-user.target
`, s.unit.Description, s.unit.EnvFile, strings.Join(append([]string{s.unit.Binary}, s.unit.Args...), " "))
}

func (s *systemd) Install(ctx context.Context, w Writer, enable bool) error {
	if err := w.WriteFile(s.path(), []byte(s.text()), 0o644); err != nil {
		return err
	}
	if err := s.ctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	if !enable {
		return nil
	}
	return s.ctl(ctx, "enable", s.name())
}

func (s *systemd) Start(ctx context.Context) error {
	return s.ctl(ctx, "restart", "--no-block", s.name())
}

func (s *systemd) Stop(ctx context.Context) error {
	if ok, err := s.installed(); err != nil || !ok {
		return err
	}
	return s.ctl(ctx, "stop", s.name())
}

func (s *systemd) installed() (bool, error) {
	_, err := s.host.Stat(s.path())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (s *systemd) Status(ctx context.Context) (Status, error) {
	installed, err := s.installed()
	if err != nil || !installed {
		return Status{Detail: "no unit " + s.name()}, err
	}
	out, err := s.host.Run(ctx, Command{Name: "systemctl", Args: []string{
		"show", s.name(), "--property=ActiveState,SubState,MainPID,NRestarts,Result"}})
	if err != nil {
		return Status{}, err
	}
	props := map[string]string{}
	for _, line := range strings.Split(string(out.Stdout), "\n") {
		if k, v, ok := strings.Cut(line, "="); ok {
			props[k] = v
		}
	}
	st := Status{Installed: true, Detail: props["ActiveState"] + " (" + props["SubState"] + ")"}
	if r := props["Result"]; r != "" && r != "success" {
		st.Detail += ", last result " + r
	}
	// Absent properties, of old versions, count as zero.
	st.PID, _ = strconv.Atoi(props["MainPID"])
	st.Restarts, _ = strconv.Atoi(props["NRestarts"])
	st.Running = st.PID != 0 && (props["ActiveState"] == "active" || props["ActiveState"] == "activating")
	return st, nil
}

func (s *systemd) Uninstall(ctx context.Context) error {
	installed, err := s.installed()
	if err != nil {
		return err
	}
	if !installed {
		return s.forgetLink(ctx)
	}
	errs := []error{s.ctl(ctx, "disable", "--now", s.name()), s.host.Remove(s.path())}
	// A unit that failed is remembered until it is told to forget; one that did
	// not fail is no longer known, which reset-failed calls an error.
	if _, err := s.host.Run(ctx, Command{Name: "systemctl", Args: []string{"is-failed", "--quiet", s.name()}}); err == nil {
		errs = append(errs, s.ctl(ctx, "reset-failed", s.name()))
	}
	return errors.Join(append(errs, s.ctl(ctx, "daemon-reload"))...)
}

// forgetLink removes the link that "enable" made when the unit file has gone
// before it: systemctl no longer knows of it then.
func (s *systemd) forgetLink(ctx context.Context) error {
	link := "/etc/systemd/system/multi-user.target.wants/" + s.name()
	if _, err := s.host.Stat(link); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if err := s.host.Remove(link); err != nil {
		return err
	}
	return s.ctl(ctx, "daemon-reload")
}

func (s *systemd) ctl(ctx context.Context, args ...string) error {
	_, err := s.host.Run(ctx, Command{Name: "systemctl", Args: args})
	return err
}
