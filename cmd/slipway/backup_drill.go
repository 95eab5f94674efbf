package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/slipway-paas/slipway/cmd/slipway/archive"
	"github.com/spf13/cobra"
)

func newBackupDrillCmd() *cobra.Command {
	var keys backupKeys
	var scratch string
	cmd := &cobra.Command{
		Use:   "drill [FILE | s3://BUCKET/KEY]",
		Short: "Restore a backup into a scratch folder, check all of it, and say how long it took",
		Long: `Reads a backup as "slipway restore" does, restores it into a folder that is removed
afterwards, and checks what came out: the records open with their key and fit the
present schema, every image is whole to the last digest, every repository is sound,
certificates can be read. What runs is not touched. Without FILE the newest backup
in SLIPWAY_BACKUP_TARGET is taken.`,
		Args: atMostOne,
		RunE: func(c *cobra.Command, args []string) error {
			m, f, err := openBackup(c.Context(), args, keys)
			if err != nil {
				return err
			}
			var d archive.Drill
			err = m.during("drill", func() (err error) {
				d, err = archive.Driller{Bin: m.paths.Bin, Scratch: scratch, Note: m.progress.Note}.Run(c.Context(), f)
				return err
			})
			if _, none := os.Stat(m.paths.Controller); none == nil {
				err = errors.Join(err, archive.RecordDrill(m.paths, f, d, err, time.Now()))
			}
			if err != nil {
				return err
			}
			return printDrill(c.OutOrStdout(), f, d)
		},
	}
	keys.reading(cmd)
	cmd.Flags().StringVar(&scratch, "scratch", os.TempDir(), "folder to restore into, with room for all data")
	return cmd
}

func printDrill(w io.Writer, f archive.File, d archive.Drill) error {
	if err := printVerified(w, f, d.Verified); err != nil {
		return err
	}
	for _, l := range d.Lines {
		if _, err := fmt.Fprintln(w, "  sound:", l); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "Restored and checked in %s: %s to verify, %s to restore its data, %s to check it. A real restore installs the platform besides.\n",
		tenths(d.Whole), tenths(d.Took), tenths(d.Restored), tenths(d.Checked))
	return err
}

func tenths(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
