package control

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

func TestQueueOrder(t *testing.T) {
	t.Parallel()
	q := newQueue()
	for _, app := range []string{"one", "two", "one", "three"} {
		q.add(app)
	}
	next := func() string {
		app, ok := q.next(t.Context())
		require.True(t, ok)
		return app
	}
	require.Equal(t, "one", next())
	q.add("one") // while it is being worked on
	q.add("one")
	require.Equal(t, "two", next())
	q.done("one")
	require.Equal(t, "three", next())
	require.Equal(t, "one", next(), "once more, and behind those that waited")
	for _, app := range []string{"one", "two", "three"} {
		q.done(app)
	}
	require.NoError(t, q.wait(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, ok := q.next(ctx)
	require.False(t, ok)
	q.add("one")
	_, ok = q.next(ctx)
	require.False(t, ok, "not even when there is something")
	require.ErrorIs(t, q.wait(ctx), context.Canceled)
}

func TestQueueLater(t *testing.T) {
	t.Parallel()
	q := newQueue()
	q.addAfter("one", time.Millisecond)
	q.addAfter("one", time.Hour) // the earlier one counts
	app, ok := q.next(t.Context())
	require.True(t, ok)
	require.Equal(t, "one", app)
	q.done("one")
	q.addAfter("two", time.Hour)
	q.stop()
	q.addAfter("three", time.Nanosecond)
	require.Empty(t, q.timers)
	q.open()
	require.NoError(t, q.wait(t.Context()), "nothing is due any more")
}

// However adds and workers interleave, no app is with two workers and no add
// is lost: each app's last add is followed by a turn.
func TestQueueLosesNothing(t *testing.T) {
	t.Parallel()
	q := newQueue()
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	wanted, seen, busy := map[string]int{}, map[string]int{}, map[string]bool{}
	var workers, adders sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for {
				app, ok := q.next(ctx)
				if !ok {
					return
				}
				mu.Lock()
				if busy[app] {
					t.Errorf("%s is with two workers", app)
				}
				busy[app] = true
				seen[app] = wanted[app]
				mu.Unlock()
				mu.Lock()
				busy[app] = false
				mu.Unlock()
				q.done(app)
			}
		})
	}
	for range 8 {
		adders.Go(func() {
			for i := range 500 {
				app := fmt.Sprint(i % 7)
				mu.Lock()
				wanted[app]++
				mu.Unlock()
				q.add(app)
			}
		})
	}
	adders.Wait()
	require.NoError(t, q.wait(t.Context()))
	mu.Lock()
	require.Equal(t, wanted, seen)
	mu.Unlock()
	cancel()
	workers.Wait()
}

func TestKeyedLock(t *testing.T) {
	t.Parallel()
	k := newKeyed()
	free, err := k.lock(t.Context(), "a")
	require.NoError(t, err)
	_, ok := k.tryLock("a")
	require.False(t, ok)
	other, ok := k.tryLock("b")
	require.True(t, ok)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = k.lock(ctx, "a")
	require.ErrorIs(t, err, context.Canceled)
	other()
	free()
	require.Empty(t, k.locks, "locks exist only while in use")
	count := 0
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			free, err := k.lock(t.Context(), "a")
			if err == nil {
				count++
				free()
			}
		})
	}
	group.Wait()
	require.Equal(t, 50, count)
	require.Empty(t, k.locks)
}

func TestDefaultBackoff(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]time.Duration{1: 500 * time.Millisecond, 2: time.Second, 5: 8 * time.Second, 6: 15 * time.Second, 9999: 15 * time.Second} {
		require.Equal(t, want, defaultBackoff(n))
	}
}

// Guessing from everywhere at everybody neither blocks all for ever nor
// takes memory without bound.
func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	th := newThrottle(func() time.Time { return now })
	for i := range 60_000 {
		now = now.Add(time.Millisecond)
		_ = th.allow(fmt.Sprintf("user%d", i%5000), fmt.Sprintf("remote%d", i))
	}
	require.LessOrEqual(t, len(th.seen), throttleEntries+3)
	now = now.Add(2 * time.Hour)
	require.NoError(t, th.allow("user1", "remote1"))
}

// One user guessed at from many places is slowed down, and one place that
// guesses at many users.
func TestThrottleOfUserAndRemote(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	th := newThrottle(func() time.Time { return now })
	tries := func(name func(i int) (string, string)) int {
		n := 0
		for i := range 100 {
			if th.allow(name(i)) == nil {
				n++
			}
		}
		return n
	}
	require.Equal(t, userAllowance, tries(func(i int) (string, string) { return "carol", fmt.Sprint(i) }))
	require.Equal(t, remoteAllowance, tries(func(i int) (string, string) { return fmt.Sprint("user", i), "6.6.6.6" }))
	var wait time.Duration
	for range 40 { // it doubles and then stays
		for th.allow("carol", "elsewhere") != nil {
			now = now.Add(time.Second)
			wait += time.Second
		}
		if th.seen["user\x00carol"].until.Sub(now) == throttleMax {
			return
		}
	}
	t.Fatalf("the longest wait was not reached in %s", wait)
}

func TestLoginsAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := newLogins(func() time.Time { return now })
	for range maxPending {
		_, err := l.put("carol")
		require.NoError(t, err)
	}
	_, err := l.put("carol")
	require.Equal(t, platform.Throttled, platform.CodeOf(err))
	now = now.Add(loginLife + time.Second)
	key, err := l.put("carol")
	require.NoError(t, err)
	require.Len(t, l.proven, 1)
	name, ok := l.take(key)
	require.True(t, ok)
	require.Equal(t, "carol", name)
}
