package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) usersGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List all users (administrators)", list: true, shows: true,
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			users, err := api.Users(k.ctx(), k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.User]{
				items: users.Results, count: users.Count, none: "No users found.", head: "USERNAME EMAIL ADMIN ACTIVE LAST-LOGIN",
				row: func(u client.User) []string {
					return []string{u.Username, u.Email, strconv.FormatBool(u.IsSuperuser), strconv.FormatBool(u.IsActive), u.LastLogin}
				},
			})
		},
	}
	return p.group("users", "Manage users", list, p.command(list), p.usersEnable("enable", "Enabling", true), p.usersEnable("disable", "Disabling", false))
}

func (p *program) usersEnable(use, doing string, on bool) *cobra.Command {
	return p.command(leaf{
		use: use + " <user>", short: strings.ToUpper(use[:1]) + use[1:] + " a user (administrators)", args: cobra.ExactArgs(1),
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			return k.does(doing+" user "+k.args[0], func() error { return api.EnableUser(k.ctx(), k.args[0], on) })
		},
	})
}

func adminFlag(cmd *cobra.Command) {
	cmd.Flags().Bool("admin", false, "Manage administrators of the platform instead")
}

// permissions are what the guide shares an app for.
const allPermissions = "view,change,delete"

func (p *program) permsGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List the users an application is shared with", app: true, list: true, shows: true, flags: adminFlag,
		run: func(k *call) error {
			if k.on("admin") {
				return k.listAdmins()
			}
			api, app, err := k.target()
			if err != nil {
				return err
			}
			users, err := api.Perms(k.ctx(), app)
			if err != nil {
				return err
			}
			return show(k, listing[string]{
				items: users, none: fmt.Sprintf("No collaborators found in %s app.", app), head: "USERNAME",
				row: func(name string) []string { return []string{name} },
			})
		},
	}
	return p.group("perms", "Manage who an application is shared with", list, p.command(list),
		p.command(leaf{
			use: "add <user> [permissions]", short: "Share an application with a user", app: true, args: cobra.RangeArgs(1, 2), flags: adminFlag,
			run: func(k *call) error {
				if k.on("admin") {
					return k.changeAdmin(fmt.Sprintf("Adding %s to system administrators", k.args[0]), (*client.Client).AddAdmin)
				}
				api, app, err := k.target()
				if err != nil {
					return err
				}
				what, permissions := allPermissions, []string(nil)
				if len(k.args) == 2 {
					what, permissions = k.args[1], strings.Split(k.args[1], ",")
				}
				return k.does(fmt.Sprintf("Adding user %s as a collaborator for %s %s", k.args[0], what, app), func() error {
					return api.AddPerm(k.ctx(), app, k.args[0], permissions)
				})
			},
		}),
		p.command(leaf{
			use: "remove <user>", short: "End the sharing of an application with a user", app: true, args: cobra.ExactArgs(1), flags: adminFlag,
			run: func(k *call) error {
				if k.on("admin") {
					return k.changeAdmin(fmt.Sprintf("Removing %s from system administrators", k.args[0]), (*client.Client).RemoveAdmin)
				}
				api, app, err := k.target()
				if err != nil {
					return err
				}
				return k.does(fmt.Sprintf("Removing user %s as a collaborator for %s", k.args[0], app), func() error {
					return api.RemovePerm(k.ctx(), app, k.args[0])
				})
			},
		}))
}

func (k *call) listAdmins() error {
	api, err := k.client()
	if err != nil {
		return err
	}
	admins, err := api.Admins(k.ctx(), k.limit())
	if err != nil {
		return err
	}
	return show(k, listing[client.User]{
		items: admins.Results, count: admins.Count, none: "No administrators found.", head: "USERNAME",
		row: func(u client.User) []string { return []string{u.Username} },
	})
}

func (p *program) tokensGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List your tokens", list: true, shows: true,
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			tokens, err := api.Tokens(k.ctx(), k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.Token]{
				items: tokens.Results, count: tokens.Count, none: "No tokens found.", head: "UUID OWNER ALIAS KEY CREATED UPDATED",
				row: func(t client.Token) []string {
					return []string{t.UUID, t.Owner, t.Alias, t.FuzzyKey, t.Created, t.Updated}
				},
			})
		},
	}
	return p.group("tokens", "Manage your tokens", list, p.command(list), p.tokensAdd(),
		p.command(leaf{
			use: "remove <uuid>", short: "Delete a token", args: cobra.ExactArgs(1),
			run: func(k *call) error {
				api, err := k.client()
				if err != nil {
					return err
				}
				return k.does("Removing "+k.args[0], func() error { return api.DeleteToken(k.ctx(), k.args[0]) })
			},
		}))
}

func (p *program) tokensAdd() *cobra.Command {
	return p.command(leaf{
		use: "add <alias>", short: "Make a token and show it, once", args: cobra.ExactArgs(1), shows: true,
		flags: func(cmd *cobra.Command) {
			credentialFlags(cmd)
			confirmFlag(cmd, `"yes"`)
		},
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			err = k.confirm("yes", "WARNING: Make sure to copy your token now.",
				"You won't be able to see it again, please confirm whether to continue.")
			if err != nil {
				return err
			}
			granted, err := k.logIn(api, k.args[0])
			if err != nil {
				return err
			}
			if done, err := k.structured(granted); done {
				return err
			}
			k.table(strings.Fields("UUID USERNAME TOKEN"), [][]string{{granted.UUID, granted.Username, granted.Token}})
			return nil
		},
	})
}

func (k *call) changeAdmin(text string, change func(*client.Client, context.Context, string) error) error {
	api, err := k.client()
	if err != nil {
		return err
	}
	return k.does(text, func() error { return change(api, k.ctx(), k.args[0]) })
}
