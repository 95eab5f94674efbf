package main

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

const (
	// tokenAlias names the tokens that logins make.
	tokenAlias    = "workflow-cli"
	loginEvery    = 2 * time.Second
	loginPatience = 10 * time.Minute
)

func (p *program) authShortcuts() []*cobra.Command {
	return []*cobra.Command{p.authLogin(), p.authLogout(), p.authWhoami(), p.authRegister()}
}

func (p *program) authGroup() *cobra.Command {
	return p.helpGroup("auth", "Log in and out, and manage your account",
		p.authLogin(), p.authLogout(), p.authWhoami(), p.authRegister(), p.authPasswd(), p.authCancel(), p.authToken())
}

func credentialFlags(cmd *cobra.Command) {
	cmd.Flags().StringP("username", "u", "", "Provide a username for the account")
	cmd.Flags().StringP("password", "p", "", "Provide a password for the account")
}

func verifyFlag(cmd *cobra.Command) {
	cmd.Flags().Bool("ssl-verify", true, "Verify the SSL certificate of the controller")
}

func (p *program) authLogin() *cobra.Command {
	return p.command(leaf{
		use: "login <controller>", short: "Log in to a controller", args: cobra.ExactArgs(1),
		long: "Log in to a controller, in the browser or with a username and a password.",
		flags: func(cmd *cobra.Command) {
			credentialFlags(cmd)
			verifyFlag(cmd)
		},
		run: func(k *call) error {
			api, err := k.connect(k.args[0], "", k.on("ssl-verify"))
			if err != nil {
				return err
			}
			if err := api.Check(k.ctx()); err != nil {
				return err
			}
			granted, err := k.logIn(api, tokenAlias)
			if err != nil {
				return err
			}
			return k.remember(api, granted)
		},
	})
}

// logIn gets a token: with a password when a username is given, else in the
// browser.
func (k *call) logIn(api *client.Client, alias string) (client.Granted, error) {
	username, password := k.text("username"), k.text("password")
	if username == "" && password == "" {
		return k.logInWithBrowser(api, alias)
	}
	var err error
	if username == "" {
		if username, err = k.ask("username: "); err != nil {
			return client.Granted{}, err
		}
	}
	if password == "" {
		if password, err = k.askSecret("password: "); err != nil {
			return client.Granted{}, err
		}
	}
	key, err := api.Login(k.ctx(), username, password)
	if err != nil {
		return client.Granted{}, err
	}
	return api.AwaitToken(k.ctx(), key, alias, loginEvery, loginPatience)
}

func (k *call) logInWithBrowser(api *client.Client, alias string) (client.Granted, error) {
	page, key, err := api.BeginLogin(k.ctx())
	if err != nil {
		return client.Granted{}, err
	}
	k.printf("Opening browser to %s\n", page)
	openBrowser(page) // the address is on the screen for those without one
	k.printf("Waiting for login... ")
	stop := k.spin()
	granted, err := api.AwaitToken(k.ctx(), key, alias, loginEvery, loginPatience)
	stop()
	if err != nil {
		k.printf("\n")
		return granted, err
	}
	k.printf("Logged in as %s\n", granted.Username)
	return granted, nil
}

// remember writes who is logged in where.
func (k *call) remember(api *client.Client, granted client.Granted) error {
	mine, err := k.profile()
	if err != nil {
		return err
	}
	if mine.Controller != api.URL() || mine.Username != granted.Username {
		mine.Workspace = ""
	}
	mine.Controller, mine.Username, mine.Token, mine.SSLVerify = api.URL(), granted.Username, granted.Token, k.on("ssl-verify")
	if err := mine.save(); err != nil {
		return err
	}
	k.printf("Configuration file written to %s\n", mine.path)
	return nil
}

// openBrowser starts the system's browser and does not wait for it.
func openBrowser(page string) {
	command := map[string][]string{
		"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"},
	}[runtime.GOOS]
	if command == nil {
		command = []string{"xdg-open"}
	}
	cmd := exec.Command(command[0], append(command[1:], page)...)
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }()
	}
}

func (p *program) authLogout() *cobra.Command {
	return p.command(leaf{
		use: "logout", short: "Log out of the controller",
		run: func(k *call) error {
			mine, err := k.profile()
			if err != nil {
				return err
			}
			if mine.Token == "" {
				k.printf("Nobody is logged in\n")
				return nil
			}
			name := mine.Username
			mine.Token, mine.Username, mine.Workspace = "", "", ""
			if err := mine.save(); err != nil {
				return err
			}
			k.printf("Logged out as %s\n", name)
			return nil
		},
	})
}

func (p *program) authWhoami() *cobra.Command {
	return p.command(leaf{
		use: "whoami", short: "Display the current user", shows: true,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().BoolP("all", "a", false, "Ask the controller and show the whole account")
		},
		run: func(k *call) error {
			mine, err := k.profile()
			if err != nil {
				return err
			}
			api, err := k.client()
			if err != nil {
				return err
			}
			if !k.on("all") && k.text("output") == "" {
				k.printf("You are %s at %s\n", mine.Username, mine.Controller)
				return nil
			}
			user, err := api.Whoami(k.ctx())
			if err != nil {
				return err
			}
			if done, err := k.structured(user); done {
				return err
			}
			k.pairs("", "ID", strconv.Itoa(user.ID), "Username", user.Username, "Email", user.Email,
				"First Name", user.FirstName, "Last Name", user.LastName, "Last Login", user.LastLogin,
				"Is Superuser", strconv.FormatBool(user.IsSuperuser), "Is Staff", strconv.FormatBool(user.IsStaff),
				"Is Active", strconv.FormatBool(user.IsActive), "Date Joined", user.DateJoined)
			return nil
		},
	})
}

func (p *program) authRegister() *cobra.Command {
	return p.command(leaf{
		use: "register <controller>", short: "Register a new user", args: cobra.ExactArgs(1),
		flags: func(cmd *cobra.Command) {
			credentialFlags(cmd)
			verifyFlag(cmd)
			cmd.Flags().String("email", "", "Provide an email address")
			cmd.Flags().Bool("login", true, "Log in with the new account")
		},
		run: func(k *call) error {
			token := ""
			if mine, err := k.profile(); err == nil && sameController(mine.Controller, k.args[0]) {
				token = mine.Token // where only administrators may register others
			}
			api, err := k.connect(k.args[0], token, k.on("ssl-verify"))
			if err != nil {
				return err
			}
			if err := api.Check(k.ctx()); err != nil {
				return err
			}
			username, password, err := k.newAccount()
			if err != nil {
				return err
			}
			if _, err := api.Register(k.ctx(), username, password, k.text("email")); err != nil {
				return err
			}
			k.printf("Registered %s\n", username)
			if token != "" || !k.on("login") {
				return nil
			}
			key, err := api.Login(k.ctx(), username, password)
			if err != nil {
				return err
			}
			granted, err := api.AwaitToken(k.ctx(), key, tokenAlias, loginEvery, loginPatience)
			if err != nil {
				return err
			}
			k.printf("Logged in as %s\n", username)
			return k.remember(api, granted)
		},
	})
}

func sameController(mine, named string) bool {
	return strings.TrimRight(mine, "/") == strings.TrimRight(named, "/") || mine == "http://"+strings.TrimRight(named, "/")
}

// newAccount is a username and a password, asked for when they are not given.
func (k *call) newAccount() (username, password string, err error) {
	if username = k.text("username"); username == "" {
		if username, err = k.ask("username: "); err != nil {
			return "", "", err
		}
	}
	if password = k.text("password"); password != "" {
		return username, password, nil
	}
	if password, err = k.newPassword("password: "); err != nil {
		return "", "", err
	}
	if !k.cmd.Flags().Changed("email") && isTerminal(k.in) {
		email, err := k.ask("email: ")
		if err != nil {
			return "", "", err
		}
		return username, password, k.cmd.Flags().Set("email", email)
	}
	return username, password, nil
}

// newPassword asks twice.
func (k *call) newPassword(question string) (string, error) {
	password, err := k.askSecret(question)
	if err != nil {
		return "", err
	}
	again, err := k.askSecret(strings.TrimSuffix(question, ": ") + " (confirm): ")
	if err == nil && again != password {
		err = errors.New("the passwords are not the same")
	}
	return password, err
}

func (p *program) authPasswd() *cobra.Command {
	return p.command(leaf{
		use: "passwd", short: "Change the password",
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringP("username", "u", "", "Change another user's password (administrators)")
			cmd.Flags().StringP("password", "p", "", "The current password")
			cmd.Flags().String("new-password", "", "The new password")
		},
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			username, old, password := k.text("username"), k.text("password"), k.text("new-password")
			if username == "" && old == "" {
				if old, err = k.askSecret("current password: "); err != nil {
					return err
				}
			}
			if password == "" {
				if password, err = k.newPassword("new password: "); err != nil {
					return err
				}
			}
			if err := api.ChangePassword(k.ctx(), username, old, password); err != nil {
				return err
			}
			k.printf("Password change succeeded.\n")
			return nil
		},
	})
}

func (p *program) authCancel() *cobra.Command {
	return p.command(leaf{
		use: "cancel", short: "Delete an account",
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringP("username", "u", "", "Delete another user's account (administrators)")
			confirmFlag(cmd, "The name of the account")
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
			name := k.text("username")
			other := name != "" && name != mine.Username
			if name == "" {
				name = mine.Username
			}
			if err := k.confirm(name, fmt.Sprintf("WARNING: This deletes the account %s at %s.", name, api.URL())); err != nil {
				return err
			}
			if err := api.Cancel(k.ctx(), k.text("username")); err != nil {
				return err
			}
			k.printf("Account cancelled\n")
			if other {
				return nil
			}
			mine.Token, mine.Username, mine.Workspace = "", "", ""
			return mine.save()
		},
	})
}

func (p *program) authToken() *cobra.Command {
	return p.command(leaf{
		use: "regenerate", short: "Replace your token",
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringP("username", "u", "", "Replace another user's token (administrators)")
			cmd.Flags().Bool("all", false, "Replace the tokens of all users (administrators)")
		},
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			username, all := k.text("username"), k.on("all")
			token, err := api.RegenerateToken(k.ctx(), username, all)
			if err != nil {
				return err
			}
			k.printf("Token Regenerated\n")
			if token == "" || all || username != "" {
				return nil
			}
			mine, err := k.profile()
			if err != nil {
				return err
			}
			mine.Token = token
			return mine.save()
		},
	})
}

func confirmFlag(cmd *cobra.Command, what string) {
	cmd.Flags().String("confirm", "", what+", to go on without being asked")
}
