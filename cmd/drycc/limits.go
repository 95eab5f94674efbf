package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) limitsGroup() *cobra.Command {
	list := p.limitsListLeaf()
	return p.group("limits", "Manage resource limits of an application", list, p.command(list), p.limitsSet(), p.limitsUnset(),
		p.limitsSpecs(), p.limitsPlans())
}

func (p *program) limitsListLeaf() leaf {
	return leaf{
		use: "list", short: "List the limits of each process type", app: true, shows: true,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().IntP("version", "v", 0, "The version of the release, the latest when not given")
		},
		run: func(k *call) error {
			api, app, config, err := k.targetConfig()
			if err != nil {
				return err
			}
			if done, err := k.structured(config.Limits); done {
				return err
			}
			return k.printLimits(api, app, config.Limits)
		},
	}
}

func (k *call) printLimits(api *client.Client, app string, limits map[string]string) error {
	plans := map[string]client.Plan{}
	for _, id := range limits {
		if _, known := plans[id]; known {
			continue
		}
		plan, err := api.Plan(k.ctx(), id)
		if err != nil && client.StatusOf(err) == 0 {
			return err
		}
		plans[id] = plan // a plan that is no longer on offer is shown by its name
	}
	return showNames(k, sortedKeys(limits), "PTYPE PLAN VCPUS MEMORY FEATURES", fmt.Sprintf("No limits found in %s app.", app),
		func(ptype string) []string {
			plan := plans[limits[ptype]]
			if plan.ID == "" {
				return []string{ptype, limits[ptype], "", "", ""}
			}
			return []string{ptype, plan.ID, strconv.Itoa(plan.CPU), fmt.Sprintf("%d GiB", plan.Memory), features(plan.Spec)}
		})
}

func features(s client.Spec) string {
	return strings.TrimSpace(s.Features.GPU.Name + " " + s.Features.GPU.Memory.Size)
}

func (p *program) limitsSet() *cobra.Command {
	return p.command(leaf{
		use: "set <ptype>=<plan>...", short: "Set the limits of process types", app: true, args: cobra.MinimumNArgs(1), flags: waitFlag,
		run: func(k *call) error {
			limits, err := pairsOf(k.args)
			if err != nil {
				return err
			}
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.progress("Applying limits", func() (string, error) {
				config, err := api.ChangeConfig(k.ctx(), app, client.ConfigChange{Limits: limits}, true)
				if client.StatusOf(err) == http.StatusConflict && strings.Contains(err.Error(), "changed nothing") {
					return "", nil // a new app has a plan already, perhaps the one that is asked for
				}
				if err != nil {
					return "", err
				}
				return k.rollout(api, app, ofConfig(config.UUID))
			})
		},
	})
}

func (p *program) limitsUnset() *cobra.Command {
	return p.command(leaf{
		use: "unset <ptype>...", short: "Remove the limits of process types", app: true, args: cobra.MinimumNArgs(1), flags: waitFlag,
		complete: ptypeNames,
		run: func(k *call) error {
			return k.configField("Removing limits", client.ConfigChange{Limits: nothings(k.args)})
		},
	})
}

// configField changes one member of the config.
func (k *call) configField(text string, change client.ConfigChange) error {
	api, app, err := k.target()
	if err != nil {
		return err
	}
	_, err = k.changeConfig(api, app, text, change, true)
	return err
}

// pairsOf reads name=value arguments.
func pairsOf(args []string) (map[string]*string, error) {
	out := map[string]*string{}
	for _, arg := range args {
		name, value, err := parsePair(arg)
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}

// nothings removes what has these names.
func nothings(names []string) map[string]*string {
	out := map[string]*string{}
	for _, name := range names {
		out[name] = nil
	}
	return out
}

func (p *program) limitsSpecs() *cobra.Command {
	return p.command(leaf{
		use: "specs", short: "List the machines on offer", list: true, shows: true,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringP("keywords", "k", "", "Words that all have to occur, separated by commas")
		},
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			specs, err := api.Specs(k.ctx(), k.text("keywords"), k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.Spec]{
				items: specs.Results, count: specs.Count, none: "No specs found.", head: "ID CPU CLOCK BOOST CORES THREADS NETWORK FEATURES",
				row: func(s client.Spec) []string {
					return []string{s.ID, s.CPU.Name, s.CPU.Clock, s.CPU.Boost, strconv.Itoa(s.CPU.Cores), strconv.Itoa(s.CPU.Threads),
						s.Features.Network, features(s)}
				},
			})
		},
	})
}

func (p *program) limitsPlans() *cobra.Command {
	return p.command(leaf{
		use: "plans", short: "List the plans on offer", list: true, shows: true,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().String("spec-id", "", "Only plans of this spec")
			cmd.Flags().Int("cpu", 0, "Only plans with so many cores")
			cmd.Flags().IntP("memory", "m", 0, "Only plans with so many GiB of memory")
		},
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			plans, err := api.Plans(k.ctx(), k.text("spec-id"), positive(k.number("cpu")), positive(k.number("memory")), k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.Plan]{
				items: plans.Results, count: plans.Count, none: "No plans found.", head: "ID SPEC CPU VCPUS MEMORY FEATURES",
				row: func(p client.Plan) []string {
					return []string{p.ID, p.Spec.ID, p.Spec.CPU.Name, strconv.Itoa(p.CPU), fmt.Sprintf("%d GiB", p.Memory), features(p.Spec)}
				},
			})
		},
	})
}

// positive is the number, or nothing.
func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}
