package main

import (
	"os"
	"path/filepath"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/spf13/cobra"
)

// newKubectlCmd runs the kubectl linked in, with the node's own kubeconfig
// unless another is named.
func newKubectlCmd() *cobra.Command {
	return &cobra.Command{
		Use:                "kubectl [arguments]",
		Short:              "Run kubectl against this cluster",
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			p := bootstrap.NewPaths(bootstrap.DefaultSettings())
			for name, value := range map[string]string{
				"KUBECONFIG": p.Kubeconfig,
				// Not in the caller's home, which is no place of ours.
				"KUBECACHEDIR": filepath.Join(p.RunDir, "kubectl"),
			} {
				if os.Getenv(name) != "" {
					continue
				}
				if err := os.Setenv(name, value); err != nil {
					return err
				}
			}
			os.Args = append([]string{"kubectl"}, args...)
			k3s.Programs()["kubectl"]() // exits by itself on errors
			return nil
		},
	}
}
