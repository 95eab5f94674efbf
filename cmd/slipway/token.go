package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"text/tabwriter"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/join"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/spf13/cobra"
)

func newTokenCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Let more hosts join, and take that back",
		Args:  noArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	cmd.AddCommand(newTokenCreateCmd(), newTokenListCmd(), newTokenDeleteCmd())
	return cmd
}

// createdToken is what "slipway token create -o json" prints.
type createdToken struct {
	k3s.JoinToken
	Token    string `json:"token"`    // for slipway join
	K3sToken string `json:"k3sToken"` // for K3S_TOKEN
	K3sURL   string `json:"k3sURL"`   // for K3S_URL
}

func newTokenCreateCmd() *cobra.Command {
	var role, note, output string
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a token with which hosts join",
		Long: `Prints a token. It holds the address of this server, the hash of the cluster's
authority and a secret; who has it may join hosts until it ends. On a host that
is to join:

  slipway join TOKEN

or, with the address and the secret apart, as k3s has it:

  K3S_URL=https://SERVER:6443 K3S_TOKEN=… ./install.sh install_k3s_agent

Nodes that have joined stay when the token ends.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkOutput(c, output); err != nil {
				return err
			}
			if r := join.Role(role); r != join.Agent && r != join.Server {
				return usageError{command: subcommand(c), err: fmt.Errorf("--role %q: choose agent or server", role)}
			}
			if ttl < 0 {
				return usageError{command: subcommand(c), err: fmt.Errorf("--ttl %s: give a time such as 30m or 24h, or 0 for a token that never ends", ttl)}
			}
			return createToken(c, join.Role(role), ttl, note, output)
		},
	}
	cmd.Flags().StringVar(&role, "role", string(join.Agent), "what hosts become with it: agent (runs apps) or server (control plane too)")
	cmd.Flags().DurationVar(&ttl, "ttl", 24*time.Hour, "how long it is good; 0: until it is deleted")
	cmd.Flags().StringVar(&note, "note", "", "what it is for, shown by \"slipway token list\"")
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func createToken(c *cobra.Command, role join.Role, ttl time.Duration, note, output string) error {
	m, tokens, err := openTokens()
	if err != nil {
		return err
	}
	_, place, err := locate(m.host, m.settings)
	if err != nil {
		return err
	}
	made, token, err := tokens.Create(c.Context(), role, ttl, note)
	if err != nil {
		return err
	}
	created := createdToken{JoinToken: made, K3sToken: token.K3s(), K3sURL: "https://" + net.JoinHostPort(place.now.Address, "6443")}
	token.Server = created.K3sURL
	created.Token = token.String()
	if output == "json" {
		return printJSON(c.OutOrStdout(), created)
	}
	ends := "until it is deleted"
	if !made.Expires.IsZero() {
		ends = "until " + made.Expires.Format(time.RFC3339)
	}
	fmt.Fprintf(c.ErrOrStderr(), "Token %s lets hosts join as %s, %s. On such a host run, as root:\n\n  slipway join TOKEN\n\n"+
		"or, to have it get the program from here: K3S_TOKEN=TOKEN K3S_URL=%s ./install.sh\n\n", made.ID, article(role), ends, created.K3sURL)
	_, err = fmt.Fprintln(c.OutOrStdout(), created.Token)
	return err
}

func article(r join.Role) string {
	if r == join.Agent {
		return "an agent"
	}
	return "a server"
}

// openTokens connects to the cluster of this server.
func openTokens() (*machine, *k3s.Tokens, error) {
	m, err := openServer()
	if err != nil {
		return nil, nil, err
	}
	tokens, err := k3s.OpenTokens(m.paths.Kubeconfig, m.settings.DataDir)
	return m, tokens, err
}

// openServer is openMachine for commands that need the cluster's administrator,
// whose kubeconfig only servers have.
func openServer() (*machine, error) {
	m, err := openMachine(nil, nil)
	if err != nil {
		return nil, err
	}
	if m.settings.Role == bootstrap.RoleAgent {
		return nil, fmt.Errorf("this node is an agent: run the command on a server (%s)", m.settings.JoinURL)
	}
	if _, err := os.Stat(m.paths.Kubeconfig); err != nil {
		return nil, fmt.Errorf("there is no cluster on this host (%w): install one with \"slipway install\", or run the command on a server", err)
	}
	return m, nil
}

func newTokenListCmd() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tokens with which hosts may join now",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkOutput(c, output); err != nil {
				return err
			}
			_, tokens, err := openTokens()
			if err != nil {
				return err
			}
			list, err := tokens.List(c.Context())
			if err != nil {
				return err
			}
			if output == "json" {
				return printJSON(c.OutOrStdout(), list)
			}
			return printTokens(c.OutOrStdout(), list, time.Now())
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func printTokens(w io.Writer, list []k3s.JoinToken, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tROLE\tENDS\tNOTE")
	for _, token := range list {
		ends := "never"
		switch {
		case token.Expires.IsZero():
		case now.Before(token.Expires):
			ends = token.Expires.Format(time.RFC3339)
		default:
			ends = "ended"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", token.ID, token.Role, ends, token.Note)
	}
	return t.Flush()
}

func newTokenDeleteCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID",
		Short: "Take a token back",
		Long:  "Nobody can join with the token any more. Nodes that have joined with it stay.",
		Args:  oneArg("the token's id"),
		RunE: func(c *cobra.Command, args []string) error {
			_, tokens, err := openTokens()
			if err != nil {
				return err
			}
			if err := tokens.Delete(c.Context(), args[0]); err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "The token is taken back.")
			return err
		},
	}
}

// oneArg demands exactly one argument, else it is wrong usage (exit code 2).
func oneArg(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{command: subcommand(c), err: fmt.Errorf("%d arguments: give %s", len(args), what)}
		}
		return nil
	}
}
