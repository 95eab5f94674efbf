package lifecycle

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// recorder notes the order in which parts start to stop.
type recorder struct {
	mu     sync.Mutex
	events []string
}

func (r *recorder) add(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, s)
}

func (r *recorder) waiting(name string) Part {
	return Part{Name: name, Run: func(ctx context.Context) error {
		<-ctx.Done()
		r.add(name)
		return nil
	}}
}

func TestRunStopsInReverseOrderWhenTheContextEnds(t *testing.T) {
	var r recorder
	ctx, cancel := context.WithCancel(t.Context())
	started := Part{Name: "starter", Run: func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		r.add("starter")
		return nil
	}}
	require.NoError(t, Run(ctx, []Part{r.waiting("one"), r.waiting("two"), started}))
	require.Equal(t, []string{"starter", "two", "one"}, r.events)
}

func TestRunStopsEverythingWhenOnePartEnds(t *testing.T) {
	broken := errors.New("disk on fire")
	tests := map[string]struct {
		err  error
		want string
	}{
		"with an error": {err: broken, want: "two: disk on fire"},
		"without one":   {want: "two: stopped by itself"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var r recorder
			two := Part{Name: "two", Run: func(context.Context) error { return tt.err }}
			err := Run(t.Context(), []Part{r.waiting("one"), two, r.waiting("three")})
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, []string{"three", "one"}, r.events)
		})
	}
}

func TestRunJoinsErrorsOfStopping(t *testing.T) {
	slow := Part{Name: "slow", Run: func(ctx context.Context) error {
		<-ctx.Done()
		return errors.New("could not flush")
	}}
	first := Part{Name: "first", Run: func(context.Context) error { return errors.New("gone") }}
	err := Run(t.Context(), []Part{slow, first})
	require.ErrorContains(t, err, "first: gone")
	require.ErrorContains(t, err, "slow: could not flush")
}

func TestBoardKeepsSinceWhileTheStateStays(t *testing.T) {
	now := time.Unix(100, 0)
	b := NewBoard(func() time.Time { return now }, "node", "charts")
	now = time.Unix(200, 0)
	b.Set("node", Working, "starting")
	now = time.Unix(300, 0)
	b.Set("node", Working, "almost")
	b.Set("late", Ready, "")
	entries, _ := b.Snapshot()
	require.Equal(t, []Entry{
		{Name: "node", State: Working, Message: "almost", Since: time.Unix(200, 0)},
		{Name: "charts", State: Waiting, Since: time.Unix(100, 0)},
		{Name: "late", State: Ready, Since: time.Unix(300, 0)},
	}, entries)
	require.False(t, AllReady(entries))
	require.False(t, AllReady(nil))
	b.Set("node", Ready, "")
	b.Set("charts", Ready, "")
	entries, _ = b.Snapshot()
	require.True(t, AllReady(entries))
}

func TestSocketFollowsTheBoard(t *testing.T) {
	b := NewBoard(time.Now, "node")
	socket := filepath.Join(t.TempDir(), "run", "s.sock")
	server := StatusServer{Socket: socket, Board: b, Report: func() Report { return Report{Version: "v1", Domain: "example.com"} }}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	require.Eventually(t, func() bool {
		return ReadReports(t.Context(), socket, false, func(Report) bool { return true }) == nil
	}, 10*time.Second, 5*time.Millisecond)

	var seen []State
	err := ReadReports(t.Context(), socket, true, func(r Report) bool {
		require.Equal(t, "example.com", r.Domain)
		s := r.Parts[0].State
		if len(seen) == 0 || seen[len(seen)-1] != s {
			seen = append(seen, s)
		}
		if s == Waiting {
			b.Set("node", Working, "")
		} else if s == Working {
			b.Set("node", Ready, "")
		}
		return s == Ready
	})
	require.NoError(t, err)
	require.Equal(t, []State{Waiting, Working, Ready}, seen)

	cancel()
	require.NoError(t, <-done)
	err = ReadReports(t.Context(), socket, false, func(Report) bool { return true })
	require.ErrorIs(t, err, ErrNotRunning)
}

func TestSocketTellsMore(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s.sock")
	_, err := Ask(t.Context(), socket, "/more")
	require.ErrorIs(t, err, ErrNotRunning)
	server := StatusServer{
		Socket: socket, Board: NewBoard(time.Now, "x"), Report: func() Report { return Report{} },
		Handlers: map[string]http.Handler{"GET /more": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.URL.Query().Get("of"))
		})},
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	require.Eventually(t, func() bool {
		return ReadReports(t.Context(), socket, false, func(Report) bool { return true }) == nil
	}, 10*time.Second, time.Millisecond)
	body, err := Ask(t.Context(), socket, "/more?of=this")
	require.NoError(t, err)
	text, err := io.ReadAll(body)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	require.Equal(t, "this", string(text))
	_, err = Ask(t.Context(), socket, "/less")
	require.EqualError(t, err, "404 page not found")
	require.NotErrorIs(t, err, ErrNotRunning)
	cancel()
	require.NoError(t, <-done)
}

func TestSocketOfAKilledServerIsReplaced(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s.sock")
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		s := StatusServer{Socket: socket, Board: NewBoard(time.Now, "x"), Report: func() Report { return Report{} }}
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		require.Eventually(t, func() bool {
			return ReadReports(t.Context(), socket, false, func(Report) bool { return true }) == nil
		}, 10*time.Second, 5*time.Millisecond)
		cancel()
		require.NoError(t, <-done)
	}
}
