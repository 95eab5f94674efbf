package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newUninstallCmd() *cobra.Command {
	var yes, keep, force bool
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "Take the platform off this host and show what is left",
		Long: `Stops the platform, undoes every change that the ledger holds, and compares the
host with how it was before the install. Exits with 0 only when nothing is left.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !yes && !confirmed(keep) {
				return errors.New("nothing was changed; give --yes to remove the platform with all apps and data")
			}
			return uninstall(c, keep, force)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&force, "force", false, "also when the host is one of several servers that still count on it")
	cmd.Flags().BoolVar(&keep, "keep-data", false, "keep settings, database, certificates and volumes for a later install")
	return cmd
}

// confirmed asks on a terminal. Without one the answer is no.
func confirmed(keep bool) bool {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return false
	}
	what := "with ALL apps and data"
	if keep {
		what = "and keep its data"
	}
	fmt.Fprintf(os.Stderr, "Remove the platform from this host %s? Type yes: ", what)
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	return strings.TrimSpace(answer) == "yes"
}

func uninstall(c *cobra.Command, keep, force bool) error {
	// The netlink library logs attributes of newer kernels that it does not know.
	log.SetOutput(io.Discard)
	m, err := openMachine(nil, nil)
	if err != nil {
		return err
	}
	if !force {
		if err := m.mayUninstall(c.Context()); err != nil {
			return err
		}
	}
	u := &bootstrap.Uninstall{
		Host: m.host, Service: m.service, Settings: m.settings, Progress: m.progress, Clock: time.Now, KeepData: keep,
	}
	result, err := u.Run(c.Context())
	if err != nil {
		return fmt.Errorf("%w\nRun \"slipway uninstall\" again once the cause is mended; what is undone stays undone", err)
	}
	out := c.OutOrStdout()
	if result.Nothing {
		_, err := fmt.Fprintln(out, "Slipway is not installed here; nothing to do.")
		return err
	}
	for _, path := range result.Kept {
		fmt.Fprintln(out, "kept:", path)
	}
	for _, d := range result.Diff {
		fmt.Fprintln(out, "differs:", d)
	}
	if bootstrap.Counts(result.Diff) {
		return errors.New("the host is not as it was before the install; the lines above say where")
	}
	if _, err := fmt.Fprintln(out, "Slipway is removed; the host is as it was before."); err != nil {
		return err
	}
	return m.farewell(out)
}
