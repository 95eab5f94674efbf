package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) domainsGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List the domains of an application", app: true, list: true, shows: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			domains, err := api.Domains(k.ctx(), app, k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.Domain]{
				items: domains.Results, count: domains.Count, none: fmt.Sprintf("No domains found in %s app.", app),
				head: "DOMAIN PTYPE CREATED UPDATED",
				row:  func(d client.Domain) []string { return []string{d.Domain, d.Ptype, d.Created, d.Updated} },
			})
		},
	}
	return p.group("domains", "Manage the domains of an application", list, p.command(list),
		p.command(leaf{
			use: "add <domain>", short: "Add a domain", app: true, args: cobra.ExactArgs(1), flags: ptypeFlag,
			run: func(k *call) error {
				api, app, err := k.target()
				if err != nil {
					return err
				}
				return k.does(fmt.Sprintf("Adding %s to %s", k.args[0], app), func() error {
					_, err := api.AddDomain(k.ctx(), app, k.args[0], k.ptype())
					return err
				})
			},
		}),
		p.command(leaf{
			use: "remove <domain>", short: "Remove a domain", app: true, args: cobra.ExactArgs(1),
			run: func(k *call) error {
				api, app, err := k.target()
				if err != nil {
					return err
				}
				return k.does(fmt.Sprintf("Removing %s from %s", k.args[0], app), func() error {
					return api.RemoveDomain(k.ctx(), app, k.args[0])
				})
			},
		}))
}

func (p *program) certsGroup() *cobra.Command {
	list := leaf{
		use: "list", short: "List the certificates of an application", app: true, list: true, shows: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			certs, err := api.Certs(k.ctx(), app, k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.Cert]{
				items: certs.Results, count: certs.Count, none: fmt.Sprintf("No certificates found in %s app.", app),
				head: "NAME COMMON-NAME EXPIRES SAN DOMAINS",
				row: func(c client.Cert) []string {
					return []string{c.Name, commonName(c), day(c.Expires), strings.Join(c.SAN, ","), strings.Join(c.Domains, ",")}
				},
			})
		},
	}
	return p.group("certs", "Manage the certificates of an application", list, p.command(list), p.certsAdd(), p.certsInfo(),
		p.certsAttach("attach"), p.certsAttach("detach"), p.certsRemove(), p.certsCheck())
}

// day shows the date of a moment as the guide does: 14 Jan 2017.
func day(stamp string) string { return restamp(stamp, "2 Jan 2006") }

// moment shows a moment as the guide does for certificates.
func moment(stamp string) string { return restamp(stamp, "2006-01-02 15:04:05 -0700 MST") }

func restamp(stamp, layout string) string {
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return stamp
	}
	return at.UTC().Format(layout)
}

func (p *program) certsAdd() *cobra.Command {
	return p.command(leaf{
		use: "add <name> <cert> <key>", short: "Add a certificate, with its chain, and its key, from PEM files", app: true, args: cobra.ExactArgs(3),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			certificate, err := os.ReadFile(k.args[1])
			if err != nil {
				return err
			}
			key, err := os.ReadFile(k.args[2])
			if err != nil {
				return err
			}
			var cert client.Cert
			err = k.does("Adding SSL endpoint", func() error {
				cert, err = api.AddCert(k.ctx(), app, k.args[0], string(certificate), string(key))
				return err
			})
			if name := commonName(cert); err == nil && name != "" {
				k.printf("%s\n", name)
			}
			return err
		},
	})
}

func (p *program) certsInfo() *cobra.Command {
	return p.command(leaf{
		use: "info <name>", short: "View info about a certificate", app: true, shows: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			c, _, done, err := look(k, func(api *client.Client, app string) (client.Cert, error) {
				return api.Cert(k.ctx(), app, k.args[0])
			})
			if done {
				return err
			}
			k.printf("=== %s Certificate\n", c.Name)
			k.pairs("", "Common Name(s)", commonName(c), "Expires At", moment(c.Expires), "Starts At", moment(c.Starts),
				"Fingerprint", c.Fingerprint, "Subject Alt Name", orNone(c.SAN), "Issuer", c.Issuer, "Subject", c.Subject)
			k.printf("\n")
			k.pairs("", "Connected Domains", orNone(c.Domains), "Owner", c.Owner, "Created", moment(c.Created), "Updated", moment(c.Updated))
			return nil
		},
	})
}

// commonName is the name a certificate is known by. Newer ones have only
// alternative names.
func commonName(c client.Cert) string {
	if c.CommonName == "" && len(c.SAN) > 0 {
		return c.SAN[0]
	}
	return c.CommonName
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "N/A"
	}
	return strings.Join(names, ",")
}

func (p *program) certsAttach(verb string) *cobra.Command {
	text := map[string]string{"attach": "Attaching certificate %s to domain %s", "detach": "Detaching certificate %s from domain %s"}[verb]
	return p.command(leaf{
		use: verb + " <name> <domain>", short: strings.ToUpper(verb[:1]) + verb[1:] + " a certificate and a domain", app: true, args: cobra.ExactArgs(2),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf(text, k.args[0], k.args[1]), func() error {
				if verb == "attach" {
					return api.AttachCert(k.ctx(), app, k.args[0], k.args[1])
				}
				return api.DetachCert(k.ctx(), app, k.args[0], k.args[1])
			})
		},
	})
}

func (p *program) certsRemove() *cobra.Command {
	return p.command(leaf{
		use: "remove <name>", short: "Remove a certificate", app: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does("Removing "+k.args[0], func() error { return api.RemoveCert(k.ctx(), app, k.args[0]) })
		},
	})
}
