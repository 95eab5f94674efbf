package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) resourcesGroup() *cobra.Command {
	list := p.resourcesListLeaf()
	return p.group("resources", "Manage resources for your applications", list, p.resourcesServices(), p.resourcesPlans(), p.resourcesCreate(),
		p.command(list), p.resourcesDescribe(), p.resourcesUpdate(), p.resourcesBind("bind", true), p.resourcesBind("unbind", false), p.resourcesDestroy())
}

func (p *program) resourcesServices() *cobra.Command {
	return p.command(leaf{
		use: "services", short: "List all available resource services", list: true, shows: true,
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			services, err := api.ResourceServices(k.ctx(), k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.ResourceService]{
				items: services.Results, count: services.Count, none: "No resource services found.", head: "ID NAME UPDATEABLE",
				row: func(s client.ResourceService) []string {
					return []string{s.ID, s.Name, strconv.FormatBool(s.Updateable)}
				},
			})
		},
	})
}

func (p *program) resourcesPlans() *cobra.Command {
	return p.command(leaf{
		use: "plans <service>", short: "List all available plans for a resource service", list: true, shows: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			plans, err := api.ResourcePlans(k.ctx(), k.args[0], k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.ResourcePlan]{
				items: plans.Results, count: plans.Count, none: "No resource plans found.", head: "ID NAME DESCRIPTION",
				row: func(p client.ResourcePlan) []string { return []string{p.ID, p.Name, p.Description} },
			})
		},
	})
}

func (p *program) resourcesListLeaf() leaf {
	return leaf{
		use: "list", short: "List resources in the application", app: true, list: true, shows: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			resources, err := api.Resources(k.ctx(), app, k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.Resource]{
				items: resources.Results, count: resources.Count, none: fmt.Sprintf("No resources found in %s app.", app),
				head: "UUID NAME OWNER PLAN UPDATED",
				row:  func(r client.Resource) []string { return []string{r.UUID, r.Name, r.Owner, r.Plan, r.Updated} },
			})
		},
	}
}

// planArgs reads <name> <service> <plan>, or <name> <service>:<plan>.
func planArgs(args []string) (name, plan string) { return args[0], strings.Join(args[1:], ":") }

func optionFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayP("param", "p", nil, "A parameter of the service, as name=value")
}

func (k *call) options() (map[string]any, error) {
	params, err := k.cmd.Flags().GetStringArray("param")
	must(err)
	pairs, err := pairsOf(params)
	if err != nil || len(pairs) == 0 {
		return nil, err
	}
	out := map[string]any{}
	for name, value := range pairs {
		out[name] = *value
	}
	return out, nil
}

func (p *program) resourcesCreate() *cobra.Command {
	return p.command(leaf{
		use: "create <name> <service> <plan>", short: "Create a resource for the application", app: true, args: cobra.RangeArgs(2, 3), flags: optionFlag,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			options, err := k.options()
			if err != nil {
				return err
			}
			name, plan := planArgs(k.args)
			return k.does(fmt.Sprintf("Creating %s to %s", name, app), func() error {
				_, err := api.CreateResource(k.ctx(), app, name, plan, options)
				return err
			})
		},
	})
}

func (p *program) resourcesUpdate() *cobra.Command {
	return p.command(leaf{
		use: "update <name> <service> <plan>", short: "Update a resource from the application", app: true, args: cobra.RangeArgs(2, 3), flags: optionFlag,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			options, err := k.options()
			if err != nil {
				return err
			}
			name, plan := planArgs(k.args)
			return k.does(fmt.Sprintf("Updating %s to %s", name, app), func() error {
				_, err := api.UpdateResource(k.ctx(), app, name, plan, options)
				return err
			})
		},
	})
}

func (p *program) resourcesDescribe() *cobra.Command {
	return p.command(leaf{
		use: "describe <name>", short: "Get a resource's detail in the application", app: true, shows: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			r, app, done, err := look(k, func(api *client.Client, app string) (client.Resource, error) {
				return api.Resource(k.ctx(), app, k.args[0])
			})
			if done {
				return err
			}
			k.printf("=== %s resource %s\n", app, r.Name)
			k.printf("plan: %s\nstatus: %s\nbinding: %s\n", r.Plan, r.Status, r.Binding)
			if r.Message != "" {
				k.printf("message: %s\n", r.Message)
			}
			if len(r.Data) > 0 {
				k.printf("\n")
			}
			for _, name := range sortedKeys(r.Data) {
				k.printf("%s: %s\n", name, r.Data[name])
			}
			return nil
		},
	})
}

func (p *program) resourcesBind(verb string, bind bool) *cobra.Command {
	return p.command(leaf{
		use: verb + " <name>", short: strings.ToUpper(verb[:1]) + verb[1:] + " a resource for an application", app: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			text := map[bool]string{true: "Binding resource", false: "Unbinding resource"}[bind]
			return k.does(text, func() error {
				_, err := api.BindResource(k.ctx(), app, k.args[0], bind)
				return err
			})
		},
	})
}

func (p *program) resourcesDestroy() *cobra.Command {
	return p.command(leaf{
		use: "destroy <name>", short: "Delete a resource from the application", app: true, args: cobra.ExactArgs(1),
		flags: func(cmd *cobra.Command) { confirmFlag(cmd, "The name of the resource") },
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf("Deleting %s from %s", k.args[0], app), func() error {
				return api.DeleteResource(k.ctx(), app, k.args[0])
			})
		},
	})
}
