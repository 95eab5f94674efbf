package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) routesGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List the routes of an application", app: true, list: true, shows: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			routes, err := api.Routes(k.ctx(), app, k.limit())
			if err != nil {
				return err
			}
			found, err := api.App(k.ctx(), app)
			if err != nil {
				return err
			}
			return show(k, listing[client.Route]{
				items: routes.Results, count: routes.Count, none: fmt.Sprintf("No routes found in %s app.", app),
				head: "NAME OWNER KIND GATEWAYS SERVICES",
				row: func(r client.Route) []string {
					var gateways []string
					for _, parent := range r.ParentRefs {
						gateways = append(gateways, fmt.Sprintf("%s:%d", parent.Name, parent.Port))
					}
					return []string{r.Name, found.Workspace, r.Kind, jsonList(gateways), jsonList(backends(r.Rules))}
				},
			})
		},
	}
	return p.group("routes", "Manage the routes of an application", list, p.command(list), p.routesAdd(), p.routesAttach("attach"),
		p.routesAttach("detach"), p.routesInfo(), p.routesApply(), p.routesRemove())
}

func jsonList(names []string) string {
	if names == nil {
		names = []string{}
	}
	raw, err := json.Marshal(names)
	must(err) // strings always can
	return string(raw)
}

// backends are the services of a route's rules, as name:port.
func backends(rules []map[string]any) []string {
	var out []string
	for _, rule := range rules {
		refs, _ := rule["backendRefs"].([]any)
		for _, ref := range refs {
			backend, _ := ref.(map[string]any)
			name := fmt.Sprintf("%v:%v", backend["name"], backend["port"])
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// routesAdd is the guide's way to make a route: with services instead of a
// manifest.
func (p *program) routesAdd() *cobra.Command {
	return p.command(leaf{
		use: "add <name> <kind> <service>:<port>[,<weight>]...", short: "Add a route to services", app: true, args: cobra.MinimumNArgs(3),
		long: "Add a route to services, named by themselves or by their process type.",
		flags: func(cmd *cobra.Command) {
			ptypeFlag(cmd)
			cmd.Flags().String("gateway", "", "The gateway, the application's own when not given")
			cmd.Flags().Int("port", 80, "The port of the gateway")
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			services, err := api.Services(k.ctx(), app)
			if err != nil {
				return err
			}
			var refs []any
			for _, arg := range k.args[2:] {
				ref, err := backendRef(arg, services)
				if err != nil {
					return err
				}
				refs = append(refs, ref)
			}
			route := client.Route{Name: k.args[0], Kind: k.args[1], Rules: []map[string]any{{"backendRefs": refs}}}
			parent := client.ParentRef{Name: k.text("gateway"), Port: k.number("port")}
			if parent.Name == "" {
				if parent, err = k.usualGateway(api, app, route.Kind); err != nil {
					return err
				}
			}
			route.ParentRefs = []client.ParentRef{parent}
			return k.does(fmt.Sprintf("Adding route %s to %s", route.Name, app), func() error {
				_, err := api.PutRoute(k.ctx(), app, route)
				return err
			})
		},
	})
}

// usualGateway is the listener for routes of a kind, of the app's own gateway
// before others: a route without any is none.
func (k *call) usualGateway(api *client.Client, app, kind string) (client.ParentRef, error) {
	gateways, err := api.Gateways(k.ctx(), app, 0)
	if err != nil {
		return client.ParentRef{}, err
	}
	slices.SortStableFunc(gateways.Results, func(a, b client.Gateway) int {
		return strings.Compare(strings.TrimPrefix(a.Name, app), strings.TrimPrefix(b.Name, app))
	})
	protocol := strings.TrimSuffix(kind, "Route")
	if protocol == "GRPC" {
		protocol = "HTTP"
	}
	for _, g := range gateways.Results {
		for _, port := range g.Ports {
			if strings.HasPrefix(port.Protocol, protocol) {
				return client.ParentRef{Name: g.Name, Port: port.Port}, nil
			}
		}
	}
	return client.ParentRef{}, curable(fmt.Errorf("no gateway of %s takes a %s", app, kind),
		"Add one with `drycc gateways add`, or name one with --gateway.")
}

// backendRef reads "service:port,weight".
func backendRef(arg string, services []client.Service) (map[string]any, error) {
	address, weight, weighted := strings.Cut(arg, ",")
	name, portText, _ := strings.Cut(address, ":")
	port, err := parsePort(portText)
	if err != nil || name == "" {
		return nil, fmt.Errorf("%q is not of the form service:port,weight", arg)
	}
	byName := slices.ContainsFunc(services, func(s client.Service) bool { return s.Name == name })
	for _, s := range services {
		if !byName && s.Ptype == name {
			name = s.Name
			break
		}
	}
	ref := map[string]any{"kind": "Service", "name": name, "port": port}
	if weighted {
		n, err := strconv.Atoi(weight)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q is no weight", weight)
		}
		ref["weight"] = n
	}
	return ref, nil
}

func (p *program) routesAttach(verb string) *cobra.Command {
	return p.command(leaf{
		use: verb + " <name>", short: strings.ToUpper(verb[:1]) + verb[1:] + " a route and a gateway", app: true, args: cobra.ExactArgs(1),
		flags: func(cmd *cobra.Command) {
			cmd.Flags().String("gateway", "", "The gateway")
			cmd.Flags().Int("port", 80, "The port of the gateway")
			must(cmd.MarkFlagRequired("gateway"))
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			parent := client.ParentRef{Name: k.text("gateway"), Port: k.number("port")}
			text := map[string]string{"attach": "Attaching route %s to gateway %s", "detach": "Detaching route %s from gateway %s"}[verb]
			return k.does(fmt.Sprintf(text, k.args[0], parent.Name), func() error {
				route, err := api.Route(k.ctx(), app, k.args[0])
				if err != nil {
					return err
				}
				if slices.Contains(route.ParentRefs, parent) == (verb == "attach") {
					return nil
				}
				if verb == "attach" {
					route.ParentRefs = append(route.ParentRefs, parent)
				} else {
					route.ParentRefs = slices.DeleteFunc(route.ParentRefs, func(r client.ParentRef) bool { return r == parent })
				}
				_, err = api.PutRoute(k.ctx(), app, route)
				return err
			})
		},
	})
}

func (p *program) routesInfo() *cobra.Command {
	return p.command(leaf{
		use: "info <name>", short: "View a route as a manifest", app: true, shows: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			r, err := api.Route(k.ctx(), app, k.args[0])
			if err != nil {
				return err
			}
			return k.printManifest(manifest{Kind: r.Kind, Metadata: metadata{r.Name},
				Spec:   manifestSpec{Parents: r.ParentRefs, Rules: renamed(r.Rules, "backendRefs", "backends")},
				Status: map[string]any{"routable": r.Routable}})
		},
	})
}

// renamed is rules with a member under another name.
func renamed(rules []map[string]any, from, to string) []map[string]any {
	var out []map[string]any
	for _, rule := range rules {
		copied := map[string]any{}
		for name, value := range rule {
			if name == from {
				name = to
			}
			copied[name] = value
		}
		out = append(out, copied)
	}
	return out
}

func (p *program) routesApply() *cobra.Command {
	return p.command(leaf{
		use: "apply <file>", short: "Make routes what a manifest says", app: true, args: cobra.ExactArgs(1),
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
				err := k.does(fmt.Sprintf("Applying route %s to %s", m.Metadata.Name, app), func() error {
					_, err := api.PutRoute(k.ctx(), app, client.Route{Name: m.Metadata.Name, Kind: m.Kind,
						ParentRefs: m.Spec.Parents, Rules: renamed(m.Spec.Rules, "backends", "backendRefs")})
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

func (p *program) routesRemove() *cobra.Command {
	return p.command(leaf{
		use: "remove <name>", short: "Remove a route", app: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf("Removing route %s from %s", k.args[0], app), func() error {
				return api.RemoveRoute(k.ctx(), app, k.args[0])
			})
		},
	})
}
