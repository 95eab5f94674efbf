package platformtest_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/platformtest"
	"github.com/slipway-paas/slipway/platform/platformtest/pgtest"
)

// postgres is the PostgreSQL of all tests here.
var postgres pgtest.Cluster

func TestMain(m *testing.M) { os.Exit(postgres.Run(m)) }

// every is how many steps lie between two kills on PostgreSQL, where each house
// costs a database. What a kill does to control is tested on SQLite step by
// step; here it is the transactions that count.
const every = 4

// A process that is killed, and started again, ends in the same state on
// PostgreSQL too.
func TestKillOnPostgres(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 41; at += every {
		t.Run(fmt.Sprintf("step %d", at), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.path = postgres.Database(t)
			crash := platformtest.NewCrash(at, at%(2*every) == 1)
			h.start(crash)
			h.play(story(), crash)
			require.True(t, crash.Died(), "the story is shorter than that")
			h.check()
			h.stop()
		})
	}
}

// The answer of any one write or change is lost, although it has happened, and
// the process lives on: nothing is stuck, lost or done twice, and nobody has to
// start it again.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	calm := newHouse(t)
	count := platformtest.NewLoss(0)
	calm.start(count)
	calm.play(story(), nil)
	calm.stop()
	steps := count.Steps()
	require.Greater(t, steps, 30)
	for at := 1; at <= steps; at += stride() {
		t.Run(fmt.Sprintf("step %d", at), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.start(platformtest.NewLoss(at))
			for _, s := range story() {
				err := s.do(t.Context(), h)
				h.settle(nil)
				if err == nil || s.done(h) {
					continue
				}
				require.Equal(t, platform.Unavailable, platform.CodeOf(err), s.name)
				require.NoError(t, s.do(t.Context(), h), s.name)
				h.settle(nil)
			}
			h.check()
			h.stop()
		})
	}
}
