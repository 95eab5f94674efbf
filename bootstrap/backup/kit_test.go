package backup_test

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/backup"
)

// testHeader is of no real installation.
func testHeader() backup.Header {
	return backup.Header{ID: "0123456789abcdef", Platform: "p1", Version: "v0.0.0-test",
		Created: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func testManifest() backup.Manifest {
	return backup.Manifest{Header: testHeader(), Domain: "old.example.test", Node: "a", Database: "sqlite", Apps: []string{"hello"}}
}

func newKey(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	return id
}

// write makes a backup of trees with some documents before them.
func write(t *testing.T, to age.Recipient, trees ...backup.Tree) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := backup.NewWriter(&out, backup.WriterOptions{Manifest: testManifest(), Recipients: []age.Recipient{to}})
	require.NoError(t, err)
	require.NoError(t, w.Bytes("settings/config.yaml", []byte("domain: old.example.test\n")))
	s := w.Stream("database")
	_, err = s.Write(bytes.Repeat([]byte("0123456789abcdef"), 600<<10))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	for _, tree := range trees {
		_, err := w.Tree(t.Context(), tree)
		require.NoError(t, err)
	}
	_, err = w.Close()
	require.NoError(t, err)
	return out.Bytes()
}

// readAll reads a backup to its end, as verifying does.
func readAll(data io.Reader, ids ...age.Identity) (*backup.Reader, error) {
	r, err := backup.NewReader(data, ids...)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return r, nil
		} else if err != nil {
			return r, err
		}
	}
}

// extract makes the sections below dir, each under its own name.
func extract(t *testing.T, data []byte, id age.Identity, dir string) []string {
	t.Helper()
	r, err := backup.NewReader(bytes.NewReader(data), id)
	require.NoError(t, err)
	defer r.Close()
	x := &backup.Extractor{Place: func(section string) (string, bool) {
		return filepath.Join(dir, section), section != "settings" && section != "database"
	}}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		_, err = x.Put(e)
		require.NoError(t, err)
	}
	require.NoError(t, x.Close())
	return x.Warnings
}
