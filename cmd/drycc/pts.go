package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) ptsGroup() *cobra.Command {
	list := p.ptsListLeaf()
	return p.group("pts", "Manage the process types of an application", list, p.command(list), p.ptsDescribe(), p.ptsScale(),
		p.ptsRestart(), p.ptsClean())
}

func (p *program) ptsListLeaf() leaf {
	return leaf{
		use: "list", short: "List the process types that are deployed", app: true, shows: true,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			ptypes, err := api.Ptypes(k.ctx(), app)
			if err != nil {
				return err
			}
			return show(k, listing[client.Ptype]{
				items: ptypes, none: fmt.Sprintf("No process types found in %s app.", app),
				head: "NAME RELEASE READY UP-TO-DATE AVAILABLE GARBAGE STARTED",
				row: func(t client.Ptype) []string {
					return []string{t.Name, t.Release, t.Ready, strconv.Itoa(t.UpToDate), strconv.Itoa(t.Available),
						strconv.FormatBool(t.Garbage), started(t.Started)}
				},
			})
		},
	}
}

func (p *program) ptsDescribe() *cobra.Command {
	return p.command(leaf{
		use: "describe <ptype>", short: "Describe a process type", app: true, shows: true, args: cobra.ExactArgs(1), complete: ptypeNames,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			ptype := strings.TrimPrefix(k.args[0], app+"-")
			containers, err := api.DescribePtype(k.ctx(), app, ptype)
			if err != nil {
				return err
			}
			if done, err := k.structured(containers); done {
				return err
			}
			for i, c := range containers {
				if i > 0 {
					k.printf("\n")
				}
				k.printPtypeContainer(c)
			}
			events, err := api.PtypeEvents(k.ctx(), app, ptype)
			if err != nil {
				return err
			}
			k.printEvents(events)
			return nil
		},
	})
}

func (k *call) printPtypeContainer(c client.PtypeContainer) {
	k.printf("Container:  %s\nImage:  %s\n", c.Container, c.Image)
	k.printWords("Command", c.Command)
	k.printWords("Args", c.Args)
	if len(c.Limits) > 0 {
		k.printf("Limits:\n")
		for _, name := range sortedKeys(c.Limits) {
			k.printf("  %s %s\n", name, c.Limits[name])
		}
	}
	for _, probe := range []struct {
		name string
		is   *client.Probe
	}{{"Startup", c.StartupProbe}, {"Liveness", c.LivenessProbe}, {"Readiness", c.ReadinessProbe}} {
		if text := probeText(probe.is); text != "" {
			k.printf("%s:  %s\n", probe.name, text)
		}
	}
	if len(c.VolumeMounts) > 0 {
		k.printf("Mounts:\n")
		for _, m := range c.VolumeMounts {
			k.printf("  %s from %s\n", m.MountPath, m.Name)
		}
	}
	if len(c.NodeSelector) > 0 {
		k.printf("Node Selectors:\n")
		for _, name := range sortedKeys(c.NodeSelector) {
			k.printf("  %s=%s\n", name, c.NodeSelector[name])
		}
	}
}

func (p *program) ptsScale() *cobra.Command {
	return p.command(leaf{
		use: "scale <ptype>=<num>...", short: "Scale process types", app: true, args: cobra.MinimumNArgs(1), complete: ptypeNames,
		flags: waitFlag,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			counts, err := parseCounts(k.args)
			if err != nil {
				return err
			}
			k.printf("Scaling processes... but first, coffee!\n")
			began := time.Now()
			stop := k.spin()
			pods, err := k.scaleTo(api, app, counts)
			stop()
			if err != nil {
				return err
			}
			k.printf("done in %ds\n\n", int(math.Round(time.Since(began).Seconds())))
			k.printPods(pods)
			return nil
		},
	})
}

func parseCounts(args []string) (map[string]int, error) {
	counts := map[string]int{}
	for _, arg := range args {
		ptype, count, found := strings.Cut(arg, "=")
		n, err := strconv.Atoi(count)
		if !found || ptype == "" || err != nil || n < 0 {
			return nil, fmt.Errorf("%q is not of the form ptype=number", arg)
		}
		counts[ptype] = n
	}
	return counts, nil
}

// scalePatience is how long nothing may change before scale gives up waiting.
const scalePatience = 2 * time.Minute

// scaleTo scales and waits until as many pods are up.
func (k *call) scaleTo(api *client.Client, app string, counts map[string]int) (pods []client.Pod, err error) {
	if err := api.Scale(k.ctx(), app, counts); err != nil {
		return nil, err
	}
	var last string
	changed := time.Now()
	return pods, k.every(func() (bool, error) {
		if pods, err = api.Pods(k.ctx(), app); err != nil {
			return false, err
		}
		if k.on("no-wait") || scaled(pods, counts) {
			return true, nil
		}
		now := fmt.Sprint(pods)
		if now != last {
			last, changed = now, time.Now()
		}
		if time.Since(changed) > scalePatience {
			return false, curable(fmt.Errorf("not all processes are up after %s without a change", scalePatience),
				fmt.Sprintf("`drycc ps -a %[1]s` and `drycc ps describe <pod> -a %[1]s` show why.", app))
		}
		return false, nil
	})
}

// scaled tells whether what runs is what was asked for.
func scaled(pods []client.Pod, counts map[string]int) bool {
	for ptype, want := range counts {
		here := slices.DeleteFunc(slices.Clone(pods), func(p client.Pod) bool { return p.Type != ptype })
		up := slices.DeleteFunc(slices.Clone(here), func(p client.Pod) bool { return p.State != "up" })
		if len(here) != want || len(up) != want {
			return false
		}
	}
	return true
}

func (p *program) ptsRestart() *cobra.Command {
	return p.command(leaf{
		use: "restart [ptype]...", short: "Restart process types, all when none is named", app: true, args: cobra.ArbitraryArgs, complete: ptypeNames,
		flags: func(cmd *cobra.Command) { confirmFlag(cmd, `"yes"`) },
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			if len(k.args) == 0 {
				if err := k.confirm("yes", "WARNING: This restarts all processes of "+app+"."); err != nil {
					return err
				}
			}
			return k.does("Restarting processes... but first, coffee!", func() error {
				return api.Restart(k.ctx(), app, k.args)
			})
		},
	})
}

func (p *program) ptsClean() *cobra.Command {
	return p.command(leaf{
		use: "clean <ptype>...", short: "Remove process types that are no longer part of the application", app: true,
		args: cobra.MinimumNArgs(1), complete: ptypeNames,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does("Cleaning "+strings.Join(k.args, ",")+" from "+app, func() error {
				return api.Clean(k.ctx(), app, k.args)
			})
		},
	})
}
