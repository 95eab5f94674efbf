package embedded

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// parts are the contents of a small payload.
type parts struct {
	images   map[string]string   // name to content of the tar
	binaries map[string]string   // name to content
	links    map[string][]string // of binaries
	trees    map[string][]tar.Header
}

func smallParts() parts {
	return parts{
		images: map[string]string{
			"coredns": strings.Repeat("dns", 400_000), // more than one chunk
			"pause":   "zzz",
		},
		binaries: map[string]string{"runc": strings.Repeat("run", 400_000), "cni": "cni"},
		links:    map[string][]string{"cni": {"bridge", "portmap"}},
		trees: map[string][]tar.Header{"iptables": {
			{Name: "lib/", Typeflag: tar.TypeDir, Mode: 0o755},
			{Name: "lib/ld.so", Typeflag: tar.TypeReg, Mode: 0o755, Size: 6},
			{Name: "lib/libc.so.6", Typeflag: tar.TypeSymlink, Linkname: "ld.so"},
		}},
	}
}

// build makes the payload of the parts as a file system.
func (p parts) build(t *testing.T) fstest.MapFS {
	t.Helper()
	m := Manifest{Arch: "amd64"}
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	add := func(name string, content []byte) {
		require.NoError(t, archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(0, 0)}))
		_, err := archive.Write(content)
		require.NoError(t, err)
		m.Members = append(m.Members, Member{File: name, SHA256: sumOf(content), Size: int64(len(content))})
	}
	for name, content := range p.images {
		m.Images = append(m.Images, Image{Name: name, Ref: "slipway.internal/" + name + ":v1",
			Digest: "sha256:" + sumOf([]byte(name)), Source: "example.com/" + name + "@v1"})
		add(ImageMember(name), []byte(content))
	}
	binary := func(name, file string, content []byte, tree bool) {
		m.Binaries = append(m.Binaries, Binary{Name: name, File: file, SHA256: sumOf(content),
			Size: int64(len(content)), Source: "example.com/" + name + "@v1", Tree: tree, Links: p.links[name]})
		add(file, pack(t, content))
	}
	for name, content := range p.binaries {
		binary(name, "bin/"+name+".zst", []byte(content), false)
	}
	for name, headers := range p.trees {
		binary(name, "bin/"+name+".tar.zst", tarOf(t, headers), true)
	}
	require.NoError(t, archive.Close())
	raw, err := m.Encode()
	require.NoError(t, err)
	return fstest.MapFS{
		ManifestFile: {Data: raw},
		PayloadFile:  {Data: out.Bytes()},
	}
}

// tarOf makes a tar whose files hold the letter x.
func tarOf(t *testing.T, headers []tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, header := range headers {
		require.NoError(t, archive.WriteHeader(&header))
		_, err := archive.Write(bytes.Repeat([]byte("x"), int(header.Size)))
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	return out.Bytes()
}

func pack(t *testing.T, content []byte) []byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return encoder.EncodeAll(content, nil)
}

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// edit gives the payload with its manifest changed.
func edit(t *testing.T, fsys fstest.MapFS, change func(*Manifest)) fs.FS {
	t.Helper()
	m, err := LoadFS(fsys)
	require.NoError(t, err)
	change(&m)
	raw, err := m.Encode()
	require.NoError(t, err)
	return fstest.MapFS{ManifestFile: {Data: raw}, PayloadFile: fsys[PayloadFile]}
}

// countingFS counts the bytes read of the payload.
type countingFS struct {
	fs.FS
	read *int64
}

func (c countingFS) Open(name string) (fs.File, error) {
	file, err := c.FS.Open(name)
	if err != nil || name != PayloadFile {
		return file, err
	}
	return countingFile{file, c.read}, nil
}

type countingFile struct {
	fs.File
	read *int64
}

func (c countingFile) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	*c.read += int64(n)
	return n, err
}
