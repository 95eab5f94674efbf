package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/support"
	"github.com/spf13/cobra"
)

func newSupportBundleCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "support-bundle [file]",
		Short: "Write what this host and the platform tell of themselves into one file, without secrets",
		Long: `Collects versions, settings, what the doctor finds, the ledger, logs, and lists of
what is in the cluster into a tar.gz to send along with a question. Keys,
passwords, Secrets, and the environment of apps are not read. Without a name the
file is slipway-support-HOST-TIME.tar.gz in this folder.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{command: subcommand(c), err: fmt.Errorf("%d files: give one, or none", len(args))}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return supportBundle(c, args) },
	}
}

func supportBundle(c *cobra.Command, args []string) error {
	m, err := openMachine(nil, nil)
	if err != nil {
		return err
	}
	facts, err := m.host.Facts()
	if err != nil {
		return err
	}
	now := time.Now()
	path := fmt.Sprintf("slipway-support-%s-%s.tar.gz", facts.Hostname, now.UTC().Format("20060102-150405"))
	if len(args) > 0 {
		path = args[0]
	}
	clinic, err := m.openClinic()
	if err == nil {
		err = clinic.choose(c, nil)
	}
	if err != nil {
		return err
	}
	m.progress.Begin(1, 2, "doctor")
	began := time.Now()
	report, err := clinic.examine(c.Context())
	if err != nil {
		m.progress.Fail(time.Since(began))
		return err
	}
	m.progress.End(time.Since(began), false)
	sources := support.Sources{
		Host: m.host, Settings: m.settings, Service: m.service, Kubectl: filepath.Join(m.paths.Bin, "kubectl"),
		Version: thisVersion(), Report: report, Now: now,
	}
	// A server that does not answer is a finding of the report already.
	_ = lifecycle.ReadReports(c.Context(), socketFile(m.paths), false, func(r lifecycle.Report) bool {
		sources.Status = r
		return true
	})
	m.progress.Begin(2, 2, "collect")
	began = time.Now()
	if err := writeBundle(c, path, sources, m.progress.Note); err != nil {
		m.progress.Fail(time.Since(began))
		return err
	}
	m.progress.End(time.Since(began), false)
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s\nIt holds names of hosts, apps and domains, and logs; look into it before you send it: tar -tzf %s\n", path, path)
	return err
}

// writeBundle makes a file that only its maker reads. One that is there stays.
func writeBundle(c *cobra.Command, path string, sources support.Sources, note func(string)) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("support bundle: %s is there already; give another name", path)
	}
	if err != nil {
		return fmt.Errorf("support bundle: %w", err)
	}
	err = errors.Join(support.Write(c.Context(), f, sources, note), f.Close())
	if err != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
