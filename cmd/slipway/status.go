package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// diskUse is one file system the platform writes to.
type diskUse struct {
	Path  string `json:"path"`
	Total uint64 `json:"total"` // bytes
	Free  uint64 `json:"free"`  // bytes
}

// minFree is the part of a disk below which status is not well: Kubernetes
// begins to evict pods at 5 percent.
const minFree = 0.07

// overview is all that "slipway status" knows.
type overview struct {
	Well   bool           `json:"well"`
	URL    string         `json:"url"`
	Role   bootstrap.Role `json:"role"`
	Server string         `json:"server,omitempty"` // that this node has joined
	lifecycle.Report
	Disks    []diskUse `json:"disks"`
	Problems []string  `json:"problems"`
}

func newStatusCmd() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how the platform on this host is doing",
		Long: `Shows node, charts, controller, certificate, disk, versions and URL.
Exits with 0 only when all of it is well.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkOutput(c, output); err != nil {
				return err
			}
			o, err := lookAround(c.Context())
			if err != nil {
				return err
			}
			if output == "json" {
				err = printJSON(c.OutOrStdout(), o)
			} else {
				err = printOverview(c.OutOrStdout(), o)
			}
			if err == nil && !o.Well {
				err = exitCode(1)
			}
			return err
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func lookAround(ctx context.Context) (overview, error) {
	var o overview
	m, err := openMachine(nil, nil)
	if err != nil {
		return o, err
	}
	err = lifecycle.ReadReports(ctx, socketFile(m.paths), false, func(r lifecycle.Report) bool {
		o.Report = r
		return true
	})
	if err != nil {
		return o, fmt.Errorf("%w; start it with \"slipway install\", or look at its log: %s", err, m.service.Logs())
	}
	o.URL, o.Role, o.Server = "http://drycc."+o.Domain, m.settings.Role, m.settings.JoinURL
	for _, path := range []string{m.settings.DataDir, "/"} {
		d, err := disk(path)
		if err != nil {
			return o, err
		}
		o.Disks = append(o.Disks, d)
	}
	o.Problems = problems(o, time.Now(), m.service.Logs())
	o.Well = len(o.Problems) == 0
	return o, nil
}

// problems lists what is not well, each with what to do.
func problems(o overview, now time.Time, logs string) []string {
	list := []string{}
	for _, p := range o.Parts {
		if p.State != lifecycle.Ready {
			list = append(list, fmt.Sprintf("%s is %s: %s (log: %s)", p.Name, p.State, p.Message, logs))
		}
	}
	if !o.Certificate.IsZero() && now.After(o.Certificate.Add(-24*time.Hour)) {
		list = append(list, fmt.Sprintf("the certificate ends at %s and was not renewed (log: %s)", o.Certificate.Format(time.RFC3339), logs))
	}
	for _, f := range o.Findings {
		if f.Severity == doctor.Error {
			list = append(list, fmt.Sprintf("%s: %s; %s (slipway doctor)", f.Title, f.Evidence, f.Cure))
		}
	}
	for _, d := range o.Disks {
		if float64(d.Free) < minFree*float64(d.Total) {
			list = append(list, fmt.Sprintf("%s has %d MB free of %d MB; free some, pods are evicted at 5%%", d.Path, d.Free>>20, d.Total>>20))
		}
	}
	return list
}

func disk(path string) (diskUse, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return diskUse{}, fmt.Errorf("disk of %s: %w", path, err)
	}
	size := uint64(s.Bsize)
	return diskUse{Path: path, Total: s.Blocks * size, Free: s.Bavail * size}, nil
}

// printWarnings shows what the server's own round of checks found beside
// errors, which are problems.
func printWarnings(w io.Writer, o overview) {
	head := fmt.Sprintf("\nWorth a look (checked %s, more with \"slipway doctor\"):\n", o.Looked.Format(time.RFC3339))
	for _, f := range o.Findings {
		if f.Severity == doctor.Warning {
			fmt.Fprintf(w, "%s  - %s: %s\n", head, f.Title, f.Evidence)
			head = ""
		}
	}
}

// joined says where a node belongs.
func joined(server string) string {
	if server == "" {
		return ""
	}
	return " joined through " + server
}

// failover says whether other servers take over from the controller's.
func failover(possible bool) string {
	if possible {
		return "others take over when it ends (PostgreSQL)"
	}
	return "bound to the database on its disk (SQLite): it does not fail over"
}

func printOverview(w io.Writer, o overview) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "URL:\t%s\n", o.URL)
	fmt.Fprintf(t, "Version:\t%s (kubernetes %s)\n", o.Version, o.Kubernetes)
	fmt.Fprintf(t, "Node:\t%s (%s), %s%s\n", o.Node, o.Address, o.Role, joined(o.Server))
	fmt.Fprintf(t, "Running since:\t%s (pid %d)\n", o.Started.Format(time.RFC3339), o.PID)
	if !o.Certificate.IsZero() {
		fmt.Fprintf(t, "Certificate until:\t%s\n", o.Certificate.Format(time.RFC3339))
	}
	if o.Leader != "" {
		fmt.Fprintf(t, "Controller:\ton %s, %s\n", o.Leader, failover(o.Failover))
	}
	for _, move := range o.Moves {
		fmt.Fprintf(t, "Moved:\t%s\n", move)
	}
	for _, d := range o.Disks {
		fmt.Fprintf(t, "Disk %s:\t%d of %d GB free\n", d.Path, d.Free>>30, d.Total>>30)
	}
	fmt.Fprintln(t, "\nPART\tSTATE\tSINCE\tMESSAGE")
	for _, p := range o.Parts {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", p.Name, p.State, p.Since.Format(time.RFC3339), p.Message)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	printWarnings(w, o)
	if o.Well {
		_, err := fmt.Fprintln(w, "\nAll is well.")
		return err
	}
	fmt.Fprintln(w, "\nNot well:")
	for _, p := range o.Problems {
		fmt.Fprintln(w, "  -", p)
	}
	return nil
}
