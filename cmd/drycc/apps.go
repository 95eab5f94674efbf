package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) appsGroup() *cobra.Command {
	list := p.appsListLeaf()
	return p.group("apps", "Manage applications", list, p.command(list), p.appsCreate(), p.appsInfo(), p.appsOpen(),
		p.appsLogs(), p.appsRun(), p.appsDestroy(), p.appsTransfer())
}

func (p *program) appsListLeaf() leaf {
	return leaf{
		use: "list", short: "List accessible applications", list: true, shows: true,
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			mine, err := k.profile()
			if err != nil {
				return err
			}
			apps, err := api.Apps(k.ctx(), mine.Workspace, "", k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.App]{
				items: apps.Results, count: apps.Count, none: "No apps found.", head: "ID WORKSPACE CREATED UPDATED",
				row: func(a client.App) []string { return []string{a.ID, a.Workspace, a.Created, a.Updated} },
			})
		},
	}
}

func (p *program) appsCreate() *cobra.Command {
	return p.command(leaf{
		use: "create [id]", short: "Create a new application", args: cobra.MaximumNArgs(1),
		long: "Create a new application, under a name that is made up when none is given, and add a git remote for it.",
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringP("remote", "r", "drycc", "Name of the git remote to create")
			cmd.Flags().Bool("no-remote", false, "Do not create a git remote")
			cmd.Flags().StringP("workspace", "w", "", "The workspace that the application belongs to")
		},
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			mine, err := k.profile()
			if err != nil {
				return err
			}
			workspace := k.text("workspace")
			if workspace == "" {
				workspace = mine.Workspace
			}
			var app client.App
			err = k.progress("Creating application", func() (string, error) {
				app, err = api.CreateApp(k.ctx(), strings.Join(k.args, ""), workspace)
				return "created " + app.ID, err
			})
			if err != nil {
				return err
			}
			return k.createRemote(api.URL(), app.ID)
		},
	})
}

// createRemote adds the remote of a new app, and says how to when it does not.
func (k *call) createRemote(controller, app string) error {
	remote := k.text("remote")
	if !k.on("no-remote") {
		err := addRemote(k.ctx(), remote, remoteURL(controller, app), false)
		if err == nil {
			k.printf("Git remote %s added\n", remote)
			return nil
		}
		if !errors.Is(err, errNoRepository) {
			fmt.Fprintf(k.err, "No git remote was added: %v\n", err)
		}
	}
	k.printf("If you want to add a git remote for this app later, use `drycc git remote -a %s`\n", app)
	return nil
}

func (p *program) appsInfo() *cobra.Command {
	return p.command(leaf{
		use: "info", short: "View info about an application", app: true, shows: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			found, err := api.App(k.ctx(), app)
			if err != nil {
				return err
			}
			if done, err := k.structured(found); done {
				return err
			}
			domains, err := api.Domains(k.ctx(), app, 0)
			if err != nil {
				return err
			}
			pods, err := api.Pods(k.ctx(), app)
			if err != nil {
				return err
			}
			settings, err := api.Settings(k.ctx(), app)
			if err != nil {
				return err
			}
			k.printf("=== %s Application\n", app)
			k.pairs("", "id", found.ID, "uuid", found.UUID, "owner", found.Workspace, "workspace", found.Workspace, "url",
				appURL(api.URL(), domains.Results, app), "created", found.Created, "updated", found.Updated)
			k.printf("\n=== %s Processes\n", app)
			k.printPods(pods)
			k.printf("\n=== %s Domains\n", app)
			for _, d := range domains.Results {
				k.printf("%s\n", d.Domain)
			}
			k.printf("\n=== %s Settings\n", app)
			k.pairs("", "routable", fmt.Sprint(settings.Routable), "autodeploy", fmt.Sprint(settings.Autodeploy),
				"autorollback", fmt.Sprint(settings.Autorollback))
			return nil
		},
	})
}

// appURL is where the app answers: its first domain, else the one it would
// have by default.
func appURL(controller string, domains []client.Domain, app string) string {
	scheme, host, _ := strings.Cut(controller, "://")
	if len(domains) > 0 {
		return scheme + "://" + domains[0].Domain
	}
	_, rest, _ := strings.Cut(host, ".")
	rest, _, _ = strings.Cut(rest, ":")
	return scheme + "://" + app + "." + rest
}

func (p *program) appsOpen() *cobra.Command {
	return p.command(leaf{
		use: "open", short: "Open the application in a browser", app: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			domains, err := api.Domains(k.ctx(), app, 0)
			if err != nil {
				return err
			}
			page := appURL(api.URL(), domains.Results, app)
			k.printf("Opening %s\n", page)
			openBrowser(page)
			return nil
		},
	})
}

func (p *program) appsLogs() *cobra.Command {
	return p.command(leaf{
		use: "logs", short: "View aggregated application logs", app: true,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().IntP("lines", "n", 100, "The number of lines to display, all with 0")
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			log, err := api.AppLog(k.ctx(), app, k.number("lines"))
			if err != nil {
				return err
			}
			k.printf("%s", log)
			if log != "" && !strings.HasSuffix(log, "\n") {
				k.printf("\n")
			}
			return nil
		},
	})
}

func (p *program) appsDestroy() *cobra.Command {
	return p.command(leaf{
		use: "destroy", short: "Destroy an application", app: true,
		flags: func(cmd *cobra.Command) { confirmFlag(cmd, "The name of the application") },
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			if _, err := api.App(k.ctx(), app); err != nil {
				return err
			}
			err = k.confirm(app, "WARNING: Potentially Destructive Action", "This command will destroy the application: "+app)
			if err != nil {
				return err
			}
			k.printf("Destroying %s...\n", app)
			if err := api.DeleteApp(k.ctx(), app); err != nil {
				return err
			}
			k.printf("done\n")
			return k.removeRemotes(api.URL(), app)
		},
	})
}

// removeRemotes removes the git remotes that lead to an app.
func (k *call) removeRemotes(controller, app string) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	remotes, err := gitRemotes(dir)
	if errors.Is(err, errNoRepository) {
		return nil
	}
	for _, r := range remotes {
		if name, ok := remoteApp(r.url, builderHost(controller)); !ok || name != app {
			continue
		}
		if err := git(k.ctx(), "remote", "remove", r.name); err != nil {
			return err
		}
		k.printf("Git remote %s removed\n", r.name)
	}
	return err
}

func (p *program) appsTransfer() *cobra.Command {
	return p.command(leaf{
		use: "transfer <workspace>", short: "Transfer an application to another workspace", app: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf("Transferring %s to %s", app, k.args[0]), func() error {
				return api.TransferApp(k.ctx(), app, k.args[0])
			})
		},
	})
}
