package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func protocolFlag(cmd *cobra.Command) {
	cmd.Flags().String("protocol", "TCP", "The protocol: TCP, UDP or SCTP")
}

func (p *program) servicesGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List the services of an application", app: true, shows: true,
		run: func(k *call) error {
			services, app, done, err := look(k, func(api *client.Client, app string) ([]client.Service, error) {
				return api.Services(k.ctx(), app)
			})
			if done {
				return err
			}
			var rows [][]string
			for _, s := range services {
				for _, port := range s.Ports {
					rows = append(rows, []string{s.Ptype, strconv.Itoa(port.Port), port.Protocol, strconv.Itoa(port.TargetPort), s.Domain})
				}
			}
			if len(rows) == 0 {
				k.printf("No services found in %s app.\n", app)
				return nil
			}
			k.table(strings.Fields("PTYPE PORT PROTOCOL TARGET-PORT DOMAIN"), rows)
			return nil
		},
	}
	return p.group("services", "Manage the services of an application", list, p.command(list),
		p.command(leaf{
			use: "add <ptype> <port>:<target>", short: "Add a port to the service of a process type", app: true, args: cobra.ExactArgs(2), flags: protocolFlag,
			run: func(k *call) error {
				api, app, err := k.target()
				if err != nil {
					return err
				}
				left, right, _ := strings.Cut(k.args[1], ":")
				port, err1 := parsePort(left)
				target, err2 := parsePort(right)
				if err1 != nil || err2 != nil {
					return fmt.Errorf("%q is not of the form port:target, as in 80:5000", k.args[1])
				}
				return k.does(fmt.Sprintf("Adding %s (%s) to %s", k.args[0], k.args[1], app), func() error {
					return api.AddService(k.ctx(), app, k.args[0], client.ServicePort{Port: port, TargetPort: target, Protocol: k.text("protocol")})
				})
			},
		}),
		p.servicesRemove())
}

func parsePort(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 65535 {
		return 0, fmt.Errorf("%q is no port", text)
	}
	return n, nil
}

func (p *program) servicesRemove() *cobra.Command {
	return p.command(leaf{
		use: "remove <ptype> <port>", short: "Remove a port from the service of a process type", app: true, args: cobra.ExactArgs(2), flags: protocolFlag,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			port, err := parsePort(k.args[1])
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf("Removing %s (%d) from %s", k.args[0], port, app), func() error {
				return api.RemoveService(k.ctx(), app, k.args[0], port, k.text("protocol"))
			})
		},
	})
}
