package control

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// Images are those that builds put into the platform's registry. Safe for
// concurrent use.
type Images interface {
	// Repositories lists the apps that images were made of, also apps that are
	// no more.
	Repositories(ctx context.Context) ([]string, error)
	// Remove takes those images of an app away that builds made and that keep
	// does not want, and counts them. What keep wants stays also when it has
	// another name. Images that no build made are not touched.
	Remove(ctx context.Context, app string, keep func(tag, digest string) bool) (int, error)
	// Has reports whether an image is there; one of another registry is.
	Has(ctx context.Context, image string) (bool, error)
	// Collect gives back the room of what was removed. Meanwhile images can be
	// had but not pushed.
	Collect(ctx context.Context) error
	// Open lets images be pushed again when Collect was cut off.
	Open(ctx context.Context) error
}

// ImageOptions say how images of builds are kept. The zero value has the
// defaults.
type ImageOptions struct {
	Images   Images        // nil: images stay for ever
	Releases int           // so many newest releases of an app keep their images; default 20
	Every    time.Duration // between two sweeps; default 24 hours
}

func (o ImageOptions) withDefaults() ImageOptions {
	if o.Releases <= 0 {
		o.Releases = 20
	}
	if o.Every <= 0 {
		o.Every = 24 * time.Hour
	}
	return o
}

// sweepPause is how long a sweep is put off that could not be made.
const sweepPause = 10 * time.Minute

// keepImages sweeps the registry from time to time until ctx ends.
func (c *Controller) keepImages(ctx context.Context) {
	if c.images.Images == nil {
		return
	}
	for start := true; ctx.Err() == nil; start = false {
		wait := c.images.Every
		if err := c.tidyImages(ctx, start); err != nil && ctx.Err() == nil {
			c.log.WithError(err).Warn("keeping the registry tidy")
			wait = min(wait, sweepPause)
		}
		pause(ctx, wait)
	}
}

// tidyImages lets images be pushed, which a process that was killed or a sweep
// that failed may have left impossible, and sweeps, though not at the start.
func (c *Controller) tidyImages(ctx context.Context, start bool) error {
	if err := c.images.Images.Open(ctx); err != nil {
		return fmt.Errorf("open the registry for pushes: %w", err)
	}
	if start {
		return nil
	}
	n, err := c.SweepImages(ctx)
	if err != nil {
		return fmt.Errorf("remove old images: %w", err)
	}
	if n > 0 {
		c.log.WithField("images", n).Info("removed images that no release can be rolled back to")
	}
	return nil
}

// SweepImages removes the images of releases that can't be rolled back to any
// more, and those of apps that are gone, and counts them. It waits until no
// build runs; builds that come meanwhile wait for it.
func (c *Controller) SweepImages(ctx context.Context) (int, error) {
	resume, err := c.builds.queue.rest(ctx)
	if err != nil {
		return 0, err
	}
	defer resume()
	wanted, err := c.wantedImages(ctx)
	if err != nil {
		return 0, err
	}
	apps, err := c.images.Images.Repositories(ctx)
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, app := range apps {
		n, err := c.sweepApp(ctx, app, wanted)
		removed += n
		if err != nil {
			return removed, fmt.Errorf("images of %s: %w", app, err)
		}
	}
	if removed == 0 {
		return 0, nil
	}
	return removed, c.images.Images.Collect(ctx)
}

// wantedImages are those that any app wants: one may run another's.
func (c *Controller) wantedImages(ctx context.Context) (wantedSet, error) {
	wanted := wantedSet{}
	for offset := 0; ; {
		apps, total, err := c.store.ListApps(ctx, AppFilter{}, Page{Limit: eventBatch, Offset: offset})
		if err != nil {
			return nil, err
		}
		for _, a := range apps {
			if err := c.addWanted(ctx, a.ID, wanted); err != nil {
				return nil, fmt.Errorf("images of %s: %w", a.ID, err)
			}
		}
		if offset += len(apps); len(apps) == 0 || offset >= total {
			return wanted, nil
		}
	}
}

// sweepApp holds the app's records, so that nobody rolls back to what is being
// removed.
func (c *Controller) sweepApp(ctx context.Context, app string, wanted wantedSet) (int, error) {
	release, err := c.records.lock(ctx, app)
	if err != nil {
		return 0, err
	}
	defer release()
	_, err = c.store.FindApp(ctx, app)
	if err == nil {
		err = c.addWanted(ctx, app, wanted) // something may have come since
	}
	if err != nil && platform.CodeOf(err) != platform.NotFound {
		return 0, err
	}
	return c.images.Images.Remove(ctx, app, func(tag, digest string) bool { return wanted.has(app, tag, digest) })
}

// commitTag is the length of the part of a tag that all images of a commit
// have: "git-" and eight digits.
const commitTag = 12

// wantedSet has the ends of references to images: "web/web:git-12345678", with
// a star for all that are made of that commit.
type wantedSet map[string]bool

// add takes a whole reference.
func (w wantedSet) add(image string) {
	if parts := strings.Split(image, "/"); len(parts) > 2 {
		w[strings.Join(parts[len(parts)-2:], "/")] = true
	}
}

// has reports that a tag is wanted, by its name or as that of a process type
// that is built with it ("git-12345678-worker").
func (w wantedSet) has(app, tag, digest string) bool {
	repository := app + "/" + app
	if w[repository+":"+tag] || w[repository+"@"+digest] {
		return true
	}
	if len(tag) >= commitTag && w[repository+":"+tag[:commitTag]+"*"] {
		return true
	}
	for i, r := range tag {
		if r == '-' && w[repository+":"+tag[:i]] {
			return true
		}
	}
	return false
}

// addWanted adds the images of an app's releases that can be rolled back to,
// of what runs or may still be rolled out, and of builds whose release may yet
// be made.
func (c *Controller) addWanted(ctx context.Context, app string, wanted wantedSet) error {
	runs := map[string]bool{}
	ptypes, err := c.cluster.Ptypes(ctx, app)
	if err != nil {
		return err
	}
	for _, p := range ptypes {
		runs[p.Release] = true // another one than that of the others, maybe
	}
	left := c.images.Releases
	for offset := 0; ; {
		list, total, err := c.store.ListReleases(ctx, app, nil, Page{Limit: eventBatch, Offset: offset})
		if err != nil {
			return err
		}
		for _, r := range list {
			open := r.State == platform.ReleasePending || r.State == platform.ReleaseDeploying
			if left--; r.Build == "" || left < 0 && !open && !runs[fmt.Sprintf("v%d", r.Version)] {
				continue
			}
			b, err := c.store.FindBuild(ctx, r.Build)
			if err != nil {
				return err
			}
			wanted.add(b.Image)
		}
		if offset += len(list); len(list) == 0 || offset >= total {
			break
		}
	}
	builds, _, err := c.store.ListBuildRuns(ctx, app, Page{Limit: eventBatch})
	for _, r := range builds {
		if !r.State.Ended() { // it ends with its release
			wanted[fmt.Sprintf("%s/%s:git-%.8s*", app, app, r.SHA)] = true
		}
	}
	return err
}

// checkImageThere refuses a release whose image was removed. When the registry
// can't tell, the rollout will.
func (c *Controller) checkImageThere(ctx context.Context, r platform.Release) error {
	if c.images.Images == nil || r.Build == "" {
		return nil
	}
	b, err := c.store.FindBuild(ctx, r.Build)
	if err != nil {
		return err
	}
	there, err := c.images.Images.Has(ctx, b.Image)
	if err != nil || there {
		return nil
	}
	return platform.Errorf(platform.Invalid,
		"The image of v%d is gone: of each app the images of the newest %d releases are kept (SLIPWAY_IMAGES_KEEP). Push its commit again instead.",
		r.Version, c.images.Releases)
}
