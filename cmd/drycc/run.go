package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

// ttyOrTimeout is the flag -t. Alone, as in -it, it asks for a terminal; with
// a number it is the newest client's time limit.
type ttyOrTimeout struct {
	tty     bool
	seconds int
}

var _ pflag.Value = (*ttyOrTimeout)(nil)

func (t *ttyOrTimeout) String() string { return "" }
func (t *ttyOrTimeout) Type() string   { return "seconds" }

// Set takes a number of seconds, true or false.
func (t *ttyOrTimeout) Set(text string) error {
	if n, err := strconv.Atoi(text); err == nil {
		t.seconds = n
		return nil
	}
	on, err := strconv.ParseBool(text)
	t.tty = on
	return err
}

func (p *program) appsRun() *cobra.Command {
	both := &ttyOrTimeout{}
	return p.command(leaf{
		use: "run [flags] -- <command>...", short: "Run a command in an ephemeral app container", app: true, args: cobra.ArbitraryArgs,
		long: `Run a command in a container of its own, made from the latest release, and
end as it ends. One word is split at white space; several are taken as they are.

-t asks for a terminal; with a number, as in -t 300, it is the time limit.`,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().BoolP("stdin", "i", false, "Pass stdin to the command")
			cmd.Flags().VarP(both, "tty", "t", "Stdin is a terminal")
			cmd.Flags().Lookup("tty").NoOptDefVal = "true"
			cmd.Flags().Int("timeout", 0, "Seconds that the command may take")
			cmd.Flags().IntP("expires", "e", 0, "Seconds that its log can be read afterwards")
			cmd.Flags().StringArrayP("mount", "m", nil, "Mount a volume, as name:path")
			cmd.Flags().StringP("ptype", "p", "", "Run with the config of this process type")
			cmd.Flags().BoolP("detach", "d", false, "Do not wait for its end")
		},
		run: func(k *call) error {
			k.timeLimit(both)
			api, app, err := k.target()
			if err != nil {
				return err
			}
			request, err := k.runRequest(both)
			if err != nil {
				return err
			}
			fmt.Fprintf(k.err, "Running `%s`...\n", strings.Join(k.args, " "))
			name, err := api.Run(k.ctx(), app, request)
			if err != nil || name == "" {
				return err
			}
			if k.on("detach") {
				k.printf("%s\n", name)
				return nil
			}
			return k.attached(both.tty, func(ctx context.Context, t client.Terminal) (int, error) {
				return api.Attach(ctx, app, name, t)
			})
		},
	})
}

// timeLimit finds the number of "-t 300" among the arguments before "--".
func (k *call) timeLimit(both *ttyOrTimeout) {
	if !both.tty || k.cmd.ArgsLenAtDash() != 1 {
		return
	}
	if n, err := strconv.Atoi(k.args[0]); err == nil {
		both.tty, both.seconds = false, n
		k.args = k.args[1:]
	}
}

func (k *call) runRequest(both *ttyOrTimeout) (client.RunRequest, error) {
	request := client.RunRequest{
		Ptype: k.text("ptype"), Timeout: k.number("timeout"), Expires: k.number("expires"),
		Stdin: k.on("stdin") && !k.on("detach"), TTY: both.tty && !k.on("detach"),
	}
	if request.Timeout == 0 {
		request.Timeout = both.seconds
	}
	switch len(k.args) {
	case 0:
	case 1:
		request.Command = k.args[0]
	default:
		request.Command = k.args
	}
	mounts, err := k.cmd.Flags().GetStringArray("mount")
	must(err)
	for _, mount := range mounts {
		name, path, found := strings.Cut(mount, ":")
		if !found || name == "" || path == "" {
			return request, fmt.Errorf("%q is not of the form volume:path", mount)
		}
		if request.Volumes == nil {
			request.Volumes = map[string]string{}
		}
		request.Volumes[name] = path
	}
	return request, nil
}
