package main

import (
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/spf13/cobra"
)

// newSuperviseCmd keeps the server running on hosts without an init system.
// "slipway install" starts it there; people have no need to.
func newSuperviseCmd() *cobra.Command {
	return &cobra.Command{
		Use:    "supervise",
		Short:  "Keep the server running on a host without an init system",
		Hidden: true,
		Args:   noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			m, err := openMachine(nil, nil)
			if err != nil {
				return err
			}
			return (&host.Supervisor{Host: m.host, Unit: m.settings.Unit()}).Run(c.Context())
		},
	}
}
