package main

import "github.com/spf13/cobra"

func (p *program) gitGroup() *cobra.Command {
	return p.helpGroup("git", "Manage git remotes of applications",
		p.command(leaf{
			use: "remote", short: "Add a git remote of the application to this repository", app: true,
			flags: func(cmd *cobra.Command) {
				cmd.Flags().StringP("remote", "r", "drycc", "Name of the remote")
				cmd.Flags().BoolP("force", "f", false, "Replace a remote of that name")
			},
			run: func(k *call) error {
				api, app, err := k.target()
				if err != nil {
					return err
				}
				if err := addRemote(k.ctx(), k.text("remote"), remoteURL(api.URL(), app), k.on("force")); err != nil {
					return err
				}
				k.printf("Git remote %s successfully created for app %s.\n", k.text("remote"), app)
				return nil
			},
		}),
		p.command(leaf{
			use: "remove", short: "Remove the git remotes of the application from this repository", app: true,
			run: func(k *call) error {
				api, app, err := k.target()
				if err != nil {
					return err
				}
				return k.removeRemotes(api.URL(), app)
			},
		}))
}
