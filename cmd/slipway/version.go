package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/spf13/cobra"
)

//lint:global set by the linker
var version = "v0.0.0-dev"

//lint:global set by the linker: the commit's time, RFC 3339
var built = ""

// buildTime is when the source of this binary was committed; zero when unknown.
// A host whose clock is before it has the wrong time.
func buildTime() time.Time {
	t, err := time.Parse(time.RFC3339, built)
	if err != nil {
		return time.Time{}
	}
	return t
}

// versions is what "slipway version -o json" prints.
type versions struct {
	Slipway    string `json:"slipway"`
	Kubernetes string `json:"kubernetes"`
	Go         string `json:"go"`
	Platform   string `json:"platform"` // "linux/amd64"
	Payload    bool   `json:"payload"`  // whether images and node binaries are carried
}

func newVersionCmd() *cobra.Command {
	var images bool
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of Slipway and of what it carries",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkOutput(c, output); err != nil {
				return err
			}
			if images {
				return printImages(c.OutOrStdout(), output)
			}
			return printVersion(c.OutOrStdout(), output)
		},
	}
	cmd.Flags().BoolVar(&images, "images", false, "list the images this file carries, with digest and source")
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

// checkOutput refuses anything but text and json.
func checkOutput(c *cobra.Command, output string) error {
	if output != "text" && output != "json" {
		return usageError{command: subcommand(c), err: fmt.Errorf("--output %q: choose text or json", output)}
	}
	return nil
}

func thisVersion() versions {
	return versions{
		Slipway: version, Kubernetes: k3s.Version(), Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Payload: embedded.Available(),
	}
}

func printVersion(w io.Writer, output string) error {
	v := thisVersion()
	if output == "json" {
		return printJSON(w, v)
	}
	_, err := fmt.Fprintf(w, "slipway %s (kubernetes %s, %s, %s)\n", v.Slipway, v.Kubernetes, v.Go, v.Platform)
	return err
}

func printImages(w io.Writer, output string) error {
	manifest, err := embedded.Load()
	if err != nil {
		return err
	}
	if output == "json" {
		return printJSON(w, manifest.Images)
	}
	for _, image := range manifest.Images {
		if _, err := fmt.Fprintf(w, "%s  %s  %s\n", image.Ref, image.Digest, image.Source); err != nil {
			return err
		}
	}
	return nil
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
