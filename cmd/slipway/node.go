package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/spf13/cobra"
)

func newNodeCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Look at the nodes of the cluster, empty them and take them out",
		Args:  noArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	cmd.AddCommand(newNodeListCmd(), newNodeDrainCmd(), newNodeUncordonCmd(), newNodeRemoveCmd())
	return cmd
}

// fleet is what "slipway node list -o json" prints.
type fleet struct {
	Nodes []k3s.NodeInfo `json:"nodes"`
	Note  string         `json:"note,omitempty"` // what the number of servers means
}

func newNodeListCmd() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the nodes and how they are doing",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkOutput(c, output); err != nil {
				return err
			}
			_, nodes, err := openNodes()
			if err != nil {
				return err
			}
			list, err := nodes.List(c.Context())
			if err != nil {
				return err
			}
			f := fleet{Nodes: list, Note: serversNote(list)}
			if output == "json" {
				return printJSON(c.OutOrStdout(), f)
			}
			return printFleet(c.OutOrStdout(), f)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

// openNodes connects to the cluster of this server.
func openNodes() (*machine, *k3s.Fleet, error) {
	m, err := openServer()
	if err != nil {
		return nil, nil, err
	}
	nodes, err := k3s.OpenFleet(m.paths.Kubeconfig)
	return m, nodes, err
}

// serversNote says what the number of servers is good for; empty when it is one
// of those that make sense.
func serversNote(list []k3s.NodeInfo) string {
	servers, working := 0, 0
	for _, n := range list {
		if n.Role == string(k3s.Server) {
			servers++
			if n.Ready {
				working++
			}
		}
	}
	need := servers/2 + 1
	switch {
	case servers > 1 && working < need:
		return fmt.Sprintf("%d of %d servers work, %d are needed: bring one back", working, servers, need)
	case servers > 1 && servers%2 == 0:
		return fmt.Sprintf("%d servers stand the loss of %d, no more than %d would: this is a passing state, join one more or remove one", servers, servers-need, servers-1)
	}
	return ""
}

func printFleet(w io.Writer, f fleet) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tROLE\tADDRESS\tSLIPWAY\tKUBERNETES\tPODS\tCONTROLLER\tSINCE\tSTATE")
	for _, n := range f.Nodes {
		controller := "no"
		if n.Controller {
			controller = "yes"
		}
		state := n.State
		if n.Behind != "" {
			state += "; " + n.Behind
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", n.Name, n.Role, n.Address, n.Slipway, n.Version, n.Pods, controller, n.Since.Format(time.RFC3339), state)
	}
	if err := t.Flush(); err != nil || f.Note == "" {
		return err
	}
	_, err := fmt.Fprintln(w, "\n"+f.Note)
	return err
}

// drainFlags are those of drain and remove.
type drainFlags struct {
	force   bool
	timeout time.Duration
}

func (d *drainFlags) add(c *cobra.Command, force string) {
	c.Flags().BoolVar(&d.force, "force", false, force)
	c.Flags().DurationVar(&d.timeout, "timeout", 5*time.Minute, "how long pods may take to leave")
}

func newNodeDrainCmd() *cobra.Command {
	var d drainFlags
	cmd := &cobra.Command{
		Use:   "drain NODE",
		Short: "Have the pods of a node run elsewhere, and keep new ones off it",
		Long: `Before work on a host: its pods are ended one by one, as fast as the disruption
budgets of their apps allow, and started on other nodes. Nothing is done when
they could run nowhere else. "slipway node uncordon" lets pods back.`,
		Args: oneArg("the node's name"),
		RunE: func(c *cobra.Command, args []string) error {
			m, nodes, err := openNodes()
			if err != nil {
				return err
			}
			if err := m.drain(c.Context(), nodes, args[0], d, 1, 1); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is drained. \"slipway node uncordon %s\" lets pods back.\n", args[0], args[0])
			return err
		},
	}
	d.add(cmd, "stop pods that can run nowhere else, too")
	return cmd
}

// drain shows the draining as one step of several.
func (m *machine) drain(ctx context.Context, nodes *k3s.Fleet, name string, d drainFlags, number, of int) error {
	return m.step("drain", number, of, func() error {
		return nodes.Drain(ctx, name, k3s.DrainOptions{Force: d.force, Timeout: d.timeout, Progress: m.progress.Note})
	})
}

// step shows one piece of work with its time.
func (m *machine) step(name string, number, of int, do func() error) error {
	began := time.Now()
	m.progress.Begin(number, of, name)
	if err := do(); err != nil {
		m.progress.Fail(time.Since(began))
		return err
	}
	m.progress.End(time.Since(began), false)
	return nil
}

func newNodeUncordonCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "uncordon NODE",
		Short: "Let pods onto a drained node again",
		Args:  oneArg("the node's name"),
		RunE: func(c *cobra.Command, args []string) error {
			_, nodes, err := openNodes()
			if err != nil {
				return err
			}
			return nodes.Uncordon(c.Context(), args[0])
		},
	}
}

func newNodeRemoveCmd() *cobra.Command {
	var d drainFlags
	cmd := &cobra.Command{
		Use:   "remove NODE",
		Short: "Take a node out of the cluster",
		Long: `Drains the node and takes it out of the cluster, and of etcd when it is a server.
The host itself is not touched: "slipway uninstall" on it removes what is there.
Until then it would join again when it restarts.`,
		Args: oneArg("the node's name"),
		RunE: func(c *cobra.Command, args []string) error {
			return removeNode(c, args[0], d)
		},
	}
	d.add(cmd, "remove it although volumes on its disk are lost for the apps that have them")
	return cmd
}

func removeNode(c *cobra.Command, name string, d drainFlags) error {
	ctx := c.Context()
	m, nodes, err := openNodes()
	if err != nil {
		return err
	}
	list, err := nodes.List(ctx)
	if err != nil {
		return err
	}
	if err := m.mayLeave(list, name); err != nil {
		return fmt.Errorf("%w (nothing was changed)", err)
	}
	volumes, err := nodes.LocalVolumes(ctx, name)
	if err != nil {
		return err
	}
	if len(volumes) > 0 && !d.force {
		return fmt.Errorf("volumes are on the disk of %s and would be lost: %s (nothing was changed): move the data first, or give --force", name, strings.Join(volumes, ", "))
	}
	if err := m.drain(ctx, nodes, name, d, 1, 2); err != nil {
		return err
	}
	err = m.step("remove", 2, 2, func() error {
		ctx, cancel := context.WithTimeout(ctx, d.timeout)
		defer cancel()
		return nodes.Delete(ctx, name, m.progress.Note)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s is out of the cluster. Run \"slipway uninstall\" on it, or it joins again when it restarts.\n", name)
	return err
}

// mayLeave refuses to take out what the platform cannot do without.
func (m *machine) mayLeave(list []k3s.NodeInfo, name string) error {
	for _, n := range list {
		if n.Name != name {
			continue
		}
		if err := k3s.Quorum(list, name); err != nil {
			return err
		}
		if n.Controller && m.settings.DatabaseURL.Empty() {
			return fmt.Errorf("%s holds the controller's database (SQLite), with all apps and releases: "+
				"move it to PostgreSQL first (DATABASE_URL), or take a backup and restore it where the platform shall go on", name)
		}
		return nil
	}
	return fmt.Errorf("node %s: %w", name, k3s.ErrNoNode)
}
