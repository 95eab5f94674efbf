package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

// certsCheck shows which link between a domain and its certificate is broken.
func (p *program) certsCheck() *cobra.Command {
	return p.command(leaf{
		use: "check [domain]", short: "Find out why domains have no HTTPS: which link is broken, and the cure", app: true, list: true, shows: true,
		long: `Has the platform look from outside at every link between the application's
domains and their certificates: DNS, CAA, port 80, /.well-known, the certificate
authority, the certificate that is served. Exits with 1 when a link is broken.`,
		args: cobra.MaximumNArgs(1),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			domain := ""
			if len(k.args) > 0 {
				domain = k.args[0]
			}
			found, err := api.CheckCerts(k.ctx(), app, domain, k.limit())
			if err != nil {
				return err
			}
			done, err := k.structured(found.Results)
			if err != nil {
				return err
			}
			broken := false
			for i, d := range found.Results {
				broken = broken || d.Status == "fail"
				if !done {
					k.showDiagnosis(i, d)
				}
			}
			if broken {
				return exitCode(1)
			}
			return nil
		},
	})
}

func (k *call) showDiagnosis(i int, d client.Diagnosis) {
	if i > 0 {
		k.printf("\n")
	}
	words := map[string]string{"ok": "all is well", "warn": "works, but look", "fail": k.paint(k.out, red, "broken")}
	k.printf("=== %s: %s\n", d.Domain, words[d.Status])
	var rows [][]string
	for _, l := range d.Links {
		text := l.Evidence
		if l.State == "skipped" {
			text = l.Reason
		}
		rows = append(rows, []string{l.ID, l.State, text})
	}
	k.table(strings.Fields("LINK STATE EVIDENCE"), rows)
	for _, l := range d.Links {
		if l.State != "warn" && l.State != "fail" {
			continue
		}
		k.printf("\n%s: %s\n", k.paint(k.out, bold, l.ID), l.Reason)
		k.printf("  Cure: %s\n", l.Cure)
	}
}
