package helm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"

	"github.com/slipway-paas/slipway/charts"
)

func TestApplyAllKeepsOrder(t *testing.T) {
	l := newLab(t)
	l.settled(t, charts.List()...)
	var events []Event
	require.NoError(t, l.ApplyAll(t.Context(), charts.List(), settings(), phases(&events)))
	at := map[string]int{}
	for n, e := range events {
		at[e.Chart+" "+string(e.Phase)] = n
	}
	for _, c := range charts.List() {
		require.Contains(t, at, c.Name+" ready")
		for _, needed := range c.After {
			require.Less(t, at[needed+" applied"], at[c.Name+" applying"])
		}
	}
}

// TestApplyAllDoesNotWaitForPods: a chart whose pods are not ready holds up
// nobody who only needs its objects.
func TestApplyAllDoesNotWaitForPods(t *testing.T) {
	l := newLab(t)
	cluster := chartNamed(t, "cluster")
	l.settled(t, charts.List()...)
	notReady(t, l, "kube-system", "coredns")
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	ready, others := 0, len(charts.List())-1
	err := l.ApplyAll(ctx, charts.List(), settings(), func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Phase == Ready {
			require.NotEqual(t, cluster.Name, e.Chart)
			ready++
		}
		if ready == others {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, others, ready)
}

func TestApplyAllStopsAtAFailure(t *testing.T) {
	l := newLab(t)
	l.settled(t, charts.List()...)
	l.kube.CreateError = errors.New("disk full")
	var events []Event
	err := l.ApplyAll(t.Context(), charts.List(), settings(), phases(&events))
	require.Error(t, err)
	require.Regexp(t, "chart (cluster|gateway): ", err.Error())
	require.ErrorContains(t, err, "disk full")
	for _, e := range events {
		require.Contains(t, []string{"cluster", "gateway"}, e.Chart, "those that need them have not begun")
	}
}

// TestCancelEndsRequests: the requests Helm makes end with the call's context,
// so the call cannot leave work behind.
func TestCancelEndsRequests(t *testing.T) {
	arrived := make(chan struct{})
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(gone)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	transport := &boundTransport{ctx: ctx, next: http.DefaultTransport}
	go func() {
		<-arrived
		cancel()
	}()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	_, err = transport.RoundTrip(req)
	require.ErrorIs(t, err, context.Canceled)
	<-gone
}

func TestBoundTransportLeavesAnswersWhole(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "an answer")
	}))
	defer server.Close()
	config := &rest.Config{Host: server.URL}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &boundTransport{ctx: t.Context(), next: next}
	})
	client, err := rest.HTTPClientFor(config)
	require.NoError(t, err)
	resp, err := client.Get(server.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "an answer", string(body))
}

// TestCancelWhileApplying: Apply returns only after Helm has, and says that it
// was cancelled.
func TestCancelWhileApplying(t *testing.T) {
	l, c := newLab(t), chartNamed(t, "storage")
	l.settled(t, c)
	l.kube.entered = make(chan struct{})
	l.kube.held = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Apply(ctx, c, settings(), nil) }()
	<-l.kube.entered
	cancel()
	require.Empty(t, done, "Helm is still at work")
	close(l.kube.held)
	require.ErrorIs(t, <-done, context.Canceled)

	l.kube.entered, l.kube.held = nil, nil
	require.NoError(t, l.Apply(t.Context(), c, settings(), nil))
	require.Equal(t, "deployed", l.last(t, c).Info.Status.String())
}

func TestTheGuardRefusesChanges(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	refusal := errors.New("another server leads")
	transport := &guardTransport{guard: func() error { return refusal }, next: http.DefaultTransport}
	for method, want := range map[string]error{
		http.MethodGet: nil, http.MethodPost: refusal, http.MethodPatch: refusal, http.MethodDelete: refusal,
	} {
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL, nil)
		require.NoError(t, err)
		resp, err := transport.RoundTrip(req)
		require.ErrorIs(t, err, want, method)
		if want == nil {
			require.NoError(t, resp.Body.Close())
		}
	}
}
