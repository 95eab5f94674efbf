package main

import (
	"fmt"
	"path/filepath"

	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/spf13/cobra"
)

// newK3sCmd runs plain k3s with nothing of ours: for the benchmark's baseline
// and for those who debug.
func newK3sCmd() *cobra.Command {
	var bin string
	cmd := &cobra.Command{
		Use:                "k3s server|agent [k3s flags]",
		Short:              "Run plain k3s without the platform",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 && args[0] == "--bin" {
				bin, args = args[1], args[2:]
			}
			if len(args) == 0 || (args[0] != string(k3s.Server) && args[0] != string(k3s.Agent)) {
				return usageError{command: "k3s ", err: fmt.Errorf("the first argument must be server or agent")}
			}
			if bin != "" {
				if err := k3s.PrependPath(bin, filepath.Join(bin, "aux")); err != nil {
					return err
				}
			}
			return k3s.Run(c.Context(), k3s.Role(args[0]), args[1:]...)
		},
	}
	return cmd
}
