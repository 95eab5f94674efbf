package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/embedded"
)

// pack joins the entries to payload.tar and manifest.json in out. Both appear
// whole or not at all; if they are there with the same content they stay
// untouched, so that the program that embeds them is not linked anew.
func pack(ctx context.Context, out, arch string, entries []entry, log io.Writer) error {
	manifest, where := manifestOf(arch, entries)
	raw, err := manifest.Encode()
	if err != nil {
		return err
	}
	manifestPath, payloadPath := filepath.Join(out, embedded.ManifestFile), filepath.Join(out, embedded.PayloadFile)
	if same(manifestPath, raw) && wholePayload(payloadPath, manifest) {
		fmt.Fprintf(log, "payload: %s is up to date\n", out)
		return nil
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("payload: pack: %w", err)
	}
	// The old manifest goes first: a pair that does not fit must never be seen.
	if err := os.Remove(manifestPath); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("payload: pack: %w", err)
	}
	if err := writeAtomic(payloadPath, func(w io.Writer) error { return writePayload(ctx, w, manifest, where) }); err != nil {
		return fmt.Errorf("payload: pack: %w", err)
	}
	err = writeAtomic(manifestPath, func(w io.Writer) error {
		_, err := w.Write(raw)
		return err
	})
	if err != nil {
		return fmt.Errorf("payload: pack: %w", err)
	}
	fmt.Fprintf(log, "payload: %d images, %d node binaries, %.1f MB in %s\n", len(manifest.Images), len(manifest.Binaries),
		float64(payloadSize(manifest))/1e6, payloadPath)
	return nil
}

// manifestOf joins the entries, each list by name, and tells where each member
// lies.
func manifestOf(arch string, entries []entry) (embedded.Manifest, map[string]string) {
	m := embedded.Manifest{Arch: arch}
	where := map[string]string{}
	for _, e := range entries {
		m.Images = append(m.Images, e.Images...)
		m.Packs = append(m.Packs, e.Packs...)
		m.Binaries = append(m.Binaries, e.Binaries...)
		m.Members = append(m.Members, e.Members...)
		for _, member := range e.Members {
			where[member.File] = filepath.Join(e.dir, member.File)
		}
	}
	slices.SortFunc(m.Images, func(a, b embedded.Image) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(m.Packs, func(a, b embedded.Image) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(m.Binaries, func(a, b embedded.Binary) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(m.Members, func(a, b embedded.Member) int { return strings.Compare(a.File, b.File) })
	return m, where
}

func same(name string, want []byte) bool {
	raw, err := os.ReadFile(name)
	return err == nil && bytes.Equal(raw, want)
}

// payloadSize is the size of the tar: a header per member, content in blocks of
// 512, two empty blocks.
func payloadSize(m embedded.Manifest) int64 {
	total := int64(1024)
	for _, member := range m.Members {
		total += 512 + (member.Size+511)/512*512
	}
	return total
}

func wholePayload(name string, m embedded.Manifest) bool {
	info, err := os.Stat(name)
	return err == nil && info.Size() == payloadSize(m)
}

func writePayload(ctx context.Context, w io.Writer, m embedded.Manifest, where map[string]string) error {
	archive := tar.NewWriter(w)
	for _, member := range m.Members {
		header := &tar.Header{Name: member.File, Mode: 0o644, Size: member.Size, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("%s: %w", member.File, err)
		}
		sum := sha256.New()
		if err := copyFile(ctx, io.MultiWriter(archive, sum), where[member.File]); err != nil {
			return fmt.Errorf("%s: %w", member.File, err)
		}
		if hex.EncodeToString(sum.Sum(nil)) != member.SHA256 {
			return fmt.Errorf("%s was changed in the cache: remove %s and run again", member.File, filepath.Dir(filepath.Dir(where[member.File])))
		}
	}
	return archive.Close()
}

// writeAtomic writes a file under a temporary name, then renames it.
func writeAtomic(name string, fill func(io.Writer) error) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(name), ".packing-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	if err := errors.Join(fill(temp), temp.Chmod(0o644), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), name)
}
