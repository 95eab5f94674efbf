package platformtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func suiteCertTries(t *testing.T, f fixture) {
	f.app("hello")
	f.domain("hello", "www.example.com")
	f.domain("hello", "blog.example.com")
	begun := control.CertAttempt{Domain: "www.example.com", Issuer: "https://acme", Account: "a1", LastTry: day(1), NextTry: day(2), Failures: 1,
		Problem: control.CertRunning, Message: "under way"}
	f.code(platform.Conflict, f.BeginCert(f.ctx, begun, day(0)))
	require.NoError(t, f.BeginCert(f.ctx, begun, time.Time{}))
	f.code(platform.Conflict, f.BeginCert(f.ctx, begun, time.Time{}))
	f.code(platform.NotFound, f.BeginCert(f.ctx, control.CertAttempt{Domain: "nothere", LastTry: day(1)}, time.Time{}))
	require.Equal(t, []control.CertAttempt{begun}, f.edge("hello").Attempts)

	failed := begun
	failed.Problem, failed.Message, failed.NextTry = control.CertDNS, "no address", day(9)
	told := control.Event{App: "hello", Object: "certificate", Action: "fail", Data: []byte(`{"domain":"www.example.com"}`), Created: day(2)}
	require.NoError(t, f.EndCert(f.ctx, failed, nil, told))
	require.Equal(t, []control.CertAttempt{failed}, f.edge("hello").Attempts)
	require.Empty(t, f.edge("hello").Leaves)
	last, err := f.LastEvents(f.ctx, "hello", 1)
	require.NoError(t, err)
	require.Equal(t, told.Data, last[0].Data)

	again := control.CertAttempt{Domain: "www.example.com", Issuer: "https://acme", Account: "a1", LastTry: day(9), NextTry: day(9), Problem: control.CertRunning}
	require.NoError(t, f.BeginCert(f.ctx, again, day(1)))
	f.code(platform.NotFound, f.EndCert(f.ctx, failed, nil, told)) // the one before
	got := &control.Issued{
		Pair: control.Pair{Domain: "www.example.com", Chain: []byte("chain"), Key: []byte("key")},
		Leaf: control.Leaf{Domain: "www.example.com", Starts: day(9), Expires: day(20), Issuer: "https://acme"},
	}
	again.Problem, again.NextTry = control.CertNone, time.Time{}
	require.NoError(t, f.EndCert(f.ctx, again, got, control.Event{}))
	e := f.edge("hello")
	require.Equal(t, []control.CertAttempt{again}, e.Attempts)
	require.Equal(t, []control.Leaf{got.Leaf}, e.Leaves)
	pairs, err := f.ListPairs(f.ctx, "hello")
	require.NoError(t, err)
	require.Equal(t, []control.Pair{got.Pair}, pairs)

	require.NoError(t, f.DeleteDomain(f.ctx, "hello", "www.example.com", day(21)))
	require.Empty(t, f.edge("hello").Attempts)
	f.code(platform.NotFound, f.EndCert(f.ctx, again, got, control.Event{}))
}

func suiteHolds(t *testing.T, f fixture) {
	first := control.CertHold{Account: "b", Issuer: "https://acme", LastTry: day(1), NextTry: day(5), Failures: 2, Problem: control.CertRateLimited, Message: "slow"}
	require.NoError(t, f.SaveHold(f.ctx, first))
	other := control.CertHold{Account: "a", Issuer: "https://acme"}
	require.NoError(t, f.SaveHold(f.ctx, other))
	first.Failures, first.NextTry = 3, day(6)
	require.NoError(t, f.SaveHold(f.ctx, first))
	list, err := f.ListHolds(f.ctx)
	require.NoError(t, err)
	require.Equal(t, []control.CertHold{other, first}, list)
	require.True(t, first.Problem.OfAccount())
	require.False(t, control.CertDNS.OfAccount())
}
