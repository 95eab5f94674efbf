package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

// withSource lets a command that deploys an image build a folder as well.
func withSource(l *leaf) {
	l.use = "create [image]"
	l.short = "Deploy a container image, or build a folder"
	l.args = cobra.MaximumNArgs(1)
	l.long += "\n\nWith --source a folder, or a tar file, is sent to the platform, built there and deployed; the log is shown as it comes. " +
		"Of a folder, .git and what its .slipwayignore names stay here; without that file, what its .gitignore names."
	flags, image := l.flags, l.run
	l.flags = func(cmd *cobra.Command) {
		flags(cmd)
		cmd.Flags().String("source", "", "The path of a folder or of a tar file to build")
	}
	l.run = func(k *call) error {
		source := k.text("source")
		switch {
		case source == "" && len(k.args) == 0:
			return errors.New("say what to deploy: an image, or --source with a folder")
		case source != "" && len(k.args) > 0:
			return errors.New("either an image is deployed or --source is built, not both")
		case source == "":
			return image(k)
		}
		return buildSource(k, source)
	}
}

// buildSource sends a source tree and shows what becomes of it.
func buildSource(k *call, source string) error {
	api, app, err := k.target()
	if err != nil {
		return err
	}
	var run client.BuildRun
	err = k.does("Uploading source", func() error {
		tree, err := openTree(source)
		if err != nil {
			return err
		}
		run, err = api.Upload(k.ctx(), app, tree)
		return errors.Join(err, tree.Close())
	})
	if err != nil || k.on("no-wait") {
		return err
	}
	return followBuild(k, api, app, run.UUID)
}

// followBuild shows a log to its end. A build that failed has said why.
func followBuild(k *call, api *client.Client, app, id string) error {
	if err := api.BuildLog(k.ctx(), app, id, true, k.out); err != nil {
		if k.ctx().Err() != nil {
			fmt.Fprintf(k.err, "\nThe build goes on without us; `drycc builds logs -f -a %[1]s` shows it and `drycc builds cancel %[2]s -a %[1]s` ends it.\n", app, id)
		}
		return err
	}
	run, err := api.BuildRun(k.ctx(), app, id)
	if err != nil {
		return err
	}
	if run.State == "failed" || run.State == "canceled" {
		return exitCode(1)
	}
	if run.Release == "" {
		return nil
	}
	version, err := strconv.Atoi(run.Release[1:])
	if err != nil {
		return fmt.Errorf("the release %q of the build is no version", run.Release)
	}
	release, err := api.Release(k.ctx(), app, version)
	if err == nil && release.Failed {
		return exitCode(1)
	}
	return err
}

func (p *program) buildsRuns() *cobra.Command {
	return p.command(leaf{
		use: "runs", short: "List the builds from source, newest first", app: true, list: true, shows: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			runs, err := api.BuildRuns(k.ctx(), app, k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.BuildRun]{
				items: runs.Results, count: runs.Count, none: fmt.Sprintf("No builds from source found in %s app.", app),
				head: "ID USER ORIGIN SHA STATE RELEASE CREATED", widest: widestSummary,
				row: func(r client.BuildRun) []string {
					return []string{r.UUID, r.User, r.Origin, fmt.Sprintf("%.8s", r.SHA), r.State, r.Release, r.Created}
				},
			})
		},
	})
}

// buildID is the build that the arguments name, else the newest.
func (k *call) buildID(api *client.Client, app string) (string, error) {
	if len(k.args) > 0 {
		return k.args[0], nil
	}
	runs, err := api.BuildRuns(k.ctx(), app, 1)
	if err != nil {
		return "", err
	}
	if len(runs.Results) == 0 {
		return "", fmt.Errorf("%s has no builds from source", app)
	}
	return runs.Results[0].UUID, nil
}

func (p *program) buildsLogs() *cobra.Command {
	return p.command(leaf{
		use: "logs [id]", short: "Show the log of a build from source, by default of the newest", app: true, args: cobra.MaximumNArgs(1),
		flags: func(cmd *cobra.Command) {
			cmd.Flags().BoolP("follow", "f", false, "Go on until the build's release has ended")
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			id, err := k.buildID(api, app)
			if err != nil {
				return err
			}
			if k.on("follow") {
				return followBuild(k, api, app, id)
			}
			return api.BuildLog(k.ctx(), app, id, false, k.out)
		},
	})
}

func (p *program) buildsCancel() *cobra.Command {
	return p.command(leaf{
		use: "cancel [id]", short: "Cancel a build from source that waits or runs, by default the newest", app: true, args: cobra.MaximumNArgs(1),
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			id, err := k.buildID(api, app)
			if err != nil {
				return err
			}
			return k.does("Canceling build", func() error {
				_, err := api.CancelBuild(k.ctx(), app, id)
				return err
			})
		},
	})
}
