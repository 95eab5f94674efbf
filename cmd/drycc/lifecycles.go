package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) lifecyclesGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List what containers do after their start and before their stop", app: true, shows: true,
		flags: func(cmd *cobra.Command) {
			releaseFlag(cmd)
			cmd.Flags().StringP("ptype", "p", "", "Only those of this process type")
		},
		run: func(k *call) error {
			_, _, config, err := k.targetConfig()
			if err != nil {
				return err
			}
			if done, err := k.structured(config.Lifecycle); done {
				return err
			}
			k.printLifecycles(config, k.text("ptype"))
			return nil
		},
	}
	return p.group("lifecycles", "Manage what containers do after their start and before their stop", list, p.command(list),
		p.lifecyclesSet(), p.lifecyclesUnset())
}

func (k *call) printLifecycles(config client.Config, only string) {
	k.pairs("", "App", config.App, "UUID", config.UUID, "Created", config.Created, "Updated", config.Updated)
	k.printf("\nLifecycles:\n")
	for _, ptype := range sortedKeys(config.Lifecycle) {
		if only != "" && only != ptype {
			continue
		}
		l := config.Lifecycle[ptype]
		for _, hook := range []struct {
			name string
			is   *client.LifecycleHook
		}{{"postStart", l.PostStart}, {"preStop", l.PreStop}} {
			if hook.is != nil {
				k.printf("%s %s %s\n", hook.name, ptype, hookText(hook.is))
			}
		}
		if l.StopSignal != "" {
			k.printf("stopSignal %s %s\n", ptype, l.StopSignal)
		}
	}
}

func hookText(h *client.LifecycleHook) string {
	switch {
	case h.Exec != nil:
		return "exec " + strings.Join(h.Exec.Command, " ")
	case h.HTTPGet != nil:
		return fmt.Sprintf("http-get path=%s port=%d", h.HTTPGet.Path, h.HTTPGet.Port)
	case h.TCPSocket != nil:
		return fmt.Sprintf("tcp-socket port=%d", h.TCPSocket.Port)
	case h.Sleep != nil:
		return fmt.Sprintf("sleep %ds", h.Sleep.Seconds)
	}
	return "nothing"
}

func (p *program) lifecyclesSet() *cobra.Command {
	return p.command(leaf{
		use: "set <hook> <action> <port>|<seconds>|[--] <command>...", short: "Set a hook", app: true, args: cobra.MinimumNArgs(3),
		long: "Set a hook. The hook is postStart or preStop; the action is exec with a command, httpGet or tcpSocket with a port, or sleep with seconds.",
		flags: func(cmd *cobra.Command) {
			ptypeFlag(cmd)
			waitFlag(cmd)
			cmd.Flags().String("path", "/", "The path that httpGet asks for")
			cmd.Flags().StringSlice("headers", nil, "The headers that httpGet sends, as Name:value")
			cmd.Flags().String("stop-signal", "SIGTERM", "The signal that stops the container")
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			ptype, args := k.trailingPtype()
			hook, err := k.hook(args[1], args[2:])
			if err != nil {
				return err
			}
			change := map[string]any{args[0]: hook, "stopSignal": k.text("stop-signal")}
			config, err := k.changeConfig(api, app, fmt.Sprintf("Applying %s lifecycle", args[0]),
				client.ConfigChange{Lifecycle: map[string]map[string]any{ptype: change}}, true)
			if err != nil {
				return err
			}
			k.printf("\n")
			k.printLifecycles(config, ptype)
			return nil
		},
	})
}

func (k *call) hook(action string, args []string) (*client.LifecycleHook, error) {
	if action == "exec" {
		return &client.LifecycleHook{Exec: &client.ExecAction{Command: args}}, nil
	}
	n, err := strconv.Atoi(args[0])
	if len(args) != 1 || err != nil || n < 1 {
		return nil, fmt.Errorf("%s takes one number", action)
	}
	switch action {
	case "httpGet":
		get, err := k.httpAction(n)
		return &client.LifecycleHook{HTTPGet: get}, err
	case "tcpSocket":
		return &client.LifecycleHook{TCPSocket: &client.SocketAction{Port: n}}, nil
	case "sleep":
		return &client.LifecycleHook{Sleep: &client.SleepAction{Seconds: n}}, nil
	}
	return nil, fmt.Errorf("there is no action %q; there are exec, httpGet, tcpSocket and sleep", action)
}

func (p *program) lifecyclesUnset() *cobra.Command {
	return p.command(leaf{
		use: "unset <hook>...", short: "Remove hooks", app: true, args: cobra.MinimumNArgs(1),
		flags: func(cmd *cobra.Command) { ptypeFlag(cmd); waitFlag(cmd) },
		run: func(k *call) error {
			hooks := map[string]any{}
			for _, name := range k.args {
				hooks[name] = nil
			}
			return k.configField(fmt.Sprintf("Removing %s lifecycle", strings.Join(k.args, ", ")),
				client.ConfigChange{Lifecycle: map[string]map[string]any{k.ptype(): hooks}})
		},
	})
}
