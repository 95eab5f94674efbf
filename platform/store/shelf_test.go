package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

func TestShelf(t *testing.T) {
	t.Parallel()
	for name, place := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where, ctx := place(t), t.Context()
			s, at := open(t, where), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			_, _, err := s.FindItem(ctx, "a/b")
			require.Equal(t, platform.NotFound, platform.CodeOf(err))
			for _, name := range []string{"a/b", "a/c/d", "ab", "a"} {
				require.NoError(t, s.PutItem(ctx, name, []byte("old"), at))
				require.NoError(t, s.PutItem(ctx, name, []byte("secret of "+name), at.Add(time.Second)))
			}
			value, when, err := s.FindItem(ctx, "a/b")
			require.NoError(t, err)
			require.Equal(t, "secret of a/b", string(value))
			require.Equal(t, at.Add(time.Second), when)
			names, err := s.ListItems(ctx, "a")
			require.NoError(t, err)
			require.Equal(t, []string{"a/b", "a/c/d"}, names)
			require.NoError(t, s.DeleteItems(ctx, "a"))
			require.NoError(t, s.DeleteItems(ctx, "a"))
			_, _, err = s.FindItem(ctx, "ab")
			require.NoError(t, err, "another name")
			_, _, err = s.FindItem(ctx, "a/c/d")
			require.Equal(t, platform.NotFound, platform.CodeOf(err))

			two := open(t, where) // another server
			take := func(owner string, now time.Time) bool {
				taken, err := two.TakeLock(ctx, "lock", owner, now, now.Add(time.Minute))
				require.NoError(t, err)
				return taken
			}
			require.True(t, take("one", at))
			require.True(t, take("one", at.Add(time.Second)), "more time")
			require.False(t, take("two", at.Add(time.Minute)))
			require.NoError(t, s.FreeLock(ctx, "lock", "two"))
			require.False(t, take("two", at.Add(time.Minute)))
			require.True(t, take("two", at.Add(2*time.Minute)), "one has died")
			require.NoError(t, s.FreeLock(ctx, "lock", "one"))
			require.False(t, take("one", at.Add(2*time.Minute)))
			require.NoError(t, s.FreeLock(ctx, "lock", "two"))
			require.True(t, take("one", at.Add(2*time.Minute)))
		})
	}
}
