package archive

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSchedule(t *testing.T) {
	daily, err := cron.ParseStandard("30 3 * * *")
	require.NoError(t, err)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, time.UTC) }
	for name, tc := range map[string]struct {
		last  time.Time
		fails int
		want  []time.Time
	}{
		"the first":             {time.Time{}, 0, []time.Time{at(2, 3, 30), at(3, 3, 30)}},
		"as before":             {at(1, 3, 31), 0, []time.Time{at(2, 3, 30), at(3, 3, 30)}},
		"missed while off":      {at(1, 3, 31).AddDate(0, 0, -5), 0, []time.Time{at(1, 12, 0), at(2, 3, 30)}},
		"tried again":           {time.Time{}, 2, []time.Time{at(2, 3, 30), at(2, 3, 45), at(2, 4, 0), at(3, 3, 30)}},
		"set back in its clock": {at(9, 0, 0), 0, []time.Time{at(2, 3, 30)}},
	} {
		t.Run(name, func(t *testing.T) {
			now := at(1, 12, 0)
			var done, told []time.Time
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			Schedule{
				When: daily, Last: tc.last, Retry: 15 * time.Minute, Now: func() time.Time { return now },
				Do: func(context.Context) error {
					done = append(done, now)
					if len(done) == len(tc.want) {
						cancel()
					}
					if len(done) <= tc.fails {
						return errors.New("no room")
					}
					return nil
				},
				Tell: func(next time.Time, _ error) { told = append(told, next) },
				Wait: func(ctx context.Context, d time.Duration) error {
					assert.LessOrEqual(t, d, look)
					now = now.Add(d)
					return ctx.Err()
				},
			}.Run(ctx)
			assert.Equal(t, tc.want, done)
			assert.Equal(t, tc.want, told)
		})
	}
}
