package platformtest_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

// listener is a receiver of hooks that is away at every second call.
type listener struct {
	mu    sync.Mutex
	calls int
	told  []string
}

// Post takes a hook.
func (l *listener) Post(_ context.Context, address, _ string) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls++; l.calls%2 == 0 {
		return 503, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return 0, err
	}
	l.told = append(l.told, u.Host+" "+u.Query().Get("release"))
	return 200, nil
}

// A process that is killed before or after any step tells every receiver of
// every release all the same, and records each once.
func TestKillWhileHooksAreSent(t *testing.T) {
	t.Parallel()
	play := func(t *testing.T, crash *platformtest.Crash) {
		l := &listener{}
		h := newHouse(t)
		h.hooks = control.DeployHooks{
			URLs: []string{"http://one.test/in", "http://two.test/in"}, Poster: l,
			Backoff: func(int) time.Duration { return time.Millisecond },
		}
		h.start(crash)
		h.play(story()[:3], crash)
		told := slices.Compact(slices.Sorted(slices.Values(l.told)))
		require.Equal(t, []string{"one.test v1", "one.test v2", "one.test v3", "two.test v1", "two.test v2", "two.test v3"}, told)
		left, err := h.store.ListDeliveries(t.Context(), "", 10)
		require.NoError(t, err)
		require.Empty(t, left)
		events, err := h.store.ListEvents(t.Context(), app, 0, 100)
		require.NoError(t, err)
		sent := slices.DeleteFunc(events, func(e control.Event) bool { return e.Object != "hook" || e.Action != "sent" })
		require.Len(t, sent, 6)
		h.stop()
	}
	count := platformtest.NewCrash(0, false)
	play(t, count)
	steps := count.Steps()
	require.Greater(t, steps, 25)
	for at := 1; at <= steps; at += stride() {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d after=%v", at, after), func(t *testing.T) {
				t.Parallel()
				play(t, platformtest.NewCrash(at, after))
			})
		}
	}
}
