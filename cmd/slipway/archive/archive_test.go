package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/backup"
	"github.com/slipway-paas/slipway/bootstrap/backup/backuptest"
	"github.com/slipway-paas/slipway/bootstrap/secrets"
	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest/pgtest"
	"github.com/slipway-paas/slipway/platform/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//lint:global one server for all tests of the binary
var postgres pgtest.Cluster

func TestMain(m *testing.M) { os.Exit(postgres.Run(m)) }

// scratch is the state of a platform in a folder, without anything that runs.
type scratch struct {
	settings bootstrap.Settings
	paths    bootstrap.Paths
}

func newScratch(t *testing.T) scratch {
	t.Helper()
	s := scratch{settings: bootstrap.DefaultSettings(), paths: scratchPaths(t.TempDir())}
	s.paths.Controller = filepath.Join(filepath.Dir(s.paths.SecretKey), "controller")
	s.paths.Config = filepath.Join(s.paths.Controller, "..", "config.yaml")
	s.paths.Credentials = filepath.Join(s.paths.Controller, "..", "credentials")
	return s
}

// fill makes an app with a release, an image of it, a volume with data, a
// repository, and what the platform makes for itself.
func (s scratch) fill(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	put := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	put(s.paths.Config, "domain: slipway.localhost\n")
	put(s.paths.Credentials, "DRYCC_ADMIN_USERNAME=\"admin\"\nDRYCC_ADMIN_PASSWORD=\"swordfish-12\"\n")
	put(filepath.Join(s.paths.CA, "ca.crt"), "a certificate")
	put(filepath.Join(s.paths.GitKeys, "host_key"), "a key")
	_, err := secrets.Open(secretsFile(s.paths))
	require.NoError(t, err)
	key, err := secrets.OpenKey(s.paths.SecretKey)
	require.NoError(t, err)
	image := s.image(t)

	db, err := store.Open(ctx, DatabaseLocation(s.settings, s.paths), key)
	require.NoError(t, err)
	_, err = db.CreateUser(ctx, platform.User{Username: "alice"}, "hash")
	require.NoError(t, err)
	_, err = db.CreateWorkspace(ctx, platform.Workspace{UUID: "w", ID: "alice"}, "alice")
	require.NoError(t, err)
	_, err = db.CreateApp(ctx, platform.App{UUID: "a", ID: "hello", Workspace: "alice"},
		platform.Config{UUID: "c", Values: []platform.ConfigValue{{Name: "KEY", Value: "swordfish"}}},
		platform.Release{UUID: "r", Config: "c", State: platform.ReleasePending}, platform.Settings{UUID: "s"})
	require.NoError(t, err)
	_, err = db.AddRelease(ctx, platform.Release{UUID: "r2", App: "hello", Config: "c", Build: "b", State: platform.ReleasePending},
		&platform.Build{UUID: "b", Image: image, Stack: "container"}, nil)
	require.NoError(t, err)
	require.NoError(t, db.AddBuildRun(ctx, platform.BuildRun{UUID: "run", App: "hello", State: platform.BuildQueued, Created: time.Unix(1, 0)}, "10.0.0.1"))
	_, err = db.AdoptCluster(ctx, "the old cluster")
	require.NoError(t, err)
	require.NoError(t, db.Close())

	volume := filepath.Join(s.paths.Volumes, "hello_data")
	require.NoError(t, os.MkdirAll(volume, 0o755))
	require.NoError(t, backuptest.Make(volume))
	put(filepath.Join(s.paths.Volumes, builderFolder, "cache"), "is left out")
	put(filepath.Join(s.paths.Volumes, metricsFolder, "metrics"), "are left out")
}

// image makes an image of one layer in the registry, and another that nobody
// runs.
func (s scratch) image(t *testing.T) (reference string) {
	t.Helper()
	root := filepath.Join(s.paths.Volumes, registryFolder, "docker/registry/v2")
	blob := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		name := hex.EncodeToString(sum[:])
		dir := filepath.Join(root, "blobs/sha256", name[:2], name)
		require.NoError(t, os.MkdirAll(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "data"), []byte(text), 0o644))
		return "sha256:" + name
	}
	manifest := blob(fmt.Sprintf(`{"config":{"digest":%q},"layers":[{"digest":%q}]}`, blob("config"), blob("layer")))
	link := filepath.Join(root, "repositories/hello/_manifests/tags/v1/current/link")
	require.NoError(t, os.MkdirAll(filepath.Dir(link), 0o755))
	require.NoError(t, os.WriteFile(link, []byte(manifest), 0o644))
	blob("nobody runs this")
	return "registry.slipway.localhost/hello:v1"
}

func (s scratch) maker(to age.Recipient, volumes ...NodeVolume) *Maker {
	return &Maker{
		Settings: s.settings, Paths: s.paths, Node: "here", Version: "v0.0.0-test", Recipients: []age.Recipient{to}, Note: func(string) {}, Now: time.Now,
		Volumes: func(context.Context) ([]NodeVolume, error) { return volumes, nil },
	}
}

func TestBackupAndRestoreOfAPlatform(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	from, to := newScratch(t), newScratch(t)
	from.fill(t)
	place := backup.Folder{Path: t.TempDir()}
	done, err := from.maker(id.Recipient()).Make(t.Context(), place, "")
	require.NoError(t, err)
	assert.Empty(t, done.Warnings)
	assert.Equal(t, []string{"hello"}, done.Manifest.Apps)
	require.NoError(t, RecordBackup(from.paths, place, done, nil, time.Now()))
	record, err := ReadRecord(from.paths)
	require.NoError(t, err)
	assert.Equal(t, done.Name, record.Good.Name)
	info, err := os.Stat(filepath.Join(place.Path, done.Name))
	require.NoError(t, err)
	assert.Equal(t, done.Size, info.Size())

	f := File{Place: place, Name: done.Name, Identities: []age.Identity{id}}
	d, err := Driller{Bin: from.paths.Bin, Scratch: t.TempDir(), Note: func(string) {}}.Run(t.Context(), f)
	require.NoError(t, err)
	assert.Contains(t, d.Lines, "1 images, 3 pieces by their digests", "what nobody runs is left out")

	r := &Restorer{File: f, Verified: d.Verified, Paths: to.paths, Note: func(string) {}}
	require.NoError(t, os.MkdirAll(filepath.Join(to.paths.Volumes, "half_done"), 0o700), "of a try that was cut off")
	require.NoError(t, r.Data(t.Context(), DatabaseLocation(to.settings, to.paths)))
	require.NoError(t, r.Data(t.Context(), DatabaseLocation(to.settings, to.paths)), "a second time")
	for _, folder := range []string{"hello_data", "half_done", builderFolder, metricsFolder} {
		want, wantErr := backuptest.Picture(filepath.Join(from.paths.Volumes, folder))
		got, err := backuptest.Picture(filepath.Join(to.paths.Volumes, folder))
		if folder == "hello_data" {
			require.NoError(t, errors.Join(err, wantErr))
			assert.Equal(t, want, got)
			continue
		}
		require.ErrorIs(t, err, os.ErrNotExist, folder)
	}
	key, err := os.ReadFile(to.paths.SecretKey)
	require.NoError(t, err)
	db, err := store.Open(t.Context(), DatabaseLocation(to.settings, to.paths), key)
	require.NoError(t, err)
	config, err := db.FindConfig(t.Context(), "c")
	require.NoError(t, err)
	assert.Equal(t, "swordfish", config.Values[0].Value)
	run, err := db.FindBuildRun(t.Context(), "hello", "run")
	require.NoError(t, err)
	assert.Equal(t, platform.BuildFailed, run.State, "nobody goes on with it")
	require.NoError(t, db.Close())
	cluster, _, err := Waiting(t.Context(), DatabaseLocation(to.settings, to.paths))
	require.NoError(t, err)
	assert.Equal(t, "the old cluster", cluster)
}

// A restore that is cut off goes on, also after the records are in a PostgreSQL,
// which has them before the last volume is in its place. Records that were
// there before are somebody's and stay.
func TestRestoreGoesOnWithPostgres(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	from, to := newScratch(t), newScratch(t)
	from.fill(t)
	place := backup.Folder{Path: t.TempDir()}
	done, err := from.maker(id.Recipient()).Make(t.Context(), place, "")
	require.NoError(t, err)
	f := File{Place: place, Name: done.Name, Identities: []age.Identity{id}}
	v, err := f.Verify(t.Context(), func(string) {})
	require.NoError(t, err)
	r := &Restorer{File: f, Verified: v, Paths: to.paths, Note: func(string) {}}
	database := postgres.Database(t)
	require.NoError(t, r.Marked(t.Context(), database))
	m, err := ReadMark(to.paths)
	require.NoError(t, err)
	assert.True(t, m.Data)
	assert.Equal(t, "the old cluster", m.Cluster)

	m.Data = false // as it was just before
	require.NoError(t, m.Save(to.paths))
	require.NoError(t, r.Marked(t.Context(), database), "killed and run again")

	theirs := postgres.Database(t)
	other := &Restorer{File: f, Verified: v, Paths: newScratch(t).paths, Note: func(string) {}}
	require.NoError(t, other.Marked(t.Context(), theirs))
	require.ErrorContains(t, r.Marked(t.Context(), theirs), "has records already", "another database than the one that was empty")
	other.Paths = newScratch(t).paths
	for range 2 {
		require.ErrorContains(t, other.Marked(t.Context(), database), "has records already")
	}
	m, err = ReadMark(other.Paths)
	require.NoError(t, err)
	assert.Empty(t, m.Records)
}

// What is wrong with a backup is found before anything is written, and what
// goes wrong while one is written leaves nothing behind.
func TestBackupsThatFail(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	s := newScratch(t)
	place := backup.Folder{Path: t.TempDir()}
	_, err = s.maker(id.Recipient()).Make(t.Context(), place, "")
	require.ErrorContains(t, err, "no platform on this host")
	s.fill(t)
	away := NodeVolume{Claim: "hello_data", Path: "/var/lib/rancher/k3s/storage/hello_data", Node: "other"}
	_, err = s.maker(id.Recipient(), away).Make(t.Context(), place, "")
	require.ErrorContains(t, err, "hello_data on node other")
	cancelled, cancel := context.WithCancel(t.Context())
	k := s.maker(id.Recipient())
	k.Note = func(string) { cancel() } // in the middle
	_, err = k.Make(cancelled, place, "")
	require.ErrorIs(t, err, context.Canceled)
	left, err := os.ReadDir(place.Path)
	require.NoError(t, err)
	assert.Empty(t, left)

	k = s.maker(id.Recipient(), away)
	k.Partial = true
	done, err := k.Make(t.Context(), place, "one")
	require.NoError(t, err)
	assert.Equal(t, []string{"hello_data (node other)"}, done.Manifest.Elsewhere)
	whole, err := os.ReadFile(filepath.Join(place.Path, "one"))
	require.NoError(t, err)
	changed := bytes.Clone(whole)
	changed[len(changed)/2] ^= 1
	for name, data := range map[string][]byte{"cut": whole[:len(whole)/2], "changed": changed} {
		require.NoError(t, os.WriteFile(filepath.Join(place.Path, name), data, 0o600))
		_, err := File{Place: place, Name: name, Identities: []age.Identity{id}}.Verify(t.Context(), func(string) {})
		require.ErrorContains(t, err, "damaged or cut short", name)
	}
}

// The files in testdata were made by earlier versions and are never made again.
func TestFrozenBackups(t *testing.T) {
	const dir = "../../../bootstrap/backup/testdata/frozen"
	ids, err := backup.LoadIdentities(filepath.Join(dir, "key"))
	require.NoError(t, err)
	if os.Getenv("SLIPWAY_FREEZE") != "" {
		s := newScratch(t)
		s.fill(t)
		own, ok := ids[0].(*age.X25519Identity)
		require.True(t, ok)
		_, err := s.maker(own.Recipient()).Make(t.Context(), backup.Folder{Path: dir}, fmt.Sprintf("format-%d-%s.backup", backup.Format, time.Now().Format("20060102")))
		require.NoError(t, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.backup"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			f := File{Place: backup.Folder{Path: dir}, Name: filepath.Base(file), Identities: ids}
			d, err := Driller{Scratch: t.TempDir(), Note: func(string) {}}.Run(t.Context(), f)
			require.NoError(t, err)
			assert.Equal(t, []string{"hello"}, d.Manifest.Apps)
			to := newScratch(t)
			r := &Restorer{File: f, Verified: d.Verified, Paths: to.paths, Note: func(string) {}}
			require.NoError(t, r.Data(t.Context(), DatabaseLocation(to.settings, to.paths)))
			db, err := store.Open(t.Context(), DatabaseLocation(to.settings, to.paths), d.Documents[DocumentKey])
			require.NoError(t, err)
			defer db.Close()
			release, err := db.LatestRelease(t.Context(), "hello", control.ReleaseQuery{})
			require.NoError(t, err)
			assert.Equal(t, 2, release.Version)
			picture, err := backuptest.Picture(filepath.Join(to.paths.Volumes, "hello_data"))
			require.NoError(t, err)
			assert.Contains(t, fmt.Sprint(picture), `"no\xff\xfeutf8" -rw-r-----`)
		})
	}
}
