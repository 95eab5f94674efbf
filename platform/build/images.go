package build

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Valve is what the registry's room is given back with.
type Valve interface {
	// Shut lets images be had but not pushed, and returns when that is so.
	Shut(ctx context.Context) error
	// Collect removes what no image has. It has to be shut.
	Collect(ctx context.Context) error
	// Open lets images be pushed. It may be open.
	Open(ctx context.Context) error
}

// Images are the images that builds made in the platform's registry.
type Images struct {
	registry Registry
	valve    Valve
	hosts    []string // that references to it begin with
}

var _ control.Images = (*Images)(nil)

// NewImages makes no request. hosts are the registry's names in references.
func NewImages(r Registry, v Valve, hosts []string) *Images {
	return &Images{registry: r, valve: v, hosts: append([]string{r.Address}, hosts...)}
}

// valvePatience is how long the registry may take to be opened again.
const valvePatience = 2 * time.Minute

// builtTag is how builds name images: the commit's first digits, a number when
// there is more than one, and the process type.
func builtTag(tag string) bool {
	return regexp.MustCompile(`^git-[0-9a-f]{8}(\.v?[0-9]+)?(-[a-z0-9-]+)?$`).MatchString(tag)
}

// Repositories lists the apps that images were made of.
func (i *Images) Repositories(ctx context.Context) ([]string, error) {
	at, err := name.NewRegistry(i.registry.Address, name.Insecure)
	if err != nil {
		return nil, err
	}
	all, err := remote.Catalog(ctx, at, i.registry.options(ctx)...)
	if err != nil {
		return nil, i.registry.fault("listing what is there", err)
	}
	var apps []string
	for _, path := range all {
		// Apps have repositories of two parts that are the same.
		if app, same, _ := strings.Cut(path, "/"); app == same && platform.ValidateAppID(app) == nil {
			apps = append(apps, app)
		}
	}
	return apps, nil
}

// Remove takes images of an app away that builds made.
func (i *Images) Remove(ctx context.Context, app string, keep func(tag, digest string) bool) (int, error) {
	path := app + "/" + app
	repo, err := i.registry.repository(path)
	if err != nil {
		return 0, err
	}
	tags, err := remote.List(repo, i.registry.options(ctx)...)
	if missing(err) {
		return 0, nil
	}
	if err != nil {
		return 0, i.registry.fault("listing the images of "+app, err)
	}
	kept, going := map[string]bool{}, map[string]bool{}
	for _, tag := range tags {
		digest, err := i.registry.digestOf(ctx, path, tag)
		switch {
		case err != nil:
			return 0, err
		case digest == "": // went meanwhile
		case !builtTag(tag) || keep(tag, digest):
			kept[digest] = true
		default:
			going[digest] = true
		}
	}
	removed := 0
	for digest := range going {
		if kept[digest] {
			continue // the same image under another name
		}
		err := remote.Delete(repo.Digest(digest), i.registry.options(ctx)...)
		if err != nil && !missing(err) {
			return removed, i.registry.fault("removing an image of "+app, err)
		}
		removed++
	}
	return removed, nil
}

// Has reports whether an image is there; one of another registry is.
func (i *Images) Has(ctx context.Context, image string) (bool, error) {
	for _, host := range i.hosts {
		path, ours := strings.CutPrefix(image, host+"/")
		if !ours {
			continue
		}
		ref, err := name.ParseReference(i.registry.Address+"/"+path, name.Insecure)
		if err != nil {
			return false, err
		}
		if _, err = remote.Head(ref, i.registry.options(ctx)...); missing(err) {
			return false, nil
		}
		return err == nil, err
	}
	return true, nil
}

// Collect gives back the room of what was removed.
func (i *Images) Collect(ctx context.Context) error {
	err := i.valve.Shut(ctx)
	if err == nil {
		err = i.valve.Collect(ctx)
	}
	// It is opened again whatever came of it, also when ctx has ended, and when
	// shutting it took too long: it may be shut all the same.
	lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), valvePatience)
	defer cancel()
	return errors.Join(err, i.valve.Open(lasting))
}

// Open lets images be pushed.
func (i *Images) Open(ctx context.Context) error { return i.valve.Open(ctx) }
