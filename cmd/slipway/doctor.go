package main

import (
	"fmt"
	"os"

	"github.com/slipway-paas/slipway/bootstrap/preflight"
	"github.com/spf13/cobra"
)

func newDoctorCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check whether this host can run the platform, and what is in the way",
		Long: `Runs the checks that "slipway install" begins with: each failed one is shown with
its evidence, its reason and its cure. Changes nothing. Exits with 0 when no
check failed.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			m, err := openMachine(nil, os.Environ())
			if err != nil {
				return err
			}
			_, err = os.Stat(m.paths.Ledger)
			report, err := preflight.Run(c.Context(), m.host, m.preflightOptions(err == nil))
			if err != nil {
				return err
			}
			if err := report.Write(c.OutOrStdout()); err != nil {
				return err
			}
			if err := report.Err(); err != nil {
				return exitCode(1)
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "This host can run the platform.")
			return err
		},
	}
	cmd.AddCommand(newDoctorTLSCmd())
	return cmd
}

// newJoinCmd answers for the installer's server and agent roles.
func newJoinCmd() *cobra.Command {
	return &cobra.Command{
		Use:    "join",
		Short:  "Join an existing platform",
		Hidden: true,
		RunE:   func(*cobra.Command, []string) error { return errJoin() },
	}
}

func errJoin() error {
	return fmt.Errorf("joining another server is not supported by %s: unset K3S_URL to install a platform of its own on this host", version)
}
