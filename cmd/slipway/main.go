// Command slipway is the appliance: one static binary that makes a bare Linux
// host a platform. It installs and removes itself, runs Kubernetes and the
// controller in one process, and is, under other names, the programs a node
// needs beside it (containerd, kubectl, crictl, ctr, the flannel CNI plugin, git's hook).
//
// Exit codes: 0 well, 1 an error or something is not well, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/slipway-paas/slipway/platform/gitssh"
	"github.com/spf13/cobra"
)

func main() {
	name := filepath.Base(os.Args[0])
	if name == gitssh.HookName {
		gitssh.HookMain() // git has its link elsewhere
	}
	if run, ok := programs()[name]; ok {
		run()
		return
	}
	os.Exit(execute(os.Args[1:]))
}

// execute runs one command line and returns the process's exit code.
func execute(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRootCmd()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	fmt.Fprintln(os.Stderr, "Error:", err)
	var usage usageError
	if errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown command") {
		fmt.Fprintf(os.Stderr, "Run 'slipway %s--help' for usage.\n", usage.command)
		return 2
	}
	return 1
}

// exitCode ends the process with a code when all there is to say was said.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usageError is a command line that can't be understood.
type usageError struct {
	command string // "install " or empty
	err     error
}

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "slipway",
		Short: "A platform-as-a-service in one file",
		Long: `Slipway turns this host into a platform-as-a-service: Kubernetes, gateway,
storage, registry, monitoring and the controller, from this one file.

Start with "slipway install"; remove everything with "slipway uninstall".`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{command: subcommand(c), err: err}
	})
	root.AddCommand(
		newInstallCmd(),
		newServerCmd(),
		newSuperviseCmd(),
		newStatusCmd(),
		newDoctorCmd(),
		newUpgradeCmd(),
		newSupportBundleCmd(),
		newUninstallCmd(),
		newBackupCmd(),
		newRestoreCmd(),
		newRehomeCmd(),
		newJoinCmd(),
		newAgentCmd(),
		newFollowCmd(),
		newTokenCmd(),
		newNodeCmd(),
		newKubectlCmd(),
		newVersionCmd(),
		newK3sCmd(),
	)
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

func subcommand(c *cobra.Command) string {
	if !c.HasParent() {
		return ""
	}
	return strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ") + " "
}

// noArgs refuses arguments as wrong usage (exit code 2).
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{command: subcommand(c), err: fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}
