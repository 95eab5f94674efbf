package checkup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
)

// carriedPrefix begins the names of the images that a slipway binary carries;
// nothing else has it.
const carriedPrefix = "slipway.internal/"

// image is what crictl tells of one.
type image struct {
	ID   string   `json:"id"`
	Tags []string `json:"repoTags"`
	Size string   `json:"size"` // bytes, as a text
}

// checkImages finds images of other versions of this program that no container
// uses. Images of apps are the kubelet's to collect.
func checkImages(ctx context.Context, e *env) ([]doctor.Finding, error) {
	if len(e.opts.Images) == 0 {
		return nil, nil
	}
	if s := e.opts.Service; s != nil {
		if st, err := s.Status(ctx); err != nil || !st.Running {
			return nil, err
		}
	}
	var images struct {
		Images []image `json:"images"`
	}
	var containers struct {
		Containers []struct {
			Image    struct{ Image string } `json:"image"`
			ImageRef string                 `json:"imageRef"`
		} `json:"containers"`
	}
	if err := e.crictl(ctx, &images, "images", "-o", "json"); err != nil {
		return nil, err
	}
	if err := e.crictl(ctx, &containers, "ps", "-a", "-o", "json"); err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, c := range containers.Containers {
		used[c.Image.Image], used[c.ImageRef] = true, true
	}
	var old []string
	var bytes uint64
	for _, i := range images.Images {
		if used[i.ID] || !carriedOnly(i.Tags) || slices.ContainsFunc(i.Tags, func(t string) bool { return used[t] || slices.Contains(e.opts.Images, t) }) {
			continue
		}
		old = append(old, i.Tags...)
		n, err := strconv.ParseUint(i.Size, 10, 64)
		if err == nil {
			bytes += n
		}
	}
	if len(old) == 0 {
		return nil, nil
	}
	slices.Sort(old)
	return doctor.One(doctor.Finding{Severity: doctor.Note, Title: "images of other versions are left", Evidence: fmt.Sprintf("%d, %s: %s", len(old), doctor.Size(bytes), strings.Join(old, ", ")),
		Reason: "nothing uses them; an upgrade that is rolled back brings its own again", Cure: "slipway doctor --fix",
		Fix: &doctor.Fix{Change: fmt.Sprintf("delete %d images of other versions of slipway", len(old)), Do: func(ctx context.Context, _ doctor.Changer) error {
			var errs []error
			for _, ref := range old {
				errs = append(errs, e.crictl(ctx, nil, "rmi", ref))
			}
			return errors.Join(errs...)
		}}})
}

// carriedOnly reports whether all names of an image are of those we carry.
func carriedOnly(tags []string) bool {
	return len(tags) > 0 && !slices.ContainsFunc(tags, func(t string) bool { return !strings.HasPrefix(t, carriedPrefix) })
}

// crictl asks containerd and decodes the answer into v, unless that is nil.
func (e *env) crictl(ctx context.Context, v any, args ...string) error {
	out, err := e.host.Run(ctx, host.Command{Name: filepath.Join(e.opts.Bin, "crictl"),
		Args: append([]string{"--runtime-endpoint", "unix:///run/k3s/containerd/containerd.sock"}, args...)})
	if err != nil || v == nil {
		return err
	}
	if err := json.Unmarshal(out.Stdout, v); err != nil {
		return fmt.Errorf("answer of crictl %s: %w", args[0], err)
	}
	return nil
}
