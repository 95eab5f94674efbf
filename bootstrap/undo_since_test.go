package bootstrap

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/host/hosttest"
)

// quiet shows nothing.
type quiet struct{}

func (quiet) Begin(int, int, string)  {}
func (quiet) Note(string)             {}
func (quiet) End(time.Duration, bool) {}
func (quiet) Fail(time.Duration)      {}

func TestUndoSinceTakesBackWhatCameLater(t *testing.T) {
	h := hosttest.New()
	h.Put("/etc/owner", "his")
	ledger, err := OpenLedger(h, "/var/lib/slipway/ledger", time.Now)
	require.NoError(t, err)
	r := &Runner{Host: h, Ledger: ledger, Progress: quiet{}, Clock: time.Now, KeepFailed: true}
	write := func(path, data string) Step {
		return Step{Name: path, Do: func(_ context.Context, j *Journal) error { return j.WriteFile(path, []byte(data), 0o644) }}
	}
	require.NoError(t, r.Run(t.Context(), []Step{write("/etc/slipway/old", "old")}))
	mark := ledger.Mark()
	failed := write("/etc/slipway/half", "half")
	whole := failed.Do
	failed.Do = func(ctx context.Context, j *Journal) error { return errors.Join(whole(ctx, j), errors.New("no luck")) }
	require.NoError(t, r.Run(t.Context(), []Step{
		write("/etc/new", "new"), write("/etc/owner", "ours"), write("/opt/kept/a", "a"),
	}))
	require.ErrorContains(t, r.Run(t.Context(), []Step{failed}), "no luck")
	_, err = h.Stat("/etc/slipway/half")
	require.NoError(t, err, "a failed step is left to who takes back the plan")

	require.NoError(t, UndoSince(t.Context(), h, nil, "/var/lib/slipway/ledger", mark, []string{"/opt/kept"}, time.Now))
	for _, gone := range []string{"/etc/new", "/etc/slipway/half"} {
		_, err := h.Stat(gone)
		require.Error(t, err, gone)
	}
	for path, want := range map[string]string{"/etc/owner": "his", "/etc/slipway/old": "old", "/opt/kept/a": "a"} {
		data, err := h.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, string(data))
	}
	require.NoError(t, UndoSince(t.Context(), h, nil, "/var/lib/slipway/ledger", mark, nil, time.Now), "again")
}
