package backup_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/backup"
	"github.com/slipway-paas/slipway/bootstrap/backup/backuptest"
)

func TestTreesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	from, to := filepath.Join(t.TempDir(), "data"), t.TempDir()
	require.NoError(t, os.Mkdir(from, 0o751))
	require.NoError(t, backuptest.Make(from))
	id := newKey(t)
	data := write(t, id.Recipient(), backup.Tree{Name: "volumes/hello_data", Path: from}, backup.Tree{Name: "git", Path: "/nowhere/at/all"})
	assert.Less(t, len(data), 1<<20, "holes take no room")
	assert.Empty(t, extract(t, data, id, to))
	assert.Equal(t, must(backuptest.Picture(from)), must(backuptest.Picture(filepath.Join(to, "volumes/hello_data"))))
	r, err := readAll(bytes.NewReader(data), id)
	require.NoError(t, err)
	want := testManifest()
	want.Format = backup.Format
	assert.Equal(t, want, r.Manifest)
	assert.Contains(t, r.Trailer.Sections, "volumes/hello_data")
	assert.EqualValues(t, 3, r.Trailer.Sections["database"].Entries, "cut into pieces")
}

// Whatever is missing from the end, the whole is refused.
func TestCutShort(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	require.NoError(t, backuptest.Make(from))
	id := newKey(t)
	data := write(t, id.Recipient(), backup.Tree{Name: "git", Path: from})
	_, err := readAll(bytes.NewReader(data), id)
	require.NoError(t, err)
	for at := 0; at < len(data); at += 1 + at/200 {
		_, err := readAll(bytes.NewReader(data[:at]), id)
		require.Error(t, err, "cut at %d of %d", at, len(data))
	}
	_, err = readAll(bytes.NewReader(data[:len(data)-1]), id)
	var damaged *backup.Damaged
	require.ErrorAs(t, err, &damaged)
	_, err = readAll(bytes.NewReader(append(bytes.Clone(data), 0)), id)
	require.ErrorAs(t, err, &damaged, "a byte more")
	_, err = readAll(bytes.NewReader(append(bytes.Clone(data), data...)), id)
	require.ErrorAs(t, err, &damaged, "another one behind it")
}

// Whatever single byte is changed, the whole is refused.
func TestChangedBytes(t *testing.T) {
	t.Parallel()
	id := newKey(t)
	data := write(t, id.Recipient())
	for at := 0; at < len(data); at += 1 + at/300 {
		for _, bit := range []byte{1, 0x80} {
			changed := bytes.Clone(data)
			changed[at] ^= bit
			_, err := readAll(bytes.NewReader(changed), id)
			require.Error(t, err, "byte %d of %d", at, len(data))
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	private, recipient, err := backup.NewKey()
	require.NoError(t, err)
	file := filepath.Join(dir, "key")
	require.NoError(t, os.WriteFile(file, []byte("# a comment\n"+private+"\n"), 0o600))
	to, err := backup.ParseRecipients("# me\n" + recipient + ",")
	require.NoError(t, err)
	require.Len(t, to, 1)
	ids, err := backup.LoadIdentities(file)
	require.NoError(t, err)
	data := write(t, to[0])
	_, err = readAll(bytes.NewReader(data), ids...)
	require.NoError(t, err)

	_, err = readAll(bytes.NewReader(data), newKey(t))
	require.ErrorIs(t, err, backup.ErrNoKey)
	_, err = backup.NewWriter(io.Discard, backup.WriterOptions{Manifest: testManifest()})
	require.ErrorContains(t, err, "nobody could read it")
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	_, err := backup.Passphrase("short")
	require.ErrorContains(t, err, "fewer than 10")
	to, err := backup.Passphrase("correct horse battery")
	require.NoError(t, err)
	to.(*age.ScryptRecipient).SetWorkFactor(10) // quick, for the test
	data := write(t, to)
	good, err := backup.PassphraseIdentity("correct horse battery")
	require.NoError(t, err)
	_, err = readAll(bytes.NewReader(data), good)
	require.NoError(t, err)
	bad, err := backup.PassphraseIdentity("correct horse batterx")
	require.NoError(t, err)
	_, err = readAll(bytes.NewReader(data), bad)
	require.ErrorIs(t, err, backup.ErrNoKey)
}

// Errors about recipients repeat no secret.
func TestRecipientErrors(t *testing.T) {
	t.Parallel()
	private, _, err := backup.NewKey()
	require.NoError(t, err)
	for text, want := range map[string]string{
		private: "private key", "age1nonsense": "no public key of age", "ssh-rsa AAAA": "no public key of SSH", "bob": "slipway backup key",
	} {
		_, err := backup.ParseRecipient(text)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), private)
	}
}

func TestHeaderIsReadWithoutKey(t *testing.T) {
	t.Parallel()
	data := write(t, newKey(t).Recipient())
	h, err := backup.ReadHeader(bufio.NewReader(bytes.NewReader(data)))
	require.NoError(t, err)
	assert.Equal(t, testHeader(), h)
	for name, tc := range map[string]struct {
		text string
		want string
	}{
		"empty":  {"", "no backup"},
		"other":  {"PK\x03\x04", "no backup"},
		"newer":  {strings.Replace(string(data), "slipway-backup 1", "slipway-backup 9", 1), "use a newer one"},
		"broken": {"slipway-backup 1\n{\n", "header is damaged"},
		"zeros":  {"slipway-backup 1\n" + strings.Repeat("x", 1<<20), "does not end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := backup.ReadHeader(bufio.NewReader(strings.NewReader(tc.text)))
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// A backup that somebody else wrote for our key does not lead out of its folder.
func TestExtractStaysInside(t *testing.T) {
	t.Parallel()
	outside, to := t.TempDir(), t.TempDir()
	from := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(from, "a"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(from, "a", "file"), []byte("evil"), 0o600))
	id := newKey(t)
	data := write(t, id.Recipient(), backup.Tree{Name: "git", Path: from})
	require.NoError(t, os.MkdirAll(filepath.Join(to, "git"), 0o700))
	require.NoError(t, os.Symlink(outside, filepath.Join(to, "git", "a")), "as an entry before it could have made")

	r, err := backup.NewReader(bytes.NewReader(data), id)
	require.NoError(t, err)
	defer r.Close()
	x := &backup.Extractor{Place: func(s string) (string, bool) { return filepath.Join(to, s), s == "git" }}
	for {
		e, err := r.Next()
		require.False(t, errors.Is(err, io.EOF), "it was let through")
		require.NoError(t, err)
		if _, err = x.Put(e); err != nil {
			break
		}
	}
	left, err := os.ReadDir(outside)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "for it")
	place, name, err := backup.Split(filepath.Join(dir, "one.backup"), backup.S3Options{})
	require.NoError(t, err)
	require.Equal(t, "one.backup", name)
	sink, err := place.Create(t.Context(), name, 0)
	require.NoError(t, err)
	_, err = sink.Write(write(t, newKey(t).Recipient()))
	require.NoError(t, err)
	assert.Empty(t, must(place.List(t.Context())), "not there before it is whole")
	require.NoError(t, sink.Commit())
	require.NoError(t, sink.Abort(), "no effect")
	_, err = place.Create(t.Context(), name, 0)
	require.ErrorContains(t, err, "nothing is overwritten")

	other, err := place.Create(t.Context(), "two.backup", 0)
	require.NoError(t, err)
	require.NoError(t, other.Abort())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.backup"), []byte("mine"), 0o600))
	kept, err := backup.ListKept(t.Context(), place)
	require.NoError(t, err)
	require.Len(t, kept, 1)
	assert.Equal(t, testHeader(), kept[0].Header)
}

// What appears under the name while a backup is written stays.
func TestFolderNeverOverwrites(t *testing.T) {
	t.Parallel()
	place := backup.Folder{Path: t.TempDir()}
	sink, err := place.Create(t.Context(), "one", 0)
	require.NoError(t, err)
	_, err = place.Create(t.Context(), "one", 0)
	require.ErrorContains(t, err, "another run writes it just now")
	path := filepath.Join(place.Path, "one")
	require.NoError(t, os.WriteFile(path, []byte("somebody's"), 0o600))
	require.ErrorIs(t, sink.Commit(), os.ErrExist)
	require.NoError(t, sink.Abort(), "no effect")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "somebody's", string(data))
	assert.NoFileExists(t, path+".part")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Only this installation's own backups are removed, whatever they are called.
func TestPrune(t *testing.T) {
	t.Parallel()
	place := backup.Folder{Path: t.TempDir()}
	to := newKey(t).Recipient()
	put := func(name, platform string, day int) {
		m := testManifest()
		m.Header.Platform, m.Header.Created = platform, m.Header.Created.AddDate(0, 0, day)
		sink, err := place.Create(context.Background(), name, 0)
		require.NoError(t, err)
		w, err := backup.NewWriter(sink, backup.WriterOptions{Manifest: m, Recipients: []age.Recipient{to}})
		require.NoError(t, err)
		_, err = w.Close()
		require.NoError(t, err)
		require.NoError(t, sink.Commit())
	}
	put("slipway-1", "p1", 0)
	put("anything", "p1", 1)
	put("slipway-3", "p1", 2)
	put("slipway-other", "p2", 0)
	for name, content := range map[string]string{"ours": `{"id":"1","platform":"p1"}`, "theirs": `{"id":"1","platform":"p2"}`, "other": "x"} {
		require.NoError(t, os.WriteFile(filepath.Join(place.Path, name+".part"), []byte("slipway-backup 1\n"+content+"\n"), 0o600))
	}
	running, err := place.Create(t.Context(), "running", 0)
	require.NoError(t, err)
	_, err = running.Write([]byte("slipway-backup 1\n{\"id\":\"1\",\"platform\":\"p1\"}\n"))
	require.NoError(t, err)
	_, err = place.Create(t.Context(), "running", 0)
	require.ErrorContains(t, err, "another run")
	require.NoError(t, os.WriteFile(filepath.Join(place.Path, "slipway-20200101-000000-aaaaaaaa.backup"), []byte("not made by us"), 0o600))
	keep, err := backup.ParseKeep("1")
	require.NoError(t, err)
	removed, err := backup.Prune(t.Context(), place, "p1", keep)
	require.NoError(t, err)
	assert.Equal(t, []string{"anything", "slipway-1"}, removed)
	var left []string
	for _, o := range must(place.List(t.Context())) {
		left = append(left, o.Name)
	}
	assert.Equal(t, []string{"slipway-20200101-000000-aaaaaaaa.backup", "slipway-3", "slipway-other"}, left)
	parts := must(filepath.Glob(filepath.Join(place.Path, "*.part")))
	for i := range parts {
		parts[i] = filepath.Base(parts[i])
	}
	assert.Equal(t, []string{"other.part", "running.part", "theirs.part"}, parts)
	require.NoError(t, running.Abort())
}

func TestKeep(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 3, 31, 3, 0, 0, 0, time.UTC).AddDate(0, 0, -n) }
	var daily []time.Time // the newest first, three in a day on the first
	daily = append(daily, day(0), day(0).Add(-time.Hour), day(0).Add(-2*time.Hour))
	for n := 1; n < 100; n++ {
		daily = append(daily, day(n))
	}
	for _, tc := range []struct {
		keep string
		left int
	}{{"", len(daily)}, {"1", 1}, {"5", 5}, {"7d", 7}, {"3,7d", 9}, {"4w", 4}, {"2m", 2}, {"9y", 2}, {"1000d", 100}} {
		t.Run(tc.keep, func(t *testing.T) {
			t.Parallel()
			k, err := backup.ParseKeep(tc.keep)
			require.NoError(t, err)
			expired := k.Expired(daily)
			assert.Equal(t, tc.left, len(daily)-len(expired))
			assert.NotContains(t, expired, 0, "the newest stays")
		})
	}
	for _, bad := range []string{"x", "0", "7h", "-1d", "7d 4w"} {
		_, err := backup.ParseKeep(bad)
		require.Error(t, err, bad)
	}
}

// An SSH key that is there anyway does, too. The one in testdata opens nothing
// else.
func TestSSHKey(t *testing.T) {
	t.Parallel()
	public, err := os.ReadFile("testdata/ssh_key.pub")
	require.NoError(t, err)
	to, err := backup.ParseRecipients(string(public))
	require.NoError(t, err)
	ids, err := backup.LoadIdentities("testdata/ssh_key")
	require.NoError(t, err)
	_, err = readAll(bytes.NewReader(write(t, to[0])), ids...)
	require.NoError(t, err)
	_, err = backup.LoadIdentities("testdata/ssh_key.pub")
	require.ErrorContains(t, err, "no private key of age or SSH")
}

func TestRegistryPicksWhatImagesNeed(t *testing.T) {
	t.Parallel()
	volume := t.TempDir()
	root := filepath.Join(volume, "docker/registry/v2")
	put := func(path, text string) {
		full := filepath.Join(root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(text), 0o644))
	}
	digest := func(c string) string { return "sha256:" + strings.Repeat(c, 64) }
	blob := func(c, text string) {
		put("blobs/sha256/"+c+c+"/"+strings.Repeat(c, 64)+"/data", text)
	}
	tag := func(repository, tag, c string) {
		put("repositories/"+repository+"/_manifests/tags/"+tag+"/current/link", digest(c))
	}
	blob("a", `{"config":{"digest":"`+digest("1")+`"},"layers":[{"digest":"`+digest("2")+`"}]}`)
	blob("b", `{"manifests":[{"digest":"`+digest("a")+`"},{"digest":"`+digest("e")+`"}]}`)
	blob("c", `{"config":{"digest":"`+digest("3")+`"},"layers":[{"digest":"`+digest("9")+`"}]}`)
	for _, c := range []string{"1", "2", "3", "4"} {
		blob(c, c)
	}
	tag("web", "v1", "b")
	tag("web", "old", "4")
	tag("half", "latest", "c")
	include, missing, err := backup.Registry(volume, []backup.Image{
		{Repository: "web", Tag: "v1"}, {Repository: "half"}, {Repository: "gone", Tag: "v1"},
		{Repository: "web", Digest: digest("a")}, {Repository: "../../../../etc", Digest: digest("f")},
	})
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 4}, missing)
	var picked []string
	require.NoError(t, filepath.WalkDir(volume, func(path string, d os.DirEntry, err error) error {
		rel, _ := filepath.Rel(volume, path)
		if err == nil && !d.IsDir() && include(rel) {
			picked = append(picked, strings.TrimPrefix(rel, "docker/registry/v2/"))
		}
		return err
	}))
	path := func(c string) string { return "blobs/sha256/" + c + c + "/" + strings.Repeat(c, 64) + "/data" }
	assert.Equal(t, []string{path("1"), path("2"), path("a"), path("b"), "repositories/web/_manifests/tags/v1/current/link"}, picked)
	assert.True(t, include("docker/registry/v2/blobs"), "folders on the way")
	assert.False(t, include("docker/registry/v2/repositories/half"))
}
