package control_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// attic has images by app and tag.
type attic struct {
	mu        sync.Mutex
	tags      map[string][]string
	collected int
	collect   func()
	open      func() error
}

func (a *attic) Repositories(context.Context) (apps []string, err error) {
	for app := range a.tags {
		apps = append(apps, app)
	}
	return apps, nil
}

func (a *attic) Remove(_ context.Context, app string, keep func(tag, digest string) bool) (n int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var left []string
	for _, tag := range a.tags[app] {
		if keep(tag, "sha256:"+tag) {
			left = append(left, tag)
		} else {
			n++
		}
	}
	a.tags[app] = left
	return n, nil
}

func (a *attic) Has(_ context.Context, image string) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for app, tags := range a.tags {
		for _, tag := range tags {
			if image == fmt.Sprintf("registry.example.test/%s/%s:%s", app, app, tag) {
				return true, nil
			}
		}
	}
	return false, nil
}

func (a *attic) Collect(context.Context) error {
	a.collected++
	if a.collect != nil {
		a.collect()
	}
	return nil
}

func (a *attic) Open(context.Context) error {
	if a.open == nil {
		return nil
	}
	return a.open()
}

// TestAShutRegistryIsOpened however often that takes: a process that was killed
// while it collected garbage has left it shut, and nothing can be pushed.
func TestAShutRegistryIsOpened(t *testing.T) {
	a := &attic{tags: map[string][]string{}}
	tries, opened := 0, make(chan struct{})
	a.open = func() error {
		if tries++; tries < 3 {
			return errors.New("the API does not answer")
		}
		if tries == 3 {
			close(opened)
		}
		return nil
	}
	newKit(t, func(o *control.Options) { o.ImageOptions = control.ImageOptions{Images: a, Every: time.Millisecond} }).run()
	select {
	case <-opened:
	case <-time.After(30 * time.Second):
		t.Fatal("it stays shut")
	}
}

func TestSweepImages(t *testing.T) {
	a := &attic{tags: map[string][]string{"gone": {"git-99999999"}}}
	k := newKit(t, func(o *control.Options) { o.ImageOptions = control.ImageOptions{Images: a, Releases: 3} }).run()
	k.create(app)
	for i := range 6 {
		tag := fmt.Sprintf("git-0000000%d", i)
		a.tags[app] = append(a.tags[app], tag, tag+"-worker")
		k.deploy("registry.example.test/hello/hello:"+tag, "web")
		k.settle()
	}
	// Another app runs one of its images, by its digest.
	a.tags[app] = append(a.tags[app], "git-aaaaaaaa")
	_, err := k.CreateApp(t.Context(), k.alice, control.NewApp{ID: "guest"})
	require.NoError(t, err)
	_, err = k.Deploy(t.Context(), k.alice, "guest", control.NewBuild{Image: "registry.example.test/hello/hello:git-aaaaaaaa", Stack: "container"})
	require.NoError(t, err)
	k.settle()

	n, err := k.SweepImages(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 7, n, "three releases of two images, and the app that is gone")
	assert.Equal(t, 1, a.collected)
	assert.Equal(t, []string{
		"git-00000003", "git-00000003-worker", "git-00000004", "git-00000004-worker", "git-00000005", "git-00000005-worker", "git-aaaaaaaa",
	}, a.tags[app])
	assert.Empty(t, a.tags["gone"])

	_, err = k.Rollback(t.Context(), k.alice, app, 2, nil)
	require.ErrorContains(t, err, "The image of v2 is gone: of each app the images of the newest 3 releases are kept")
	assert.Equal(t, platform.Invalid, platform.CodeOf(err))
	_, err = k.Rollback(t.Context(), k.alice, app, 6, nil)
	require.NoError(t, err)
	k.settle()
	n, err = k.SweepImages(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, n, "a rollback is a release: the images of v5 give way")
	n, err = k.SweepImages(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Equal(t, 2, a.collected, "nothing is shut for nothing")
}

// TestSweepWaitsForBuilds lets no build run while garbage is collected, and
// keeps what has no release yet.
func TestSweepWaitsForBuilds(t *testing.T) {
	a := &attic{tags: map[string][]string{app: {"git-060da68f", "git-11111111", "git-22222222.v7-worker"}}}
	y := newYard(t, func(o *control.Options) { o.ImageOptions = control.ImageOptions{Images: a} })
	begun, ended := make(chan struct{}), make(chan struct{})
	a.collect = func() {
		close(begun)
		<-ended
	}
	done := make(chan error, 1)
	_, _, err := y.push()
	require.NoError(t, err)
	require.NoError(t, y.store.AddBuildRun(t.Context(), platform.BuildRun{
		UUID: "another server's", App: app, User: "alice", SHA: "2222222222", Created: y.clock.Now(),
	}, "elsewhere"))
	go func() {
		_, err := y.SweepImages(context.WithoutCancel(t.Context()))
		done <- err
	}()
	<-begun
	s := &screen{}
	wait := y.pushing(t.Context(), app, s)
	require.Eventually(t, func() bool { return y.runs()[0].State == platform.BuildQueued }, 10*time.Second, time.Millisecond)
	close(ended)
	require.NoError(t, <-done)
	_, err = wait()
	require.NoError(t, err)
	assert.Equal(t, []string{"git-060da68f", "git-22222222.v7-worker"}, a.tags[app])
}
