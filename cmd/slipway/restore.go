package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/cmd/slipway/archive"
	"github.com/slipway-paas/slipway/embedded"
	"github.com/spf13/cobra"
)

func newRestoreCmd() *cobra.Command {
	var keys backupKeys
	var domain string
	cmd := &cobra.Command{
		Use:   "restore FILE | s3://BUCKET/KEY",
		Short: "Make this host the platform that a backup holds",
		Long: `Reads the whole backup first and refuses it when anything is wrong with it. Then
installs the platform as "slipway install" does, with settings, people, apps,
certificates, images and volumes of the backup, and waits until the apps are up.
Passwords and tokens are those of before.

The host may have another address and, with --domain, the platform another
domain: apps then answer there, and images called registry.<old domain>/… are
still found. Settings in the environment win over those of the backup; those of
the old host itself (its name, address and service manager) are left out.

The host has to be free of a platform. Killed at any moment, the same command goes
on, and "slipway uninstall" goes back.`,
		Args: exactlyOne("the backup"),
		RunE: func(c *cobra.Command, args []string) error {
			return restore(c.Context(), c.OutOrStdout(), args, domain, keys)
		},
	}
	keys.reading(cmd)
	cmd.Flags().StringVar(&domain, "domain", "", "the platform's domain from now on (default: that of the backup)")
	return cmd
}

// refuseHalfRestored keeps an install from building on the data of a restore
// that did not come to its end.
func refuseHalfRestored(p bootstrap.Paths) error {
	m, err := archive.ReadMark(p)
	if err != nil || m == nil || m.Data {
		return err
	}
	return fmt.Errorf("the restore of %s was cut off and its data is not complete: run \"slipway restore\" with it again to go on, or \"slipway uninstall\" to go back", m.File)
}

// refuseExisting refuses a host that has a platform, or data of one, other than
// from an unfinished restore of the same backup.
func refuseExisting(ctx context.Context, m *machine, f archive.File, id string) error {
	mark, err := archive.ReadMark(m.paths)
	if err != nil {
		return err
	}
	cure := fmt.Sprintf("Nothing was changed. Keep what is here with \"slipway backup\", remove it with \"slipway uninstall --yes\", then restore %s", f)
	switch {
	case mark != nil && mark.ID != id:
		return fmt.Errorf("another backup, %s, was restored to this host. %s", mark.File, cure)
	case mark != nil && mark.Finished:
		return fmt.Errorf("this backup was restored here on %s, and the platform has gone on since. %s", mark.Begun.Format(time.RFC3339), cure)
	case mark != nil:
		return nil
	}
	st, err := m.service.Status(ctx)
	if err != nil {
		return err
	}
	places, err := archive.VolumeFolders(m.paths)
	if err != nil {
		return err
	}
	places = append(places, m.paths.SecretKey, filepath.Join(m.paths.Controller, "slipway.db"), filepath.Join(m.settings.DataDir, "server", "db"))
	for _, path := range places {
		_, err := os.Lstat(path)
		if err == nil || st.Running {
			return fmt.Errorf("there is a platform on this host (%s). %s", path, cure)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func restore(ctx context.Context, out io.Writer, args []string, domain string, keys backupKeys) error {
	if !embedded.Available() {
		return embedded.ErrNoPayload
	}
	began := time.Now()
	m, f, err := openBackup(ctx, args, keys)
	if err != nil {
		return err
	}
	var v archive.Verified
	if err := m.during("verify", func() (err error) {
		v, err = f.Verify(ctx, m.progress.Note)
		return err
	}); err != nil {
		return err
	}
	if err := refuseExisting(ctx, m, f, v.Manifest.Header.ID); err != nil {
		return err
	}
	if m, err = machineOf(v, domain); err != nil {
		return err
	}
	r := &restoring{archive.Restorer{File: f, Verified: v, Paths: m.paths, Note: m.progress.Note}}
	if err := m.install(ctx, r.step(m.settings)); err != nil {
		return fmt.Errorf("%w\nRun the same command again to go on, or \"slipway uninstall\" to go back", err)
	}
	if err := m.during("apps", func() error { return r.awaitApps(ctx, m.settings) }); err != nil {
		return err
	}
	if err := r.finish(); err != nil {
		return err
	}
	return r.tell(out, m.settings, time.Since(began))
}

// machineOf is this host with the settings of a backup.
func machineOf(v archive.Verified, domain string) (*machine, error) {
	settings, warnings, err := bootstrap.LoadRestored(bootstrap.Input{
		Environ: os.Environ(), Config: v.Documents[archive.DocumentConfig], Credentials: v.Documents[archive.DocumentCredentials],
	}, domain)
	if err != nil {
		return nil, err
	}
	return newMachine(settings, warnings)
}

// restoring is a restore under way.
type restoring struct{ archive.Restorer }

// step restores the data between the making of the folders and the first thing
// that would fill them.
func (r *restoring) step(s bootstrap.Settings) *bootstrap.Part {
	mark := func() (*archive.Mark, error) { return archive.ReadMark(r.Paths) }
	return &bootstrap.Part{
		Name: "restore",
		Done: func(context.Context) (bool, error) {
			m, err := mark()
			return m != nil && m.Data, err
		},
		Do: func(ctx context.Context, note func(string)) error {
			if err := archive.EnoughRoom(filepath.Dir(r.Paths.Controller), r.Verified.Trailer.Bytes); err != nil {
				return err
			}
			r.Note = note
			return r.Marked(ctx, archive.DatabaseLocation(s, r.Paths))
		},
	}
}

// appsPatience is how long the apps may take to be brought to the new cluster.
const appsPatience = 15 * time.Minute

// awaitApps waits until the controller has brought every app to this cluster.
func (r *restoring) awaitApps(ctx context.Context, s bootstrap.Settings) error {
	m, err := archive.ReadMark(r.Paths)
	if err != nil || m == nil || m.Cluster == "" {
		return err // the backup is of a platform that never had apps
	}
	bounded, cancel := context.WithTimeout(ctx, appsPatience)
	defer cancel()
	h := host.NewLinux(host.Options{})
	var waiting []string // when it was last known
	for {
		cluster, apps, err := archive.Waiting(bounded, archive.DatabaseLocation(s, r.Paths))
		if err == nil && cluster != m.Cluster && len(apps) == 0 {
			return nil
		}
		if err == nil {
			waiting = apps
			r.Note(fmt.Sprintf("%d of %d still to come", max(len(apps), 1), len(r.Verified.Manifest.Apps)))
		}
		if wait := h.Wait(bounded, askEvery); wait != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if len(waiting) == 0 {
				return fmt.Errorf("the platform is back, but whether its apps are up is not known; look with \"slipway status\": %w", errors.Join(err, wait))
			}
			return fmt.Errorf("the platform is back, but these apps are not up yet: %s. It goes on trying: \"drycc releases -a APP\" says what is wrong", strings.Join(waiting, ", "))
		}
	}
}

// finish records that the platform runs.
func (r *restoring) finish() error {
	m, err := archive.ReadMark(r.Paths)
	if err != nil || m == nil {
		return err
	}
	m.Finished = true
	return m.Save(r.Paths)
}

// tell says what was restored and where it answers.
func (r *restoring) tell(out io.Writer, s bootstrap.Settings, took time.Duration) error {
	v := r.Verified.Manifest
	for _, w := range r.Warnings {
		fmt.Fprintln(os.Stderr, "Warning:", w)
	}
	for _, e := range v.Elsewhere {
		fmt.Fprintln(os.Stderr, "Warning: not in the backup: the data of volume", e)
	}
	fmt.Fprintf(out, "\nRestored in %s: the platform of %s as it was on %s.\n\n  API    http://drycc.%s\n  Users  as before; the first one's password is in %s\n",
		took.Round(time.Second), v.Domain, v.Header.Created.Format(time.RFC3339), s.Domain, r.Paths.Credentials)
	for _, app := range v.Apps {
		fmt.Fprintf(out, "  App    http://%s.%s\n", app, s.Domain)
	}
	if s.Domain != v.Domain {
		fmt.Fprintf(out, "\nClients log in anew: drycc login http://drycc.%s. Remotes of git push: drycc git remote.\n", s.Domain)
	}
	return nil
}
