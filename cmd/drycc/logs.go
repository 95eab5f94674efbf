package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

// lookForPods is how often new pods are looked for while logs are followed.
const lookForPods = 3 * time.Second

func (p *program) psLogs(name string) *cobra.Command {
	return p.command(leaf{
		use: name + " [pod|ptype]...", short: "Print the logs of pods", app: true, args: cobra.ArbitraryArgs, complete: podNames,
		long: "Print the logs of pods: those named, those of a process type, or all of the application. With --follow go on, also with pods that start later.",
		flags: func(cmd *cobra.Command) {
			cmd.Flags().IntP("lines", "l", 300, "The number of lines to display, all with -1")
			cmd.Flags().BoolP("follow", "f", false, "Go on with what is yet to come")
			cmd.Flags().String("container", "", "Print the logs of this container")
			cmd.Flags().BoolP("previous", "p", false, "Print the logs of the container before its last restart")
		},
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			options := client.LogOptions{
				Lines: k.number("lines"), Follow: k.on("follow"), Container: k.text("container"), Previous: k.on("previous"),
			}
			pods, err := api.Pods(k.ctx(), app)
			if err != nil {
				return err
			}
			if len(k.args) == 1 && !hasPtype(pods, k.args[0]) {
				return api.Logs(k.ctx(), app, k.args[0], options, k.out) // as it is: the pod may be a command's
			}
			return k.logsOf(api, app, pods, options)
		},
	})
}

func hasPtype(pods []client.Pod, name string) bool {
	return slices.ContainsFunc(pods, func(p client.Pod) bool { return p.Type == name })
}

// wanted tells whether a pod is among the arguments.
func (k *call) wanted(pod client.Pod) bool {
	return len(k.args) == 0 || slices.Contains(k.args, pod.Type) || slices.Contains(k.args, pod.Name)
}

// logsOf prints the logs of several pods, each line with its pod before it.
func (k *call) logsOf(api *client.Client, app string, pods []client.Pod, o client.LogOptions) error {
	out := &lineMixer{w: k.out}
	if !o.Follow {
		for _, pod := range pods {
			if !k.wanted(pod) {
				continue
			}
			if err := api.Logs(k.ctx(), app, pod.Name, o, out.part(k.prefix(app, pod))); err != nil {
				return err
			}
			out.flush()
		}
		return nil
	}
	ctx, cancel := context.WithCancel(k.ctx())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	seen := map[string]bool{}
	for ticker := time.NewTicker(lookForPods); ; {
		for _, pod := range pods {
			if seen[pod.Name] || !k.wanted(pod) {
				continue
			}
			seen[pod.Name] = true
			all.Go(func() { k.followPod(ctx, api, app, pod, o, out) })
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			ticker.Stop()
			return ctx.Err()
		}
		var err error
		if pods, err = api.Pods(ctx, app); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// followPod follows one pod to its end. One that is not ready to be followed
// is tried again; a broken connection goes on where it was, nearly.
func (k *call) followPod(ctx context.Context, api *client.Client, app string, pod client.Pod, o client.LogOptions, out *lineMixer) {
	w := out.part(k.prefix(app, pod))
	for {
		err := api.Logs(ctx, app, pod.Name, o, w)
		switch status := client.StatusOf(err); {
		case err == nil, ctx.Err() != nil, status == http.StatusNotFound, status == http.StatusForbidden:
			return
		case status == http.StatusBadRequest && strings.Contains(err.Error(), "not found"):
			return // the pod has gone
		}
		select {
		case <-time.After(lookForPods):
		case <-ctx.Done():
			return
		}
		o.Lines = 10
	}
}

// prefix names a pod before its lines, in a colour of its own.
func (k *call) prefix(app string, pod client.Pod) string {
	sum := 0
	for _, c := range pod.Name {
		sum = (sum*31 + int(c)) % 6
	}
	short := strings.TrimPrefix(pod.Name, app+"-")
	return k.paint(k.out, strconv.Itoa(31+sum), fmt.Sprintf("%s[%s]:", app, short)) + " "
}

// lineMixer joins texts line by line. Safe for concurrent use.
type lineMixer struct {
	mu    sync.Mutex
	w     io.Writer
	parts []*linePart
}

// linePart is one text of a lineMixer; it keeps a line that is not complete.
type linePart struct {
	mixer  *lineMixer
	prefix string
	rest   []byte
}

func (m *lineMixer) part(prefix string) *linePart {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &linePart{mixer: m, prefix: prefix}
	m.parts = append(m.parts, p)
	return p
}

// Write prints the lines that are complete.
func (p *linePart) Write(data []byte) (int, error) {
	p.mixer.mu.Lock()
	defer p.mixer.mu.Unlock()
	p.rest = append(p.rest, data...)
	for {
		line, rest, found := bytes.Cut(p.rest, []byte("\n"))
		if !found {
			return len(data), nil
		}
		if _, err := fmt.Fprintf(p.mixer.w, "%s%s\n", p.prefix, line); err != nil {
			return 0, err
		}
		p.rest = rest
	}
}

// flush prints what is left of lines without an end.
func (m *lineMixer) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.parts {
		if len(p.rest) > 0 {
			fmt.Fprintf(m.w, "%s%s\n", p.prefix, p.rest)
			p.rest = nil
		}
	}
}
