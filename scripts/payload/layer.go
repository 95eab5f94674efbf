package main

import (
	"archive/tar"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// compression names how members are compressed; it is part of every cache key.
// The encoder is a Go module pinned in go.mod, so the bytes do not depend on
// the zstd a machine has installed.
const compression = "klauspost-zstd-best-window8M"

func newCompressor(w io.Writer) (*zstd.Encoder, error) {
	return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBestCompression),
		zstd.WithWindowSize(8<<20), zstd.WithEncoderConcurrency(1))
}

// file is one member of a layer or tree: a folder (a name that ends in "/"), a
// link, or a regular file with its content in memory or at a path.
type file struct {
	name  string // relative, with slashes
	mode  int64
	owner int // user and group
	link  string
	path  string
	data  []byte
	// bindLow gives the program the capability to bind ports below 1024.
	bindLow bool
}

// writeTar writes files as a tar stream that depends on nothing but them: the
// order is by name, times are zero, owners are numbers.
func writeTar(ctx context.Context, w io.Writer, files []file) error {
	sorted := slices.Clone(files)
	slices.SortFunc(sorted, func(a, b file) int { return strings.Compare(a.name, b.name) })
	archive := tar.NewWriter(w)
	for i, f := range sorted {
		if i > 0 && sorted[i-1].name == f.name {
			return fmt.Errorf("%s is there twice", f.name)
		}
		if err := writeMember(ctx, archive, f); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return archive.Close()
}

func writeMember(ctx context.Context, archive *tar.Writer, f file) error {
	header := &tar.Header{
		Name: f.name, Mode: f.mode, Uid: f.owner, Gid: f.owner,
		ModTime: time.Unix(0, 0), Typeflag: tar.TypeReg, Size: int64(len(f.data)),
	}
	switch {
	case strings.HasSuffix(f.name, "/"):
		header.Typeflag = tar.TypeDir
	case f.link != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, f.link
	case f.path != "":
		info, err := os.Stat(f.path)
		if err != nil {
			return err
		}
		header.Size = info.Size()
	}
	if f.bindLow {
		header.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": string(netBindCapability())}
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	if f.path == "" {
		_, err := archive.Write(f.data)
		return err
	}
	return copyFile(ctx, archive, f.path)
}

// netBindCapability is the value of the file attribute security.capability for
// cap_net_bind_service+ep, as the kernel defines it (revision 2, effective).
func netBindCapability() []byte {
	const (
		revision2      = 0x02000000
		effective      = 0x1
		netBindService = 1 << 10
	)
	value := make([]byte, 20)
	binary.LittleEndian.PutUint32(value[0:], revision2|effective)
	binary.LittleEndian.PutUint32(value[4:], netBindService)
	return value
}

// withParents adds the folders that the files lie in.
func withParents(files []file) []file {
	have := map[string]bool{}
	for _, f := range files {
		have[f.name] = true
	}
	for _, f := range slices.Clone(files) {
		for dir := path.Dir(strings.TrimSuffix(f.name, "/")); dir != "."; dir = path.Dir(dir) {
			if !have[dir+"/"] {
				have[dir+"/"] = true
				files = append(files, file{name: dir + "/", mode: 0o755})
			}
		}
	}
	return files
}

// copyFile copies the file at name to w, and stops when ctx does.
func copyFile(ctx context.Context, w io.Writer, name string) (err error) {
	src, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	_, err = io.Copy(w, contextReader{ctx, src})
	return err
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// compressTo writes what fill produces to the new file at name, compressed,
// and lets watchers see it uncompressed.
func compressTo(name string, fill func(io.Writer) error, watchers ...io.Writer) (err error) {
	dst, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	encoder, err := newCompressor(dst)
	if err != nil {
		return err
	}
	err = fill(io.MultiWriter(append([]io.Writer{encoder}, watchers...)...))
	return errors.Join(err, encoder.Close())
}

func compressFile(ctx context.Context, from, to string) error {
	return compressTo(to, func(w io.Writer) error { return copyFile(ctx, w, from) })
}
