package build

import (
	"context"
	"fmt"
	"strings"
)

// Carried gives the base images that the platform carries, each an OCI layout
// in a tar, by the names by which Dockerfiles call them:
// "docker.io/library/busybox:latest". They are asked for with the first build.
type Carried func() (map[string][]byte, error)

// storeCarried puts the carried base images into the registry, where the
// builder looks first, once in this process' life. Their repositories begin
// with the name of a host, which no app's does.
func (e *Engine) storeCarried(ctx context.Context) error {
	if e.opts.Carried == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stored {
		return nil
	}
	images, err := e.opts.Carried()
	if err != nil {
		return fmt.Errorf("reading the carried base images: %w", err)
	}
	for reference, raw := range images {
		image, err := readImage(raw)
		if err != nil {
			return fmt.Errorf("the carried base image %s: %w", reference, err)
		}
		repository, tag, found := strings.Cut(reference, ":")
		if !found {
			return fmt.Errorf("the carried base image %s has no tag", reference)
		}
		if err := e.opts.Registry.push(ctx, repository, tag, image); err != nil {
			return err
		}
	}
	e.stored = true
	return nil
}
