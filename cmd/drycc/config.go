package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

const globalGroup = "global"

func (p *program) configGroup() *cobra.Command {
	info := p.configInfoLeaf()
	return p.group("config", "Manage environment variables that define app config", info, p.command(info), p.configSet(), p.configUnset(),
		p.configPull(), p.configPush(), p.configAttach(), p.configDetach())
}

// scopeFlags say which variables are meant: those of a process type or those
// of a group.
func scopeFlags(cmd *cobra.Command) {
	cmd.Flags().StringP("ptype", "p", "", "The ptype for which the config needs to be listed")
	cmd.Flags().StringP("group", "g", "", "The group for which the config needs to be listed")
	cmd.MarkFlagsMutuallyExclusive("ptype", "group")
}

// scope is a process type or a group.
type scope struct{ ptype, group string }

func (k *call) scope() scope {
	s := scope{k.text("ptype"), k.text("group")}
	if s.ptype == "" && s.group == "" {
		s.group = globalGroup
	}
	return s
}

func (s scope) has(v client.Value) bool { return v.Ptype == s.ptype && v.Group == s.group }

func (s scope) change(name string, value *string) client.ValueChange {
	return client.ValueChange{Name: name, Value: value, Group: s.group, Ptype: s.ptype}
}

func (p *program) configInfoLeaf() leaf {
	return leaf{
		use: "info", short: "An app config info", app: true, shows: true,
		flags: func(cmd *cobra.Command) {
			scopeFlags(cmd)
			cmd.Flags().IntP("version", "v", 0, "The version for which the config needs to be listed")
		},
		run: func(k *call) error {
			_, app, config, err := k.targetConfig()
			if err != nil {
				return err
			}
			values := config.Values
			if ptype, group := k.text("ptype"), k.text("group"); ptype != "" || group != "" {
				wanted := scope{ptype, group}
				values = slices.DeleteFunc(values, func(v client.Value) bool { return !wanted.has(v) })
				config.Values = values
			}
			if done, err := k.structured(config); done {
				return err
			}
			k.printConfig(app, config)
			return nil
		},
	}
}

// printConfig prints the variables, those of the global group first, then by
// group and by process type.
func (k *call) printConfig(app string, config client.Config) {
	blocks := map[scope][]client.Value{}
	var order []scope
	for _, v := range config.Values {
		s := scope{v.Ptype, v.Group}
		if blocks[s] == nil {
			order = append(order, s)
		}
		blocks[s] = append(blocks[s], v)
	}
	slices.SortFunc(order, func(a, b scope) int {
		return strings.Compare(rank(a)+a.group+a.ptype, rank(b)+b.group+b.ptype)
	})
	k.printf("=== %s\n", app)
	for _, s := range order {
		switch {
		case s.ptype != "":
			k.printf("# Ptype %s config\n", s.ptype)
		case len(order) > 1 || s.group != globalGroup:
			k.printf("# Group: %s\n", s.group)
		}
		for _, v := range blocks[s] {
			k.printf("%s: %s\n", v.Name, v.Value)
		}
	}
	for _, ptype := range sortedKeys(config.ValuesRefs) {
		if groups := config.ValuesRefs[ptype]; len(groups) > 0 {
			k.printf("# Ptype %s groups: %s\n", ptype, strings.Join(groups, ", "))
		}
	}
}

func rank(s scope) string {
	switch {
	case s.group == globalGroup:
		return "0"
	case s.group != "":
		return "1"
	}
	return "2"
}

func (p *program) configSet() *cobra.Command {
	return p.command(leaf{
		use: "set <var>=<value>...", short: "Set environment variables for an app", app: true, args: cobra.MinimumNArgs(1),
		flags: func(cmd *cobra.Command) { scopeFlags(cmd); waitFlag(cmd) },
		run: func(k *call) error {
			var changes []client.ValueChange
			for _, arg := range k.args {
				name, value, found := strings.Cut(arg, "=")
				if !found || name == "" {
					return fmt.Errorf("%q is not of the form NAME=value", name)
				}
				changes = append(changes, k.scope().change(name, &value))
			}
			return k.changeValues("Creating config", changes, true)
		},
	})
}

func (p *program) configUnset() *cobra.Command {
	return p.command(leaf{
		use: "unset <var>...", short: "Unset environment variables for an app", app: true, args: cobra.MinimumNArgs(1),
		flags: func(cmd *cobra.Command) { scopeFlags(cmd); waitFlag(cmd) },
		run: func(k *call) error {
			var changes []client.ValueChange
			for _, name := range k.args {
				changes = append(changes, k.scope().change(name, nil))
			}
			return k.changeValues("Removing config", changes, true)
		},
	})
}

// changeValues changes variables and shows what the config is now.
func (k *call) changeValues(text string, changes []client.ValueChange, merge bool) error {
	api, app, err := k.target()
	if err != nil {
		return err
	}
	config, err := k.changeConfig(api, app, text, client.ConfigChange{Values: changes}, merge)
	if err != nil {
		return err
	}
	k.printf("\n")
	k.printConfig(app, config)
	return nil
}

func (p *program) configAttach() *cobra.Command {
	return p.command(leaf{
		use: "attach <ptype> <group>...", short: "Selects environment groups to attach an app ptype", app: true,
		args: cobra.MinimumNArgs(2), flags: waitFlag,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			_, err = k.changeConfig(api, app, "Attaching config",
				client.ConfigChange{ValuesRefs: map[string][]string{k.args[0]: k.args[1:]}}, true)
			return err
		},
	})
}

func (p *program) configDetach() *cobra.Command {
	return p.command(leaf{
		use: "detach <ptype> <group>...", short: "Selects environment groups to detach an app ptype", app: true,
		args: cobra.MinimumNArgs(2), flags: waitFlag,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			before, err := findRelease(k, api, app, func(client.Release) bool { return true })
			if err != nil {
				return err
			}
			return k.progress("Detaching config", func() (string, error) {
				if err := api.DetachConfig(k.ctx(), app, map[string][]string{k.args[0]: k.args[1:]}); err != nil {
					return "", err
				}
				return k.rollout(api, app, func(r client.Release) bool { return r.Version > before.Version })
			})
		},
	})
}

var errNoFile = errors.New("no such file")
