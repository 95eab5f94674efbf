package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// upgradeFlags are those of "slipway upgrade".
type upgradeFlags struct {
	check, rollback, force, yes bool
	output                      string
}

func newUpgradeCmd() *cobra.Command {
	var f upgradeFlags
	cmd := &cobra.Command{
		Use:   "upgrade [FILE]",
		Short: "Bring the installed platform to the version of this file, or of FILE",
		Long: `Run it with the newer binary: "./slipway upgrade", or name that file: "slipway
upgrade ./slipway-v2". It keeps the present state (Kubernetes' datastore, the
controller's database, certificates, settings, the installed binary and what it
carries), installs the newer version, and looks whether the platform is well,
which includes deploying an app of its own. Apps serve on throughout; changes
through the API and git push are held back until it is known.

When something is not well, or the upgrade is cut off in any way, the version
before is brought back by itself, with its data.

--check shows what would change and what is in the way, and changes nothing.
--rollback brings back the version before the last upgrade, with the data of
that time: what was deployed and changed since is lost.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return noArgs(c, args[1:])
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkOutput(c, f.output); err != nil {
				return err
			}
			if f.rollback && (f.check || len(args) > 0) {
				return usageError{command: subcommand(c), err: errors.New("--rollback takes neither FILE nor --check")}
			}
			if len(args) == 1 {
				return handOver(args[0], os.Args)
			}
			return runUpgrade(c.Context(), c.OutOrStdout(), f)
		},
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "show the plan and what is in the way; change nothing")
	cmd.Flags().BoolVar(&f.rollback, "rollback", false, "bring back the version before the last upgrade, with its data")
	cmd.Flags().BoolVar(&f.force, "force", false, "upgrade although the platform is not well now")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "ask nothing")
	cmd.Flags().StringVarP(&f.output, "output", "o", "text", "of --check: text or json")
	return cmd
}

func runUpgrade(ctx context.Context, out io.Writer, f upgradeFlags) error {
	m, err := openMachine(nil, nil)
	if err != nil {
		return err
	}
	if _, err := os.Stat(m.paths.Binary); err != nil {
		return fmt.Errorf("there is nothing to upgrade, as %s is not installed: run \"slipway install\" instead", m.paths.Binary)
	}
	if m.settings.Role == bootstrap.RoleAgent {
		return fmt.Errorf("this host is an agent, which follows its server by itself: upgrade the server (%s), and this node runs the same within minutes; \"slipway status\" here says how far it is", m.settings.JoinURL)
	}
	if f.rollback {
		return m.rollBack(ctx, out, f.yes)
	}
	if !embedded.Available() {
		return embedded.ErrNoPayload
	}
	if f.check {
		return m.checkUpgrade(ctx, out, f.output)
	}
	return m.carryOutUpgrade(ctx, out, f.force)
}

// installUpgrades reports whether an install with this program is an upgrade:
// another one is installed, wholly, and its server runs. What is only half
// installed, or does not run, an install repairs.
func (m *machine) installUpgrades(ctx context.Context, executable string) (bool, error) {
	ledger, err := bootstrap.OpenLedger(m.host, m.paths.Ledger, time.Now)
	if err != nil || m.settings.SkipStart || !ledger.StepDone("controller healthy") {
		return false, err
	}
	was, err := m.host.Hash(m.paths.Binary)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // an uninstall that kept the data
	}
	if err != nil {
		return false, err
	}
	will, err := m.host.Hash(executable)
	if err != nil || was == will {
		return false, err
	}
	state, err := upgrade.Record{Dir: m.paths.Upgrade}.Read()
	if err != nil || !state.Phase.Ended() {
		return err == nil, err
	}
	status, err := m.service.Status(ctx)
	return status.Running, err
}

// handOver replaces this program by another slipway with the same command line,
// but for its own name.
func handOver(file string, args []string) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Mode()&0o111 == 0) {
		err = errors.New("it is not an executable file; make it one with chmod +x")
	}
	if err != nil {
		return fmt.Errorf("upgrade to %s: %w", file, err)
	}
	rest := []string{path}
	for n, arg := range args[1:] {
		if arg == file && args[n] != "-o" && args[n] != "--output" {
			continue
		}
		rest = append(rest, arg)
	}
	return fmt.Errorf("upgrade to %s: %w", file, syscall.Exec(path, rest, os.Environ()))
}

// installed is the version of the binary that is installed, as it says itself.
func (m *machine) installed(ctx context.Context) (upgrade.Version, error) {
	return m.versionOf(ctx, m.paths.Binary)
}

// goingBack asks on a terminal. Without one the answer is no.
func goingBack() bool {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return false
	}
	fmt.Fprint(os.Stderr, "Bring it back? Type yes: ")
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	return strings.TrimSpace(answer) == "yes"
}
