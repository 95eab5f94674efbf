package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/embedded"
)

// readTar gives the members of a tar with their contents.
func readTar(t *testing.T, r io.Reader) (headers []*tar.Header, contents map[string][]byte) {
	t.Helper()
	contents = map[string][]byte{}
	archive := tar.NewReader(r)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return headers, contents
		}
		require.NoError(t, err)
		raw, err := io.ReadAll(archive)
		require.NoError(t, err)
		headers = append(headers, header)
		contents[header.Name] = raw
	}
}

// sampleImage writes the image of a recipe with one program and gives its tar.
func sampleImage(t *testing.T, r recipe, debian string) ([]byte, string) {
	t.Helper()
	dir := t.TempDir()
	for _, p := range r.Programs {
		require.NoError(t, os.WriteFile(filepath.Join(dir, p.Out), []byte("program "+p.Out), 0o700))
	}
	files, err := imageFiles(r, dir, debian)
	require.NoError(t, err)
	in := inputs{Version: "v1.2.3", Source: "example.com/web@v1.2.3"}
	out := filepath.Join(dir, "image.tar")
	digest, err := writeImage(t.Context(), out, imageOptions{
		ref: "slipway.internal/web:v1.2.3", arch: "amd64", config: imageConfig(r, in), files: files,
	})
	require.NoError(t, err)
	raw, err := os.ReadFile(out)
	require.NoError(t, err)
	return raw, digest
}

func sampleRecipe() recipe {
	return recipe{
		Name: "web", Programs: []program{{"web", "."}},
		Image: &image{BindLow: true, Dirs: []dir{{"/data"}, {"/var/lib/web"}}, Ports: []int{80}, Environment: []string{"A=b"}},
	}
}

// What containerd's import reads, in the shape it wants.
func TestImageIsAnOCILayout(t *testing.T) {
	raw, digest := sampleImage(t, sampleRecipe(), "")
	_, members := readTar(t, bytes.NewReader(raw))
	require.JSONEq(t, `{"imageLayoutVersion":"1.0.0"}`, string(members["oci-layout"]))

	var index struct{ Manifests []descriptor }
	require.NoError(t, json.Unmarshal(members["index.json"], &index))
	require.Len(t, index.Manifests, 1)
	assert.Equal(t, digest, index.Manifests[0].Digest)
	assert.Equal(t, "slipway.internal/web:v1.2.3", index.Manifests[0].Annotations["io.containerd.image.name"])
	assert.Equal(t, "v1.2.3", index.Manifests[0].Annotations["org.opencontainers.image.ref.name"])

	blob := func(d descriptor) []byte {
		content := members[blobName(d)]
		require.Equal(t, d.Digest, digestOf(content))
		require.Equal(t, d.Size, int64(len(content)))
		return content
	}
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	require.NoError(t, json.Unmarshal(blob(index.Manifests[0]), &manifest))
	var config struct {
		Architecture, OS string
		Config           ociConfig
		RootFS           struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	require.NoError(t, json.Unmarshal(blob(manifest.Config), &config))
	assert.Equal(t, "65532:65532", config.Config.User)
	assert.Equal(t, []string{"/usr/bin/web"}, config.Config.Entrypoint)
	assert.Equal(t, []string{"PATH=/usr/bin:/bin", "A=b"}, config.Config.Env)
	assert.Contains(t, config.Config.ExposedPorts, "80/tcp")
	assert.Equal(t, "example.com/web@v1.2.3", config.Config.Labels["org.opencontainers.image.source"])

	require.Len(t, manifest.Layers, 1)
	assert.Equal(t, "application/vnd.oci.image.layer.v1.tar+zstd", manifest.Layers[0].MediaType)
	decoder, err := zstd.NewReader(bytes.NewReader(blob(manifest.Layers[0])), zstd.WithDecoderMaxWindow(8<<20))
	require.NoError(t, err)
	defer decoder.Close()
	layer, err := io.ReadAll(decoder)
	require.NoError(t, err)
	assert.Equal(t, []string{digestOf(layer)}, config.RootFS.DiffIDs)
}

func layerOf(t *testing.T, raw []byte) ([]*tar.Header, map[string][]byte) {
	t.Helper()
	_, members := readTar(t, bytes.NewReader(raw))
	for _, content := range members {
		if bytes.HasPrefix(content, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
			decoder, err := zstd.NewReader(bytes.NewReader(content))
			require.NoError(t, err)
			defer decoder.Close()
			return readTar(t, decoder)
		}
	}
	t.Fatal("the image has no zstd layer")
	return nil, nil
}

func TestLayer(t *testing.T) {
	raw, _ := sampleImage(t, sampleRecipe(), "")
	headers, contents := layerOf(t, raw)
	byName := map[string]*tar.Header{}
	last := ""
	for _, h := range headers {
		byName[h.Name] = h
		assert.Less(t, last, h.Name, "the order is not by name")
		assert.Zero(t, h.ModTime.Unix(), h.Name)
		assert.Empty(t, h.Uname+h.Gname, h.Name)
		last = h.Name
	}
	assert.Equal(t, int64(0o1777), byName["tmp/"].Mode)
	assert.Equal(t, nonRoot, byName["data/"].Uid)
	assert.Equal(t, nonRoot, byName["var/lib/web/"].Gid)
	assert.Zero(t, byName["var/lib/"].Uid)
	assert.Contains(t, string(contents["etc/passwd"]), "nonroot:x:65532:65532:")
	assert.Equal(t, "program web", string(contents["usr/bin/web"]))
	assert.Equal(t, int64(0o755), byName["usr/bin/web"].Mode)
	want := "\x01\x00\x00\x02" + "\x00\x04\x00\x00" + strings.Repeat("\x00", 12)
	assert.Equal(t, want, byName["usr/bin/web"].PAXRecords["SCHILY.xattr.security.capability"])
}

func TestImageTakesFromDebian(t *testing.T) {
	debian := t.TempDir()
	for name, content := range map[string]string{
		"bin/busybox": "box",
		"usr/share/ca-certificates/mozilla/B.crt": "b\n", "usr/share/ca-certificates/mozilla/A.crt": "a",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(debian, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(debian, name), []byte(content), 0o644))
	}
	r := recipe{Name: "web", Image: &image{Root: true, Busybox: "bin/busybox", Applets: []string{"ls", "sh"}, Certs: true}}
	raw, _ := sampleImage(t, r, debian)
	headers, contents := layerOf(t, raw)
	assert.Equal(t, "a\nb\n", string(contents["etc/ssl/certs/ca-certificates.crt"]))
	links := 0
	for _, h := range headers {
		if h.Typeflag == tar.TypeSymlink {
			links++
			assert.Equal(t, "busybox", h.Linkname)
		}
	}
	assert.Equal(t, 2, links)
	assert.Equal(t, "0:0", imageConfig(r, inputs{}).User)

	_, err := certificates(t.TempDir())
	require.ErrorIs(t, err, errNoInput)
}

func TestSameInputsSameBytes(t *testing.T) {
	first, firstDigest := sampleImage(t, sampleRecipe(), "")
	second, secondDigest := sampleImage(t, sampleRecipe(), "")
	assert.Equal(t, firstDigest, secondDigest)
	assert.True(t, bytes.Equal(first, second))
}

func TestTarRefusesTwins(t *testing.T) {
	twins := []file{{name: "a", data: []byte("1")}, {name: "a", data: []byte("2")}}
	require.ErrorContains(t, writeTar(t.Context(), io.Discard, twins), "a is there twice")
}

func TestPackIsWholeAndStable(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "payload")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "images"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "images/web.tar"), []byte("image"), 0o644))
	e := entry{Name: "web", dir: dir, Images: []embedded.Image{{Name: "web"}}}
	require.NoError(t, e.addMember(dir, "images/web.tar"))

	var log bytes.Buffer
	require.NoError(t, pack(t.Context(), out, "amd64", []entry{e}, &log))
	m, err := embedded.LoadFS(os.DirFS(out))
	require.NoError(t, err)
	require.Equal(t, "amd64", m.Arch)
	info, err := os.Stat(filepath.Join(out, embedded.PayloadFile))
	require.NoError(t, err)
	require.Equal(t, payloadSize(m), info.Size())
	dest := embedded.Dest{Images: t.TempDir()}
	require.NoError(t, embedded.StageFS(t.Context(), os.DirFS(out), dest, nil))

	require.NoError(t, pack(t.Context(), out, "amd64", []entry{e}, &log))
	require.Contains(t, log.String(), "up to date")
	again, err := os.Stat(filepath.Join(out, embedded.PayloadFile))
	require.NoError(t, err)
	require.True(t, os.SameFile(info, again), "an unchanged payload was written again")

	e.Members[0].SHA256 = strings.Repeat("0", 64)
	require.ErrorContains(t, pack(t.Context(), out, "amd64", []entry{e}, &log), "was changed in the cache")
	left, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Len(t, left, 1, "a payload without its manifest is not taken for whole")
}
