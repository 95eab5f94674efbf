package archive

import (
	"context"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule does something again and again at the times of a cron line.
type Schedule struct {
	When cron.Schedule
	// Last is when it was last done, zero for never. What should have been done
	// since then, while the host was off, is done at once.
	Last time.Time
	// Do does it. It is tried again after Retry when it fails, unless its next
	// time comes first.
	Do    func(ctx context.Context) error
	Retry time.Duration
	// Tell is told how it stands: when it is done next, and the error of the
	// last try.
	Tell func(next time.Time, problem error)

	Now  func() time.Time
	Wait func(ctx context.Context, d time.Duration) error
}

// look is how often the clock is looked at: it may be set meanwhile.
const look = time.Minute

// Run goes on until ctx ends.
func (s Schedule) Run(ctx context.Context) {
	last := s.Last
	if last.IsZero() || last.After(s.Now()) { // the clock may have been set back
		last = s.Now()
	}
	next := s.When.Next(last)
	if now := s.Now(); next.Before(now) {
		next = now
	}
	s.Tell(next, nil)
	for {
		for s.Now().Before(next) {
			if s.Wait(ctx, min(look, max(next.Sub(s.Now()), time.Millisecond))) != nil {
				return
			}
		}
		err := s.Do(ctx)
		if ctx.Err() != nil {
			return
		}
		next = s.When.Next(s.Now())
		if again := s.Now().Add(s.Retry); err != nil && again.Before(next) {
			next = again
		}
		s.Tell(next, err)
	}
}
