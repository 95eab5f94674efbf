package main

import (
	"testing"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/cmd/slipway/archive"
	"github.com/stretchr/testify/require"
)

// An install never builds on half of a platform's data.
func TestHalfRestoredHostsAreNotInstalled(t *testing.T) {
	p := bootstrap.NewPaths(bootstrap.DefaultSettings())
	p.Controller = t.TempDir()
	require.NoError(t, refuseHalfRestored(p))
	m := archive.Mark{ID: "1", File: "/mnt/one.backup"}
	require.NoError(t, m.Save(p))
	require.ErrorContains(t, refuseHalfRestored(p), "restore of /mnt/one.backup was cut off")
	m.Data = true
	require.NoError(t, m.Save(p))
	require.NoError(t, refuseHalfRestored(p))
}

func TestBackupFindings(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	good := archive.Record{Good: archive.Run{Ended: now.Add(-time.Hour)}}
	require.Empty(t, backupFindings(good, false, now))
	require.Equal(t, doctor.Note, backupFindings(archive.Record{}, false, now)[0].Severity)
	require.Empty(t, backupFindings(archive.Record{}, true, now), "the first is still to come")
	old := archive.Record{Good: archive.Run{Ended: now.AddDate(0, -2, 0)}}
	require.Equal(t, doctor.Warning, backupFindings(old, true, now)[0].Severity)
	good.Failed = archive.Run{Ended: now, Place: "s3://b", Problem: "no room"}
	good.Drill = archive.Run{Ended: now, Problem: "cut short"}
	found := backupFindings(good, true, now)
	require.Len(t, found, 2)
	require.Contains(t, found[0].Evidence, "s3://b: no room")
}
