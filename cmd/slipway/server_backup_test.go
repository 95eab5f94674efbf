package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	logrustest "github.com/sirupsen/logrus/hooks/test"
	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/backup"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/cmd/slipway/archive"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lineOf is a line of the board; empty when there is none.
func lineOf(b *lifecycle.Board, name string) (found lifecycle.Entry) {
	entries, _ := b.Snapshot()
	for _, e := range entries {
		if e.Name == name {
			found = e
		}
	}
	return found
}

// A backup that was missed while the host was off is made when the controller
// works, which it does not yet when the schedule begins.
func TestMissedBackupsWaitForTheController(t *testing.T) {
	settings, _, err := bootstrap.Load(bootstrap.Input{Environ: []string{"SLIPWAY_BACKUP_SCHEDULE=@daily"}})
	require.NoError(t, err)
	paths := bootstrap.NewPaths(settings)
	paths.Controller = t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, archive.RecordBackup(paths, backup.Folder{Path: "/mnt"}, archive.Made{Name: "one"}, nil, time.Now().AddDate(0, 0, -7)))
		log, _ := logrustest.NewNullLogger()
		log.SetLevel(logrus.PanicLevel)
		s := &server{settings: settings, paths: paths, log: log, board: lifecycle.NewBoard(time.Now, lineController)}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.runBackups(ctx) }()
		synctest.Wait()
		assert.Empty(t, lineOf(s.board, lineBackups).State, "nothing is known yet")

		s.core.Store(&control.Controller{})
		s.board.Set(lineController, lifecycle.Ready, "")
		synctest.Wait()
		assert.Equal(t, lifecycle.Failed, lineOf(s.board, lineBackups).State)
		assert.Contains(t, lineOf(s.board, lineBackups).Message, errNoTarget.Error(), "it was tried")
		cancel()
		require.NoError(t, <-ended)
	})
}
