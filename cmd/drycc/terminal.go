package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/slipway-paas/slipway/platform/api/drycc/client"
)

// lookAtSize is how often the terminal's size is looked at: a signal for it
// does not exist on every system.
const lookAtSize = 250 * time.Millisecond

func terminalFlags(cmd *cobra.Command) {
	cmd.Flags().BoolP("stdin", "i", false, "Pass stdin to the command")
	cmd.Flags().BoolP("tty", "t", false, "Stdin is a terminal")
}

func (p *program) psExec() *cobra.Command {
	return p.command(leaf{
		use: "exec <pod> [flags] -- <command>...", short: "Execute a command in a running pod", app: true, args: cobra.MinimumNArgs(2),
		complete: podNames, flags: terminalFlags,
		run: func(k *call) error {
			api, app, err := k.target()
			if err != nil {
				return err
			}
			return k.attached(k.on("tty"), func(ctx context.Context, t client.Terminal) (int, error) {
				t.Command = k.args[1:]
				return api.Exec(ctx, app, k.args[0], t)
			})
		},
	})
}

// attached joins a remote command with our terminal, and ends the program with
// the command's exit code.
func (k *call) attached(tty bool, join func(context.Context, client.Terminal) (int, error)) error {
	t := client.Terminal{TTY: tty, Stdout: k.out, Stderr: k.err}
	if k.on("stdin") {
		t.Stdin = k.in
	}
	ctx, cancel := context.WithCancel(k.ctx())
	defer cancel()
	restore := func() {}
	if t.TTY {
		if !isTerminal(k.in) {
			return curable(errors.New("stdin is no terminal"), "Leave --tty out.")
		}
		state, err := term.MakeRaw(int(k.in.Fd()))
		if err != nil {
			return err
		}
		restore = func() { _ = term.Restore(int(k.in.Fd()), state) } // nothing is left to be done about it
		t.Resize = k.sizes(ctx)
	}
	code, err := join(ctx, t)
	restore()
	switch {
	case err != nil:
		return err
	case code != 0:
		return exitCode(code)
	}
	return nil
}

// sizes reports the terminal's size, now and when it changes.
func (k *call) sizes(ctx context.Context) <-chan client.Size {
	out := make(chan client.Size)
	go func() {
		defer close(out)
		ticker := time.NewTicker(lookAtSize)
		defer ticker.Stop()
		var last client.Size
		for {
			if now, ok := terminalSize(k.out); ok && now != last {
				select {
				case out <- now:
					last = now
				case <-ctx.Done():
					return
				}
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func terminalSize(stream any) (client.Size, bool) {
	f, ok := stream.(*os.File)
	if !ok {
		return client.Size{}, false
	}
	width, height, err := term.GetSize(int(f.Fd()))
	return client.Size{Height: height, Width: width}, err == nil
}
