package store_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/store"
)

// frozenKey is the key that the frozen databases were made with: 0, 1, 2, …
func frozenKey() []byte {
	key := make([]byte, store.KeySize)
	for i := range key {
		key[i] = byte(i)
	}
	return key
}

// thaw unpacks a frozen database.
func thaw(t *testing.T, name string) string {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	r, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "slipway.db")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// TestFrozen opens a database as the program of commit f541f16 left it: two
// apps, config with a secret, a domain, a volume, a key. It was written by that
// program's own verbs and is not to be made anew: every later program has to
// read it.
func TestFrozen(t *testing.T) {
	path := thaw(t, "frozen-f541f16.db.gz")
	s, err := store.Open(t.Context(), path, frozenKey())
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()

	user, hash, err := s.FindUser(t.Context(), "ada")
	require.NoError(t, err)
	require.True(t, user.IsSuperuser)
	require.NotEmpty(t, hash)
	tokens, _, err := s.ListTokens(t.Context(), "ada", control.Page{})
	require.NoError(t, err)
	require.Len(t, tokens, 1)

	app, err := s.FindApp(t.Context(), "market")
	require.NoError(t, err)
	require.Equal(t, map[string]int{"web": 2}, app.Structure)
	release, err := s.FindRelease(t.Context(), "market", 0)
	require.NoError(t, err)
	require.Equal(t, platform.ReleaseSucceeded, release.State)
	config, err := s.FindConfig(t.Context(), release.Config)
	require.NoError(t, err)
	values := map[string]string{}
	for _, v := range config.Values {
		values[v.Name] = v.Value
	}
	require.Equal(t, "moin", values["GREETING"])
	require.Equal(t, "hunter2", values["PASSWORD"], "what is sealed opens")
	domain, err := s.FindDomain(t.Context(), "market.example.com")
	require.NoError(t, err)
	require.Equal(t, "market", domain.App)
	_, err = s.FindApp(t.Context(), "journal")
	require.NoError(t, err)
}
