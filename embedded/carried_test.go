//go:build payload

package embedded

import (
	"os"
	"os/exec"
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
	// Git starts itself by name for most of what it does.
	git := Git(dest.Bin, "-C", t.TempDir(), "init", "--bare", "repo")
	cmd := exec.Cmd{Path: git.Path, Args: git.Args, Env: git.Env}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.Command(filepath.Join(dest.Bin, "git", "core", "git"), "version").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "git version 2.")
	for _, name := range IPTablesNames() {
		require.FileExists(t, IPTables(dest.Bin, name).Path)
	}
}
