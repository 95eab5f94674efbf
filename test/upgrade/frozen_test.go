//go:build e2e

package upgrade

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/slipway-paas/slipway/test/house"
)

// The older version is kept as its source, see testdata/README.md. Its version
// is below every one that "git describe" makes of this repository.
const (
	frozenSource  = "testdata/frozen-f541f16.tar.xz"
	frozenVersion = "v0.0.9"
)

// frozen is the older version's binary. It is built once, which takes a few
// minutes, and kept in the user's cache under a name that follows from its
// source and the compiler. SLIPWAY_FROM names another older binary to use.
func frozen(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("SLIPWAY_FROM"); path != "" {
		return path
	}
	source, err := os.ReadFile(frozenSource)
	require.NoError(t, err)
	want, err := os.ReadFile(frozenSource + ".sha256")
	require.NoError(t, err)
	sum := sha256.Sum256(source)
	require.Equal(t, string(bytes.Fields(want)[0]), hex.EncodeToString(sum[:]), "%s is not what was frozen", frozenSource)

	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	name := sha256.Sum256(fmt.Appendf(sum[:], "%s %s %s", frozenVersion, runtime.Version(), runtime.GOARCH))
	dir := filepath.Join(cache, "slipway", "frozen-"+hex.EncodeToString(name[:8]))
	require.NoError(t, os.MkdirAll(dir, 0o755))
	unlock := lockFolder(t, dir)
	defer unlock()
	program := filepath.Join(dir, "slipway")
	if _, err := os.Stat(program); err != nil {
		build(t, source, dir, program)
	}
	return program
}

func lockFolder(t *testing.T, dir string) func() {
	t.Helper()
	f, err := os.Open(dir)
	require.NoError(t, err)
	require.NoError(t, unix.Flock(int(f.Fd()), unix.LOCK_EX))
	return func() { require.NoError(t, f.Close()) }
}

// build unpacks the source below dir, makes it, and leaves only the program.
func build(t *testing.T, source []byte, dir, program string) {
	t.Helper()
	tree := filepath.Join(dir, "source")
	require.NoError(t, os.RemoveAll(tree))
	require.NoError(t, os.MkdirAll(tree, 0o755))
	unpack := exec.CommandContext(t.Context(), "tar", "-xJC", tree)
	unpack.Stdin = bytes.NewReader(source)
	out, err := unpack.CombinedOutput()
	require.NoError(t, err, "%s", out)
	compile := exec.CommandContext(t.Context(), "make", "-C", tree, "build", "VERSION="+frozenVersion, "BUILT=")
	out, err = compile.CombinedOutput()
	require.NoError(t, err, "build the frozen version: %s", out[max(0, len(out)-4000):])
	require.NoError(t, os.Rename(filepath.Join(tree, "bin/slipway"), program))
	require.NoError(t, os.RemoveAll(tree))
}

// broken is a copy of a binary whose chart of the registry names an image that
// does not exist. The chart is embedded as it is, so that a word of the same
// length can be put in its place.
func broken(t *testing.T, program string) string {
	t.Helper()
	return house.Changed(t, program, "{repository: slipway.internal/registry,", "{repository: slipway.internal/regiztry,")
}
