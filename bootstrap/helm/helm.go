// Package helm installs the platform's charts with the Helm SDK and waits for
// their pods. It is the only room that knows Helm, and with platform/kube the
// only one that knows Kubernetes.
//
// Each chart is a real Helm release (Secrets in its namespace), so "helm list"
// and "helm history" show it. What a release was made of is a digest in its
// labels; Apply with the same digest changes nothing.
//
//	        ┌─ pending (killed while applying) ── marked failed ─┐
//	none ───┤                                                    ├─→ deployed
//	        └─ failed, deployed with another digest ─────────────┘
//
// Applying and being ready are two things: a release is "deployed" once the API
// server has its objects, and the wait for pods follows, so a wait that ends in
// an error leaves a release that the next Apply only waits for again.
package helm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/slipway-paas/slipway/charts"
)

// DefaultTimeout is how long Apply waits for the pods of one chart.
const DefaultTimeout = 5 * time.Minute

// Installer applies charts to one cluster. It is safe for concurrent use, but
// only one process at a time may apply the same charts: a pending release is
// taken for that of a process that died.
type Installer struct {
	// AppVersion is that of the program; another one makes a new revision.
	AppVersion string
	// Timeout of the wait for one chart's pods; 0: DefaultTimeout.
	Timeout time.Duration
	// Images is what the program carries, as digests by reference. Pods of an
	// image whose digest is another than before are replaced.
	Images map[string]string

	connect func(ctx context.Context, namespace string) (*cluster, error)
	mu      sync.Mutex
	locks   map[string]*sync.Mutex // by release
}

// cluster is what one call works with. Requests of helm and dynamic end with
// the call's context; the release records behind helm and the reads of kube do
// not, so that a cancelled call can still say so in its record.
type cluster struct {
	helm    *action.Configuration
	kube    kubernetes.Interface
	dynamic dynamic.Interface
	refresh func() // forgets which kinds the API server knows
}

// New is an Installer for the cluster of a kubeconfig file. The file is read at
// the first call, so it may be written later.
func New(kubeconfig, appVersion string) *Installer { return NewGuarded(kubeconfig, appVersion, nil) }

// NewGuarded is New, with a call before every request that may change something;
// its error refuses the request.
func NewGuarded(kubeconfig, appVersion string, guard func() error) *Installer {
	return &Installer{AppVersion: appVersion, connect: (&connector{path: kubeconfig, guard: guard}).connect}
}

// Phase is how far a chart has come.
type Phase string

// The phases of one Apply, in order. Waiting repeats whenever what it waits for
// changes.
const (
	Applying  Phase = "applying"
	Unchanged Phase = "unchanged" // instead of Applied
	Applied   Phase = "applied"
	Waiting   Phase = "waiting"
	Ready     Phase = "ready"
)

// Event is one step of a chart, for people to read.
type Event struct {
	Chart   string
	Phase   Phase
	Text    string // while Waiting: what is not ready and why
	Elapsed time.Duration
}

// Progress takes events. Charts applied side by side call it one at a time.
// It may be nil.
type Progress func(Event)

// Apply installs the chart, or upgrades it when its files, values or AppVersion
// have changed, and waits until all its pods are ready. An error of the wait is
// a *NotReadyError. Calling it again after any error, or after the process was
// killed, carries on. When ctx ends, the work has stopped before Apply returns.
func (i *Installer) Apply(ctx context.Context, c charts.Chart, s charts.Settings, p Progress) error {
	return i.apply(ctx, c, s, p, func() {})
}

// ApplyAll applies the charts, each as soon as those it names in After have
// their objects in the cluster; the waits for pods run side by side. The first
// failure stops charts that have not begun, lets those already waiting finish,
// and all errors are returned joined.
func (i *Installer) ApplyAll(ctx context.Context, list []charts.Chart, s charts.Settings, p Progress) error {
	if err := s.Validate(); err != nil {
		return err
	}
	p = serialized(p)
	applied := make(map[string]chan struct{}, len(list))
	for _, c := range list {
		applied[c.Name] = make(chan struct{})
	}
	starting, giveUp := context.WithCancel(ctx)
	defer giveUp()
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for n, c := range list {
		wg.Go(func() {
			if err := awaitAll(starting, c, applied); err != nil {
				return // the reason is another chart's error, or ctx's
			}
			errs[n] = i.apply(ctx, c, s, p, func() { close(applied[c.Name]) })
			if errs[n] != nil {
				giveUp()
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return ctx.Err()
}

// awaitAll returns when every chart that c needs has its objects, or with an
// error when they will not come.
func awaitAll(ctx context.Context, c charts.Chart, applied map[string]chan struct{}) error {
	for _, needed := range c.After {
		ready, known := applied[needed]
		if !known {
			continue // not part of this run: there already
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

func serialized(p Progress) Progress {
	if p == nil {
		return nil
	}
	var mu sync.Mutex
	return func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		p(e)
	}
}

// apply is Apply, with a call once the objects are in the cluster.
func (i *Installer) apply(ctx context.Context, c charts.Chart, s charts.Settings, p Progress, applied func()) error {
	unlock := i.lock(c.Release)
	defer unlock()
	start := time.Now()
	report := func(phase Phase, text string) {
		if p != nil {
			p(Event{Chart: c.Name, Phase: phase, Text: text, Elapsed: time.Since(start)})
		}
	}
	pkg, err := load(c, s, i.AppVersion, i.Images)
	if err != nil {
		return fmt.Errorf("chart %s: %w", c.Name, err)
	}
	cl, err := i.connect(ctx, c.Namespace)
	if err != nil {
		return fmt.Errorf("chart %s: %w", c.Name, err)
	}
	report(Applying, "")
	manifest, changed, err := release(ctx, cl, c, pkg)
	if err != nil {
		return fmt.Errorf("chart %s: %w", c.Name, err)
	}
	if changed {
		report(Applied, "")
	} else {
		report(Unchanged, "")
	}
	applied()
	if err := i.await(ctx, cl, c, manifest, func(text string) { report(Waiting, text) }); err != nil {
		return fmt.Errorf("chart %s: %w", c.Name, err)
	}
	report(Ready, "")
	return nil
}

func (i *Installer) await(ctx context.Context, cl *cluster, c charts.Chart, manifest string, report func(string)) error {
	timeout := i.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	list, err := workloads(manifest, c.Namespace)
	if err != nil {
		return err
	}
	w := &waiter{kube: cl.kube, workloads: list, report: report}
	return w.run(ctx, timeout)
}

// lock keeps two calls in this process from working on one release at once.
func (i *Installer) lock(name string) (unlock func()) {
	i.mu.Lock()
	if i.locks == nil {
		i.locks = map[string]*sync.Mutex{}
	}
	if i.locks[name] == nil {
		i.locks[name] = &sync.Mutex{}
	}
	l := i.locks[name]
	i.mu.Unlock()
	l.Lock()
	return l.Unlock
}
