package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Image is a reference to an image in the registry: a repository with a tag or
// a digest.
type Image struct{ Repository, Tag, Digest string }

// registryRoot is where the registry keeps everything, below its volume.
const registryRoot = "docker/registry/v2"

// maxImageManifest is what registries take.
const maxImageManifest = 4 << 20

// Registry picks from a registry's volume what the given images need: their
// tags, manifests, configurations and layers, also of each platform of an
// index. missing are the indices of images that are not there, or not whole.
func Registry(volume string, images []Image) (include func(rel string) bool, missing []int, err error) {
	r := &registry{root: filepath.Join(volume, registryRoot), paths: map[string]bool{}}
	for i, image := range images {
		picked, err := r.image(image)
		if errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, i)
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("image %s in the registry: %w", image.Repository, err)
		}
		for _, p := range picked {
			r.add(path.Join(registryRoot, p))
		}
	}
	return func(rel string) bool { return r.paths[rel] }, missing, nil
}

type registry struct {
	root  string
	paths map[string]bool // with all folders above
}

// add picks a path and the folders above it.
func (r *registry) add(rel string) {
	for rel != "." && !r.paths[rel] {
		r.paths[rel] = true
		rel = path.Dir(rel)
	}
}

// image lists what an image needs, below the registry's root. fs.ErrNotExist
// when anything of it is not there.
func (r *registry) image(i Image) ([]string, error) {
	repository := path.Join("repositories", i.Repository, "_manifests")
	var list []string
	if i.Digest == "" {
		tag := i.Tag
		if tag == "" {
			tag = "latest"
		}
		link := path.Join(repository, "tags", tag, "current/link")
		digest, err := os.ReadFile(filepath.Join(r.root, link))
		if err != nil {
			return nil, err
		}
		i.Digest = strings.TrimSpace(string(digest))
		sum, err := digestPath(i.Digest)
		if err != nil {
			return nil, err
		}
		list = append(list, link, path.Join(repository, "tags", tag, "index", sum, "link"))
	}
	more, err := r.manifest(i.Repository, i.Digest)
	return append(list, more...), err
}

// digestPath is the part of a path that names a digest: "sha256/<hex>".
func digestPath(digest string) (string, error) {
	kind, sum, ok := strings.Cut(digest, ":")
	if !ok || kind != "sha256" || len(sum) != 64 || strings.Trim(sum, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%q is no digest", digest)
	}
	return kind + "/" + sum, nil
}

// blobPath is where the contents of a digest are.
func blobPath(sum string) string {
	kind, hex, _ := strings.Cut(sum, "/")
	return path.Join("blobs", kind, hex[:2], hex, "data")
}

// manifest lists what the manifest of a digest needs, and those it points at.
func (r *registry) manifest(repository, digest string) ([]string, error) {
	sum, err := digestPath(digest)
	if err != nil {
		return nil, err
	}
	list := []string{path.Join("repositories", repository, "_manifests/revisions", sum, "link"), blobPath(sum)}
	f, err := os.Open(filepath.Join(r.root, blobPath(sum)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxImageManifest))
	if err != nil {
		return nil, err
	}
	type descriptor struct{ Digest string }
	var m struct {
		Config    descriptor
		Layers    []descriptor
		Manifests []descriptor
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("manifest %s: %w", digest, err)
	}
	for _, blob := range append([]descriptor{m.Config}, m.Layers...) {
		if blob.Digest == "" {
			continue // an index has no configuration
		}
		sum, err := digestPath(blob.Digest)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(filepath.Join(r.root, blobPath(sum))); err != nil {
			return nil, err
		}
		list = append(list, path.Join("repositories", repository, "_layers", sum, "link"), blobPath(sum))
	}
	for _, one := range m.Manifests {
		more, err := r.manifest(repository, one.Digest)
		if errors.Is(err, fs.ErrNotExist) {
			continue // an index may name platforms that were never pushed
		}
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// CheckBlobs compares the contents of every blob in a registry's volume with
// the digest that it is called by, and counts them.
func CheckBlobs(ctx context.Context, volume string) (count int, err error) {
	root := filepath.Join(volume, registryRoot, "blobs", "sha256")
	err = filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && at == root {
			return fs.SkipAll
		}
		if err != nil || d.Name() != "data" {
			return errors.Join(err, ctx.Err())
		}
		f, err := os.Open(at)
		if err != nil {
			return err
		}
		defer f.Close()
		sum := sha256.New()
		if _, err := io.Copy(sum, f); err != nil {
			return err
		}
		if name := filepath.Base(filepath.Dir(at)); hex.EncodeToString(sum.Sum(nil)) != name {
			return fmt.Errorf("the contents of sha256:%s are not those of its name", name)
		}
		count++
		return ctx.Err()
	})
	if err != nil {
		return count, fmt.Errorf("registry: %w", err)
	}
	return count, nil
}
