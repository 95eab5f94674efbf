package build

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/slipway-paas/slipway/platform"
)

// Registry is the platform's registry, as this machine reaches it.
type Registry struct {
	Address            string // "10.43.0.20:5000", spoken to over plain HTTP
	Username, Password string
}

func (r Registry) options(ctx context.Context) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx), remote.WithAuth(&authn.Basic{Username: r.Username, Password: r.Password}),
	}
}

func (r Registry) repository(path string) (name.Repository, error) {
	return name.NewRepository(r.Address+"/"+path, name.Insecure, name.StrictValidation)
}

// digestOf is what a tag names; empty when there is no such tag.
func (r Registry) digestOf(ctx context.Context, repository, tag string) (string, error) {
	repo, err := r.repository(repository)
	if err != nil {
		return "", err
	}
	d, err := remote.Head(repo.Tag(tag), r.options(ctx)...)
	if missing(err) {
		return "", nil
	}
	if err != nil {
		return "", r.fault("looking for "+repository+":"+tag, err)
	}
	return d.Digest.String(), nil
}

// tag gives an image that was pushed by its digest a name.
func (r Registry) tag(ctx context.Context, repository, digest, tag string) error {
	repo, err := r.repository(repository)
	if err != nil {
		return err
	}
	image, err := remote.Get(repo.Digest(digest), r.options(ctx)...)
	if err == nil {
		err = remote.Tag(repo.Tag(tag), image, r.options(ctx)...)
	}
	if err != nil {
		return r.fault("naming "+repository+"@"+digest+" "+tag, err)
	}
	return nil
}

// push writes an image unless the registry has it under that tag.
func (r Registry) push(ctx context.Context, repository, tag string, image v1.Image) error {
	want, err := image.Digest()
	if err != nil {
		return fmt.Errorf("reading the image %s: %w", repository, err)
	}
	have, err := r.digestOf(ctx, repository, tag)
	if err != nil || have == want.String() {
		return err
	}
	repo, err := r.repository(repository)
	if err == nil {
		err = remote.Write(repo.Tag(tag), image, r.options(ctx)...)
	}
	if err != nil {
		return r.fault("pushing "+repository+":"+tag, err)
	}
	return nil
}

// fault says that the registry cannot be used; the cause is for the log.
func (r Registry) fault(doing string, err error) error {
	return &platform.Error{
		Code: platform.Unavailable, Op: "build.Registry", Err: fmt.Errorf("%s: %w", doing, err),
		Message: "The platform's registry does not answer as it should. Push again, and tell an operator if it stays so.",
	}
}

func missing(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound
}
