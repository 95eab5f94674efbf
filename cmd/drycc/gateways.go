package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

const manifestVersion = "controller.drycc.cc/v2"

// manifest is a gateway or a route in a file.
type manifest struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   metadata       `json:"metadata"`
	Spec       manifestSpec   `json:"spec"`
	Status     map[string]any `json:"status,omitempty"`
}

type metadata struct {
	Name string `json:"name"`
}

type manifestSpec struct {
	Ports   []client.GatewayPort `json:"ports,omitempty"`
	Parents []client.ParentRef   `json:"parents,omitempty"`
	Rules   []map[string]any     `json:"rules,omitempty"`
}

// readManifests reads a file, or stdin for "-", with one manifest or several
// that lines of "---" divide.
func (k *call) readManifests(path string) ([]manifest, error) {
	raw, err := os.ReadFile(path)
	if path == "-" {
		raw, err = io.ReadAll(k.in)
	}
	if err != nil {
		return nil, err
	}
	var out []manifest
	for _, part := range strings.Split("\n"+strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n---") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		var m manifest
		if err := yaml.UnmarshalStrict([]byte(part), &m); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if m.APIVersion != manifestVersion || m.Metadata.Name == "" {
			return nil, fmt.Errorf("%s: it needs apiVersion %s and metadata.name", path, manifestVersion)
		}
		out = append(out, m)
	}
	return out, nil
}

func (k *call) printManifest(m manifest) error {
	m.APIVersion = manifestVersion
	if k.text("output") == "json" {
		raw, err := json.MarshalIndent(m, "", "  ")
		k.printf("%s\n", raw)
		return err
	}
	raw, err := yaml.Marshal(m)
	k.printf("%s", raw)
	return err
}

func (p *program) gatewaysGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List the gateways of an application", app: true, list: true, shows: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			gateways, err := api.Gateways(k.ctx(), app, k.limit())
			if err != nil {
				return err
			}
			if done, err := k.structured(gateways.Results); done {
				return err
			}
			k.printGateways(app, gateways.Results)
			return nil
		},
	}
	return p.group("gateways", "Manage the gateways of an application", list, p.command(list), p.gatewaysAdd(), p.gatewaysInfo(),
		p.gatewaysApply(), p.gatewaysRemove())
}

func (k *call) printGateways(app string, gateways []client.Gateway) {
	var rows [][]string
	for _, g := range gateways {
		var addresses []string
		for _, a := range g.Addresses {
			addresses = append(addresses, a.Value)
		}
		for i, port := range g.Ports {
			transport := "tcp"
			if port.Protocol == "UDP" {
				transport = "udp"
			}
			rows = append(rows, []string{g.Name, fmt.Sprintf("%s-%d-%d", transport, port.Port, i), strconv.Itoa(port.Port), port.Protocol,
				strings.Join(addresses, ",")})
		}
	}
	if len(rows) == 0 {
		k.printf("No gateways found in %s app.\n", app)
		return
	}
	k.table(strings.Fields("NAME LISTENER PORT PROTOCOL ADDRESSES"), rows)
}

// gatewaysAdd is the guide's way to add a port to a gateway or to make one.
func (p *program) gatewaysAdd() *cobra.Command {
	return p.command(leaf{
		use: "add <name>", short: "Add a port to a gateway, and the gateway when there is none", app: true, args: cobra.ExactArgs(1),
		flags: func(cmd *cobra.Command) {
			cmd.Flags().Int("port", 0, "The port")
			cmd.Flags().String("protocol", "HTTP", "The protocol: HTTP, HTTPS, TCP, UDP or TLS")
			must(cmd.MarkFlagRequired("port"))
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			port := client.GatewayPort{Port: k.number("port"), Protocol: strings.ToUpper(k.text("protocol"))}
			return k.does(fmt.Sprintf("Adding gateway %s to %s", k.args[0], app), func() error {
				gateway, err := api.Gateway(k.ctx(), app, k.args[0])
				if err != nil && client.StatusOf(err) != http.StatusNotFound {
					return err
				}
				if slices.Contains(gateway.Ports, port) {
					return nil
				}
				_, err = api.PutGateway(k.ctx(), app, k.args[0], append(gateway.Ports, port))
				return err
			})
		},
	})
}

func (p *program) gatewaysInfo() *cobra.Command {
	return p.command(leaf{
		use: "info <name>", short: "View a gateway as a manifest", app: true, shows: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			g, err := api.Gateway(k.ctx(), app, k.args[0])
			if err != nil {
				return err
			}
			return k.printManifest(manifest{Kind: "Gateway", Metadata: metadata{g.Name}, Spec: manifestSpec{Ports: g.Ports},
				Status: map[string]any{"addresses": g.Addresses}})
		},
	})
}

func (p *program) gatewaysApply() *cobra.Command {
	return p.command(leaf{
		use: "apply <file>", short: "Make gateways what a manifest says", app: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			manifests, err := k.readManifests(k.args[0])
			if err != nil {
				return err
			}
			for _, m := range manifests {
				if m.Kind != "Gateway" {
					return fmt.Errorf("%s: %s is of kind %q, not Gateway", k.args[0], m.Metadata.Name, m.Kind)
				}
				err := k.does(fmt.Sprintf("Applying gateway %s to %s", m.Metadata.Name, app), func() error {
					_, err := api.PutGateway(k.ctx(), app, m.Metadata.Name, m.Spec.Ports)
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		},
	})
}

func (p *program) gatewaysRemove() *cobra.Command {
	return p.command(leaf{
		use: "remove <name>", short: "Remove a gateway, or one of its ports", app: true, args: cobra.ExactArgs(1),
		flags: func(cmd *cobra.Command) {
			cmd.Flags().Int("port", 0, "Remove only this port")
			cmd.Flags().String("protocol", "", "Remove only the port of this protocol")
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf("Removing gateway %s from %s", k.args[0], app), func() error {
				if k.number("port") == 0 {
					return api.RemoveGateway(k.ctx(), app, k.args[0])
				}
				gateway, err := api.Gateway(k.ctx(), app, k.args[0])
				if err != nil {
					return err
				}
				left := slices.DeleteFunc(slices.Clone(gateway.Ports), func(p client.GatewayPort) bool {
					protocol := k.text("protocol")
					return p.Port == k.number("port") && (protocol == "" || strings.EqualFold(p.Protocol, protocol))
				})
				if len(left) == len(gateway.Ports) {
					return fmt.Errorf("the gateway %s has no such port", k.args[0])
				}
				_, err = api.PutGateway(k.ctx(), app, k.args[0], left)
				return err
			})
		},
	})
}
