package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

// widestSummary is how much of a release's summary fits a line.
const widestSummary = 70

func (p *program) releasesGroup() *cobra.Command {
	list := p.releasesListLeaf()
	alone := list
	alone.args = nil
	return p.group("releases", "Manage releases of an application", alone, p.command(list), p.releasesInfo(), p.releasesDeploy(), p.releasesRollback())
}

func (p *program) releasesListLeaf() leaf {
	return leaf{
		use: "list [ptype]...", short: "List the releases, newest first", app: true, list: true, shows: true, args: cobra.ArbitraryArgs,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			releases, err := api.Releases(k.ctx(), app, k.args, k.limit())
			if err != nil {
				return err
			}
			return show(k, listing[client.Release]{
				items: releases.Results, count: releases.Count, none: fmt.Sprintf("No releases found in %s app.", app),
				head: "OWNER STATE VERSION CREATED SUMMARY", widest: widestSummary,
				row: func(r client.Release) []string {
					owner, _, _ := strings.Cut(r.Summary, " ")
					return []string{owner, r.State, fmt.Sprintf("v%d", r.Version), r.Created, r.Summary}
				},
			})
		},
	}
}

func (p *program) releasesInfo() *cobra.Command {
	return p.command(leaf{
		use: "info <version>", short: "View info about a release", app: true, shows: true, args: cobra.ExactArgs(1),
		run: func(k *call) error {
			version, err := parseVersion(k.args[0])
			if err != nil {
				return err
			}
			r, app, done, err := look(k, func(api *client.Client, app string) (client.Release, error) {
				return api.Release(k.ctx(), app, version)
			})
			if done {
				return err
			}
			k.printf("=== %s release v%d\n", app, r.Version)
			k.pairs("", "uuid", r.UUID, "state", r.State, "summary", r.Summary, "config", r.Config, "build", r.Build,
				"ptypes", strings.Join(r.DeployedPtypes, ","), "created", r.Created, "updated", r.Updated)
			if r.Exception != "" {
				k.printf("exception: %s\n", r.Exception)
			}
			for _, c := range r.Conditions {
				k.printf("%s  %s  %s  %s\n", c.Created, c.Action, c.State, strings.Join(c.Ptypes, ","))
				if c.Exception != "" {
					k.printf("  %s\n", c.Exception)
				}
			}
			return nil
		},
	})
}

func (p *program) releasesDeploy() *cobra.Command {
	return p.command(leaf{
		use: "deploy [ptype]...", short: "Deploy the latest release", app: true, args: cobra.ArbitraryArgs, complete: ptypeNames,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().BoolP("force", "f", false, "Deploy what is deployed already")
			confirmFlag(cmd, `"yes"`)
			waitFlag(cmd)
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			release, err := findRelease(k, api, app, func(r client.Release) bool { return !r.Failed })
			if err != nil {
				return err
			}
			return k.progress("Deploying release", func() (string, error) {
				if err := api.Deploy(k.ctx(), app, k.args, k.on("force")); err != nil {
					return "", err
				}
				name := fmt.Sprintf("v%d", release.Version)
				if k.on("no-wait") || release.Build == "" {
					return name, nil
				}
				return name, k.settle(api, app, release.Version)
			})
		},
	})
}

func (p *program) releasesRollback() *cobra.Command {
	return p.command(leaf{
		use: "rollback [version] [ptype]...", short: "Roll back to a previous release", app: true, args: cobra.ArbitraryArgs,
		long:  "Make a new release from an older one, by default from the one before the latest, and deploy it.",
		flags: waitFlag,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			version, ptypes, err := splitVersion(k.args)
			if err != nil {
				return err
			}
			text := "Rolling back one release"
			if version > 0 {
				text = fmt.Sprintf("Rolling back to v%d", version)
			}
			err = k.progress(text, func() (string, error) {
				made, err := api.Rollback(k.ctx(), app, version, ptypes)
				if err != nil || k.on("no-wait") {
					return fmt.Sprintf("v%d", made), err
				}
				return fmt.Sprintf("v%d", made), k.settle(api, app, made)
			})
			if err == nil && version > 0 {
				k.printf("Rolled back to v%d\n", version)
			}
			return err
		},
	})
}

// splitVersion finds the version among process types: first, as the guide has
// it, or last.
func splitVersion(args []string) (version int, ptypes []string, err error) {
	pattern := regexp.MustCompile(`^v?[0-9]+$`)
	for _, at := range []int{0, len(args) - 1} {
		if at >= 0 && at < len(args) && pattern.MatchString(args[at]) {
			version, err = parseVersion(args[at])
			return version, append(append([]string{}, args[:at]...), args[at+1:]...), err
		}
	}
	return 0, args, nil
}

func parseVersion(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(text, "v"))
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no version; one looks like v3", text)
	}
	return n, nil
}
