package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

const webPtype = "web"

func ptypeFlag(cmd *cobra.Command) {
	cmd.Flags().StringP("ptype", "p", "", "The process type, web when not given")
}

// ptype is what --ptype says, or web.
func (k *call) ptype() string {
	if name := k.text("ptype"); name != "" {
		return name
	}
	return webPtype
}

func (p *program) timeoutsGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List how long process types may take to stop", app: true, shows: true, flags: releaseFlag,
		run: func(k *call) error {
			_, app, config, err := k.targetConfig()
			if err != nil {
				return err
			}
			if done, err := k.structured(config.TerminationGrace); done {
				return err
			}
			return showNames(k, sortedKeys(config.TerminationGrace), "PTYPE TIMEOUT", fmt.Sprintf("No timeouts found in %s app.", app),
				func(ptype string) []string { return []string{ptype, config.TerminationGrace[ptype]} })
		},
	}
	return p.group("timeouts", "Manage how long process types may take to stop", list, p.command(list),
		p.command(leaf{
			use: "set <ptype>=<seconds>...", short: "Set the time to stop", app: true, args: cobra.MinimumNArgs(1), flags: waitFlag,
			run: func(k *call) error {
				grace, err := pairsOf(k.args)
				if err != nil {
					return err
				}
				return k.configField("Applying timeouts", client.ConfigChange{TerminationGrace: grace})
			},
		}),
		p.command(leaf{
			use: "unset <ptype>...", short: "Remove the time to stop", app: true, args: cobra.MinimumNArgs(1), flags: waitFlag, complete: ptypeNames,
			run: func(k *call) error {
				return k.configField("Removing timeouts", client.ConfigChange{TerminationGrace: nothings(k.args)})
			},
		}))
}

func (p *program) tagsGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List the tags that nodes must have", app: true, shows: true,
		flags: func(cmd *cobra.Command) {
			releaseFlag(cmd)
			cmd.Flags().StringP("ptype", "p", "", "Only those of this process type")
		},
		run: func(k *call) error {
			_, app, config, err := k.targetConfig()
			if err != nil {
				return err
			}
			return k.showNested(config.Tags, "PTYPE KEY VALUE", fmt.Sprintf("No tags found in %s app.", app))
		},
	}
	return p.group("tags", "Manage on which nodes process types run", list, p.command(list), p.tagsSet(), p.tagsUnset())
}

// showNested shows {ptype: {name: value}}, of one process type or of all.
func (k *call) showNested(all map[string]map[string]string, head, none string) error {
	if ptype := k.text("ptype"); ptype != "" {
		all = map[string]map[string]string{ptype: all[ptype]}
	}
	if done, err := k.structured(all); done {
		return err
	}
	var rows [][]string
	for _, ptype := range sortedKeys(all) {
		for _, name := range sortedKeys(all[ptype]) {
			rows = append(rows, []string{ptype, name, all[ptype][name]})
		}
	}
	if len(rows) == 0 {
		k.printf("%s\n", none)
		return nil
	}
	k.table(strings.Fields(head), rows)
	return nil
}

func (p *program) tagsSet() *cobra.Command {
	return p.command(leaf{
		use: "set [ptype] <key>=<value>...", short: "Set tags that nodes must have", app: true, args: cobra.MinimumNArgs(1),
		flags: func(cmd *cobra.Command) { ptypeFlag(cmd); waitFlag(cmd) },
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			ptype, args := k.ptype(), k.args
			if !strings.Contains(args[0], "=") {
				ptype, args = args[0], args[1:]
			}
			tags, err := pairsOf(args)
			if err != nil {
				return err
			}
			config, err := k.changeConfig(api, app, "Applying tags", client.ConfigChange{Tags: map[string]map[string]*string{ptype: tags}}, true)
			if err != nil {
				return err
			}
			k.printf("\n")
			for _, name := range sortedKeys(config.Tags[ptype]) {
				k.printf("%s %s\n", name, config.Tags[ptype][name])
			}
			return nil
		},
	})
}

func (p *program) tagsUnset() *cobra.Command {
	return p.command(leaf{
		use: "unset [ptype] <key>...", short: "Remove tags that nodes must have", app: true, args: cobra.MinimumNArgs(1),
		flags: func(cmd *cobra.Command) { ptypeFlag(cmd); waitFlag(cmd) },
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			ptype, names := k.ptype(), k.args
			if len(names) > 1 && k.text("ptype") == "" {
				config, err := api.Config(k.ctx(), app, 0)
				if err != nil {
					return err
				}
				if _, known := config.Tags[names[0]]; known {
					ptype, names = names[0], names[1:]
				}
			}
			_, err = k.changeConfig(api, app, "Removing tags", client.ConfigChange{Tags: map[string]map[string]*string{ptype: nothings(names)}}, true)
			return err
		},
	})
}

func (p *program) registryGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List the credentials for private registries", app: true, shows: true,
		flags: func(cmd *cobra.Command) {
			releaseFlag(cmd)
			cmd.Flags().StringP("ptype", "p", "", "Only those of this process type")
		},
		run: func(k *call) error {
			_, app, config, err := k.targetConfig()
			if err != nil {
				return err
			}
			return k.showNested(config.Registry, "PTYPE NAME VALUE", fmt.Sprintf("No registry information found in %s app.", app))
		},
	}
	return p.group("registry", "Manage the credentials for private registries", list, p.command(list),
		p.command(leaf{
			use: "set <username> <password>", short: "Set the credentials", app: true, args: cobra.ExactArgs(2),
			flags: func(cmd *cobra.Command) {
				ptypeFlag(cmd)
				waitFlag(cmd)
				cmd.Flags().String("hostname", "", "The registry's host, when it is not the image's")
			},
			run: func(k *call) error {
				values := map[string]*string{"username": &k.args[0], "password": &k.args[1]}
				if host := k.text("hostname"); host != "" {
					values["hostname"] = &host
				}
				return k.configField("Applying registry information",
					client.ConfigChange{Registry: map[string]map[string]*string{k.ptype(): values}})
			},
		}),
		p.command(leaf{
			use: "unset", short: "Remove the credentials", app: true, args: cobra.ArbitraryArgs,
			flags: func(cmd *cobra.Command) { ptypeFlag(cmd); waitFlag(cmd) },
			run: func(k *call) error {
				names := k.args
				if len(names) == 0 {
					names = []string{"username", "password"}
				}
				return k.configField("Removing registry information",
					client.ConfigChange{Registry: map[string]map[string]*string{k.ptype(): nothings(names)}})
			},
		}))
}
