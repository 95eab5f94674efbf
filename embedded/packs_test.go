package embedded

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPacks: the layout is read in place, each file as often as one likes.
func TestPacks(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, m := range [][2]string{{"images/pause.tar", "zzz"}, {"packs/blobs/sha256/ab", "layer"}, {"packs/index.json", "{}"}} {
		require.NoError(t, archive.WriteHeader(&tar.Header{Name: m[0], Mode: 0o644, Size: int64(len(m[1]))}))
		_, err := archive.Write([]byte(m[1]))
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, PayloadFile), out.Bytes(), 0o600))

	packs, err := PacksFS(os.DirFS(dir))
	require.NoError(t, err)
	for range 2 {
		raw, err := fs.ReadFile(packs, "index.json")
		require.NoError(t, err)
		require.Equal(t, "{}", string(raw))
	}
	raw, err := fs.ReadFile(packs, "blobs/sha256/ab")
	require.NoError(t, err)
	require.Equal(t, "layer", string(raw))
	_, err = packs.Open("pause.tar")
	require.ErrorIs(t, err, fs.ErrNotExist)

	require.NoError(t, os.WriteFile(filepath.Join(dir, PayloadFile), []byte("no tar"), 0o600))
	_, err = PacksFS(os.DirFS(dir))
	require.ErrorIs(t, err, ErrCorrupt)
}
