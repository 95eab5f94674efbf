package acme

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mholt/acmez/v3/acme"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/edge"
)

// last is the record of a domain's last try.
func (k *kit) last(app, name string) control.CertAttempt {
	k.t.Helper()
	for _, a := range k.edge(app).Attempts {
		if a.Domain == name {
			return a
		}
	}
	return control.CertAttempt{}
}

const (
	eabID  = "kid-1"
	eabKey = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
)

func TestExternalAccounts(t *testing.T) {
	t.Parallel()
	k := newKit(t, []string{"-eab-id", eabID, "-eab-key", eabKey})
	k.run()
	k.create("without", nil, "without.example.com", "more.example.com")
	k.settle()
	require.Equal(t, control.CertEAB, k.last("without", "without.example.com").Problem)
	ev := k.says("without", "more.example.com")
	require.Contains(t, ev.Message, "wants an external account: set its key id and key")
	_, accounts := k.ca.counts()
	require.Zero(t, accounts)

	k.create("wrong", &platform.Issuer{KeyID: eabID, KeySecret: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "wrong.example.com")
	k.create("finest", &platform.Issuer{Email: "fine@example.com", KeyID: eabID, KeySecret: eabKey}, "fine.example.com")
	k.settle()
	require.Equal(t, control.CertEAB, k.last("wrong", "wrong.example.com").Problem)
	require.Contains(t, k.says("wrong", "wrong.example.com").Message, "does not take the external account kid-1")
	require.True(t, k.says("finest", "fine.example.com").Ready, k.says("finest", "fine.example.com").Message)

	// The operator sets it for the platform: another account, tried at once.
	k.stop()
	k.renew(k.store, func(s *edge.ACMESettings) { s.KeyID, s.KeySecret = eabID, eabKey })
	k.run()
	k.settle()
	require.True(t, k.says("without", "without.example.com").Ready, k.says("without", "without.example.com").Message)
	events, err := k.store.ListEvents(t.Context(), "", 0, 1000)
	require.NoError(t, err)
	for _, e := range events {
		require.NotContains(t, string(e.Data), eabKey)
	}
}

// What stands between a domain and its certificate is told in words.
func TestReasonsAreTold(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil)
	k.run()
	k.create("hello", nil, "broken.example.com", "*.example.org")
	apps, challenges := k.gateway.known()
	k.gateway.lead(nil, challenges) // as if the host were led elsewhere
	k.create("faraway", nil, "away.example.com")
	k.gateway.lead(nil, challenges)
	k.settle()
	require.NotEmpty(t, apps)
	for name, want := range map[string]struct {
		app     string
		problem control.CertProblem
		says    string
	}{
		"broken.example.com": {"hello", control.CertDNS, "broken.example.com cannot be found"},
		"*.example.org":      {"hello", control.CertWildcard, "upload a certificate, or add each name as a domain"},
		"away.example.com":   {"faraway", control.CertChallenge, "somebody else answered for away.example.com"},
	} {
		require.Equal(t, want.problem, k.last(want.app, name).Problem, k.last(want.app, name).Message)
		require.Contains(t, k.says(want.app, name).Message, want.says)
	}
	orders, _ := k.ca.counts()
	require.Equal(t, 2, orders, "one each, none for what nobody signs")
}

func TestAuthorityAway(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil)
	k.ca.disturb(func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) })
	k.run()
	k.create("hello", nil, "one.example.com", "two.example.com")
	k.settle()
	require.Equal(t, control.CertUnreachable, k.last("hello", "one.example.com").Problem)
	require.Contains(t, k.says("hello", "two.example.com").Message, "does not answer; it is asked again by itself")
	require.Len(t, k.cluster.Exposed("hello").Certs, 2, "the platform's own meanwhile")
	k.ca.disturb(nil)
	k.pass(20 * time.Second)
	require.False(t, k.says("hello", "one.example.com").Ready)
	k.pass(2 * time.Minute) // a short absence costs little
	require.True(t, k.says("hello", "one.example.com").Ready, k.says("hello", "one.example.com").Message)
	require.True(t, k.says("hello", "two.example.com").Ready, k.says("hello", "two.example.com").Message)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil)
	var refused atomic.Int32
	k.ca.disturb(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/order-plz") {
			return false
		}
		refused.Add(1)
		w.Header().Set("Retry-After", "36000")
		problem(w, http.StatusTooManyRequests, "rateLimited", "too many certificates already issued")
		return true
	})
	k.run()
	k.create("hello", nil, "one.example.com")
	k.settle()
	a := k.last("hello", "one.example.com")
	require.Equal(t, control.CertRateLimited, a.Problem)
	require.WithinDuration(t, k.clock.Now().Add(10*time.Hour), a.NextTry, time.Minute)
	require.Contains(t, k.says("hello", "one.example.com").Message, "too many certificates already issued")
	k.pass(9 * time.Hour)
	require.EqualValues(t, 1, refused.Load())
	k.ca.disturb(nil)
	k.pass(2 * time.Hour)
	require.True(t, k.says("hello", "one.example.com").Ready)
}

// An account that was shut is replaced.
func TestAccountShut(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil)
	k.run()
	k.create("hello", nil, "one.example.com")
	k.settle()
	require.True(t, k.says("hello", "one.example.com").Ready)
	k.deactivate()
	_, err := k.AddDomain(t.Context(), k.alice, "hello", "two.example.com", "web")
	require.NoError(t, err)
	k.settle()
	require.True(t, k.says("hello", "two.example.com").Ready, k.says("hello", "two.example.com").Message)
}

// deactivate shuts the platform's account, with its key from the shelf.
func (k *kit) deactivate() {
	k.t.Helper()
	ctx := k.t.Context()
	names, err := k.store.ListItems(ctx, "accounts")
	require.NoError(k.t, err)
	var account acme.Account
	var key *ecdsa.PrivateKey
	for _, name := range names {
		value, _, err := k.store.FindItem(ctx, name)
		require.NoError(k.t, err)
		switch {
		case strings.HasSuffix(name, ".json"):
			require.NoError(k.t, json.Unmarshal(value, &account))
		case strings.HasSuffix(name, ".key"):
			block, _ := pem.Decode(value)
			key, err = x509.ParseECPrivateKey(block.Bytes)
			require.NoError(k.t, err)
		}
	}
	require.NotNil(k.t, key)
	account.PrivateKey, account.Status, account.Contact = key, acme.StatusDeactivated, nil
	client := &acme.Client{Directory: k.ca.directory, HTTPClient: k.ca.front.Client()}
	_, err = client.UpdateAccount(ctx, account)
	require.NoError(k.t, err)
}

// mortal is a store that may die: nothing is recorded any more.
type mortal struct {
	control.Store
	dead *atomic.Bool
}

func (m mortal) gone() error {
	if m.dead.Load() {
		return platform.Errorf(platform.Unavailable, "the process was killed")
	}
	return nil
}

func (m mortal) BeginCert(ctx context.Context, a control.CertAttempt, seen time.Time) error {
	if err := m.gone(); err != nil {
		return err
	}
	return m.Store.BeginCert(ctx, a, seen)
}

func (m mortal) EndCert(ctx context.Context, a control.CertAttempt, got *control.Issued, e control.Event) error {
	if err := m.gone(); err != nil {
		return err
	}
	return m.Store.EndCert(ctx, a, got, e)
}

func (m mortal) SaveHold(ctx context.Context, h control.CertHold) error {
	if err := m.gone(); err != nil {
		return err
	}
	return m.Store.SaveHold(ctx, h)
}

// Killed between order and finalize: the certificate that is there goes on
// being served, and the next try makes one more order.
func TestKilledBeforeFinalize(t *testing.T) {
	t.Parallel()
	k := newKit(t, []string{"-validity", "7200"})
	dead := &atomic.Bool{}
	k.renew(mortal{k.store, dead})
	k.run()
	k.create("hello", nil, "one.example.com")
	k.settle()
	first := k.leaf("hello", "one.example.com")
	require.Equal(t, k.ca.directory, first.Issuer)

	reached := make(chan struct{})
	k.ca.disturb(func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/finalize-order/") || dead.Swap(true) {
			return false
		}
		close(reached)
		_, _ = io.Copy(io.Discard, r.Body) // only then it is seen that nobody waits
		<-r.Context().Done()               // the process is no more
		return true
	})
	k.clock.pass(81 * time.Minute)
	k.kick <- k.clock.Now()
	<-reached
	k.stop()
	k.ca.disturb(nil)
	a := k.last("hello", "one.example.com")
	require.Equal(t, control.CertRunning, a.Problem, "as it was recorded before")
	require.Equal(t, first, k.leaf("hello", "one.example.com"))
	require.NoError(t, k.handshake("one.example.com"))

	k.renew(k.store)
	k.run()
	k.settle()
	orders, _ := k.ca.counts()
	require.Equal(t, 2, orders, "a start is no reason to order again")
	k.pass(11 * time.Minute)
	require.True(t, k.leaf("hello", "one.example.com").Expires.After(first.Expires))
	orders, accounts := k.ca.counts()
	require.Equal(t, 3, orders, "one was lost")
	require.Equal(t, 1, accounts)
	require.NoError(t, k.handshake("one.example.com"))
}
