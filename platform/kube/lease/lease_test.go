package lease_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/kube/lease"
)

// quick is an election in which a second is long.
func quick() lease.Timing {
	return lease.Timing{Duration: time.Second, Renew: 400 * time.Millisecond, Retry: 50 * time.Millisecond}
}

func elector(t *testing.T, client *fake.Clientset, name string, seen func(string)) *lease.Elector {
	t.Helper()
	e, err := lease.New(lease.Options{Client: client, Identity: name, Timing: quick(), Seen: seen})
	require.NoError(t, err)
	return e
}

// lead leads in the background until the returned call, which returns what Lead
// returned. begun closes when work has begun.
func lead(t *testing.T, e *lease.Elector) (begun chan *lease.Term, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	begun = make(chan *lease.Term, 1)
	done := make(chan error, 1)
	go func() {
		done <- e.Lead(ctx, func(ctx context.Context, term *lease.Term) error {
			begun <- term
			<-ctx.Done()
			return context.Cause(ctx)
		})
	}()
	return begun, func() error {
		cancel()
		return <-done
	}
}

func holder(t *testing.T, e *lease.Elector) string {
	t.Helper()
	h, err := e.Holder(t.Context())
	require.NoError(t, err)
	return h.Name
}

func TestOneLeadsAndHandsOver(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	one, two := elector(t, client, "one", nil), elector(t, client, "two", nil)
	require.Empty(t, holder(t, one))

	begun, end := lead(t, one)
	term := <-begun
	require.NoError(t, term.Check())
	require.Equal(t, "one", holder(t, two))
	begunTwo, endTwo := lead(t, two)

	require.ErrorIs(t, end(), context.Canceled)
	require.Equal(t, platform.Unavailable, platform.CodeOf(term.Check()), "its time is over")
	second := <-begunTwo
	require.NoError(t, second.Check())
	require.Equal(t, "two", holder(t, one))
	require.ErrorIs(t, endTwo(), context.Canceled)
	require.Empty(t, holder(t, one), "given back")
}

// A server that was killed has its own lease still; it needs not wait for it.
func TestTheSameServerGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	name, now, seconds := "one", metav1.NowMicro(), int32(3600)
	client := fake.NewClientset(&coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: lease.Namespace, Name: lease.Name},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &name, RenewTime: &now, LeaseDurationSeconds: &seconds},
	})
	begun, end := lead(t, elector(t, client, "one", nil))
	select {
	case <-begun:
	case <-time.After(10 * time.Second):
		require.Fail(t, "still waiting for its own lease")
	}
	require.ErrorIs(t, end(), context.Canceled)
}

func TestALostLeaseEndsTheWork(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	var cut atomic.Bool
	client.PrependReactor("*", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		return cut.Load(), nil, errors.New("the API server is away")
	})
	begun, end := lead(t, elector(t, client, "one", nil))
	term := <-begun
	cut.Store(true)
	require.Eventually(t, func() bool { return term.Check() != nil }, 10*time.Second, 5*time.Millisecond)
	require.ErrorIs(t, end(), lease.ErrLost)
}

// Work that does not end keeps nobody from leading, and can write nothing.
func TestWorkThatHangsCanWriteNothing(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	var cut atomic.Bool
	client.PrependReactor("*", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		return cut.Load(), nil, errors.New("the API server is away")
	})
	let, begun := make(chan struct{}), make(chan *lease.Term, 1)
	done := make(chan error, 1)
	go func() {
		done <- elector(t, client, "one", nil).Lead(t.Context(), func(_ context.Context, term *lease.Term) error {
			begun <- term
			<-let
			return term.Check()
		})
	}()
	term := <-begun
	cut.Store(true)
	require.Eventually(t, func() bool { return term.Check() != nil }, 10*time.Second, 5*time.Millisecond)
	cut.Store(false)
	begunTwo, end := lead(t, elector(t, client, "two", nil))
	require.NoError(t, (<-begunTwo).Check())
	close(let)
	require.Equal(t, platform.Unavailable, platform.CodeOf(<-done))
	require.Equal(t, "two", holder(t, elector(t, client, "three", nil)), "the one that hung gave nothing back")
	require.ErrorIs(t, end(), context.Canceled)
}

func TestWorkThatEndsGivesTheLeaseBack(t *testing.T) {
	t.Parallel()
	e := elector(t, fake.NewClientset(), "one", nil)
	broken := errors.New("the database is another one")
	require.ErrorIs(t, e.Lead(t.Context(), func(context.Context, *lease.Term) error { return broken }), broken)
	require.Empty(t, holder(t, e))
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	begun, end := lead(t, elector(t, client, "one", nil))
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := elector(t, client, "two", nil).Lead(ctx, func(context.Context, *lease.Term) error {
		return errors.New("led")
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, "one", holder(t, elector(t, client, "two", nil)))
	require.ErrorIs(t, end(), context.Canceled)
}

func TestWhoLooksOnSeesWhoLeads(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	seen := make(chan string, 10)
	watcher := elector(t, client, "two", func(name string) { seen <- name })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- watcher.Watch(ctx) }()
	require.Empty(t, <-seen)
	one := elector(t, client, "one", nil)
	begun, end := lead(t, one)
	<-begun
	require.Equal(t, "one", <-seen)
	require.NoError(t, one.SetDatabase(t.Context(), "abc"))
	h, err := watcher.Holder(t.Context())
	require.NoError(t, err)
	require.Equal(t, lease.Holder{Name: "one", Database: "abc"}, h)
	require.ErrorIs(t, end(), context.Canceled)
	require.Empty(t, <-seen)
	cancel()
	require.NoError(t, <-done)
}

func TestAHolderThatDoesNotRenewIsNobody(t *testing.T) {
	t.Parallel()
	name, long, seconds := "one", metav1.NewMicroTime(time.Now().Add(-time.Minute)), int32(20)
	client := fake.NewClientset(&coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: lease.Namespace, Name: lease.Name},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &name, RenewTime: &long, LeaseDurationSeconds: &seconds},
	})
	require.Empty(t, holder(t, elector(t, client, "two", nil)))
}

func TestTimings(t *testing.T) {
	t.Parallel()
	for _, timing := range []lease.Timing{lease.Failover(), lease.Bound()} {
		require.Greater(t, timing.Duration, timing.Renew+timing.Retry, "a holder has time to stop")
	}
	_, err := lease.New(lease.Options{Client: fake.NewClientset()})
	require.EqualError(t, err, "lease: no identity")
	_, err = lease.New(lease.Options{Identity: "one", Kubeconfig: "/nowhere"})
	require.ErrorContains(t, err, "/nowhere")
}
