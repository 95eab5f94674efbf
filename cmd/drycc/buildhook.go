package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

// buildsHook are the commands of the address at which a host of git
// repositories tells of pushes.
func (p *program) buildsHook() *cobra.Command {
	info := leaf{
		use: "info", short: "Show the build hook of an application", app: true, shows: true,
		run: func(k *call) error {
			hook, _, done, err := look(k, func(api *client.Client, app string) (client.BuildHook, error) {
				return api.BuildHook(k.ctx(), app)
			})
			if done {
				return err
			}
			showHook(k, hook)
			return nil
		},
	}
	return p.group("hook", "Build when a git repository elsewhere is pushed to", info, p.command(info), p.hookCreate(), p.hookDelete(), p.hookPull())
}

func showHook(k *call, h client.BuildHook) {
	k.pairs("", "App", h.App, "Repository", h.URL, "Branch", h.Branch, "Builds for", h.User, "Webhook URL", h.Address, "Created", h.Created)
	if h.Username != "" {
		k.pairs("", "Username", h.Username)
	}
	if h.PublicKey != "" {
		k.pairs("", "Deploy key", h.PublicKey, "Host key", h.HostKey)
	}
}

func (p *program) hookCreate() *cobra.Command {
	return p.command(leaf{
		use: "create <repository>", short: "Give an application a build hook, in place of the one it has", app: true, args: cobra.ExactArgs(1),
		long: "Give an application an address to be entered as a webhook at GitHub, GitLab, Gitea or Forgejo. Each push to the branch is fetched from the repository, built and deployed. " +
			"The repository is named as for git clone: https://host/path.git, or git@host:path.git. Over SSH a deploy key is made, which has to be added there.",
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringP("branch", "b", "main", "The branch to build")
			cmd.Flags().String("username", "", "The user name for a private repository over HTTPS")
			cmd.Flags().String("password", "", "A token that may read it; asked for when not given, or - to read it from the input")
			cmd.Flags().String("ca", "", "A file with the certificate of the repository's own authority")
		},
		run: createHook,
	})
}

func createHook(k *call) error {
	api, app, err := k.target()
	if err != nil {
		return err
	}
	n := client.NewBuildHook{URL: k.args[0], Branch: k.text("branch"), Username: k.text("username"), Password: k.text("password")}
	if n.Username != "" && n.Password == "" {
		if n.Password, err = k.askSecret("password: "); err != nil {
			return err
		}
	}
	if n.Password == "-" {
		if n.Password, err = k.readLine(); err != nil {
			return err
		}
	}
	if n.Password != "" && n.Username == "" {
		return errors.New("a password needs --username; with a token most hosts take any name, such as git")
	}
	if file := k.text("ca"); file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		n.CA = string(raw)
	}
	var hook client.BuildHook
	err = k.does("Creating build hook", func() error {
		hook, err = api.SetBuildHook(k.ctx(), app, n)
		return err
	})
	if err != nil {
		return err
	}
	showHook(k, hook)
	k.pairs("", "Secret", hook.Secret)
	fmt.Fprintln(k.err, "\nThe secret is shown this once. Enter it with the webhook URL at the host of the repository: content type JSON, pushes only.")
	if strings.HasPrefix(hook.PublicKey, "ssh-") {
		fmt.Fprintln(k.err, "Add the deploy key to the repository, for reading; and check that the host key is the right one.")
	}
	return nil
}

func (p *program) hookDelete() *cobra.Command {
	return p.command(leaf{
		use: "delete", short: "Take the build hook of an application away", app: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does("Deleting build hook", func() error { return api.DeleteBuildHook(k.ctx(), app) })
		},
	})
}

func (p *program) hookPull() *cobra.Command {
	return p.command(leaf{
		use: "pull", short: "Build the newest commit of the hook's branch now", app: true, flags: waitFlag,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			run, err := api.PullSource(k.ctx(), app)
			if err != nil || k.on("no-wait") {
				return err
			}
			return followBuild(k, api, app, run.UUID)
		},
	})
}
