package platformtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

var _ control.Cluster = (*Cluster)(nil)

// Cluster is a control.Cluster in memory. It keeps what each app would run,
// records every call, and notes calls for one app that overlap, which control
// promises not to make.
type Cluster struct {
	Name string // its ID

	mu       sync.Mutex
	apps     map[string]map[string]Running
	foreign  map[string]bool
	calls    []Call
	busy     map[string]string
	overlaps []string
	errors   map[string]error
	once     map[string][]error
	gates    map[string]*Gate
	refuse   func(control.Deployment) error
	exposed  map[string]control.Exposure
	deny     func(control.Exposure) error
	volumes  map[string]map[string]string // app → volume → size
	filers   map[string]*filer            // by "app/volume"
	owners   map[string]string            // workspace by app, as the walls between them have it
	runs     runState
	watching
}

// Call is one call that the cluster took.
type Call struct {
	Name    string // "Apply"…
	App     string
	Version int // of the release, for Apply
	Ptypes  []string
}

// Running is what runs of one process type.
type Running struct {
	Version  int
	Image    string
	Replicas int
	Env      map[string]string
	Host     string
	Routed   bool
	Restarts int
	Mounts   []platform.Mount
	Process  control.Process // all that was asked for
}

// NewCluster makes an empty cluster.
func NewCluster() *Cluster {
	return &Cluster{
		Name: "cluster", apps: map[string]map[string]Running{}, foreign: map[string]bool{}, busy: map[string]string{},
		runs: newRunState(), errors: map[string]error{}, once: map[string][]error{}, gates: map[string]*Gate{},
		exposed: map[string]control.Exposure{},
		volumes: map[string]map[string]string{}, filers: map[string]*filer{},
		owners: map[string]string{}, watching: watching{wake: make(chan struct{}, 1)},
	}
}

// Fail lets every call of that name fail with err; nil ends it.
func (c *Cluster) Fail(name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errors[name] = err
}

// FailNext lets the next calls of that name fail, one with each error.
func (c *Cluster) FailNext(name string, errs ...error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.once[name] = append(c.once[name], errs...)
}

// Refuse lets Apply fail with what f returns for a deployment, unless nil.
func (c *Cluster) Refuse(f func(control.Deployment) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = f
}

// AddNamespace makes a namespace that is nobody's app.
func (c *Cluster) AddNamespace(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.foreign[name] = true
}

// Gate holds one call. Reached is closed when the call has come, Open lets it
// go on. A call whose context ends leaves the gate with the context's error.
type Gate struct {
	Reached <-chan struct{}
	reached chan struct{}
	open    chan struct{}
	once    sync.Once
	after   bool
}

// Open lets the call go on. Idempotent.
func (g *Gate) Open() { g.once.Do(func() { close(g.open) }) }

// HoldBefore holds the next call of that name before it has any effect.
func (c *Cluster) HoldBefore(name string) *Gate { return c.hold(name, false) }

// HoldAfter holds the next call of that name after its effect.
func (c *Cluster) HoldAfter(name string) *Gate { return c.hold(name, true) }

func (c *Cluster) hold(name string, after bool) *Gate {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := &Gate{reached: make(chan struct{}), open: make(chan struct{}), after: after}
	g.Reached = g.reached
	c.gates[name] = g
	return g
}

func (g *Gate) pass(ctx context.Context) error {
	close(g.reached)
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Calls lists the calls so far, of one name or, when empty, of all.
func (c *Cluster) Calls(name string) []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.calls), func(call Call) bool { return name != "" && call.Name != name })
}

// Overlaps lists pairs of calls for one app that ran at the same time.
func (c *Cluster) Overlaps() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.overlaps)
}

// Running returns what runs of an app, nil when it has no namespace.
func (c *Cluster) Running(app string) map[string]Running {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.apps[app])
}

// Owner is the workspace whose apps reach app.
func (c *Cluster) Owner(app string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owners[app]
}

// do is the frame of every call: record, gates, errors, overlap, effect.
func (c *Cluster) do(ctx context.Context, call Call, effect func() error) error {
	gate, err := c.enter(call)
	defer c.leave(call)
	if gate != nil && !gate.after {
		if err := gate.pass(ctx); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	err = effect()
	c.mu.Unlock()
	if gate != nil && gate.after {
		if err := gate.pass(ctx); err != nil {
			return err
		}
	}
	return err
}

func (c *Cluster) enter(call Call) (*Gate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, call)
	if other, ok := c.busy[call.App]; ok {
		c.overlaps = append(c.overlaps, fmt.Sprintf("%s: %s during %s", call.App, call.Name, other))
	}
	c.busy[call.App] = call.Name
	gate := c.gates[call.Name]
	delete(c.gates, call.Name)
	if errs := c.once[call.Name]; len(errs) > 0 {
		c.once[call.Name] = errs[1:]
		return gate, errs[0]
	}
	return gate, c.errors[call.Name]
}

func (c *Cluster) leave(call Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.busy, call.App)
}

// EnsureApp makes the namespace.
func (c *Cluster) EnsureApp(ctx context.Context, a platform.App) error {
	return c.do(ctx, Call{Name: "EnsureApp", App: a.ID}, func() error {
		if c.apps[a.ID] == nil {
			c.apps[a.ID] = map[string]Running{}
		}
		c.owners[a.ID] = a.Workspace
		return nil
	})
}

// Apply runs the deployment's processes unless it is refused.
func (c *Cluster) Apply(ctx context.Context, d control.Deployment) error {
	call := Call{Name: "Apply", App: d.App.ID, Version: d.Release.Version}
	for _, p := range d.Processes {
		call.Ptypes = append(call.Ptypes, p.Ptype)
	}
	return c.do(ctx, call, func() error {
		if c.refuse != nil {
			if err := c.refuse(d); err != nil {
				return err
			}
		}
		if c.apps[d.App.ID] == nil {
			return platform.Errorf(platform.NotFound, "namespace %s not found", d.App.ID)
		}
		c.exposed[d.App.ID] = d.Exposure
		if err := c.checkMounts(d); err != nil {
			return err
		}
		for _, p := range d.Processes {
			replicas := p.Replicas
			if had, ok := c.apps[d.App.ID][p.Ptype]; ok && p.Autoscale != nil {
				replicas = had.Replicas
			}
			c.apps[d.App.ID][p.Ptype] = Running{
				Version: d.Release.Version, Image: p.Image, Replicas: replicas, Env: p.Env, Host: d.Host, Routed: p.Routed, Mounts: p.Mounts, Process: p,
			}
			c.tell(d.App.ID, p.Ptype, replicas)
		}
		return nil
	})
}

// Scale sets the replicas of what runs.
func (c *Cluster) Scale(ctx context.Context, app string, replicas map[string]int) error {
	return c.do(ctx, Call{Name: "Scale", App: app}, func() error {
		var missing error
		for ptype, n := range replicas {
			r, ok := c.apps[app][ptype]
			if !ok {
				missing = platform.Errorf(platform.NotFound, "the process type %s is not deployed", ptype)
				continue
			}
			r.Replicas = n
			c.apps[app][ptype] = r
			c.tell(app, ptype, n)
		}
		return missing
	})
}

// Remove ends process types.
func (c *Cluster) Remove(ctx context.Context, app string, ptypes []string) error {
	return c.do(ctx, Call{Name: "Remove", App: app, Ptypes: ptypes}, func() error {
		for _, p := range ptypes {
			delete(c.apps[app], p)
		}
		return nil
	})
}

// DeleteApp ends all of an app.
func (c *Cluster) DeleteApp(ctx context.Context, app string) error {
	return c.do(ctx, Call{Name: "DeleteApp", App: app}, func() error {
		delete(c.runs.jobs, app)
		delete(c.apps, app)
		delete(c.exposed, app)
		delete(c.volumes, app)
		return nil
	})
}

// ID returns Name.
func (c *Cluster) ID(ctx context.Context) (string, error) {
	return c.Name, c.do(ctx, Call{Name: "ID"}, func() error { return nil })
}

// NamespaceExists reports apps and what AddNamespace made.
func (c *Cluster) NamespaceExists(_ context.Context, name string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.foreign[name] || c.apps[name] != nil, c.errors["NamespaceExists"]
}

// Pods lists one pod for each replica.
func (c *Cluster) Pods(_ context.Context, app string) ([]platform.Pod, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var pods []platform.Pod
	for _, ptype := range slices.Sorted(maps.Keys(c.apps[app])) {
		r := c.apps[app][ptype]
		for i := range r.Replicas {
			pods = append(pods, platform.Pod{
				Name: fmt.Sprintf("%s-%s-%d", app, ptype, i), Type: ptype, State: "up", Ready: "1/1",
				Release: fmt.Sprintf("v%d", r.Version), Restarts: r.Restarts,
			})
		}
	}
	return append(pods, c.jobPods(app)...), c.errors["Pods"]
}

// Restart counts a restart of ptypes, or of all when none are named.
func (c *Cluster) Restart(ctx context.Context, app string, ptypes []string) error {
	return c.do(ctx, Call{Name: "Restart", App: app, Ptypes: ptypes}, func() error {
		if len(ptypes) == 0 {
			ptypes = slices.Collect(maps.Keys(c.apps[app]))
		}
		for _, p := range ptypes {
			if r, ok := c.apps[app][p]; ok {
				r.Restarts++
				c.apps[app][p] = r
			}
		}
		return nil
	})
}
