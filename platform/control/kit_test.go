package control_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/identity"
	"github.com/slipway-paas/slipway/platform/platformtest"
	"github.com/slipway-paas/slipway/platform/store"
)

const app = "hello"

// kit is a controller over a real store and the fake cluster.
type kit struct {
	*control.Controller
	t       *testing.T
	store   *store.Store
	cluster *platformtest.Cluster
	clock   *clock
	alice   control.Actor // admin of workspace alice
	bobby   control.Actor // a stranger there
	stop    func()
}

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// option changes how the kit's controller is made.
type option func(*control.Options)

func newKit(t *testing.T, options ...option) *kit {
	t.Helper()
	return newKitAt(t, filepath.Join(t.TempDir(), "slipway.db"), options...)
}

// newKitAt is newKit with the database at location.
func newKitAt(t *testing.T, location string, options ...option) *kit {
	t.Helper()
	s, err := store.Open(t.Context(), location, make([]byte, store.KeySize))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	k := &kit{
		t: t, store: s, cluster: platformtest.NewCluster(), stop: func() {},
		clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)},
	}
	k.cluster.Refuse(refuseBroken)
	k.alice, k.bobby = k.user("alice"), k.user("bobby")
	k.renew(options...)
	for _, a := range []control.Actor{k.alice, k.bobby} {
		_, _, err := k.ListWorkspaces(t.Context(), a, control.Page{})
		require.NoError(t, err)
	}
	t.Cleanup(func() { k.stop() })
	return k
}

// refuseBroken lets every image with broken in its name crash.
func refuseBroken(d control.Deployment) error {
	if !strings.Contains(d.Build.Image, "broken") {
		return nil
	}
	return &control.RolloutError{Ptype: "web", Pod: "p", Kind: "CrashLoopBackOff", Reason: "it exits with code 1"}
}

// renew makes a new controller over the same store and cluster.
func (k *kit) renew(options ...option) {
	k.t.Helper()
	o := control.Options{
		Store: k.store, Cluster: k.cluster, Identity: identity.New(), Domain: "example.test", Clock: k.clock.Now,
		Backoff: func(int) time.Duration { return time.Millisecond },
	}
	o.Diagnoser = &looker{}
	for _, change := range options {
		change(&o)
	}
	var err error
	k.Controller, err = control.New(o)
	require.NoError(k.t, err)
}

// run starts the queue; stop ends it.
func (k *kit) run() *kit {
	ctx, cancel := context.WithCancel(k.t.Context())
	done := make(chan error, 1)
	core := k.Controller
	go func() { done <- core.Run(ctx) }()
	var once sync.Once
	k.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				k.t.Errorf("Run: %v", err)
			}
		})
	}
	return k
}

// settle waits until nothing is left to do.
func (k *kit) settle() {
	k.t.Helper()
	require.NoError(k.t, k.Idle(k.t.Context()))
	require.Empty(k.t, k.cluster.Overlaps())
}

func (k *kit) user(name string) control.Actor {
	k.t.Helper()
	u, err := k.store.CreateUser(k.t.Context(), platform.User{Username: name, IsActive: true}, "")
	require.NoError(k.t, err)
	return control.Actor{User: u}
}

func (k *kit) create(id string) {
	k.t.Helper()
	_, err := k.CreateApp(k.t.Context(), k.alice, control.NewApp{ID: id})
	require.NoError(k.t, err)
}

func (k *kit) deploy(image string, ptypes ...string) {
	k.t.Helper()
	procfile := map[string]string{}
	for _, p := range ptypes {
		procfile[p] = "run " + p
	}
	_, err := k.Deploy(k.t.Context(), k.alice, app, control.NewBuild{Image: image, Stack: "container", Procfile: procfile})
	require.NoError(k.t, err)
}

func (k *kit) set(name, value string) {
	k.t.Helper()
	_, err := k.ChangeConfig(k.t.Context(), k.alice, app, control.ConfigChange{
		Values: []control.ValueChange{{Name: name, Value: &value, Group: "global"}},
	}, true)
	require.NoError(k.t, err)
}

func (k *kit) settings(ch control.SettingsChange) {
	k.t.Helper()
	_, err := k.ChangeSettings(k.t.Context(), k.alice, app, ch)
	require.NoError(k.t, err)
}

func (k *kit) release(version int) platform.Release {
	k.t.Helper()
	r, err := k.FindRelease(k.t.Context(), k.alice, app, version)
	require.NoError(k.t, err)
	return r
}

// states lists the states of all releases but the first, by version from 2.
func (k *kit) states() []platform.ReleaseState {
	k.t.Helper()
	list, _, err := k.store.ListReleases(k.t.Context(), app, nil, control.Page{Limit: 1000})
	require.NoError(k.t, err)
	states := make([]platform.ReleaseState, len(list)-1)
	for _, r := range list {
		if r.Version > 1 {
			states[r.Version-2] = r.State
		}
	}
	return states
}

// fails checks the code and message of an error.
func fails(t *testing.T, err error, code platform.Code, message string) {
	t.Helper()
	var e *platform.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, "%v", err)
	require.Contains(t, e.Message, message)
}

func ptr[T any](v T) *T { return &v }

const (
	succeeded  = platform.ReleaseSucceeded
	crashed    = platform.ReleaseCrashed
	pending    = platform.ReleasePending
	deploying  = platform.ReleaseDeploying
	superseded = platform.ReleaseSuperseded
)
