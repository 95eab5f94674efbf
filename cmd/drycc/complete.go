package main

import (
	"slices"

	"github.com/spf13/cobra"
)

// completion makes a shell completion of what the controller knows. A shell
// has no place for errors: then there is just nothing to choose from.
func (p *program) completion(names func(*call) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		found, err := names(&call{program: p, cmd: cmd, args: args})
		if err != nil {
			return nil, cobra.ShellCompDirectiveError | cobra.ShellCompDirectiveNoFileComp
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

func appNames(k *call) ([]string, error) {
	api, err := k.client()
	if err != nil {
		return nil, err
	}
	apps, err := api.Apps(k.ctx(), "", "", 0)
	var names []string
	for _, a := range apps.Results {
		names = append(names, a.ID)
	}
	return names, err
}

func podNames(k *call) ([]string, error) {
	api, app, err := k.target()
	if err != nil {
		return nil, err
	}
	pods, err := api.Pods(k.ctx(), app)
	var names []string
	for _, p := range pods {
		names = append(names, p.Name)
	}
	return names, err
}

func ptypeNames(k *call) ([]string, error) {
	api, app, err := k.target()
	if err != nil {
		return nil, err
	}
	found, err := api.App(k.ctx(), app)
	names := sortedKeys(found.Structure)
	return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(k.args, n) }), err
}

func workspaceNames(k *call) ([]string, error) {
	api, err := k.client()
	if err != nil {
		return nil, err
	}
	workspaces, err := api.Workspaces(k.ctx(), 0)
	var names []string
	for _, w := range workspaces.Results {
		names = append(names, w.ID)
	}
	return names, err
}
