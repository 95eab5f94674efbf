//go:build payload

package embedded

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The payload of this build stages whole and runs from where it was staged.
func TestCarriedPayload(t *testing.T) {
	require.True(t, Available())
	m, err := Load()
	require.NoError(t, err)
	dest := newDest(t)
	require.NoError(t, Stage(t.Context(), dest, nil))
	for _, image := range m.Images {
		require.FileExists(t, filepath.Join(dest.Images, "slipway-"+image.Name+".tar"))
	}
	for _, binary := range m.Binaries {
		info, err := os.Stat(filepath.Join(dest.Bin, binary.Name))
		require.NoError(t, err)
		require.NotZero(t, info.Mode()&0o111, binary.Name)
		require.Equal(t, binary.Tree, info.IsDir(), binary.Name)
	}
	for _, name := range IPTablesNames() {
		require.FileExists(t, IPTables(dest.Bin, name).Path)
	}
}
