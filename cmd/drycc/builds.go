package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) buildsGroup() *cobra.Command {
	info := p.buildsInfoLeaf()
	return p.group("builds", "Manage builds of an application", info, p.command(info), p.buildsCreate("create"), p.buildsFetch(),
		p.buildsRuns(), p.buildsLogs(), p.buildsCancel(), p.buildsHook())
}

func releaseFlag(cmd *cobra.Command) {
	cmd.Flags().IntP("version", "v", 0, "The version of the release, the latest when not given")
}

func (p *program) buildsInfoLeaf() leaf {
	return leaf{
		use: "info", short: "View the build of a release", app: true, shows: true, flags: releaseFlag,
		run: func(k *call) error {
			build, app, done, err := look(k, func(api *client.Client, app string) (client.Build, error) {
				return api.Build(k.ctx(), app, k.number("version"))
			})
			if done {
				return err
			}
			if build.UUID == "" {
				k.printf("%s has no build yet: deploy one with `drycc pull <image>`.\n", app)
				return nil
			}
			k.pairs("", "App", build.App, "UUID", build.UUID, "Image", build.Image, "Stack", build.Stack, "SHA", build.SHA,
				"Created", build.Created, "Updated", build.Updated)
			if len(build.Procfile) > 0 {
				k.printf("Procfile:\n")
				for _, name := range slices.Sorted(maps.Keys(build.Procfile)) {
					k.printf("  %s: %s\n", name, build.Procfile[name])
				}
			}
			if len(build.Dryccfile) > 0 {
				raw, err := yaml.Marshal(build.Dryccfile)
				if err != nil {
					return err
				}
				k.printf("Dryccfile:\n%s", raw)
			}
			return nil
		},
	}
}

func (p *program) buildsCreate(name string) *cobra.Command {
	use := leaf{
		use: name + " <image>", short: "Deploy a container image", app: true, args: cobra.ExactArgs(1),
		long: "Deploy a container image. Process types come from a Procfile or a .drycc folder, of the working folder or as given.",
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringP("stack", "s", "container", "The stack of the image")
			cmd.Flags().StringP("procfile", "p", "", "The content of a Procfile, or the path of one")
			cmd.Flags().StringP("dryccpath", "d", ".drycc", "The path of a .drycc folder")
			confirmFlag(cmd, `"yes"`)
			waitFlag(cmd)
		},
		run: deployImage,
	}
	if name == "create" {
		withSource(&use)
	}
	return p.command(use)
}

func deployImage(k *call) error {
	api, app, err := k.target()
	if err != nil {
		return err
	}
	request := client.BuildRequest{Image: k.args[0], Stack: k.text("stack")}
	if request.Procfile, err = k.procfile(); err != nil {
		return err
	}
	if request.Dryccfile, err = readDryccfile(k.text("dryccpath")); err != nil {
		return err
	}
	if err := k.confirmSource(api, app); err != nil {
		return err
	}
	return k.progress("Creating build", func() (string, error) {
		build, err := api.CreateBuild(k.ctx(), app, request)
		if err != nil {
			return "", err
		}
		return k.rollout(api, app, ofBuild(build.UUID))
	})
}

// procfile is what --procfile says, else the Procfile of the working folder.
func (k *call) procfile() (map[string]string, error) {
	given := k.text("procfile")
	if !k.cmd.Flags().Changed("procfile") {
		raw, err := os.ReadFile("Procfile")
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return parseProcfile(raw, "Procfile")
	}
	if raw, err := os.ReadFile(given); err == nil {
		return parseProcfile(raw, given)
	}
	return parseProcfile([]byte(given), "--procfile")
}

// confirmSource asks before an image takes the place of what was built from
// source.
func (k *call) confirmSource(api *client.Client, app string) error {
	build, err := api.Build(k.ctx(), app, 0)
	if err != nil || build.SHA == "" {
		return err
	}
	return k.confirm("yes", fmt.Sprintf("WARNING: %s was deployed from source (%.8s), and this image will replace that.", app, build.SHA))
}

func (p *program) buildsFetch() *cobra.Command {
	return p.command(leaf{
		use: "fetch", short: "Fetch the Procfile and the .drycc folder of a build", app: true,
		flags: func(cmd *cobra.Command) {
			releaseFlag(cmd)
			cmd.Flags().Bool("save", false, "Write them to the working folder instead of showing them")
			cmd.Flags().StringP("procfile", "p", "Procfile", "Where to write the Procfile")
			cmd.Flags().StringP("dryccpath", "d", ".drycc", "Where to write the .drycc folder")
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			build, err := api.Build(k.ctx(), app, k.number("version"))
			if err != nil {
				return err
			}
			files, err := buildFiles(build, k.text("procfile"), k.text("dryccpath"))
			if err != nil {
				return err
			}
			if len(files) == 0 {
				k.printf("The build has neither a Procfile nor a .drycc folder.\n")
			}
			for _, name := range slices.Sorted(maps.Keys(files)) {
				if !k.on("save") {
					k.printf("=== %s\n%s", name, files[name])
					continue
				}
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					return err
				}
				// Values of a config may be secret.
				if err := os.WriteFile(name, []byte(files[name]), 0o600); err != nil {
					return err
				}
				k.printf("%s written\n", name)
			}
			return nil
		},
	})
}

// buildFiles are the files that make the build's process types, by path.
func buildFiles(build client.Build, procfile, dir string) (map[string]string, error) {
	files := map[string]string{}
	if len(build.Procfile) > 0 {
		raw, err := yaml.Marshal(build.Procfile)
		if err != nil {
			return nil, err
		}
		files[procfile] = string(raw)
	}
	pipelines, _ := build.Dryccfile["pipeline"].(map[string]any)
	for name, pipeline := range pipelines {
		raw, err := yaml.Marshal(pipeline)
		if err != nil {
			return nil, err
		}
		if filepath.Base(name) != name {
			return nil, fmt.Errorf("the pipeline %q is no file name", name)
		}
		files[filepath.Join(dir, name)] = string(raw)
	}
	groups, _ := build.Dryccfile["config"].(map[string]any)
	for group, values := range groups {
		if filepath.Base(group) != group {
			return nil, fmt.Errorf("the config group %q is no file name", group)
		}
		named, _ := values.(map[string]any)
		var all []variable
		for _, name := range slices.Sorted(maps.Keys(named)) {
			all = append(all, variable{name, fmt.Sprint(named[name])})
		}
		files[filepath.Join(dir, "config", group)] = formatVariables(all)
	}
	return files, nil
}
