package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

var _ Packer = (*Packs)(nil)

// orderPacks and packed are parts of an order and an event: see
// embedded/src/builder/order.
type orderPacks struct {
	Builder    string            `json:"builder"`
	Lifecycle  string            `json:"lifecycle"`
	Run        string            `json:"run,omitempty"`
	Env        map[string]string `json:"env,omitempty"`
	ClearCache bool              `json:"clearCache,omitempty"`
}

type packed struct {
	Digest    string            `json:"digest"`
	Processes map[string]string `json:"processes"`
}

// What the carried images for buildpacks are called.
const (
	packsRun       = "slipway.internal/packs-run"
	packsLifecycle = "slipway.internal/packs-lifecycle"
	packsBuilder   = "slipway.internal/packs-builder"
)

// PacksOptions are what a Packs is made of.
type PacksOptions struct {
	Pod      Pod
	Registry Registry
	Aliases  []string // other names of the registry: "registry.<domain>", also of former domains
	// Layout opens the OCI layout with the carried images. They are read from
	// it when somebody builds with buildpacks for the first time.
	Layout  func() (fs.FS, error)
	Builder string // image that builds when the source names none; empty: the carried one
	Disk    int64  // bytes that a build may write
	Free    int64  // bytes that stay free on the builder's disk
}

// Packs makes images with buildpacks, on the builder in the cluster. Make it
// with NewPacks.
type Packs struct {
	opts PacksOptions

	mu     sync.Mutex
	stored map[string]string // name of a carried image → its reference, by digest, in the registry
}

// NewPacks makes a Packs. It makes no request.
func NewPacks(o PacksOptions) *Packs { return &Packs{opts: o} }

// Pack builds a source tree with the builder image that its plan names, else
// with the platform's.
func (p *Packs) Pack(ctx context.Context, po PackOrder, source string, log io.Writer) (PackResult, error) {
	images, err := p.images(ctx)
	if err != nil {
		return PackResult{}, err
	}
	file, err := os.Open(source)
	if err != nil {
		return PackResult{}, fmt.Errorf("opening the source tree: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return PackResult{}, fmt.Errorf("looking at the source tree: %w", err)
	}
	o := order{
		ID: po.ID, Tenant: po.Tenant, Registry: p.opts.Registry.Address, Aliases: p.opts.Aliases, Repository: po.Repository,
		Username: p.opts.Registry.Username, Password: p.opts.Registry.Password,
		TarBytes: info.Size(), DiskBytes: p.opts.Disk, FreeBytes: p.opts.Free,
		Packs: p.order(po.Plan.Pack, images),
	}
	answer, err := ask(ctx, p.opts.Pod, o, io.LimitReader(file, info.Size()), log)
	switch {
	case err != nil:
		return PackResult{}, err
	case answer.packed == nil || answer.packed.Digest == "":
		return PackResult{}, failure("builder", "its buildpacks made no image")
	}
	return PackResult{Digest: answer.packed.Digest, Processes: answer.packed.Processes}, nil
}

func (p *Packs) order(pack *Pack, images map[string]string) *orderPacks {
	builder := pack.Builder
	if builder == "" {
		builder = p.opts.Builder
	}
	o := &orderPacks{Builder: builder, Lifecycle: images[packsLifecycle], Env: pack.Env, ClearCache: pack.ClearCache}
	if builder == "" {
		o.Builder, o.Run = images[packsBuilder], images[packsRun]
	}
	return o
}

// images puts the carried images into the registry, once in this process' life,
// and gives their references there.
func (p *Packs) images(ctx context.Context) (map[string]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stored != nil {
		return p.stored, nil
	}
	layout, err := p.opts.Layout()
	if err != nil {
		return nil, fmt.Errorf("reading the carried buildpacks: %w", err)
	}
	carried, err := layoutImages(layout)
	if err != nil {
		return nil, fmt.Errorf("reading the carried buildpacks: %w", err)
	}
	stored := map[string]string{}
	for reference, image := range carried {
		repository, tag, found := strings.Cut(reference, ":")
		if !found {
			return nil, fmt.Errorf("the carried image %s has no tag", reference)
		}
		digest, err := image.Digest()
		if err != nil {
			return nil, fmt.Errorf("reading the carried image %s: %w", reference, err)
		}
		if err := p.opts.Registry.push(ctx, repository, tag, image); err != nil {
			return nil, err
		}
		stored[repository] = p.opts.Registry.Address + "/" + repository + "@" + digest.String()
	}
	for _, name := range []string{packsRun, packsLifecycle, packsBuilder} {
		if stored[name] == "" {
			return nil, errors.New("the carried buildpacks have no image " + name)
		}
	}
	p.stored = stored
	return stored, nil
}

// layoutImages are the images of an OCI layout by their references.
func layoutImages(layout fs.FS) (map[string]v1.Image, error) {
	index, err := readIndex(layout)
	if err != nil {
		return nil, err
	}
	images := map[string]v1.Image{}
	for _, d := range index.Manifests {
		image, err := layoutImage(layout, d)
		if err != nil {
			return nil, err
		}
		images[d.Annotations["io.containerd.image.name"]] = image
	}
	return images, nil
}
