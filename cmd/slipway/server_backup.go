package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/slipway-paas/slipway/bootstrap/backup"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/cmd/slipway/archive"
	"github.com/slipway-paas/slipway/platform/api"
)

const (
	lineBackups = "backups"
	lineDrills  = "drills"
	// backupRetry is when a backup that could not be made is tried again.
	backupRetry = 15 * time.Minute
)

// runBackups makes backups and drills when the settings say. A server whose
// controller does not work, since another one's does, makes none. Which it is
// shows some time after a start: what was missed while the host was off waits.
func (s *server) runBackups(ctx context.Context) error {
	record, err := archive.ReadRecord(s.paths)
	if err != nil {
		s.log.WithError(err).Warn("when the last backup was made is not known")
	}
	var group sync.WaitGroup
	for _, job := range []struct {
		line, setting string
		last          time.Time
		do            func(context.Context) error
	}{
		{lineBackups, "SLIPWAY_BACKUP_SCHEDULE", record.Good.Ended, s.scheduledBackup},
		{lineDrills, "SLIPWAY_BACKUP_DRILL_SCHEDULE", record.Drilled.Ended, s.scheduledDrill},
	} {
		text := s.settings.ControllerSetting(job.setting)
		if text == "" {
			continue
		}
		when, err := cron.ParseStandard(text)
		if err != nil {
			return fmt.Errorf("%s: %w", job.setting, err)
		}
		schedule := archive.Schedule{
			When: when, Last: job.last, Retry: backupRetry, Now: time.Now, Wait: host.NewLinux(host.Options{}).Wait,
			Do: job.do, Tell: func(next time.Time, problem error) { s.tellSchedule(job.line, next, problem) },
		}
		group.Go(func() {
			if s.board.Watch(ctx, ready(lineController)) == nil {
				schedule.Run(ctx)
			}
		})
	}
	group.Wait()
	<-ctx.Done()
	return nil
}

// tellSchedule writes a line of the board, which "slipway status" shows. What
// failed stays failed there until it went well.
func (s *server) tellSchedule(line string, next time.Time, problem error) {
	at := next.Local().Format("2006-01-02 15:04")
	if problem == nil {
		s.board.Set(line, lifecycle.Ready, "next at "+at)
		return
	}
	s.log.WithError(problem).Error(line + ": the last one failed")
	s.board.Set(line, lifecycle.Failed, fmt.Sprintf("%v; next try at %s", problem, at))
}

// errNoTarget says what a schedule lacks.
var errNoTarget = errors.New("there is a schedule for backups and no SLIPWAY_BACKUP_TARGET and SLIPWAY_BACKUP_RECIPIENTS: set both with \"slipway install\"")

// scheduledBackup makes one backup and removes those that are too old.
func (s *server) scheduledBackup(ctx context.Context) error {
	if s.core.Load() == nil {
		return nil // another server's controller works
	}
	target, readers := s.settings.ControllerSetting("SLIPWAY_BACKUP_TARGET"), s.settings.ControllerSetting("SLIPWAY_BACKUP_RECIPIENTS")
	if target == "" || readers == "" {
		return errNoTarget
	}
	place, _, err := backupPlace(s.settings, nil)
	if err != nil {
		return err
	}
	done, err := s.backUp(ctx, place, readers)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := errors.Join(err, archive.RecordBackup(s.paths, place, done, err, time.Now())); err != nil {
		return err
	}
	for _, w := range done.Warnings {
		s.log.Warn("backup: " + w)
	}
	s.log.WithField("place", place.String()).WithField("bytes", done.Size).Info("backup " + done.Name + " made")
	keep, err := backup.ParseKeep(s.settings.BackupKeep())
	if err != nil {
		return err
	}
	removed, err := backup.Prune(ctx, place, done.Manifest.Header.Platform, keep)
	if len(removed) > 0 {
		s.log.Info("old backups removed: " + strings.Join(removed, ", "))
	}
	return err
}

func (s *server) backUp(ctx context.Context, place backup.Place, readers string) (archive.Made, error) {
	to, err := backup.ParseRecipients(readers)
	if err != nil {
		return archive.Made{}, err
	}
	k := newMaker(s.settings, s.paths, s.nodeName, to)
	k.Metrics = s.settings.ControllerSetting("SLIPWAY_BACKUP_METRICS") == "true"
	k.Note = func(text string) { s.board.Set(lineBackups, lifecycle.Ready, "under way: "+text) }
	return k.Make(ctx, place, "")
}

// scheduledDrill restores the newest backup into a scratch folder.
func (s *server) scheduledDrill(ctx context.Context) error {
	if s.core.Load() == nil {
		return nil
	}
	file := s.settings.ControllerSetting("SLIPWAY_BACKUP_IDENTITY_FILE")
	if file == "" {
		return errors.New("there is a schedule for drills and no SLIPWAY_BACKUP_IDENTITY_FILE to read backups with: set it with \"slipway install\"")
	}
	ids, err := backup.LoadIdentities(file)
	if err != nil {
		return err
	}
	f := archive.File{Identities: ids}
	if f.Place, _, err = backupPlace(s.settings, nil); err != nil {
		return err
	}
	key, err := os.ReadFile(s.paths.SecretKey)
	if err != nil {
		return err
	}
	if f.Name, err = archive.Find(ctx, f.Place, "", archive.PlatformID(key)); err != nil {
		return err
	}
	// A drill that was killed leaves its folder.
	left, err := filepath.Glob(filepath.Join(s.paths.Controller, "slipway-drill-*"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	d, err := archive.Driller{
		Bin: s.paths.Bin, Scratch: s.paths.Controller,
		Note: func(text string) { s.board.Set(lineDrills, lifecycle.Ready, "under way: "+text) },
	}.Run(ctx, f)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		s.log.WithField("seconds", d.Whole.Seconds()).Info("drill of backup " + f.Name + " went well")
	}
	return errors.Join(err, archive.RecordDrill(s.paths, f, d, err, time.Now()))
}

// backupMetrics shows how the last backup and drill went. Without any the
// times are 0.
func (s *server) backupMetrics(m *api.Metrics) {
	read := func(pick func(archive.Record) float64) func() float64 {
		return func() float64 {
			r, err := archive.ReadRecord(s.paths)
			if err != nil {
				return 0
			}
			return pick(r)
		}
	}
	stamp := func(t time.Time) float64 {
		if t.IsZero() {
			return 0
		}
		return float64(t.Unix())
	}
	m.Gauge("slipway_backup_last_success_timestamp_seconds", "When the last backup was made; 0 for never.",
		read(func(r archive.Record) float64 { return stamp(r.Good.Ended) }))
	m.Gauge("slipway_backup_last_success_bytes", "Size of the last backup.",
		read(func(r archive.Record) float64 { return float64(r.Good.Bytes) }))
	m.Gauge("slipway_backup_last_success_duration_seconds", "How long the last backup took.",
		read(func(r archive.Record) float64 { return r.Good.Seconds }))
	m.Gauge("slipway_backup_last_failure_timestamp_seconds", "When a backup failed after the last one that was made; 0 for never.",
		read(func(r archive.Record) float64 { return stamp(r.Failed.Ended) }))
	m.Gauge("slipway_backup_last_drill_timestamp_seconds", "When a backup was last restored into a scratch place and found sound; 0 for never.",
		read(func(r archive.Record) float64 { return stamp(r.Drilled.Ended) }))
	m.Gauge("slipway_backup_last_drill_duration_seconds", "How long that drill took.",
		read(func(r archive.Record) float64 { return r.Drilled.Seconds }))
}
