package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

func (p *program) psGroup() *cobra.Command {
	list := p.psListLeaf()
	return p.group("ps", "Manage the processes of an application", list, p.command(list), p.psDescribe(), p.psLogs("logs"), p.psExec(),
		p.psDelete(), p.psRestart(), p.ptsScale())
}

func (p *program) psListLeaf() leaf {
	return leaf{
		use: "list", short: "List the pods that run", app: true, shows: true,
		run: func(k *call) error {
			pods, app, done, err := look(k, func(api *client.Client, app string) ([]client.Pod, error) {
				return api.Pods(k.ctx(), app)
			})
			if done {
				return err
			}
			if len(pods) == 0 {
				k.printf("No processes found in %s app.\n", app)
				return nil
			}
			k.printPods(pods)
			return nil
		},
	}
}

// printPods prints pods by process type, as ps and scale do.
func (k *call) printPods(pods []client.Pod) {
	pods = slices.Clone(pods)
	slices.SortStableFunc(pods, func(a, b client.Pod) int { return strings.Compare(a.Type+"\x00"+a.Name, b.Type+"\x00"+b.Name) })
	var rows [][]string
	for _, pod := range pods {
		rows = append(rows, []string{pod.Name, pod.Release, pod.State, pod.Type, pod.Ready, strconv.Itoa(pod.Restarts), started(pod.Started)})
	}
	k.table(strings.Fields("NAME RELEASE STATE PTYPE READY RESTARTS STARTED"), rows)
}

// started shows a moment as the guide does.
func started(stamp string) string {
	if at, ok := strings.CutSuffix(stamp, "Z"); ok {
		return at + "UTC"
	}
	return stamp
}

func (p *program) psDescribe() *cobra.Command {
	return p.command(leaf{
		use: "describe <pod>", short: "Describe a pod", app: true, shows: true, args: cobra.ExactArgs(1), complete: podNames,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			containers, err := api.DescribePod(k.ctx(), app, k.args[0])
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
				k.printContainer(c)
			}
			events, err := api.PodEvents(k.ctx(), app, k.args[0])
			if err != nil {
				return err
			}
			k.printEvents(events)
			return nil
		},
	})
}

func (k *call) printContainer(c client.PodContainer) {
	k.printf("Container:  %s\nImage:  %s\n", c.Container, c.Image)
	k.printWords("Command", c.Command)
	k.printWords("Args", c.Args)
	k.printState("State", c.State)
	k.printState("Last State", c.LastState)
	k.printf("Ready:  %v\nRestart Count:  %d\n", c.Ready, c.RestartCount)
	for _, pair := range [][2]string{{"Status", c.Status}, {"Reason", c.Reason}, {"Message", c.Message}} {
		if pair[1] != "" {
			k.printf("%s:  %s\n", pair[0], pair[1])
		}
	}
}

func (k *call) printWords(name string, words []string) {
	k.printf("%s:\n", name)
	for _, w := range words {
		k.printf("  - %s\n", w)
	}
}

// printState prints a container's state, Kubernetes' {state: {member: value}}.
func (k *call) printState(name string, state map[string]map[string]any) {
	for _, kind := range sortedKeys(state) {
		k.printf("%s:  %s\n", name, kind)
		for _, member := range sortedKeys(state[kind]) {
			value := state[kind][member]
			if s, ok := value.(string); ok && strings.HasSuffix(member, "At") {
				value = strconv.Quote(s)
			}
			k.printf("  %s: %v\n", member, value)
		}
	}
}

func (k *call) printEvents(events []client.Event) {
	if len(events) == 0 {
		return
	}
	k.printf("\n")
	var rows [][]string
	for _, e := range events {
		rows = append(rows, []string{e.Reason, strings.ReplaceAll(e.Message, "\n", " "), started(e.Created)})
	}
	k.table([]string{"REASON", "MESSAGE", "CREATED"}, rows)
}

func (p *program) psDelete() *cobra.Command {
	return p.command(leaf{
		use: "delete <pod>...", short: "Delete pods; others take their place", app: true, args: cobra.MinimumNArgs(1), complete: podNames,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.does(fmt.Sprintf("Deleting %s from %s", strings.Join(k.args, ","), app), func() error {
				return api.DeletePods(k.ctx(), app, k.args)
			})
		},
	})
}

// psRestart is the guide's way to restart. It names process types by
// themselves, by their deployments or by their pods.
func (p *program) psRestart() *cobra.Command {
	return p.command(leaf{
		use: "restart [ptype]...", short: "Restart process types, all when none is named", app: true, args: cobra.ArbitraryArgs, complete: ptypeNames,
		flags: func(cmd *cobra.Command) { confirmFlag(cmd, `"yes"`) },
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			pods, err := api.Pods(k.ctx(), app)
			if err != nil {
				return err
			}
			var ptypes []string
			for _, arg := range k.args {
				ptypes = append(ptypes, ptypeOf(app, arg, pods))
			}
			if err := api.Restart(k.ctx(), app, ptypes); err != nil {
				return err
			}
			if pods, err = api.Pods(k.ctx(), app); err != nil {
				return err
			}
			k.printPods(pods)
			return nil
		},
	})
}

func ptypeOf(app, name string, pods []client.Pod) string {
	for _, pod := range pods {
		if pod.Name == name {
			return pod.Type
		}
	}
	return strings.TrimPrefix(name, app+"-")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
