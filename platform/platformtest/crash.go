package platformtest

import (
	"context"
	"sync"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// Crash is a process that dies at a chosen step. Steps are the calls that
// change the store or the cluster, counted from 1. When the step comes the
// call has its effect only if the crash is set to come after it; either way
// its result is lost, and no later call has any effect.
type Crash struct {
	mu    sync.Mutex
	at    int
	after bool
	loss  bool
	steps int
	dead  chan struct{}
}

// NewCrash makes a crash at step at; 0 never crashes and counts the steps.
func NewCrash(at int, after bool) *Crash {
	return &Crash{at: at, after: after, dead: make(chan struct{})}
}

// NewLoss is no crash: at step at the call has its effect and only its answer
// is lost, as when the connection to a database breaks. All goes on after it.
func NewLoss(at int) *Crash {
	return &Crash{at: at, after: true, loss: true, dead: make(chan struct{})}
}

// Dead is closed when the crash has happened.
func (c *Crash) Dead() <-chan struct{} { return c.dead }

// Steps is how many steps there were.
func (c *Crash) Steps() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.steps
}

// Died reports whether the crash has happened.
func (c *Crash) Died() bool {
	select {
	case <-c.dead:
		return true
	default:
		return false
	}
}

func killed() error { return platform.Errorf(platform.Unavailable, "the process was killed") }

// step runs f as the next step.
func (c *Crash) step(f func() error) error {
	c.mu.Lock()
	if c.Died() {
		c.mu.Unlock()
		return killed()
	}
	c.steps++
	mine := c.at > 0 && c.steps == c.at
	if mine && !c.loss {
		close(c.dead)
	}
	c.mu.Unlock()
	if !mine {
		return f()
	}
	if c.after {
		_ = f() // whatever came of it, nobody is left to hear
	}
	return killed()
}

func stepOf[T any](c *Crash, f func() (T, error)) (out T, err error) {
	err = c.step(func() error {
		out, err = f()
		return err
	})
	return out, err
}

// Store counts the changes of s as steps.
func (c *Crash) Store(s control.Store) control.Store { return crashStore{Store: s, c: c} }

// Cluster counts the changes of cl as steps.
func (c *Crash) Cluster(cl control.Cluster) control.Cluster { return crashCluster{Cluster: cl, c: c} }

type crashStore struct {
	control.Store
	c *Crash
}

func (s crashStore) CreateToken(ctx context.Context, t platform.Token, key string) (platform.Token, error) {
	return stepOf(s.c, func() (platform.Token, error) { return s.Store.CreateToken(ctx, t, key) })
}

func (s crashStore) CreateWorkspace(ctx context.Context, w platform.Workspace, admin string) (platform.Workspace, error) {
	return stepOf(s.c, func() (platform.Workspace, error) { return s.Store.CreateWorkspace(ctx, w, admin) })
}

func (s crashStore) CreateApp(ctx context.Context, a platform.App, cfg platform.Config, r platform.Release, set platform.Settings) (platform.App, error) {
	return stepOf(s.c, func() (platform.App, error) { return s.Store.CreateApp(ctx, a, cfg, r, set) })
}

func (s crashStore) SetStructure(ctx context.Context, app string, structure map[string]int, at time.Time) error {
	return s.c.step(func() error { return s.Store.SetStructure(ctx, app, structure, at) })
}

func (s crashStore) SetWorkspace(ctx context.Context, app, workspace string, at time.Time) error {
	return s.c.step(func() error { return s.Store.SetWorkspace(ctx, app, workspace, at) })
}

func (s crashStore) DeleteApp(ctx context.Context, id string) error {
	return s.c.step(func() error { return s.Store.DeleteApp(ctx, id) })
}

func (s crashStore) SaveSettings(ctx context.Context, set platform.Settings) error {
	return s.c.step(func() error { return s.Store.SaveSettings(ctx, set) })
}

func (s crashStore) AddRelease(ctx context.Context, r platform.Release, b *platform.Build, cfg *platform.Config) (platform.Release, error) {
	return stepOf(s.c, func() (platform.Release, error) { return s.Store.AddRelease(ctx, r, b, cfg) })
}

func (s crashStore) SetReleaseState(ctx context.Context, app string, version int, cond platform.Condition, deployed []string) error {
	return s.c.step(func() error { return s.Store.SetReleaseState(ctx, app, version, cond, deployed) })
}

func (s crashStore) Supersede(ctx context.Context, app string, version int, at time.Time) error {
	return s.c.step(func() error { return s.Store.Supersede(ctx, app, version, at) })
}

func (s crashStore) AddWork(ctx context.Context, w control.Work) (control.Work, error) {
	return stepOf(s.c, func() (control.Work, error) { return s.Store.AddWork(ctx, w) })
}

func (s crashStore) DoneWork(ctx context.Context, id int64) error {
	return s.c.step(func() error { return s.Store.DoneWork(ctx, id) })
}

func (s crashStore) OpenOutbox(ctx context.Context, targets []string, since time.Time) error {
	if len(targets) == 0 {
		return s.Store.OpenOutbox(ctx, targets, since) // nothing changes for who has no hooks
	}
	return s.c.step(func() error { return s.Store.OpenOutbox(ctx, targets, since) })
}

func (s crashStore) AddDeliveries(ctx context.Context, cursor int64, list []control.Delivery) error {
	return s.c.step(func() error { return s.Store.AddDeliveries(ctx, cursor, list) })
}

func (s crashStore) TriedDelivery(ctx context.Context, id int64) error {
	return s.c.step(func() error { return s.Store.TriedDelivery(ctx, id) })
}

func (s crashStore) EndDelivery(ctx context.Context, id int64, e control.Event) error {
	return s.c.step(func() error { return s.Store.EndDelivery(ctx, id, e) })
}

func (s crashStore) AppendEvent(ctx context.Context, e control.Event) (int64, error) {
	return stepOf(s.c, func() (int64, error) { return s.Store.AppendEvent(ctx, e) })
}

type crashCluster struct {
	control.Cluster
	c *Crash
}

func (k crashCluster) EnsureApp(ctx context.Context, a platform.App) error {
	return k.c.step(func() error { return k.Cluster.EnsureApp(ctx, a) })
}

func (k crashCluster) Apply(ctx context.Context, d control.Deployment) error {
	return k.c.step(func() error { return k.Cluster.Apply(ctx, d) })
}

func (k crashCluster) Scale(ctx context.Context, app string, replicas map[string]int) error {
	return k.c.step(func() error { return k.Cluster.Scale(ctx, app, replicas) })
}

func (k crashCluster) Remove(ctx context.Context, app string, ptypes []string) error {
	return k.c.step(func() error { return k.Cluster.Remove(ctx, app, ptypes) })
}

func (k crashCluster) DeleteApp(ctx context.Context, app string) error {
	return k.c.step(func() error { return k.Cluster.DeleteApp(ctx, app) })
}

func (k crashCluster) Restart(ctx context.Context, app string, ptypes []string) error {
	return k.c.step(func() error { return k.Cluster.Restart(ctx, app, ptypes) })
}

func (k crashCluster) DeletePods(ctx context.Context, app string, pods []string) error {
	return k.c.step(func() error { return k.Cluster.DeletePods(ctx, app, pods) })
}

func (k crashCluster) StartJob(ctx context.Context, d control.Deployment, j control.Job) error {
	return k.c.step(func() error { return k.Cluster.StartJob(ctx, d, j) })
}

func (k crashCluster) RunStep(ctx context.Context, d control.Deployment, j control.Job) error {
	return k.c.step(func() error { return k.Cluster.RunStep(ctx, d, j) })
}

func (k crashCluster) EndSteps(ctx context.Context, app string) error {
	return k.c.step(func() error { return k.Cluster.EndSteps(ctx, app) })
}
