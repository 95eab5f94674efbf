package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

const (
	filerPing     = 30 * time.Second
	filerEvery    = time.Second
	filerPatience = 2 * time.Minute
)

func (p *program) volumesGroup() *cobra.Command {
	list := p.volumesListLeaf()
	return p.group("volumes", "Manage the volumes of an application", list, p.command(list), p.volumesInfo(), p.volumesAdd(), p.volumesExpand(),
		p.volumesMount(), p.volumesUnmount(), p.volumesRemove(), p.volumesClient(), p.volumesServe())
}

func (p *program) volumesListLeaf() leaf {
	return leaf{
		use: "list", short: "List the volumes", app: true, list: true, shows: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			volumes, err := api.Volumes(k.ctx(), app, k.limit())
			if err != nil {
				return err
			}
			if done, err := k.structured(volumes.Results); done {
				return err
			}
			found, err := api.App(k.ctx(), app)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, v := range volumes.Results {
				ptypes := sortedKeys(v.Path)
				if len(ptypes) == 0 {
					ptypes = []string{""}
				}
				for _, ptype := range ptypes {
					rows = append(rows, []string{v.Name, found.Workspace, v.Type, ptype, v.Path[ptype], v.Size})
				}
			}
			if len(rows) == 0 {
				k.printf("No volumes found in %s app.\n", app)
				return nil
			}
			k.table(strings.Fields("NAME OWNER TYPE PTYPE PATH SIZE"), rows)
			return nil
		},
	}
}

func (p *program) volumesInfo() *cobra.Command {
	return p.command(leaf{
		use: "info <name>", short: "Print information about a volume", app: true, shows: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			v, app, done, err := look(k, func(api *client.Client, app string) (client.Volume, error) {
				return api.Volume(k.ctx(), app, k.args[0])
			})
			if done {
				return err
			}
			k.printf("=== %s volume %s\n", app, v.Name)
			k.pairs("", "UUID", v.UUID, "Type", v.Type, "Size", v.Size, "Created", v.Created, "Updated", v.Updated)
			for _, ptype := range sortedKeys(v.Path) {
				k.printf("%s: %s\n", ptype, v.Path[ptype])
			}
			return nil
		},
	})
}

func (p *program) volumesAdd() *cobra.Command {
	return p.command(leaf{
		use: "add <name> <size>", short: "Create a volume for the application", app: true, args: cobra.ExactArgs(2),
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringP("type", "t", "csi", "The type of the volume: csi, nfs or oss")
			cmd.Flags().String("nfs-server", "", "The host of the NFS server")
			cmd.Flags().String("nfs-path", "", "The path on the NFS server")
			cmd.Flags().String("oss-server", "", "The address of the object storage")
			cmd.Flags().String("oss-bucket", "", "The bucket")
			cmd.Flags().String("oss-access-key", "", "The access key")
			cmd.Flags().String("oss-secret-key", "", "The secret key")
			cmd.Flags().Bool("oss-path-style", false, "The bucket is in the path, not in the host name")
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			request := client.VolumeRequest{Name: k.args[0], Size: k.args[1], Type: k.text("type"), Parameters: k.volumeParameters()}
			return k.does(fmt.Sprintf("Creating %s to %s", k.args[0], app), func() error {
				_, err := api.CreateVolume(k.ctx(), app, request)
				return err
			})
		},
	})
}

// volumeParameters are what the flags say for the volume's type.
func (k *call) volumeParameters() map[string]any {
	switch k.text("type") {
	case "nfs":
		return map[string]any{"nfs": map[string]any{"server": k.text("nfs-server"), "path": k.text("nfs-path")}}
	case "oss":
		oss := map[string]any{
			"server": k.text("oss-server"), "bucket": k.text("oss-bucket"),
			"access_key": k.text("oss-access-key"), "secret_key": k.text("oss-secret-key"),
		}
		if k.on("oss-path-style") {
			oss["path_style"] = true
		}
		return map[string]any{"oss": oss}
	}
	return nil
}

func (p *program) volumesExpand() *cobra.Command {
	return p.command(leaf{
		use: "expand <name> <size>", short: "Expand a volume for the application", app: true, args: cobra.ExactArgs(2),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf("Expanding %s to %s", k.args[0], app), func() error {
				_, err := api.ExpandVolume(k.ctx(), app, k.args[0], k.args[1])
				return err
			})
		},
	})
}

func (p *program) volumesMount() *cobra.Command {
	return p.command(leaf{
		use: "mount <name> <ptype>=<path>...", short: "Mount a volume to process of the application", app: true, args: cobra.MinimumNArgs(2),
		run: func(k *call) error {
			paths, err := pairsOf(k.args[1:])
			if err != nil {
				return err
			}
			return k.mount("Mounting volume", paths)
		},
	})
}

func (p *program) volumesUnmount() *cobra.Command {
	return p.command(leaf{
		use: "unmount <name> <ptype>...", short: "Unmount a volume from process of the application", app: true, args: cobra.MinimumNArgs(2),
		run: func(k *call) error { return k.mount("Unmounting volume", nothings(k.args[1:])) },
	})
}

func (k *call) mount(text string, paths map[string]*string) error {
	api, app, err := k.target()
	if err != nil {
		return err
	}
	return k.does(text, func() error {
		_, err := api.MountVolume(k.ctx(), app, k.args[0], paths)
		return err
	})
}

func (p *program) volumesRemove() *cobra.Command {
	return p.command(leaf{
		use: "remove <name>", short: "Delete a volume from the application", app: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf("Deleting %s from %s", k.args[0], app), func() error {
				return api.DeleteVolume(k.ctx(), app, k.args[0])
			})
		},
	})
}

func (p *program) volumesServe() *cobra.Command {
	return p.command(leaf{
		use: "serve <name>", short: "Serve the files of a volume by WebDAV until Ctrl-C", app: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			filer, err := k.filer(api, app, k.args[0])
			if err != nil {
				return err
			}
			k.pairs("", "URL", filer.URL, "Username", filer.Username, "Password", filer.Password)
			k.printf("Serving %s; press Ctrl-C to end.\n", k.args[0])
			ticker := time.NewTicker(filerPing)
			defer ticker.Stop()
			for {
				select {
				case <-k.ctx().Done():
					return nil
				case <-ticker.C:
				}
				if err := filer.Ping(k.ctx()); err != nil && k.ctx().Err() == nil {
					return err
				}
			}
		},
	})
}

// filer opens a volume's files.
func (k *call) filer(api *client.Client, app, volume string) (*client.Filer, error) {
	filer, err := api.BindFiler(k.ctx(), app, volume)
	if err != nil {
		return nil, err
	}
	return filer, filer.Await(k.ctx(), filerEvery, filerPatience)
}
