package build

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// valve notes what is done with it.
type valve struct {
	did         []string
	stuck, fail error // of Shut, of Collect
}

func (v *valve) Shut(context.Context) error    { v.did = append(v.did, "shut"); return v.stuck }
func (v *valve) Collect(context.Context) error { v.did = append(v.did, "collect"); return v.fail }
func (v *valve) Open(ctx context.Context) error {
	v.did = append(v.did, "open")
	return ctx.Err()
}

// shelf is a registry with images under some names.
func shelf(t *testing.T, names map[string]v1.Image) (Registry, *Images, *valve) {
	t.Helper()
	server := httptest.NewServer(registry.New())
	t.Cleanup(server.Close)
	r := Registry{Address: strings.TrimPrefix(server.URL, "http://")}
	for at, image := range names {
		path, tag, _ := strings.Cut(at, ":")
		repo, err := r.repository(path)
		require.NoError(t, err)
		require.NoError(t, remote.Write(repo.Tag(tag), image))
	}
	v := &valve{}
	return r, NewImages(r, v, []string{"registry.example.com"}), v
}

func anImage(t *testing.T) v1.Image {
	t.Helper()
	image, err := random.Image(64, 1)
	require.NoError(t, err)
	return image
}

func TestImagesAreRemoved(t *testing.T) {
	shared, foreign := anImage(t), anImage(t)
	all := map[string]v1.Image{
		"hello/hello:git-00000001":        anImage(t),
		"hello/hello:git-00000001-worker": anImage(t),
		"hello/hello:git-00000002":        shared,
		"hello/hello:git-00000003.v7":     shared,
		"hello/hello:git-00000004":        foreign,
		"hello/hello:mine":                foreign,
		"hello/hello:buildpack":           anImage(t),
		"hello/hello:git-nothex00":        anImage(t),
		"hello/other:git-00000001":        anImage(t),
		"docker.io/library:latest":        anImage(t),
	}
	r, images, _ := shelf(t, all)
	apps, err := images.Repositories(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"hello"}, apps)
	n, err := images.Remove(t.Context(), "hello", func(tag, _ string) bool { return tag == "git-00000003.v7" })
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	for tag, there := range map[string]bool{
		"git-00000001": false, "git-00000001-worker": false,
		"git-00000002": true, "git-00000003.v7": true, // one image
		"git-00000004": true, "mine": true, // somebody else's name is on it
		"buildpack": true, "git-nothex00": true,
	} {
		// This registry forgets images, but not their names.
		digest, err := all["hello/hello:"+tag].Digest()
		require.NoError(t, err)
		found, err := images.Has(t.Context(), r.Address+"/hello/hello@"+digest.String())
		require.NoError(t, err)
		assert.Equal(t, there, found, tag)
	}
	n, err = images.Remove(t.Context(), "nothere", func(string, string) bool { return false })
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestHas(t *testing.T) {
	r, images, _ := shelf(t, map[string]v1.Image{"web/web:git-00000001": anImage(t)})
	for image, want := range map[string]bool{
		"registry.example.com/web/web:git-00000001": true,
		"registry.example.com/web/web:git-00000002": false,
		r.Address + "/web/web:git-00000002":         false,
		"docker.io/library/nginx:1":                 true,
	} {
		there, err := images.Has(t.Context(), image)
		require.NoError(t, err)
		assert.Equal(t, want, there, image)
	}
}

// TestCollectOpensAgain also when collecting fails or is broken off, and when
// it was not known to be shut.
func TestCollectOpensAgain(t *testing.T) {
	_, images, v := shelf(t, nil)
	require.NoError(t, images.Collect(t.Context()))
	v.fail = errors.New("no room")
	require.ErrorIs(t, images.Collect(t.Context()), v.fail)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v.fail = ctx.Err()
	require.ErrorIs(t, images.Collect(ctx), context.Canceled)
	v.stuck = errors.New("its pod does not come up")
	require.ErrorIs(t, images.Collect(t.Context()), v.stuck)
	assert.Equal(t, strings.Fields("shut collect open shut collect open shut collect open shut open"), v.did)
}
