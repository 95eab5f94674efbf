package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"filippo.io/age"
	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/backup"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/cmd/slipway/archive"
	"github.com/spf13/cobra"
)

func newBackupCmd() *cobra.Command {
	var keys backupKeys
	var metrics, partial bool
	cmd := &cobra.Command{
		Use:   "backup [FILE | s3://BUCKET/KEY]",
		Short: "Put the whole platform into one encrypted file",
		Long: `Writes settings, credentials, users, apps, releases, certificates, repositories,
the images that releases run, and the data of volumes into one file, which
"slipway restore" turns into the platform again, on this host or another. Apps
run on meanwhile: their files are taken as after a power cut.

Without FILE the place of SLIPWAY_BACKUP_TARGET is used, and a name is made up in
a folder. Only who has the private key or the passphrase can read the file: keep
it somewhere else.`,
		Args: atMostOne,
		RunE: func(c *cobra.Command, args []string) error {
			return runBackup(c, args, keys, metrics, partial)
		},
	}
	keys.writing(cmd)
	cmd.Flags().BoolVar(&metrics, "with-metrics", false, "put the monitoring's data in too")
	cmd.Flags().BoolVar(&partial, "without-other-nodes", false, "leave out volumes whose data is on other nodes, instead of refusing")
	cmd.AddCommand(newBackupListCmd(), newBackupVerifyCmd(), newBackupDrillCmd(), newBackupKeyCmd())
	return cmd
}

// atMostOne refuses a second argument as wrong usage.
func atMostOne(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{command: subcommand(c), err: fmt.Errorf("unexpected argument %q", args[1])}
	}
	return nil
}

// exactlyOne wants one argument.
func exactlyOne(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError{command: subcommand(c), err: fmt.Errorf("%s is missing", what)}
		}
		return atMostOne(c, args)
	}
}

func runBackup(c *cobra.Command, args []string, keys backupKeys, metrics, partial bool) error {
	m, err := openMachine(nil, os.Environ())
	if err != nil {
		return err
	}
	place, name, err := backupPlace(m.settings, args)
	if err != nil {
		return err
	}
	to, err := keys.to(m.settings)
	if err != nil {
		return err
	}
	k, err := m.backupMaker(to)
	if err != nil {
		return err
	}
	k.Metrics, k.Partial, k.Note = metrics, partial, m.progress.Note
	var done archive.Made
	if err := m.during("backup", func() (err error) {
		done, err = k.Make(c.Context(), place, name)
		return err
	}); err != nil {
		return err
	}
	if err := archive.RecordBackup(m.paths, place, done, nil, time.Now()); err != nil {
		return err
	}
	for _, w := range done.Warnings {
		fmt.Fprintln(os.Stderr, "Warning:", w)
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %d apps, %d images, %d files, %s (%s before packing), made in %s\n",
		archive.File{Place: place, Name: done.Name}, len(done.Manifest.Apps), len(done.Manifest.Images), done.Trailer.Entries,
		megabytes(done.Size), megabytes(done.Trailer.Bytes), done.Took.Round(100*time.Millisecond))
	return err
}

// backupMaker makes backups of the platform on this host.
func (m *machine) backupMaker(to []age.Recipient) (*archive.Maker, error) {
	node, err := nodeName(m.host, m.settings)
	if err != nil {
		return nil, err
	}
	return newMaker(m.settings, m.paths, node, to), nil
}

// newMaker makes backups of the platform that the node has.
func newMaker(s bootstrap.Settings, p bootstrap.Paths, node string, to []age.Recipient) *archive.Maker {
	return &archive.Maker{
		Settings: s, Paths: p, Node: node, Version: version, Kubernetes: k3s.Version(),
		Recipients: to, Volumes: clusterVolumes(p.Kubeconfig), Now: time.Now,
	}
}

// during shows the progress of one step.
func (m *machine) during(name string, f func() error) error {
	began := time.Now()
	m.progress.Begin(1, 1, name)
	if err := f(); err != nil {
		m.progress.Fail(time.Since(began))
		return err
	}
	m.progress.End(time.Since(began), false)
	return nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func newBackupListCmd() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "list [FOLDER | s3://BUCKET/FOLDER]",
		Short: "List the backups in a place, the newest first",
		Args:  atMostOne,
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkOutput(c, output); err != nil {
				return err
			}
			m, err := openMachine(nil, os.Environ())
			if err != nil {
				return err
			}
			if len(args) > 0 && args[0] != "" && args[0][len(args[0])-1] != '/' {
				args = []string{args[0] + "/"} // all of it is the place
			}
			place, _, err := backupPlace(m.settings, args)
			if err != nil {
				return err
			}
			kept, err := backup.ListKept(c.Context(), place)
			if err != nil {
				return err
			}
			if output == "json" {
				return printJSON(c.OutOrStdout(), kept)
			}
			return printKept(c.OutOrStdout(), kept, time.Now())
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func printKept(w io.Writer, kept []backup.Kept, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tCREATED\tAGE\tSIZE\tVERSION\tPLATFORM")
	for _, k := range kept {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", k.Name, k.Header.Created.Format(time.RFC3339),
			now.Sub(k.Header.Created).Round(time.Minute), megabytes(k.Size), k.Header.Version, k.Header.Platform)
	}
	return t.Flush()
}

func newBackupVerifyCmd() *cobra.Command {
	var keys backupKeys
	cmd := &cobra.Command{
		Use:   "verify FILE | s3://BUCKET/KEY",
		Short: "Read a backup to its end and say whether it is whole",
		Args:  exactlyOne("the backup"),
		RunE: func(c *cobra.Command, args []string) error {
			m, f, err := openBackup(c.Context(), args, keys)
			if err != nil {
				return err
			}
			var v archive.Verified
			if err := m.during("verify", func() (err error) {
				v, err = f.Verify(c.Context(), m.progress.Note)
				return err
			}); err != nil {
				return err
			}
			return printVerified(c.OutOrStdout(), f, v)
		},
	}
	keys.reading(cmd)
	return cmd
}

// openBackup finds the backup that arguments name and what opens it.
func openBackup(ctx context.Context, args []string, keys backupKeys) (*machine, archive.File, error) {
	m, err := openMachine(nil, os.Environ())
	if err != nil {
		return nil, archive.File{}, err
	}
	f := archive.File{}
	if f.Place, f.Name, err = backupPlace(m.settings, args); err != nil {
		return nil, f, err
	}
	if f.Name, err = archive.Find(ctx, f.Place, f.Name, ""); err != nil {
		return nil, f, err
	}
	f.Identities, err = keys.with(m.settings)
	return m, f, err
}

func printVerified(w io.Writer, f archive.File, v archive.Verified) error {
	_, err := fmt.Fprintf(w, "%s is whole.\n  made %s by slipway %s on %s, domain %s\n  %d apps, %d images, %d files, %s (%s packed), read in %s\n",
		f, v.Manifest.Header.Created.Format(time.RFC3339), v.Manifest.Header.Version, v.Manifest.Node, v.Manifest.Domain,
		len(v.Manifest.Apps), len(v.Manifest.Images), v.Trailer.Entries, megabytes(v.Trailer.Bytes), megabytes(v.Size), v.Took.Round(100*time.Millisecond))
	for _, list := range [][]string{v.Manifest.Missing, v.Manifest.Elsewhere, v.Trailer.Notes} {
		for _, one := range list {
			if err == nil {
				_, err = fmt.Fprintf(w, "  not in it, or changed meanwhile: %s\n", one)
			}
		}
	}
	return err
}

func newBackupKeyCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "key FILE",
		Short: "Make a private key for reading backups, and print the recipient for writing them",
		Args:  exactlyOne("the file"),
		RunE: func(c *cobra.Command, args []string) error {
			private, recipient, err := backup.NewKey()
			if err != nil {
				return err
			}
			f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("write the key: %w; nothing is overwritten", err)
			}
			_, err = fmt.Fprintf(f, "# recipient: %s\n%s\n", recipient, private)
			if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
				return fmt.Errorf("write the key: %w", err)
			}
			fmt.Fprintf(os.Stderr, "Keep %s off this host: without it no backup can be read.\n", args[0])
			_, err = fmt.Fprintln(c.OutOrStdout(), recipient)
			return err
		},
	}
}
