package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

// probeTypes are the names of the three health checks.
func probeTypes() []string { return []string{"startupProbe", "livenessProbe", "readinessProbe"} }

func (p *program) healthchecksGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List the health checks", app: true, shows: true,
		flags: func(cmd *cobra.Command) {
			releaseFlag(cmd)
			cmd.Flags().StringP("ptype", "p", "", "Only those of this process type")
		},
		run: func(k *call) error {
			api, _, config, err := k.targetConfig()
			if err != nil {
				return err
			}
			if done, err := k.structured(config.Healthcheck); done {
				return err
			}
			return k.printHealthchecks(api, config, k.text("ptype"))
		},
	}
	return p.group("healthchecks", "Manage the health checks of an application", list, p.command(list), p.healthchecksSet(), p.healthchecksUnset())
}

// printHealthchecks prints the app with its checks, as the guide has it.
func (k *call) printHealthchecks(api *client.Client, config client.Config, only string) error {
	app, err := api.App(k.ctx(), config.App)
	if err != nil {
		return err
	}
	k.pairs("", "App", config.App, "UUID", config.UUID, "Owner", app.Workspace, "Created", config.Created, "Updated", config.Updated)
	k.printf("\nHealthchecks:\n")
	var rows [][]string
	for _, ptype := range sortedKeys(config.Healthcheck) {
		for _, name := range probeTypes() {
			if text := probeText(config.Healthcheck[ptype][name]); text != "" && (only == "" || only == ptype) {
				rows = append(rows, []string{name, ptype, text})
			}
		}
	}
	for _, row := range rows {
		k.printf("%s %s %s\n", row[0], row[1], row[2])
	}
	if len(rows) == 0 {
		k.printf("No health checks found.\n")
	}
	return nil
}

// probeText says what a probe does; empty for none.
func probeText(p *client.Probe) string {
	if p == nil {
		return ""
	}
	action := ""
	switch {
	case p.HTTPGet != nil:
		var headers []string
		for _, h := range p.HTTPGet.HTTPHeaders {
			headers = append(headers, h.Name+"="+h.Value)
		}
		action = fmt.Sprintf("http-get headers=[%s] path=%s port=%d", strings.Join(headers, " "), p.HTTPGet.Path, p.HTTPGet.Port)
	case p.Exec != nil:
		action = "exec " + strings.Join(p.Exec.Command, " ")
	case p.TCPSocket != nil:
		action = fmt.Sprintf("tcp-socket port=%d", p.TCPSocket.Port)
	case p.GRPC != nil:
		action = fmt.Sprintf("grpc port=%d", p.GRPC.Port)
	default:
		return ""
	}
	return fmt.Sprintf("%s delay=%ds timeout=%ds period=%ds #success=%d #failure=%d", action,
		p.InitialDelaySeconds, p.TimeoutSeconds, p.PeriodSeconds, p.SuccessThreshold, p.FailureThreshold)
}

func (p *program) healthchecksSet() *cobra.Command {
	return p.command(leaf{
		use:   "set <probe> <check> <port>|[--] <command>...",
		short: "Set a health check", app: true, args: cobra.MinimumNArgs(3),
		long: "Set a health check. The probe is startupProbe, livenessProbe or readinessProbe; the check is httpGet, tcpSocket or grpc with a port, or exec with a command.",
		flags: func(cmd *cobra.Command) {
			ptypeFlag(cmd)
			waitFlag(cmd)
			cmd.Flags().String("path", "/", "The path that httpGet asks for")
			cmd.Flags().StringSlice("headers", nil, "The headers that httpGet sends, as Name:value")
			cmd.Flags().Int("initial-delay-timeout", 50, "Seconds after the start until the first check")
			cmd.Flags().Int("timeout-seconds", 50, "Seconds that a check may take")
			cmd.Flags().Int("period-seconds", 10, "Seconds between checks")
			cmd.Flags().Int("success-threshold", 1, "Successes in a row that count as healthy")
			cmd.Flags().Int("failure-threshold", 3, "Failures in a row that count as unhealthy")
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			ptype, args := k.trailingPtype()
			probe := client.Probe{
				InitialDelaySeconds: k.number("initial-delay-timeout"), TimeoutSeconds: k.number("timeout-seconds"),
				PeriodSeconds: k.number("period-seconds"), SuccessThreshold: k.number("success-threshold"),
				FailureThreshold: k.number("failure-threshold"),
			}
			if err := k.setAction(&probe, args[1], args[2:]); err != nil {
				return err
			}
			config, err := k.changeConfig(api, app, fmt.Sprintf("Applying %s healthcheck", args[0]),
				client.ConfigChange{Healthcheck: map[string]map[string]*client.Probe{ptype: {args[0]: &probe}}}, true)
			if err != nil {
				return err
			}
			k.printf("\n")
			return k.printHealthchecks(api, config, ptype)
		},
	})
}

// trailingPtype takes --ptype from the end of a command behind "--", where the
// guide has it.
func (k *call) trailingPtype() (string, []string) {
	n := len(k.args)
	if k.cmd.ArgsLenAtDash() >= 0 && n >= 2 && !k.cmd.Flags().Changed("ptype") {
		if k.args[n-2] == "--ptype" || k.args[n-2] == "-p" {
			return k.args[n-1], k.args[:n-2]
		}
		if value, ok := strings.CutPrefix(k.args[n-1], "--ptype="); ok {
			return value, k.args[:n-1]
		}
	}
	return k.ptype(), k.args
}

func (k *call) setAction(probe *client.Probe, check string, args []string) error {
	if check == "exec" {
		probe.Exec = &client.ExecAction{Command: args}
		return nil
	}
	if len(args) != 1 {
		return fmt.Errorf("%s takes a port and nothing else", check)
	}
	port, err := strconv.Atoi(args[0])
	if err != nil || port < 1 || port > 65535 {
		return fmt.Errorf("%q is no port", args[0])
	}
	switch check {
	case "httpGet":
		probe.HTTPGet, err = k.httpAction(port)
	case "tcpSocket":
		probe.TCPSocket = &client.SocketAction{Port: port}
	case "grpc":
		probe.GRPC = &client.SocketAction{Port: port}
	default:
		err = fmt.Errorf("there is no check %q; there are httpGet, exec, tcpSocket and grpc", check)
	}
	return err
}

// httpAction is what --path and --headers say.
func (k *call) httpAction(port int) (*client.HTTPAction, error) {
	action := &client.HTTPAction{Path: k.text("path"), Port: port}
	headers, err := k.cmd.Flags().GetStringSlice("headers")
	must(err)
	for _, h := range headers {
		name, value, found := strings.Cut(h, ":")
		if !found {
			return nil, fmt.Errorf("the header %q is not of the form Name:value", h)
		}
		action.HTTPHeaders = append(action.HTTPHeaders, client.Header{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	return action, nil
}

func (p *program) healthchecksUnset() *cobra.Command {
	return p.command(leaf{
		use: "unset <probe>...", short: "Remove health checks", app: true, args: cobra.MinimumNArgs(1),
		flags: func(cmd *cobra.Command) { ptypeFlag(cmd); waitFlag(cmd) },
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			probes := map[string]*client.Probe{}
			for _, name := range k.args {
				probes[name] = nil
			}
			_, err = k.changeConfig(api, app, fmt.Sprintf("Removing %s healthcheck", strings.Join(k.args, ", ")),
				client.ConfigChange{Healthcheck: map[string]map[string]*client.Probe{k.ptype(): probes}}, true)
			return err
		},
	})
}
