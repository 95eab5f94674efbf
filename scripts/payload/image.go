package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+zstd"
	// nameAnnotation is where containerd's import looks for the full reference.
	nameAnnotation = "io.containerd.image.name"
	refAnnotation  = "org.opencontainers.image.ref.name"
)

// descriptor points to a blob.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *platform         `json:"platform,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type ociConfig struct {
	User         string              `json:"User,omitempty"`
	ExposedPorts map[string]struct{} `json:"ExposedPorts,omitempty"`
	Env          []string            `json:"Env"`
	Entrypoint   []string            `json:"Entrypoint,omitempty"`
	Cmd          []string            `json:"Cmd,omitempty"`
	WorkingDir   string              `json:"WorkingDir"`
	Labels       map[string]string   `json:"Labels"`
}

// imageOptions is what an image is made from.
type imageOptions struct {
	ref, arch string
	config    ociConfig
	files     []file
}

// writeImage writes an image of one layer as an OCI layout in a tar at name,
// and gives the digest of its manifest.
func writeImage(ctx context.Context, name string, o imageOptions) (string, error) {
	layerPath := name + ".layer"
	defer os.Remove(layerPath)
	plain := sha256.New()
	err := compressTo(layerPath, func(w io.Writer) error { return writeTar(ctx, w, o.files) }, plain)
	if err != nil {
		return "", err
	}
	layerSum, layerSize, err := sumFile(layerPath)
	if err != nil {
		return "", err
	}
	layer := descriptor{MediaType: typeLayer, Digest: "sha256:" + layerSum, Size: layerSize}
	members := []file{{name: blobName(layer), mode: 0o644, path: layerPath}}
	blob := func(mediaType string, value any) (descriptor, error) {
		raw, err := json.Marshal(value)
		if err != nil {
			return descriptor{}, err
		}
		d := descriptor{MediaType: mediaType, Digest: digestOf(raw), Size: int64(len(raw))}
		members = append(members, file{name: blobName(d), mode: 0o644, data: raw})
		return d, nil
	}
	config, err := blob(typeConfig, map[string]any{
		"architecture": o.arch, "os": "linux", "created": "1970-01-01T00:00:00Z", "config": o.config,
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(plain.Sum(nil))}},
		"history": []any{map[string]string{"created": "1970-01-01T00:00:00Z", "created_by": "scripts/payload"}},
	})
	if err != nil {
		return "", err
	}
	manifest, err := blob(typeManifest, map[string]any{
		"schemaVersion": 2, "mediaType": typeManifest, "config": config, "layers": []descriptor{layer},
		"annotations": o.config.Labels,
	})
	if err != nil {
		return "", err
	}
	manifest.Annotations = map[string]string{nameAnnotation: o.ref, refAnnotation: o.ref[strings.LastIndex(o.ref, ":")+1:]}
	manifest.Platform = &platform{Architecture: o.arch, OS: "linux"}
	index, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": typeIndex, "manifests": []descriptor{manifest},
	})
	if err != nil {
		return "", err
	}
	members = append(members,
		file{name: "oci-layout", mode: 0o644, data: []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		file{name: "index.json", mode: 0o644, data: index})
	return manifest.Digest, writeTarFile(ctx, name, withParents(members))
}

func digestOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func blobName(d descriptor) string { return "blobs/" + strings.Replace(d.Digest, ":", "/", 1) }

func writeTarFile(ctx context.Context, name string, files []file) error {
	dst, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := writeTar(ctx, dst, files); err != nil {
		_ = dst.Close()
		return err
	}
	return dst.Close()
}

// imageConfig is how containers of the recipe's image start.
func imageConfig(r recipe, in inputs) ociConfig {
	c := ociConfig{
		User: fmt.Sprintf("%d:%d", nonRoot, nonRoot), WorkingDir: "/",
		Env: append([]string{"PATH=/usr/bin:/bin"}, r.Image.Environment...),
		Labels: map[string]string{
			"org.opencontainers.image.title":   r.Name,
			"org.opencontainers.image.version": in.Version,
			"org.opencontainers.image.source":  in.Source,
		},
	}
	if r.Image.Root {
		c.User = "0:0"
	}
	if len(r.Programs) > 0 {
		c.Entrypoint = []string{"/usr/bin/" + r.Programs[0].Out}
	}
	if r.Image.Busybox != "" {
		c.Cmd = []string{"/bin/sh"}
	}
	if r.Image.Certs {
		c.Env = append(c.Env, "SSL_CERT_FILE="+certBundle)
	}
	for _, port := range r.Image.Ports {
		if c.ExposedPorts == nil {
			c.ExposedPorts = map[string]struct{}{}
		}
		c.ExposedPorts[fmt.Sprintf("%d/tcp", port)] = struct{}{}
	}
	return c
}

const certBundle = "/etc/ssl/certs/ca-certificates.crt"

// imageFiles lists what is in the recipe's image: its programs from bin, what
// it takes from the unpacked Debian packages, and the few files every program
// may look for.
func imageFiles(r recipe, bin, debian string) ([]file, error) {
	files := []file{
		{name: "etc/passwd", mode: 0o644, data: []byte(fmt.Sprintf(
			"root:x:0:0:root:/:/bin/sh\nnonroot:x:%d:%d:nonroot:/tmp:/bin/false\n", nonRoot, nonRoot))},
		{name: "etc/group", mode: 0o644, data: []byte(fmt.Sprintf("root:x:0:\nnonroot:x:%d:\n", nonRoot))},
		{name: "etc/nsswitch.conf", mode: 0o644, data: []byte("hosts: files dns\n")},
		{name: "tmp/", mode: 0o1777},
	}
	for i, p := range r.Programs {
		files = append(files, file{name: "usr/bin/" + p.Out, mode: 0o755,
			path: filepath.Join(bin, p.Out), bindLow: r.Image.BindLow && i == 0})
	}
	for _, d := range r.Image.Dirs {
		files = append(files, file{name: strings.Trim(d.Path, "/") + "/", mode: 0o755, owner: nonRoot})
	}
	if r.Image.Certs {
		bundle, err := certificates(debian)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: strings.TrimPrefix(certBundle, "/"), mode: 0o644, data: bundle})
	}
	if r.Image.Busybox != "" {
		files = append(files, file{name: "bin/busybox", mode: 0o755, path: filepath.Join(debian, r.Image.Busybox)})
		for _, applet := range r.Image.Applets {
			files = append(files, file{name: "bin/" + applet, mode: 0o777, link: "busybox"})
		}
	}
	return withParents(files), nil
}

// certificates joins the certificate authorities of Debian's ca-certificates
// to one bundle, by name.
func certificates(debian string) ([]byte, error) {
	found, err := filepath.Glob(filepath.Join(debian, "usr/share/ca-certificates/mozilla/*.crt"))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("certificates in ca-certificates: %w", errNoInput)
	}
	slices.Sort(found)
	var bundle []byte
	for _, name := range found {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		bundle = append(bundle, raw...)
		if raw[len(raw)-1] != '\n' {
			bundle = append(bundle, '\n')
		}
	}
	return bundle, nil
}
