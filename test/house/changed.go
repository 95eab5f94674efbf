package house

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Another is a copy of a program that differs in a comment of a chart: what a
// new build of the same version is.
func Another(t *testing.T, program string) string {
	t.Helper()
	return Changed(t, program, "# Every HTTP and gRPC route of the platform", "# EVERY HTTP and gRPC route of the platform")
}

// Changed is a copy of a program with one text in it replaced. Charts are
// embedded as they are, so that another text of the same length can be put in
// the place of one of theirs.
func Changed(t *testing.T, program, old, replacement string) string {
	t.Helper()
	require.Len(t, replacement, len(old))
	data, err := os.ReadFile(program)
	require.NoError(t, err)
	require.Equal(t, 1, bytes.Count(data, []byte(old)), "%q is in the program once", old)
	path := filepath.Join(t.TempDir(), "slipway")
	require.NoError(t, os.WriteFile(path, bytes.Replace(data, []byte(old), []byte(replacement), 1), 0o755))
	return path
}
