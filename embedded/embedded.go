// Package embedded carries what a host needs and must not download: the node's
// binaries and the OCI images the charts name.
//
// Sources. Each component is pinned under src/<component>: a Go module of its
// own (go.mod, go.sum) that names an upstream program as its tool or holds a
// small main of ours, or a Debian package in src/debian.json. scripts/payload
// builds them from source and packs payload/payload.tar and
// payload/manifest.json, which the build tag "payload" embeds. Without the tag
// this package compiles to a stub: Available is false and every use returns
// ErrNoPayload.
//
// Programs such as CoreDNS and metrics-server could be linked into slipway for
// almost no extra bytes. They are programs of their own here because linking
// ties each to the newest release that compiles with k3s's pins; apart, each
// one is upgraded alone.
//
// Layout of payload.tar (uncompressed: its members are compressed already):
//
//	images/<name>.tar      one OCI layout per image, layers as tar+zstd
//	bin/<name>.zst         one node binary, which may have several names
//	bin/<name>.tar.zst     one directory tree (iptables, git)
//	packs/                 one OCI layout with the images for buildpacks, which
//	                       share layers; it is not staged but read by Packs
//
// Stage writes them to a Dest as Images/slipway-<name>.tar, Bin/<name> and
// Bin/<name>/, and leaves a record of what it wrote beside them.
package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Names of the two files that make a payload.
const (
	ManifestFile = "manifest.json"
	PayloadFile  = "payload.tar"
	PacksDir     = "packs" // in payload.tar
)

// ErrNoPayload is returned by every use of a binary built without its payload.
var ErrNoPayload = errors.New("this slipway was built without its payload: build it with `make`, which builds the payload too")

// ErrCorrupt is wrapped by errors about a payload that does not match its
// manifest.
var ErrCorrupt = errors.New("the payload is damaged: take a fresh copy of slipway or rebuild it with `make`")

// Image is one carried OCI image.
type Image struct {
	Name   string `json:"name"`   // the component, e.g. "coredns"
	Ref    string `json:"ref"`    // the full reference, e.g. "slipway.internal/coredns:v1.15.0"
	Digest string `json:"digest"` // of the image's manifest, "sha256:<hex>"
	Source string `json:"source"` // "<module>@<version>" or "debian/<suite>/<package>=<version>"
}

// Binary is one program the node itself runs, or a directory tree of them.
type Binary struct {
	Name   string   `json:"name"`            // its name in Dest.Bin
	Links  []string `json:"links,omitempty"` // further names there that lead to it
	File   string   `json:"file"`            // the member that holds it
	SHA256 string   `json:"sha256"`          // hex, of the decompressed program (of the tar stream, for a tree)
	Size   int64    `json:"size"`            // bytes, decompressed
	Source string   `json:"source"`          // as in Image
	Tree   bool     `json:"tree,omitempty"`  // whether it is a directory
}

// Member is one file in payload.tar as it is stored there.
type Member struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"` // hex
	Size   int64  `json:"size"`   // bytes
}

// Manifest lists a payload. Its lists are sorted by name.
type Manifest struct {
	Arch     string   `json:"arch"` // as GOARCH
	Images   []Image  `json:"images"`
	Packs    []Image  `json:"packs,omitempty"` // images for buildpacks, in the OCI layout below PacksDir
	Binaries []Binary `json:"binaries"`
	Members  []Member `json:"members"`
}

// ImageMember is the name in payload.tar of the image called name.
func ImageMember(name string) string { return "images/" + name + ".tar" }

// Available tells whether this binary carries a payload.
func Available() bool { return payload() != nil }

// Load reads the manifest of the payload this binary carries. It touches no
// other part of the payload. Its error is ErrNoPayload, or wraps ErrCorrupt.
func Load() (Manifest, error) {
	fsys := payload()
	if fsys == nil {
		return Manifest{}, ErrNoPayload
	}
	return LoadFS(fsys)
}

// LoadFS reads the manifest of the payload in fsys.
func LoadFS(fsys fs.FS) (Manifest, error) {
	raw, err := fs.ReadFile(fsys, ManifestFile)
	if err != nil {
		return Manifest{}, fmt.Errorf("payload: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return Manifest{}, fmt.Errorf("payload: %s: %w: %w", ManifestFile, ErrCorrupt, err)
	}
	if err := m.check(); err != nil {
		return Manifest{}, fmt.Errorf("payload: %s: %w: %w", ManifestFile, ErrCorrupt, err)
	}
	return m, nil
}

// check refuses a manifest whose names could lead outside a Dest or whose
// parts do not belong together.
func (m Manifest) check() error {
	files := map[string]bool{}
	for _, member := range m.Members {
		if files[member.File] || !fs.ValidPath(member.File) {
			return fmt.Errorf("member %q", member.File)
		}
		files[member.File] = true
	}
	seen := map[string]bool{}
	name := func(kind, name, file string) error {
		if name == "" || path.Base(name) != name || strings.HasPrefix(name, ".") || seen[kind+name] {
			return fmt.Errorf("%s %q", kind, name)
		}
		if !files[file] {
			return fmt.Errorf("%s %q: no member %q", kind, name, file)
		}
		seen[kind+name] = true
		return nil
	}
	for _, image := range m.Images {
		if err := name("image", image.Name, ImageMember(image.Name)); err != nil {
			return err
		}
	}
	for _, image := range m.Packs {
		if err := name("image", image.Name, PacksDir+"/index.json"); err != nil {
			return err
		}
	}
	for _, binary := range m.Binaries {
		for _, called := range append([]string{binary.Name}, binary.Links...) {
			if err := name("binary", called, binary.File); err != nil {
				return err
			}
		}
	}
	return nil
}

// Encode gives the bytes of manifest.json.
func (m Manifest) Encode() ([]byte, error) {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("payload: %s: %w", ManifestFile, err)
	}
	return append(raw, '\n'), nil
}
