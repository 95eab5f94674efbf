package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/store"
)

// A reader that follows the log while many write, on two servers where there
// can be two, gets every event once and in order: none commits below an ID that
// was already read.
func TestFollowingTheLog(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, place string) {
		const writers, each = 8, 40
		stores := []*store.Store{open(t, place), open(t, place)}
		fill(t, stores[0])
		before, err := stores[0].ListEvents(t.Context(), "", 0, 100)
		require.NoError(t, err)
		from := before[len(before)-1].ID

		done := make(chan struct{})
		var group sync.WaitGroup
		for w := range writers {
			s := stores[w%2]
			group.Go(func() {
				for i := range each {
					write(t, s, fmt.Sprint(w, "-", i), i)
				}
			})
		}
		go func() { group.Wait(); close(done) }()

		seen := map[string]int{}
		last := follow(t, stores[1], from, done, seen)
		require.Len(t, seen, writers*each)
		for name, times := range seen {
			require.Equal(t, 1, times, name)
		}
		all, err := stores[0].ListEvents(t.Context(), "", from, 1000)
		require.NoError(t, err)
		require.Equal(t, last, all[len(all)-1].ID)
	})
}

// write adds one event, alone or within a larger change.
func write(t *testing.T, s *store.Store, name string, i int) {
	_, err := s.AppendEvent(t.Context(), control.Event{App: name, Object: "thing", Action: "happen"})
	if err != nil {
		t.Errorf("append %s: %v", name, err)
	}
	if i%4 == 0 {
		if err := s.SetStructure(t.Context(), "hello", map[string]int{"web": i}, time.Now()); err != nil {
			t.Errorf("change %s: %v", name, err)
		}
	}
}

// follow reads from an ID on until done and nothing new comes, and counts the
// events that writers named.
func follow(t *testing.T, s *store.Store, from int64, done chan struct{}, seen map[string]int) int64 {
	for {
		over := false
		select {
		case <-done:
			over = true
		default:
		}
		page, err := s.ListEvents(t.Context(), "", from, 7)
		require.NoError(t, err)
		for _, e := range page {
			require.Greater(t, e.ID, from)
			from = e.ID
			if e.Object == "thing" {
				seen[e.App]++
			}
		}
		if over && len(page) == 0 {
			return from
		}
	}
}
