package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) tlsGroup() *cobra.Command {
	info := p.tlsInfoLeaf()
	force := func(c *client.Client) func(context.Context, string, bool) (client.TLS, error) { return c.EnforceHTTPS }
	auto := func(c *client.Client) func(context.Context, string, bool) (client.TLS, error) { return c.AutoCerts }
	return p.group("tls", "Manage HTTPS of an application", info, p.command(info),
		p.helpGroup("force", "Manage the redirect from http to https",
			p.tlsSwitch("enable", "Enabling https-only requests", force, true), p.tlsSwitch("disable", "Disabling https-only requests", force, false)),
		p.helpGroup("auto", "Manage automatic certificates",
			p.tlsSwitch("enable", "Enabling automatic certificates", auto, true), p.tlsSwitch("disable", "Disabling automatic certificates", auto, false)),
		p.tlsIssuer())
}

func (p *program) tlsInfoLeaf() leaf {
	return leaf{
		use: "info", short: "View how the application does HTTPS", app: true, shows: true,
		run: func(k *call) error {
			t, app, done, err := look(k, func(api *client.Client, app string) (client.TLS, error) {
				return api.TLS(k.ctx(), app)
			})
			if done {
				return err
			}
			k.printf("=== %s TLS\n", app)
			k.pairs("", "HTTPS Enforced", yes(t.HTTPSEnforced), "Certs Auto", yes(t.CertsAutoEnabled))
			if t.Issuer != nil {
				k.pairs("", "Issuer Email", t.Issuer.Email, "Issuer Server", t.Issuer.Server, "Issuer Key ID", t.Issuer.KeyID)
			}
			var rows [][]string
			for _, e := range t.Events {
				rows = append(rows, []string{e.Name, e.Kind, e.Type, e.Status, started(e.Time), e.Message})
			}
			if len(rows) > 0 {
				k.printf("\n")
				k.table(strings.Fields("NAME KIND TYPE STATUS TIME MESSAGE"), rows)
			}
			return nil
		},
	}
}

func yes(b *bool) string {
	if b == nil {
		return "not set"
	}
	return fmt.Sprint(*b)
}

func (p *program) tlsSwitch(use, doing string, set func(*client.Client) func(context.Context, string, bool) (client.TLS, error), on bool) *cobra.Command {
	return p.command(leaf{
		use: use, short: strings.ToUpper(use[:1]) + use[1:] + " it", app: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf("%s for %s", doing, app), func() error {
				_, err := set(api)(k.ctx(), app, on)
				return err
			})
		},
	})
}

func (p *program) tlsIssuer() *cobra.Command {
	return p.command(leaf{
		use: "issuer", short: "Choose the ACME account for automatic certificates", app: true,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().String("email", "", "The account's address for mail")
			cmd.Flags().String("server", "", "The address of the ACME server")
			cmd.Flags().String("key-id", "", "The id of the external account")
			cmd.Flags().String("key-secret", "", "The key of the external account")
			must(cmd.MarkFlagRequired("email"))
			must(cmd.MarkFlagRequired("server"))
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does("Setting the certificate issuer for "+app, func() error {
				_, err := api.SetIssuer(k.ctx(), app, client.Issuer{
					Email: k.text("email"), Server: k.text("server"), KeyID: k.text("key-id"), KeySecret: k.text("key-secret"),
				})
				return err
			})
		},
	})
}
