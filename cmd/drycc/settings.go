package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

// toggle describes a switch of an app.
type toggle struct {
	use, short, name string // name as in "Disabling routing for foo"
	get              func(client.Settings) bool
	set              func(*bool) client.SettingsChange
}

func (p *program) autodeployGroup() *cobra.Command {
	return p.toggleGroup(toggle{"autodeploy", "Manage whether changes are deployed by themselves", "autodeploy",
		func(s client.Settings) bool { return s.Autodeploy },
		func(on *bool) client.SettingsChange { return client.SettingsChange{Autodeploy: on} }})
}

func (p *program) autorollbackGroup() *cobra.Command {
	return p.toggleGroup(toggle{"autorollback", "Manage whether a failed deploy goes back to the release before", "autorollback",
		func(s client.Settings) bool { return s.Autorollback },
		func(on *bool) client.SettingsChange { return client.SettingsChange{Autorollback: on} }})
}

func (p *program) routingGroup() *cobra.Command {
	return p.toggleGroup(toggle{"routing", "Manage whether requests from outside reach the application", "routing",
		func(s client.Settings) bool { return s.Routable },
		func(on *bool) client.SettingsChange { return client.SettingsChange{Routable: on} }})
}

func (p *program) toggleGroup(t toggle) *cobra.Command {
	info := leaf{
		use: "info", short: "View whether it is enabled", app: true, shows: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			settings, err := api.Settings(k.ctx(), app)
			if err != nil {
				return err
			}
			if done, err := k.structured(map[string]bool{t.name: t.get(settings)}); done {
				return err
			}
			word := "disabled"
			if t.get(settings) {
				word = "enabled"
			}
			k.printf("%s is %s.\n", strings.ToUpper(t.name[:1])+t.name[1:], word)
			return nil
		},
	}
	turn := func(use, doing string, on bool) *cobra.Command {
		return p.command(leaf{
			use: use, short: strings.ToUpper(use[:1]) + use[1:] + " it", app: true,
			run: func(k *call) error {
				api, app, err := k.target()
				if err != nil {
					return err
				}
				return k.does(fmt.Sprintf("%s %s for %s", doing, t.name, app), func() error {
					_, err := api.ChangeSettings(k.ctx(), app, t.set(&on))
					return err
				})
			},
		})
	}
	return p.group(t.use, t.short, info, p.command(info), turn("enable", "Enabling", true), turn("disable", "Disabling", false))
}

func (p *program) autoscaleGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List the autoscale rules", app: true, shows: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			settings, err := api.Settings(k.ctx(), app)
			if err != nil {
				return err
			}
			if done, err := k.structured(settings.Autoscale); done {
				return err
			}
			return showNames(k, sortedKeys(settings.Autoscale), "PTYPE PERCENT MIN MAX", fmt.Sprintf("No autoscale rules found in %s app.", app),
				func(ptype string) []string {
					a := settings.Autoscale[ptype]
					return []string{ptype, strconv.Itoa(a.CPUPercent), strconv.Itoa(a.Min), strconv.Itoa(a.Max)}
				})
		},
	}
	return p.group("autoscale", "Manage how process types scale with their load", list, p.command(list), p.autoscaleSet(), p.autoscaleUnset())
}

// showNames prints a table of what -o was looked at for already.
func showNames(k *call, names []string, head, none string, row func(string) []string) error {
	if len(names) == 0 {
		k.printf("%s\n", none)
		return nil
	}
	var rows [][]string
	for _, name := range names {
		rows = append(rows, row(name))
	}
	k.table(strings.Fields(head), rows)
	return nil
}

func (p *program) autoscaleSet() *cobra.Command {
	return p.command(leaf{
		use: "set <ptype>", short: "Set the autoscale rule of a process type", app: true, args: cobra.ExactArgs(1), complete: ptypeNames,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().Int("min", 0, "The least number of pods")
			cmd.Flags().Int("max", 0, "The largest number of pods")
			cmd.Flags().Int("cpu-percent", 0, "The use of the processor that pods are added or removed for")
			for _, name := range []string{"min", "max", "cpu-percent"} {
				must(cmd.MarkFlagRequired(name))
			}
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			rule := client.Autoscale{Min: k.number("min"), Max: k.number("max"), CPUPercent: k.number("cpu-percent")}
			return k.does(fmt.Sprintf("Applying autoscale settings for process type %s on %s", k.args[0], app), func() error {
				_, err := api.ChangeSettings(k.ctx(), app, client.SettingsChange{Autoscale: map[string]*client.Autoscale{k.args[0]: &rule}})
				return err
			})
		},
	})
}

func (p *program) autoscaleUnset() *cobra.Command {
	return p.command(leaf{
		use: "unset <ptype>", short: "Remove the autoscale rule of a process type", app: true, args: cobra.ExactArgs(1), complete: ptypeNames,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf("Removing autoscale for process type %s on %s", k.args[0], app), func() error {
				_, err := api.ChangeSettings(k.ctx(), app, client.SettingsChange{Autoscale: map[string]*client.Autoscale{k.args[0]: nil}})
				return err
			})
		},
	})
}

func (p *program) labelsGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List the labels", app: true, shows: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			settings, err := api.Settings(k.ctx(), app)
			if err != nil {
				return err
			}
			if done, err := k.structured(settings.Label); done {
				return err
			}
			return showNames(k, sortedKeys(settings.Label), "KEY VALUE", fmt.Sprintf("No labels found in %s app.", app),
				func(name string) []string { return []string{name, settings.Label[name]} })
		},
	}
	change := func(use, short, doing string, parse func(string) (string, *string, error)) *cobra.Command {
		return p.command(leaf{
			use: use, short: short, app: true, args: cobra.MinimumNArgs(1),
			run: func(k *call) error {
				api, app, err := k.target()
				if err != nil {
					return err
				}
				labels := map[string]*string{}
				for _, arg := range k.args {
					name, value, err := parse(arg)
					if err != nil {
						return err
					}
					labels[name] = value
				}
				return k.does(fmt.Sprintf(doing, app), func() error {
					_, err := api.ChangeSettings(k.ctx(), app, client.SettingsChange{Label: labels})
					return err
				})
			},
		})
	}
	return p.group("labels", "Manage the labels of an application", list, p.command(list),
		change("set <key>=<value>...", "Set labels", "Applying labels on %s", parsePair),
		change("unset <key>...", "Remove labels", "Removing labels on %s", func(name string) (string, *string, error) { return name, nil, nil }))
}

// parsePair splits name=value.
func parsePair(arg string) (string, *string, error) {
	name, value, found := strings.Cut(arg, "=")
	if !found || name == "" {
		return "", nil, fmt.Errorf("%q is not of the form name=value", arg)
	}
	return name, &value, nil
}
