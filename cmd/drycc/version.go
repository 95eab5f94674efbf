package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) versionCommand() *cobra.Command {
	return p.command(leaf{
		use: "version", short: "Display client version", shows: true,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().BoolP("all", "a", false, "Display the controller's versions as well")
		},
		run: func(k *call) error {
			if !k.on("all") && k.text("output") == "" {
				k.printf("%s\n", version)
				return nil
			}
			shown := map[string]string{"client": version, "client_api": client.APIVersion, "built": built, "go": runtime.Version()}
			if k.on("all") {
				if err := k.serverVersions(shown); err != nil {
					return err
				}
			}
			if done, err := k.structured(shown); done {
				return err
			}
			k.table([]string{"COMPONENT", "VERSION", "API"}, [][]string{
				{"client", version, client.APIVersion}, {"server", shown["server"], shown["server_api"]},
			})
			return nil
		},
	})
}

// serverVersions adds what the controller says of itself, and warns when this
// program is not the one that goes with it.
func (k *call) serverVersions(shown map[string]string) error {
	api, err := k.client()
	if err != nil {
		return err
	}
	if shown["server_api"], shown["server"], err = api.ServerVersions(k.ctx()); err != nil {
		return err
	}
	shown["controller"] = api.URL()
	carried, err := api.CarriedVersion(k.ctx())
	if client.StatusOf(err) == http.StatusNotFound {
		return nil // it carries no clients: there is nothing to compare with
	}
	if err != nil {
		return err
	}
	if shown["carried"] = carried; carried != version {
		fmt.Fprintf(k.err, " !    WARNING: This is drycc %s, the controller's is %s. `drycc update` brings it.\n", version, carried)
	}
	return nil
}

func (p *program) updateCommand() *cobra.Command {
	return p.command(leaf{
		use: "update", short: "Replace this program by the controller's version of it",
		long:  "Download the client that goes with the controller you are logged in to, check it, and put it in the place of this program.",
		flags: func(cmd *cobra.Command) { cmd.Flags().Bool("force", false, "Also when it is the same version") },
		run: func(k *call) error {
			api, err := k.client()
			if err != nil {
				return err
			}
			theirs, err := api.CarriedVersion(k.ctx())
			if err != nil {
				return carriesNone(err)
			}
			if theirs == version && !k.on("force") {
				k.printf("%s is what the controller has.\n", version)
				return nil
			}
			self, err := os.Executable()
			if err != nil {
				return err
			}
			if self, err = filepath.EvalSymlinks(self); err != nil {
				return err
			}
			return k.progress("Updating from "+version, func() (string, error) {
				return theirs, carriesNone(replace(k.ctx(), api, self))
			})
		},
	})
}

func carriesNone(err error) error {
	if client.StatusOf(err) == http.StatusNotFound {
		return curable(fmt.Errorf("the controller has no client for %s/%s to download", runtime.GOOS, runtime.GOARCH),
			"Get it from where you got this one.")
	}
	return err
}

// replace downloads the program beside the old one and takes its place. A
// program that runs can be renamed on every system, though not always removed.
func replace(ctx context.Context, api *client.Client, self string) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(self), ".drycc-")
	if errors.Is(err, os.ErrPermission) {
		return curable(fmt.Errorf("%s may not be written to by you", filepath.Dir(self)), "Run it as an administrator, or install drycc to a folder of yours.")
	}
	if err != nil {
		return err
	}
	name := temp.Name()
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(name))
		}
	}()
	err = api.Download(ctx, runtime.GOOS, runtime.GOARCH, temp)
	if err == nil {
		err = temp.Sync() // a name for what is not on the disk yet is no program after a power cut
	}
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if err := os.Chmod(name, 0o755); err != nil {
		return err
	}
	if runtime.GOOS != "windows" {
		return os.Rename(name, self)
	}
	old := self + ".old"
	_ = os.Remove(old) // of the update before; it is not in use any more
	if err := os.Rename(self, old); err != nil {
		return err
	}
	if err := os.Rename(name, self); err != nil {
		return errors.Join(err, os.Rename(old, self))
	}
	return nil
}
