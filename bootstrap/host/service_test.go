package host_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/host/hosttest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func goldenFile(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if flag.Lookup("update").Value.String() == "true" {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run the test with -update if this is meant")
}

func unit() host.Unit {
	return host.Unit{Name: "slipway", Description: "Slipway platform (server)", Binary: "/usr/local/bin/slipway", Args: []string{"server"},
		EnvFile: "/etc/slipway/slipway.env", LogFile: "/var/log/slipway/slipway.log", RunDir: "/run/slipway"}
}

func service(t *testing.T, manager string, h host.Host) host.Service {
	t.Helper()
	s, err := host.NewService(manager, h, unit())
	require.NoError(t, err)
	assert.Equal(t, manager, s.Manager())
	return s
}

func commands(h *hosttest.Fake) []string {
	var list []string
	for _, c := range h.Changes() {
		if cmd, ok := strings.CutPrefix(c, "run "); ok {
			list = append(list, cmd)
		}
	}
	return list
}

func TestUnknownManager(t *testing.T) {
	_, err := host.NewService("upstart", hosttest.New(), unit())
	require.ErrorContains(t, err, "choose systemd, openrc or none")
}

func TestSystemd(t *testing.T) {
	ctx := context.Background()
	h := hosttest.New()
	s := service(t, host.ManagerSystemd, h)
	require.NoError(t, s.Stop(ctx), "stopping what is not there is no error")
	require.NoError(t, s.Uninstall(ctx))
	st, err := s.Status(ctx)
	require.NoError(t, err)
	assert.False(t, st.Installed)
	assert.Empty(t, commands(h))

	require.NoError(t, s.Install(ctx, h, true))
	goldenFile(t, "slipway.service", h.Nodes["/etc/systemd/system/slipway.service"].Data)
	require.NoError(t, s.Start(ctx))
	h.OnRun = func(c host.Command) (host.Output, error) {
		if c.Args[0] == "show" {
			return host.Output{Stdout: []byte("ActiveState=activating\nSubState=start\nMainPID=77\nNRestarts=2\nResult=exit-code\n")}, nil
		}
		if c.Args[0] == "is-failed" {
			return host.Output{}, errors.New("exit status 1")
		}
		return host.Output{}, nil
	}
	st, err = s.Status(ctx)
	require.NoError(t, err)
	assert.Equal(t, host.Status{Installed: true, Running: true, PID: 77, Restarts: 2, Detail: "activating (start), last result exit-code"}, st)
	require.NoError(t, s.Stop(ctx))
	require.NoError(t, s.Uninstall(ctx))
	assert.NotContains(t, h.Nodes, "/etc/systemd/system/slipway.service")
	assert.Equal(t, []string{
		"systemctl daemon-reload", "systemctl enable slipway.service", "systemctl restart --no-block slipway.service",
		"systemctl show slipway.service --property=ActiveState,SubState,MainPID,NRestarts,Result",
		"systemctl stop slipway.service", "systemctl disable --now slipway.service",
		"systemctl is-failed --quiet slipway.service", "systemctl daemon-reload",
	}, commands(h))
}

func TestSystemdWithoutEnabling(t *testing.T) {
	h := hosttest.New()
	require.NoError(t, service(t, host.ManagerSystemd, h).Install(context.Background(), h, false))
	assert.Equal(t, []string{"systemctl daemon-reload"}, commands(h))
}

func TestOpenRC(t *testing.T) {
	ctx := context.Background()
	h := hosttest.New()
	h.MakeDirs("/etc/init.d")
	h.MakeDirs("/etc/logrotate.d")
	s := service(t, host.ManagerOpenRC, h)
	require.NoError(t, s.Uninstall(ctx))
	require.NoError(t, s.Install(ctx, h, true))
	goldenFile(t, "slipway.openrc", h.Nodes["/etc/init.d/slipway"].Data)
	assert.Equal(t, uint32(0o755), h.Nodes["/etc/init.d/slipway"].Perm)
	goldenFile(t, "slipway.logrotate", h.Nodes["/etc/logrotate.d/slipway"].Data)
	require.NoError(t, s.Start(ctx))
	h.Procs = append(h.Procs, host.Process{PID: 88, Exe: "/usr/local/bin/slipway", Args: []string{"/usr/local/bin/slipway server"}})
	h.OnRun = func(c host.Command) (host.Output, error) {
		return host.Output{Stdout: []byte(" * status: started\n")}, nil
	}
	st, err := s.Status(ctx)
	require.NoError(t, err)
	assert.Equal(t, host.Status{Installed: true, Running: true, PID: 88, Detail: "* status: started"}, st)
	require.NoError(t, s.Uninstall(ctx))
	assert.Equal(t, []string{"rc-update add slipway default", "rc-service slipway restart", "rc-service slipway status",
		"rc-service --ifstarted slipway stop", "rc-update del slipway default"}, commands(h))
	for _, f := range s.Files() {
		assert.NotContains(t, h.Nodes, f)
	}
}

// The ledger may take the unit file back before the service: what "enable"
// linked must go all the same.
func TestSystemdUninstallWithoutItsUnitFileRemovesTheLink(t *testing.T) {
	h := hosttest.New()
	const link = "/etc/systemd/system/multi-user.target.wants/slipway.service"
	h.Put(link, "stands for the link")
	s := service(t, host.ManagerSystemd, h)
	require.NoError(t, s.Uninstall(context.Background()))
	assert.NotContains(t, h.Nodes, link)
	assert.Equal(t, []string{"systemctl daemon-reload"}, commands(h))
	require.NoError(t, s.Uninstall(context.Background()), "repeatable")
}
