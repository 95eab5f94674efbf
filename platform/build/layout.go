package build

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func readIndex(layout fs.FS) (v1.IndexManifest, error) {
	var index v1.IndexManifest
	raw, err := fs.ReadFile(layout, "index.json")
	if err != nil {
		return index, err
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		return index, fmt.Errorf("index.json: %w", err)
	}
	return index, nil
}

// layoutImage is an image of an OCI layout. Its layers stay where they are
// until they are read.
func layoutImage(layout fs.FS, d v1.Descriptor) (v1.Image, error) {
	raw, err := fs.ReadFile(layout, blobPath(d.Digest))
	if err != nil {
		return nil, err
	}
	core := &layoutCore{layout: layout, mediaType: d.MediaType, raw: raw}
	if err := json.Unmarshal(raw, &core.manifest); err != nil {
		return nil, fmt.Errorf("manifest %s: %w", d.Digest, err)
	}
	return partial.CompressedToImage(core)
}

func blobPath(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }

// layoutCore is what go-containerregistry makes an image of.
type layoutCore struct {
	layout    fs.FS
	mediaType types.MediaType
	raw       []byte
	manifest  v1.Manifest
}

func (c *layoutCore) MediaType() (types.MediaType, error) { return c.mediaType, nil }
func (c *layoutCore) RawManifest() ([]byte, error)        { return c.raw, nil }

func (c *layoutCore) RawConfigFile() ([]byte, error) {
	return fs.ReadFile(c.layout, blobPath(c.manifest.Config.Digest))
}

func (c *layoutCore) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	for _, d := range append([]v1.Descriptor{c.manifest.Config}, c.manifest.Layers...) {
		if d.Digest == h {
			return &layoutLayer{c.layout, d}, nil
		}
	}
	return nil, fmt.Errorf("the image has no layer %s", h)
}

type layoutLayer struct {
	layout     fs.FS
	descriptor v1.Descriptor
}

func (l *layoutLayer) Digest() (v1.Hash, error)            { return l.descriptor.Digest, nil }
func (l *layoutLayer) Size() (int64, error)                { return l.descriptor.Size, nil }
func (l *layoutLayer) MediaType() (types.MediaType, error) { return l.descriptor.MediaType, nil }
func (l *layoutLayer) Compressed() (io.ReadCloser, error) {
	return l.layout.Open(blobPath(l.descriptor.Digest))
}
