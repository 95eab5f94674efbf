// Package lease decides which of several servers' controllers works: the one
// that holds a Lease of Kubernetes. The election itself is client-go's; this
// package adds what a controller needs around it.
//
//   - Work ends before the lease is given back, so that two never work at once.
//   - A Term tells whether this server may still change anything. Its answer
//     depends on a clock and not on somebody noticing: a process that stood still
//     while another server took over is refused its next write.
//   - The identity is the server's name and stays over a restart: a server that
//     was killed and comes back goes on at once, without waiting for its own lease
//     to run out.
package lease

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/slipway-paas/slipway/platform"
)

// Where the Lease is. It is not in the platform's own namespace, which the
// first holder has yet to make.
const (
	Namespace = metav1.NamespaceSystem
	Name      = "slipway-controller"
)

// annotationDatabase names the database of the holder, so that a server with
// another one does not take its place.
const annotationDatabase = "slipway.internal/database"

// Timing of an election. Others may take over when the last renewal is Duration
// old. A holder renews every Retry, and stops when it could not for Renew.
type Timing struct {
	Duration, Renew, Retry time.Duration
}

// Failover is for servers that take over from each other. A holder whose
// renewals fail stops 15 s after the last good one (Retry and Renew), and has 5 s
// for it before others may begin.
func Failover() Timing {
	return Timing{Duration: 20 * time.Second, Renew: 12 * time.Second, Retry: 3 * time.Second}
}

// Bound is for a server whose disk has the database: nobody else can take
// over, and each renewal is a write to that same disk.
func Bound() Timing {
	return Timing{Duration: time.Minute, Renew: 40 * time.Second, Retry: 10 * time.Second}
}

// Options are what an Elector needs. Identity and one of Client and Kubeconfig
// are required.
type Options struct {
	Client     kubernetes.Interface // wins over Kubeconfig
	Kubeconfig string
	Identity   string // the node's name
	Timing     Timing // default: Failover
	Logger     *logrus.Logger
	// Seen hears who holds the lease, whenever that changes; "" is nobody. It
	// must not block.
	Seen func(holder string)
}

// Elector takes part in the election. Make it with New.
type Elector struct {
	opts   Options
	client kubernetes.Interface

	mu     sync.Mutex
	told   bool
	holder string
}

// New makes an Elector. It makes no request.
func New(o Options) (*Elector, error) {
	if o.Identity == "" {
		return nil, errors.New("lease: no identity")
	}
	if o.Timing == (Timing{}) {
		o.Timing = Failover()
	}
	if o.Logger == nil {
		o.Logger = logrus.New()
		o.Logger.SetOutput(io.Discard)
	}
	if o.Seen == nil {
		o.Seen = func(string) {}
	}
	client := o.Client
	if client == nil {
		config, err := clientcmd.BuildConfigFromFlags("", o.Kubeconfig)
		if err != nil {
			return nil, fmt.Errorf("lease: reading %s: %w", o.Kubeconfig, err)
		}
		config.UserAgent = "slipway-lease"
		// A request that hangs must leave time for another one.
		config.Timeout = o.Timing.Renew / 3
		if client, err = kubernetes.NewForConfig(config); err != nil {
			return nil, fmt.Errorf("lease: making a client: %w", err)
		}
	}
	return &Elector{opts: o, client: client}, nil
}

// ErrLost is the cause of the context of work whose lease was lost.
var ErrLost = errors.New("the lease was lost")

// What became of one call of Lead.
const (
	waiting int32 = iota
	working
	ended // by the end of the caller's context
)

// Lead waits until this server holds the lease, calls work, and gives the lease
// back when work has returned. The context of work ends with ctx, or with the
// cause ErrLost when the lease could not be renewed. Lead returns what work
// returned, and ctx's error when it ended before there was anything to do.
func (e *Elector) Lead(ctx context.Context, work func(context.Context, *Term) error) error {
	// The election outlives ctx, since the lease is held until work has ended.
	electing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var state atomic.Int32
	defer context.AfterFunc(ctx, func() {
		if state.CompareAndSwap(waiting, ended) {
			stop()
		}
	})()
	term := &Term{duration: e.opts.Timing.Duration, now: time.Now}
	worked := make(chan error, 1)
	lead := func(held context.Context) {
		defer stop()
		if state.CompareAndSwap(waiting, working) {
			e.opts.Logger.Info("this server's controller leads")
			worked <- term.run(ctx, held, work)
		}
	}
	elector, err := e.elector(term, lead)
	if err != nil {
		return err
	}
	elector.Run(electing)
	if state.Load() == working {
		err = <-worked
	} else {
		err = context.Cause(ctx)
	}
	term.over.Store(true)
	e.giveBack(context.WithoutCancel(ctx))
	return err
}

func (e *Elector) elector(term *Term, lead func(context.Context)) (*leaderelection.LeaderElector, error) {
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: Namespace, Name: Name},
		Client:     e.client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: e.opts.Identity},
	}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:          &renewals{Interface: lock, term: term, seen: e.saw},
		LeaseDuration: e.opts.Timing.Duration, RenewDeadline: e.opts.Timing.Renew, RetryPeriod: e.opts.Timing.Retry,
		Name: Name,
		// Not ReleaseOnCancel: that gives the lease back while work still ends.
		Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: lead, OnStoppedLeading: func() {}},
	})
	if err != nil {
		return nil, fmt.Errorf("lease: %w", err)
	}
	return elector, nil
}

// saw tells Seen of a change.
func (e *Elector) saw(holder string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.told && e.holder == holder {
		return
	}
	e.told, e.holder = true, holder
	e.opts.Seen(holder)
}

// giveBack lets others take over at once instead of when the lease runs out.
// Without it nothing but time is lost.
func (e *Elector) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timing.Retry)
	defer cancel()
	leases := e.client.CoordinationV1().Leases(Namespace)
	l, err := leases.Get(ctx, Name, metav1.GetOptions{})
	if err == nil && l.Spec.HolderIdentity != nil && *l.Spec.HolderIdentity == e.opts.Identity {
		now, nobody, second := metav1.NowMicro(), "", int32(1)
		l.Spec.HolderIdentity, l.Spec.LeaseDurationSeconds, l.Spec.RenewTime = &nobody, &second, &now
		_, err = leases.Update(ctx, l, metav1.UpdateOptions{})
	}
	if err != nil {
		e.opts.Logger.WithError(err).Info("the lease could not be given back and runs out by itself")
	}
}

// Watch tells Seen who holds the lease until ctx ends, without taking part. A
// holder that has not renewed in time is nobody.
func (e *Elector) Watch(ctx context.Context) error {
	tick := time.NewTicker(e.opts.Timing.Retry)
	defer tick.Stop()
	for {
		if h, err := e.Holder(ctx); err == nil {
			e.saw(h.Name)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Holder is who leads.
type Holder struct {
	Name     string // "" is nobody, or somebody who did not renew in time
	Database string // what the holder wrote with SetDatabase
}

// Holder asks who holds the lease. Its clock is compared with the holder's, with
// as much tolerance as the lease lasts.
func (e *Elector) Holder(ctx context.Context) (Holder, error) {
	l, err := e.client.CoordinationV1().Leases(Namespace).Get(ctx, Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return Holder{}, nil
	}
	if err != nil {
		return Holder{}, fmt.Errorf("asking who leads: %w", err)
	}
	h := Holder{Database: l.Annotations[annotationDatabase]}
	if l.Spec.HolderIdentity != nil && !expired(l, time.Now()) {
		h.Name = *l.Spec.HolderIdentity
	}
	return h, nil
}

func expired(l *coordinationv1.Lease, now time.Time) bool {
	if l.Spec.RenewTime == nil || l.Spec.LeaseDurationSeconds == nil {
		return true
	}
	lasts := time.Duration(*l.Spec.LeaseDurationSeconds) * time.Second
	return now.After(l.Spec.RenewTime.Add(2 * lasts))
}

// SetDatabase writes down which database the holder has.
func (e *Elector) SetDatabase(ctx context.Context, id string) error {
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, annotationDatabase, id)
	_, err := e.client.CoordinationV1().Leases(Namespace).Patch(ctx, Name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("noting the leader's database: %w", err)
	}
	return nil
}

// Term is the time for which this server leads.
type Term struct {
	duration time.Duration
	now      func() time.Time
	renewed  atomic.Pointer[time.Time] // just before the last renewal was asked for
	over     atomic.Bool
}

// Check is nil as long as nobody else can lead, and an error of the code
// Unavailable afterwards. It is cheap: ask before every write.
func (t *Term) Check() error {
	at := t.renewed.Load()
	if at != nil && !t.over.Load() && t.now().Sub(*at) < t.duration {
		return nil
	}
	return platform.Errorf(platform.Unavailable, "this server's controller no longer leads; try again in a moment")
}

// run calls work with a context that ends with ctx or with the lease.
func (t *Term) run(ctx, held context.Context, work func(context.Context, *Term) error) error {
	working, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()
	defer context.AfterFunc(held, func() { cancel(ErrLost) })()
	return work(working, t)
}

// renewals notes when the lease was last ours for sure, which is the moment
// before the request that renewed it was sent, and whose it is otherwise.
type renewals struct {
	resourcelock.Interface
	term *Term
	seen func(holder string)
}

// Get reads whose the lease is.
func (r *renewals) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := r.Interface.Get(ctx)
	if err == nil {
		r.seen(record.HolderIdentity)
	}
	return record, raw, err
}

// Create takes a lease that was not there.
func (r *renewals) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return r.note(func() error { return r.Interface.Create(ctx, record) })
}

// Update takes or renews.
func (r *renewals) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return r.note(func() error { return r.Interface.Update(ctx, record) })
}

func (r *renewals) note(write func() error) error {
	asked := r.term.now()
	if err := write(); err != nil {
		return err
	}
	r.term.renewed.Store(&asked)
	r.seen(r.Identity())
	return nil
}
