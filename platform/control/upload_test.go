package control_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// tarOf is a tree of files, all written at a moment.
func tarOf(t *testing.T, at time.Time, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		name, text, _ := strings.Cut(f, "=")
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644, ModTime: at}))
		_, err := io.WriteString(w, text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func zipped(t *testing.T, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(plain)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestUploadSource(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	y := newYard(t, func(o *control.Options) { o.Builds.Folder = folder })
	tree := tarOf(t, time.Unix(1, 0), "Dockerfile=FROM base")
	var seen []byte
	y.builder.Refuse(func(order control.BuildOrder) (err error) {
		seen, err = os.ReadFile(order.Tar)
		return err
	})
	for _, body := range [][]byte{tree, zipped(t, tree), tarOf(t, time.Unix(2, 0), "Dockerfile=FROM base"), tarOf(t, time.Unix(1, 0), "Dockerfile=FROM else")} {
		run, err := y.UploadSource(t.Context(), y.alice, app, bytes.NewReader(body))
		require.NoError(t, err)
		require.Equal(t, platform.OriginUpload, run.Origin)
		y.settle()
		require.Equal(t, platform.BuildSucceeded, y.runs()[0].State)
	}
	runs := y.runs()
	require.Len(t, runs[0].SHA, 40)
	require.Equal(t, runs[3].SHA, runs[2].SHA)
	require.Equal(t, runs[3].SHA, runs[1].SHA, "times do not count")
	require.NotEqual(t, runs[3].SHA, runs[0].SHA)
	require.Equal(t, tarOf(t, time.Unix(1, 0), "Dockerfile=FROM else"), seen, "plain, however it came")
	killed := filepath.Join(folder, "slipway-source-1.tar") // left by a process that was killed
	require.NoError(t, os.WriteFile(killed, tree, 0o600))
	y.stop()
	y.renew(func(o *control.Options) { o.Builds.Folder = folder })
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, left)
	require.Equal(t, 5, y.release(0).Version)
}

func TestRefusedUploads(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	y := newYard(t, func(o *control.Options) { o.Builds.Folder, o.Builds.MaxSource = folder, 1<<20 })
	tree := tarOf(t, time.Unix(1, 0), "a="+strings.Repeat("x", 600))
	for name, tc := range map[string]struct {
		body io.Reader
		code platform.Code
		says string
	}{
		"text":      {strings.NewReader(strings.Repeat("no tar ", 500)), platform.Invalid, "This is no tar file"},
		"nothing":   {strings.NewReader(""), platform.Invalid, "empty"},
		"no files":  {bytes.NewReader(tarOf(t, time.Unix(1, 0))), platform.Invalid, "empty"},
		"cut off":   {bytes.NewReader(tree[:700]), platform.Invalid, "cut off"},
		"cut gzip":  {bytes.NewReader(zipped(t, tree)[:40]), platform.Invalid, "tar file"},
		"too large": {bytes.NewReader(tarOf(t, time.Unix(1, 0), "a="+strings.Repeat("x", 1<<20))), platform.Invalid, "more than 1 MB"},
		"gzip bomb": {bytes.NewReader(zipped(t, tarOf(t, time.Unix(1, 0), "a="+strings.Repeat("x", 1<<20)))), platform.Invalid, "more than 1 MB"},
		"hung up":   {iotest.ErrReader(errors.New("connection reset")), platform.Internal, ""},
	} {
		_, err := y.UploadSource(t.Context(), y.alice, app, tc.body)
		require.Equal(t, tc.code, platform.CodeOf(err), name)
		require.ErrorContains(t, err, tc.says, name)
	}
	_, err := y.UploadSource(t.Context(), y.bobby, app, iotest.ErrReader(errors.New("was read")))
	fails(t, err, platform.Forbidden, "")
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, left)
	require.Empty(t, y.runs())
}

func TestParseBuilds(t *testing.T) {
	t.Parallel()
	settings := map[string]string{}
	get := func(name string) string { return settings[name] }
	o, err := control.ParseBuilds(get)
	require.NoError(t, err)
	require.Equal(t, control.BuildOptions{}, o)
	for i, name := range control.BuildNames() {
		settings[name] = []string{"2", "60", "7", "3"}[i]
	}
	o, err = control.ParseBuilds(get)
	require.NoError(t, err)
	require.Equal(t, control.BuildOptions{AtOnce: 2, Timeout: time.Minute, Runs: 7, MaxSource: 3 << 20}, o)
	settings["SLIPWAY_BUILD_TIMEOUT"] = "soon"
	_, err = control.ParseBuilds(get)
	require.ErrorContains(t, err, "SLIPWAY_BUILD_TIMEOUT")
}
