package main

import (
	"context"
	"fmt"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/cmd/slipway/archive"
)

// backupOld is how long ago the last backup may be, whatever the schedule, until
// doctor speaks of it.
const backupOld = 35 * 24 * time.Hour

// backupChecks look whether a lost host could be had again.
func (m *machine) backupChecks() []doctor.Check {
	return []doctor.Check{{
		ID: "backups", Title: "backups", Scope: doctor.RunningServer,
		Look: func(context.Context) ([]doctor.Finding, error) {
			r, err := archive.ReadRecord(m.paths)
			if err != nil {
				return nil, err
			}
			return backupFindings(r, m.settings.ControllerSetting("SLIPWAY_BACKUP_SCHEDULE") != "", time.Now()), nil
		},
	}}
}

// backupFindings judges the record of backups.
func backupFindings(r archive.Record, scheduled bool, now time.Time) (list []doctor.Finding) {
	const reason = "what happened since the last backup is lost with the host"
	if r.Failed.Problem != "" {
		list = append(list, doctor.Finding{
			Severity: doctor.Error, Title: "the last backup could not be made", Reason: reason,
			Evidence: fmt.Sprintf("%s, to %s: %s", r.Failed.Ended.Format(time.RFC3339), r.Failed.Place, r.Failed.Problem),
			Cure:     "mend what it says and run \"slipway backup\"",
		})
	}
	if r.Drill.Problem != "" {
		list = append(list, doctor.Finding{
			Severity: doctor.Error, Title: "the last backup could not be restored in a drill",
			Reason:   "a backup that can't be restored is none",
			Evidence: fmt.Sprintf("%s, %s: %s", r.Drill.Ended.Format(time.RFC3339), r.Drill.Name, r.Drill.Problem),
			Cure:     "make another with \"slipway backup\" and try it with \"slipway backup drill\"",
		})
	}
	switch {
	case r.Good.Ended.IsZero() && !scheduled:
		list = append(list, doctor.Finding{
			Severity: doctor.Note, Title: "no backup was ever made", Evidence: "no schedule, no record of a backup", Reason: reason,
			Cure: "run \"slipway backup\", or set SLIPWAY_BACKUP_SCHEDULE, SLIPWAY_BACKUP_TARGET and SLIPWAY_BACKUP_RECIPIENTS",
		})
	case !r.Good.Ended.IsZero() && now.Sub(r.Good.Ended) > backupOld:
		list = append(list, doctor.Finding{
			Severity: doctor.Warning, Title: "the last backup is old", Evidence: "made " + r.Good.Ended.Format(time.RFC3339), Reason: reason,
			Cure: "run \"slipway backup\", or set SLIPWAY_BACKUP_SCHEDULE",
		})
	}
	return list
}
