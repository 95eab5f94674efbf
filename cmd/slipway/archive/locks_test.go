package archive

import (
	"context"
	"database/sql"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/slipway-paas/slipway/bootstrap/backup"
	"github.com/slipway-paas/slipway/bootstrap/checkup"
	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/k3s/kine"
	"github.com/slipway-paas/slipway/platform/platformtest"
	"github.com/slipway-paas/slipway/platform/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// running has the databases of a scratch platform open, as the server does.
func (s scratch) running(t *testing.T) (held func() bool) {
	t.Helper()
	records := DatabaseLocation(s.settings, s.paths)
	key, err := os.ReadFile(s.paths.SecretKey)
	require.NoError(t, err)
	db, err := store.Open(t.Context(), records, key)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })

	objects := kine.File(s.paths.K3sData)
	require.NoError(t, os.MkdirAll(filepath.Dir(objects), 0o700))
	cluster, err := sql.Open("sqlite3", objects+"?_journal_mode=WAL")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Close()) })
	_, err = cluster.Exec(`CREATE TABLE kine (id INTEGER PRIMARY KEY)`)
	require.NoError(t, err)
	ofRecords, ofObjects := platformtest.WatchLocks(t, records), platformtest.WatchLocks(t, objects)
	return func() bool { return ofRecords() && ofObjects() }
}

// What the server does beside its databases never ends its locks on them: a
// command that closes one meanwhile would take its log away.
func TestTheServerKeepsItsLocks(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	s := newScratch(t)
	s.fill(t)
	held := s.running(t)
	require.True(t, held())
	place := backup.Folder{Path: t.TempDir()}
	var made Made
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"a backup", func() (err error) {
			made, err = s.maker(id.Recipient()).Make(t.Context(), place, "")
			return err
		}},
		{"its record", func() error { return RecordBackup(s.paths, place, made, nil, time.Now()) }},
		{"removing old ones", func() error {
			_, err := backup.Prune(t.Context(), place, made.Manifest.Header.Platform, nil)
			return err
		}},
		{"a drill", func() error {
			f := File{Place: place, Name: made.Name, Identities: []age.Identity{id}}
			_, err := Driller{Bin: s.paths.Bin, Scratch: s.paths.Controller, Note: func(string) {}}.Run(t.Context(), f)
			return err
		}},
		{"a look at the apps", func() error {
			_, _, err := Waiting(t.Context(), DatabaseLocation(s.settings, s.paths))
			return err
		}},
		{"a round of the doctor", func() error { return s.round(t) }},
	} {
		require.NoError(t, step.do(), step.name)
		assert.True(t, held(), step.name)
	}
}

// round asks the checks that look at files, as the server does.
func (s scratch) round(t *testing.T) error {
	t.Helper()
	checks := checkup.Checks(host.NewLinux(host.Options{}), checkup.Options{
		DataDir: s.paths.K3sData, CA: s.paths.CA, Controller: s.paths.Controller, InServer: true,
		Resolve: func(context.Context, netip.Addr) error { return nil },
	})
	var files []doctor.Check
	for _, c := range checks {
		switch c.ID {
		case "disk-use", "certificates", "cluster-database", "controller-database":
			files = append(files, c)
		}
	}
	require.Len(t, files, 4)
	_, err := doctor.Run(t.Context(), files)
	return err
}
