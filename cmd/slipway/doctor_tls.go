package main

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/edge/diagnose"
	"github.com/spf13/cobra"
)

func newDoctorTLSCmd() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "tls [domain]",
		Short: "Find out why a domain has no HTTPS: which link is broken, and the cure",
		Long: `Has the running server look from outside at every link between a name and its
certificate: DNS, CAA, port 80, /.well-known, the certificate authority, the
certificate that is served. Without a domain it looks at the platform's names
and the domains of all apps. Exits with 0 when no link is broken.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{command: subcommand(c), err: fmt.Errorf("%d domains: give one, or none for all", len(args))}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkOutput(c, output); err != nil {
				return err
			}
			return doctorTLS(c, args, output == "json")
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func doctorTLS(c *cobra.Command, args []string, asJSON bool) error {
	m, err := openMachine(nil, nil)
	if err != nil {
		return err
	}
	path := "/tls"
	if len(args) > 0 {
		path += "?" + url.Values{"domain": args}.Encode()
	}
	body, err := lifecycle.Ask(c.Context(), socketFile(m.paths), path)
	if errors.Is(err, lifecycle.ErrNotRunning) {
		return fmt.Errorf("%w; start it with \"slipway install\", or look at its log: %s", err, m.service.Logs())
	}
	if err != nil {
		return fmt.Errorf("the running server, which may be older than this program, answers: %w", err)
	}
	defer body.Close()
	all := []platform.Diagnosis{}
	var broken int
	var failed error
	err = diagnose.Read(body, func(d platform.Diagnosis) {
		if d.Broken() {
			broken++
		}
		if all = append(all, d); !asJSON && failed == nil {
			failed = diagnose.Write(c.OutOrStdout(), d)
		}
	})
	switch {
	case err != nil:
		return err
	case failed != nil:
		return failed
	case asJSON:
		err = printJSON(c.OutOrStdout(), all)
	default:
		_, err = fmt.Fprintf(c.OutOrStdout(), "%d looked at, %d broken.\n", len(all), broken)
	}
	if err == nil && broken > 0 {
		return exitCode(1)
	}
	return err
}
