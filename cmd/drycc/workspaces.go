package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) workspacesGroup() *cobra.Command {
	list := p.workspacesListLeaf()
	return p.group("workspaces", "Manage workspaces and their members", list, p.command(list), p.workspacesCreate(), p.workspacesInfo(),
		p.workspacesDelete(), p.workspacesInvite(), p.workspacesRemove(), p.workspacesUpdate(), p.workspacesSwitch())
}

func (p *program) workspacesListLeaf() leaf {
	return leaf{
		use: "list", short: "List your workspaces", list: true, shows: true,
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			mine, err := k.profile()
			if err != nil {
				return err
			}
			workspaces, err := api.Workspaces(k.ctx(), k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.Workspace]{
				items: workspaces.Results, count: workspaces.Count, none: "No workspaces found.", head: "ID EMAIL CREATED UPDATED",
				row: func(w client.Workspace) []string {
					id := w.ID
					if id == mine.Workspace {
						id += " *"
					}
					return []string{id, w.Email, w.Created, w.Updated}
				},
			})
		},
	}
}

func (p *program) workspacesCreate() *cobra.Command {
	return p.command(leaf{
		use: "create <name>", short: "Make a workspace", args: cobra.ExactArgs(1),
		flags: func(cmd *cobra.Command) {
			cmd.Flags().String("email", "", "Its address for mail, yours when not given")
		},
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			email := k.text("email")
			if email == "" {
				user, err := api.Whoami(k.ctx())
				if err != nil {
					return err
				}
				email = user.Email
			}
			return k.does("Creating workspace "+k.args[0], func() error {
				_, err := api.CreateWorkspace(k.ctx(), k.args[0], email)
				return err
			})
		},
	})
}

func (p *program) workspacesInfo() *cobra.Command {
	return p.command(leaf{
		use: "info <name>", short: "View a workspace with its members and invitations", shows: true, args: cobra.ExactArgs(1), complete: workspaceNames,
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			w, err := api.Workspace(k.ctx(), k.args[0])
			if err != nil {
				return err
			}
			members, err := api.Members(k.ctx(), w.ID, 0)
			if err != nil {
				return err
			}
			invitations, err := api.Invitations(k.ctx(), w.ID, 0)
			if err != nil {
				return err
			}
			if done, err := k.structured(map[string]any{"workspace": w, "members": members.Results, "invitations": invitations.Results}); done {
				return err
			}
			k.printf("=== %s Workspace\n", w.ID)
			k.pairs("", "uuid", w.UUID, "email", w.Email, "created", w.Created, "updated", w.Updated)
			k.printf("\n=== %s Members\n", w.ID)
			var rows [][]string
			for _, m := range members.Results {
				rows = append(rows, []string{m.User, m.Email, m.Role, strconv.FormatBool(m.Alerts)})
			}
			k.table([]string{"USERNAME", "EMAIL", "ROLE", "ALERTS"}, rows)
			if len(invitations.Results) > 0 {
				k.printf("\n=== %s Invitations\n", w.ID)
			}
			for _, i := range invitations.Results {
				k.printf("%s, invited by %s at %s\n", i.Email, i.Inviter, i.Created)
			}
			return nil
		},
	})
}

func (p *program) workspacesDelete() *cobra.Command {
	return p.command(leaf{
		use: "delete <name>", short: "Delete a workspace", args: cobra.ExactArgs(1), complete: workspaceNames,
		flags: func(cmd *cobra.Command) { confirmFlag(cmd, "The name of the workspace") },
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			if err := k.confirm(k.args[0], "WARNING: This deletes the workspace "+k.args[0]+"."); err != nil {
				return err
			}
			err = k.does("Deleting workspace "+k.args[0], func() error { return api.DeleteWorkspace(k.ctx(), k.args[0]) })
			mine, profileErr := k.profile()
			if err != nil || profileErr != nil || mine.Workspace != k.args[0] {
				return err
			}
			mine.Workspace = ""
			return mine.save()
		},
	})
}

func (p *program) workspacesInvite() *cobra.Command {
	return p.command(leaf{
		use: "invite <name> <email>", short: "Invite somebody to a workspace", args: cobra.ExactArgs(2), complete: workspaceNames,
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf("Inviting %s to %s", k.args[1], k.args[0]), func() error {
				_, err := api.Invite(k.ctx(), k.args[0], k.args[1])
				return err
			})
		},
	})
}

func (p *program) workspacesRemove() *cobra.Command {
	return p.command(leaf{
		use: "remove <name> <user>", short: "Remove a member from a workspace", args: cobra.ExactArgs(2), complete: workspaceNames,
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf("Removing %s from %s", k.args[1], k.args[0]), func() error {
				return api.RemoveMember(k.ctx(), k.args[0], k.args[1])
			})
		},
	})
}

func (p *program) workspacesUpdate() *cobra.Command {
	return p.command(leaf{
		use: "update <name> [user]", short: "Change a workspace, or a member of it", args: cobra.RangeArgs(1, 2), complete: workspaceNames,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().String("email", "", "The workspace's address for mail")
			cmd.Flags().String("role", "", "The member's role: admin, member or viewer")
			cmd.Flags().Bool("alerts", false, "Whether the member gets alerts")
		},
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			if len(k.args) == 1 {
				return k.does("Updating workspace "+k.args[0], func() error {
					_, err := api.UpdateWorkspace(k.ctx(), k.args[0], k.text("email"))
					return err
				})
			}
			var change client.MemberChange
			if role := k.text("role"); role != "" {
				change.Role = &role
			}
			if k.cmd.Flags().Changed("alerts") {
				alerts := k.on("alerts")
				change.Alerts = &alerts
			}
			return k.does(fmt.Sprintf("Updating %s in %s", k.args[1], k.args[0]), func() error {
				_, err := api.UpdateMember(k.ctx(), k.args[0], k.args[1], change)
				return err
			})
		},
	})
}

func (p *program) workspacesSwitch() *cobra.Command {
	return p.command(leaf{
		use: "switch <name>", short: "Choose the workspace that commands are about", args: cobra.ExactArgs(1), complete: workspaceNames,
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			if _, err := api.Workspace(k.ctx(), k.args[0]); err != nil {
				return err
			}
			mine, err := k.profile()
			if err != nil {
				return err
			}
			mine.Workspace = k.args[0]
			if err := mine.save(); err != nil {
				return err
			}
			k.printf("Switched to workspace %s\n", k.args[0])
			return nil
		},
	})
}
