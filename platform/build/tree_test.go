package build

import (
	"archive/tar"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

func TestHostileTrees(t *testing.T) {
	t.Parallel()
	file := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644} }
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
	}
	many := make([]tar.Header, 0, 20)
	for i := range 20 {
		many = append(many, file(fmt.Sprint("f", i)))
	}
	for _, tt := range []struct {
		name    string
		headers []tar.Header
		want    string
	}{
		{"absolute path", []tar.Header{file("/etc/passwd")}, `absolute path "/etc/passwd"`},
		{"path out", []tar.Header{file("../x")}, `"../x", which leads out`},
		{"path out and in", []tar.Header{file("a/../../x")}, "leads out"},
		{"link out", []tar.Header{link("a/l", "../../etc")}, `link "a/l" leads out`},
		{"absolute link", []tar.Header{link("l", "/etc/passwd")}, "leads out"},
		{"file below a link", []tar.Header{link("l", "dir"), file("l/x")}, `"l/x" below "l", which is no folder`},
		{"file below a file", []tar.Header{file("f"), file("f/x")}, "which is no folder"},
		{"hard link", []tar.Header{{Name: "h", Typeflag: tar.TypeLink, Linkname: "/etc/shadow"}}, "hard link"},
		{"device", []tar.Header{{Name: "d", Typeflag: tar.TypeBlock, Devmajor: 8}}, "device or pipe"},
		{"pipe", []tar.Header{{Name: "p", Typeflag: tar.TypeFifo}}, "device or pipe"},
		{"twice", []tar.Header{file("f"), file("f")}, `"f" twice`},
		{"a file that becomes a link", []tar.Header{file("f"), link("f", "g")}, "twice"},
		{"too many", many, "more than 10 files"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := MakePlan(opener(t, tt.headers, nil), nil, Limits{Files: 10, Bytes: 100})
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, platform.Invalid, platform.CodeOf(err))
		})
	}
}

func TestTreeTooLarge(t *testing.T) {
	t.Parallel()
	_, err := MakePlan(tarOf(t, map[string]string{"f": strings.Repeat("x", 3<<20)}), nil, Limits{Bytes: 2 << 20})
	require.ErrorContains(t, err, "larger than 2 MiB")
	_, err = MakePlan(tarOf(t, map[string]string{"Procfile": strings.Repeat("x", 2<<20)}), nil, Limits{})
	require.ErrorContains(t, err, `"Procfile" is longer than 1 MiB`)
}

func TestBrokenTar(t *testing.T) {
	t.Parallel()
	open := func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(strings.Repeat("no tar", 200))), nil
	}
	_, err := MakePlan(open, nil, Limits{})
	require.ErrorContains(t, err, "can't be read")
	require.Equal(t, platform.Invalid, platform.CodeOf(err))
}

// What git writes beside files, and links that stay inside.
func TestHonestTrees(t *testing.T) {
	t.Parallel()
	headers := []tar.Header{
		{Name: "pax_global_header", Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "0123"}},
		{Name: "docker/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "docker/file", Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(anyDockerfile))},
		{Name: "Dockerfile", Typeflag: tar.TypeSymlink, Linkname: "docker/file"},
		{Name: "docker/up", Typeflag: tar.TypeSymlink, Linkname: "../docker"},
		{Name: "loop", Typeflag: tar.TypeSymlink, Linkname: "loop"},
	}
	p, err := MakePlan(opener(t, headers, []string{"", "", anyDockerfile}), nil, Limits{})
	require.NoError(t, err)
	assert.Equal(t, anyDockerfile, p.Dockerfile)
}
