package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/join"
	"github.com/slipway-paas/slipway/bootstrap/preflight"
	"github.com/slipway-paas/slipway/charts"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newInstallCmd() *cobra.Command {
	flags := map[string]*string{}
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Make this host a platform",
		Long: `Checks the host, unpacks what this file carries, starts Kubernetes, installs the
platform's charts and waits until the controller answers. Nothing is
downloaded. Every change to the host is written down with its inverse before it
is made: run it again after an interruption and it goes on; "slipway uninstall"
takes everything back.

Settings come from flags, then the environment (PLATFORM_DOMAIN and the other
names of the guide), then /etc/slipway/config.yaml.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			given := map[string]string{}
			for name, value := range flags {
				if *value != "" {
					given[name] = *value
				}
			}
			return install(c.Context(), c.OutOrStdout(), given)
		},
	}
	for _, f := range []struct{ flag, setting, usage string }{
		{"domain", "PLATFORM_DOMAIN", "platform domain; apps are at <app>.<domain> (default slipway.localhost)"},
		{"admin", "DRYCC_ADMIN_USERNAME", "name of the first user (default admin)"},
		{"node-name", "K3S_NODE_NAME", "name of this node (default: the host's name)"},
		{"service-manager", "SLIPWAY_SERVICE_MANAGER", "systemd, openrc or none (default: what the host has)"},
	} {
		flags[f.setting] = cmd.Flags().String(f.flag, "", f.usage)
	}
	cmd.Flags().Bool("yes", false, "ask nothing; accepted for scripts, install never asks")
	return cmd
}

// machine is this host with the settings of its installation.
type machine struct {
	host     *host.Linux
	settings bootstrap.Settings
	paths    bootstrap.Paths
	service  host.Service
	progress bootstrap.Progress
	offer    *join.Offer // of the cluster that this host joins; nil: it has its own
	inServer bool        // this process is the running server
}

// openMachine loads the settings and finds the service manager. Warnings about
// settings go to standard error.
func openMachine(flags map[string]string, environ []string) (*machine, error) {
	carried := auxDir(bootstrap.NewPaths(bootstrap.DefaultSettings()).Bin)
	h := host.NewLinux(host.Options{Carried: carried})
	settings, warnings, err := bootstrap.LoadHost(h, flags, environ)
	if err != nil {
		return nil, err
	}
	return newMachine(settings, warnings)
}

// newMachine is this host with settings that were loaded, and the warnings
// about them.
func newMachine(settings bootstrap.Settings, warnings []string) (*machine, error) {
	h := host.NewLinux(host.Options{Carried: auxDir(bootstrap.NewPaths(bootstrap.DefaultSettings()).Bin)})
	for _, w := range warnings {
		fmt.Fprintln(os.Stderr, "Warning:", w)
	}
	manager := settings.ServiceManager
	if manager == "" {
		facts, err := h.Facts()
		if err != nil {
			return nil, err
		}
		manager = facts.Init
	}
	service, err := host.NewService(manager, h, settings.Unit())
	if err != nil {
		return nil, err
	}
	m := &machine{host: h, settings: settings, paths: bootstrap.NewPaths(settings), service: service}
	terminal := term.IsTerminal(int(os.Stderr.Fd()))
	m.progress = bootstrap.NewProgress(os.Stderr, terminal, terminalWidth, time.Now)
	return m, nil
}

func terminalWidth() int {
	width, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err != nil {
		return 80
	}
	return width
}

func install(ctx context.Context, out io.Writer, flags map[string]string) error {
	if !embedded.Available() {
		return embedded.ErrNoPayload
	}
	m, err := openMachine(flags, os.Environ())
	if err != nil {
		return err
	}
	if m.settings.JoinURL != "" {
		return joinCluster(ctx, out, joinOptions{role: join.Role(m.settings.Role)})
	}
	if err := m.keepPlace(); err != nil {
		return err
	}
	if err := refuseHalfRestored(m.paths); err != nil {
		return err
	}
	first := m.settings.AdminPassword.Empty()
	if err := m.settings.Credentials(); err != nil {
		return err
	}
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	upgrades, err := m.installUpgrades(ctx, executable)
	if err != nil {
		return err
	}
	if upgrades {
		return m.carryOutUpgrade(ctx, out, false)
	}
	if err := m.install(ctx, nil); err != nil {
		return fmt.Errorf("%w\nRun \"slipway install\" again to go on, \"slipway doctor\" to look for the cause, \"slipway uninstall\" to take everything back. Log: %s", err, m.service.Logs())
	}
	return welcome(out, m.settings, m.paths, first)
}

// install carries out the plan install, with a step that restores data when
// there is one.
func (m *machine) install(ctx context.Context, restore *bootstrap.Part) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	w := newWatcher(socketFile(m.paths), m.host, m.service)
	deps := bootstrap.InstallDeps{
		Host: m.host, Service: m.service, Settings: m.settings, Executable: executable,
		Stage:       bootstrap.Part{Name: "stage", Do: m.stage},
		Restore:     restore,
		EngineFiles: m.engineFiles,
		NodeReady:   bootstrap.Part{Name: "node ready", Do: w.line(lineKubernetes)},
		Controller:  &bootstrap.Part{Name: "controller healthy", Do: m.waitController(w)},
	}
	for _, c := range charts.List() {
		deps.Charts = append(deps.Charts, bootstrap.Part{Name: "chart " + c.Name, Do: w.line(c.Name)})
	}
	return bootstrap.Install{Deps: deps, Progress: m.progress, Clock: time.Now, Preflight: m.preflight}.Run(ctx)
}

func (m *machine) preflight(ctx context.Context, own bool) error {
	checks, err := m.checks(own)
	if err != nil {
		return err
	}
	report, err := doctor.Run(ctx, doctor.Select(checks, doctor.BeforeInstall))
	if err != nil {
		return err
	}
	if err := report.Write(os.Stderr); err != nil {
		return err
	}
	return report.Err()
}

func (m *machine) preflightOptions(own bool) preflight.Options {
	return preflight.Options{
		Domain: m.settings.Domain, DataDir: m.settings.DataDir, Binary: m.paths.Binary, Bin: m.paths.Bin,
		ResolvConf: m.settings.ResolvConf, NodeName: m.settings.NodeName,
		ClusterCIDR: m.settings.ClusterCIDR, ServiceCIDR: m.settings.ServiceCIDR,
		Ports: m.ports(), Own: own, BuildTime: buildTime(),
	}
}

// ports are those that the platform needs, with what the settings add.
func (m *machine) ports() []preflight.Port {
	ports := preflight.ServerPorts(m.settings.GitPort())
	switch {
	case m.settings.Role == bootstrap.RoleAgent:
		ports = preflight.AgentPorts()
	case m.settings.JoinURL != "":
		ports = append(ports, preflight.EtcdPorts()...)
	}
	for _, p := range m.settings.GatewayPorts {
		ports = append(ports, preflight.Port{Number: p.Port, Use: "the gateway (SLIPWAY_GATEWAY_PORTS)"})
	}
	return ports
}

// welcome prints what a newcomer needs next. The commands work when pasted.
// A generated password is shown once; the file keeps it.
func welcome(out io.Writer, s bootstrap.Settings, p bootstrap.Paths, generated bool) error {
	hello, err := imageRef("hello")
	if err != nil {
		return err
	}
	password := "in " + p.Credentials
	if generated {
		password = s.AdminPassword.Reveal() + "   (shown once; kept in " + p.Credentials + ")"
	}
	_, err = fmt.Fprintf(out, `
Slipway is ready.

  API       http://drycc.%[1]s   (for https, its CA: http://drycc.%[1]s/ca.crt)
  Admin     %[2]s
  Password  %[3]s

Deploy a first app by pasting these three commands (they read the password from
its file, as root):

  TOKEN=$(. %[4]s; A=http://drycc.%[1]s/v2/auth J='Content-Type: application/json'; K=$(curl -s $A/login/ -H "$J" -d "{\"username\":\"$DRYCC_ADMIN_USERNAME\",\"password\":\"$DRYCC_ADMIN_PASSWORD\"}" | cut -d'"' -f4); curl -s $A/token/$K/ | sed 's/.*"token":"\([^"]*\)".*/\1/')
  curl -s http://drycc.%[1]s/v2/apps/ -H "Authorization: token $TOKEN" -H 'Content-Type: application/json' -d '{"id":"hello"}'
  curl -s http://drycc.%[1]s/v2/apps/hello/build/ -H "Authorization: token $TOKEN" -H 'Content-Type: application/json' -d '{"image":"%[5]s"}' && sleep 5 && curl -s http://hello.%[1]s/

`, s.Domain, s.AdminUsername, password, p.Credentials, hello)
	return err
}
