package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// layout is an OCI layout of several images in a folder.
type layout struct {
	dir, arch string
	names     []string // of what it holds, slash-separated
	manifests []descriptor
}

// layerBlob is a layer in a layout.
type layerBlob struct {
	descriptor
	diffID string
}

// layer adds a layer of files.
func (l *layout) layer(ctx context.Context, files []file) (layerBlob, error) {
	temp := filepath.Join(l.dir, "layer")
	if err := os.MkdirAll(filepath.Join(l.dir, "blobs", "sha256"), 0o755); err != nil {
		return layerBlob{}, err
	}
	plain := sha256.New()
	if err := compressTo(temp, func(w io.Writer) error { return writeTar(ctx, w, files) }, plain); err != nil {
		return layerBlob{}, err
	}
	sum, size, err := sumFile(temp)
	if err != nil {
		return layerBlob{}, err
	}
	d := descriptor{MediaType: typeLayer, Digest: "sha256:" + sum, Size: size}
	l.add(blobName(d))
	return layerBlob{d, "sha256:" + hex.EncodeToString(plain.Sum(nil))}, os.Rename(temp, filepath.Join(l.dir, blobName(d)))
}

// image adds an image of layers and gives the digest of its manifest.
func (l *layout) image(ref string, config ociConfig, layers []layerBlob) (string, error) {
	var blobs []descriptor
	var plain []string
	for _, layer := range layers {
		blobs, plain = append(blobs, layer.descriptor), append(plain, layer.diffID)
	}
	history := slices.Repeat([]any{map[string]string{"created": "1970-01-01T00:00:00Z", "created_by": "scripts/payload"}}, len(layers))
	configBlob, err := l.blob(typeConfig, map[string]any{
		"architecture": l.arch, "os": "linux", "created": "1970-01-01T00:00:00Z", "config": config,
		"rootfs": map[string]any{"type": "layers", "diff_ids": plain}, "history": history,
	})
	if err != nil {
		return "", err
	}
	manifest, err := l.blob(typeManifest, map[string]any{
		"schemaVersion": 2, "mediaType": typeManifest, "config": configBlob, "layers": blobs,
	})
	if err != nil {
		return "", err
	}
	manifest.Annotations = map[string]string{nameAnnotation: ref, refAnnotation: ref[strings.LastIndex(ref, ":")+1:]}
	manifest.Platform = &platform{Architecture: l.arch, OS: "linux"}
	l.manifests = append(l.manifests, manifest)
	return manifest.Digest, nil
}

// blob adds a JSON document.
func (l *layout) blob(mediaType string, value any) (descriptor, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return descriptor{}, err
	}
	d := descriptor{MediaType: mediaType, Digest: digestOf(raw), Size: int64(len(raw))}
	l.add(blobName(d))
	return d, os.WriteFile(filepath.Join(l.dir, blobName(d)), raw, 0o644)
}

func (l *layout) add(name string) {
	if !slices.Contains(l.names, name) {
		l.names = append(l.names, name)
	}
}

// finish writes the index and gives the names of all files.
func (l *layout) finish() ([]string, error) {
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": typeIndex, "manifests": l.manifests})
	if err != nil {
		return nil, err
	}
	for name, raw := range map[string][]byte{"index.json": index, "oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`)} {
		l.add(name)
		if err := os.WriteFile(filepath.Join(l.dir, name), raw, 0o644); err != nil {
			return nil, err
		}
	}
	slices.Sort(l.names)
	return l.names, nil
}
