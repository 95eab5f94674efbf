package build

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// readImage reads the first image of an OCI layout in a tar.
func readImage(raw []byte) (v1.Image, error) {
	l := layout{}
	in := tar.NewReader(bytes.NewReader(raw))
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading an image: %w", err)
		}
		if l[path.Clean(h.Name)], err = io.ReadAll(in); err != nil {
			return nil, fmt.Errorf("reading an image: %w", err)
		}
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(l["index.json"], &index); err != nil {
		return nil, fmt.Errorf("reading an image: index.json: %w", err)
	}
	if len(index.Manifests) == 0 {
		return nil, errors.New("reading an image: index.json names none")
	}
	d := index.Manifests[0]
	manifest, err := l.blob(d.Digest)
	if err != nil {
		return nil, err
	}
	return partial.CompressedToImage(&carriedImage{layout: l, kind: d.MediaType, manifest: manifest})
}

// layout is the files of an OCI layout by name.
type layout map[string][]byte

func (l layout) blob(h v1.Hash) ([]byte, error) {
	raw, ok := l["blobs/"+strings.Replace(h.String(), ":", "/", 1)]
	if !ok {
		return nil, fmt.Errorf("reading an image: it has no %s", h)
	}
	return raw, nil
}

// carriedImage is an image out of a layout.
type carriedImage struct {
	layout   layout
	kind     types.MediaType
	manifest []byte
}

// RawManifest is the manifest as it is.
func (c *carriedImage) RawManifest() ([]byte, error) { return c.manifest, nil }

// MediaType is the manifest's.
func (c *carriedImage) MediaType() (types.MediaType, error) { return c.kind, nil }

// RawConfigFile is the image's configuration as it is.
func (c *carriedImage) RawConfigFile() ([]byte, error) {
	m, err := partial.Manifest(c)
	if err != nil {
		return nil, err
	}
	return c.layout.blob(m.Config.Digest)
}

// LayerByDigest finds a layer.
func (c *carriedImage) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	m, err := partial.Manifest(c)
	if err != nil {
		return nil, err
	}
	for _, d := range m.Layers {
		if d.Digest == h {
			raw, err := c.layout.blob(h)
			return &carriedLayer{d, raw}, err
		}
	}
	return nil, fmt.Errorf("reading an image: it has no layer %s", h)
}

// carriedLayer is a layer as it is kept.
type carriedLayer struct {
	descriptor v1.Descriptor
	raw        []byte
}

// Digest is that of the compressed layer.
func (l *carriedLayer) Digest() (v1.Hash, error) { return l.descriptor.Digest, nil }

// Compressed reads it.
func (l *carriedLayer) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.raw)), nil
}

// Size is its length in bytes.
func (l *carriedLayer) Size() (int64, error) { return l.descriptor.Size, nil }

// MediaType is its kind.
func (l *carriedLayer) MediaType() (types.MediaType, error) { return l.descriptor.MediaType, nil }
