package control_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// public is a public authority that tests steer.
type public struct {
	signer authority

	mu     sync.Mutex
	asked  []string
	fail   func(control.CertRequest) error
	before func(ctx context.Context) // runs before it answers
}

const acme = "https://acme.example.org/directory"

func (p *public) Choose(s platform.Issuer) control.Authority {
	if s.Server != "" {
		return control.Authority{Issuer: s.Server, Account: s.Server + s.Email + s.KeyID}
	}
	return control.Authority{Issuer: acme, Account: "platform" + s.Email}
}

func (p *public) ByHTTP(r control.CertRequest) bool { return !strings.HasPrefix(r.Domain, "*") }

func (p *public) Obtain(ctx context.Context, r control.CertRequest) (chain, key []byte, err error) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Domain)
	fail, before := p.fail, p.before
	p.mu.Unlock()
	if before != nil {
		before(ctx)
	}
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if fail != nil {
		if err := fail(r); err != nil {
			return nil, nil, err
		}
	}
	return (&authority{clock: p.signer.clock}).Certify(ctx, []string{r.Domain})
}

func (p *public) let(fail func(control.CertRequest) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = fail
}

// count is how often a domain was asked for.
func (p *public) count(domain string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.asked {
		if d == domain || domain == "" {
			n++
		}
	}
	return n
}

// certKit is a kit with a public authority, an app that has a domain, and a
// timer that only tests let go.
func certKit(t *testing.T) (*kit, *public, func(time.Duration)) {
	t.Helper()
	k := newKit(t)
	p := &public{signer: authority{clock: k.clock}}
	kick := make(chan time.Time)
	options := func(o *control.Options) {
		o.Certifier, o.Authorities = &authority{clock: k.clock}, p
		o.CertBackoff = func(n int) time.Duration { return time.Duration(n) * time.Hour }
		o.After = func(time.Duration) <-chan time.Time { return kick }
	}
	k.renew(options)
	k.run()
	k.create(app)
	k.deploy("img:1", "web")
	pass := func(d time.Duration) {
		t.Helper()
		k.settle()
		k.clock.pass(d)
		kick <- k.clock.Now()
		kick <- k.clock.Now() // taken when the look after the first is over
		k.settle()
	}
	return k, p, pass
}

func (k *kit) auto() {
	k.t.Helper()
	on := true
	k.tls(control.TLSChange{AutoCerts: &on})
	k.settle()
}

// says is what tls info tells of a domain.
func (k *kit) says(domain string) platform.TLSEvent {
	k.t.Helper()
	found, err := k.FindTLS(k.t.Context(), k.alice, app)
	require.NoError(k.t, err)
	for _, e := range found.Events {
		if e.Name == domain {
			return e
		}
	}
	require.Fail(k.t, "nothing is told of "+domain)
	return platform.TLSEvent{}
}

func (k *kit) told(action string) (list []string) {
	k.t.Helper()
	events, err := k.store.ListEvents(k.t.Context(), app, 0, 1000)
	require.NoError(k.t, err)
	for _, e := range events {
		if e.Object == "certificate" && e.Action == action {
			list = append(list, string(e.Data))
		}
	}
	return list
}

func TestPublicCertificates(t *testing.T) {
	t.Parallel()
	k, p, pass := certKit(t)
	k.domain("www.example.com", "web")
	k.auto()
	k.domain("blog.example.com", "web")
	k.settle()
	x := k.cluster.Exposed(app)
	require.Equal(t, []string{"blog.example.com", "www.example.com"}, x.Challenges)
	require.Len(t, x.Certs, 2)
	require.Equal(t, 2, p.count(""), "each once")
	require.Len(t, k.told("issue"), 2)
	ev := k.says("www.example.com")
	require.True(t, ev.Ready)
	require.Equal(t, "served with a certificate of acme.example.org, valid until 2026-05-30T12:00:00Z", ev.Message)

	pass(59 * 24 * time.Hour)
	require.Equal(t, 2, p.count(""))
	pass(2 * 24 * time.Hour)
	require.Equal(t, 4, p.count(""), "two thirds through its life the timer renews it")
	require.NotEqual(t, x.Certs[0].Chain, k.cluster.Exposed(app).Certs[0].Chain)

	chain, key, err := (&authority{clock: k.clock}).Certify(t.Context(), []string{"www.example.com"})
	require.NoError(t, err)
	_, err = k.AddCert(t.Context(), k.alice, app, control.NewCert{Name: "mine", Certificate: string(chain), Key: string(key)})
	require.NoError(t, err)
	require.NoError(t, k.AttachCert(t.Context(), k.alice, app, "mine", "www.example.com"))
	pass(70 * 24 * time.Hour)
	require.Equal(t, 2, p.count("www.example.com"), "an uploaded one is its owner's business")
	require.Equal(t, []string{"blog.example.com"}, k.cluster.Exposed(app).Challenges)

	no := false
	k.settings(control.SettingsChange{Routable: &no})
	k.settle()
	require.Equal(t, []string{"blog.example.com"}, k.cluster.Exposed(app).Challenges, "also without routes")
}

func TestFailuresBackOffByDomain(t *testing.T) {
	t.Parallel()
	k, p, pass := certKit(t)
	p.let(func(r control.CertRequest) error {
		if r.Domain == "bad.example.com" {
			return &control.CertError{Problem: control.CertDNS, Message: "bad.example.com leads nowhere: add a record", Err: errors.New("secret detail")}
		}
		return nil
	})
	k.domain("bad.example.com", "web")
	k.domain("good.example.com", "web")
	k.auto()
	require.Equal(t, 1, p.count("bad.example.com"))
	require.True(t, k.says("good.example.com").Ready)
	ev := k.says("bad.example.com")
	require.False(t, ev.Ready)
	require.Contains(t, ev.Message, "served with a certificate of the platform's own authority, valid until 2026-05-30T12:00:00Z")
	require.Contains(t, ev.Message, "none of acme.example.org: bad.example.com leads nowhere: add a record; next try at 2026-03-01T13:00:00Z")
	require.Len(t, k.cluster.Exposed(app).Certs, 2, "the own authority's meanwhile")
	require.Equal(t, []string{`{"domain":"bad.example.com","issuer":"` + acme + `","message":"bad.example.com leads nowhere: add a record",` +
		`"next_try":"2026-03-01T13:00:00Z","problem":"dns"}`}, k.told("fail"))

	pass(59 * time.Minute)
	k.deploy("img:2", "web") // no work of an app is a reason to come earlier
	k.settle()
	require.Equal(t, 1, p.count("bad.example.com"))
	pass(2 * time.Minute)
	require.Equal(t, 2, p.count("bad.example.com"))
	pass(time.Hour)
	require.Equal(t, 2, p.count("bad.example.com"), "each pause is longer")
	pass(time.Hour)
	require.Equal(t, 3, p.count("bad.example.com"))

	p.let(nil)
	k.tls(control.TLSChange{Issuer: &platform.Issuer{Email: "me@example.com"}})
	k.settle()
	require.Equal(t, 4, p.count("bad.example.com"), "another account may be tried at once")
	require.True(t, k.says("bad.example.com").Ready)
	require.Equal(t, 1, p.count("good.example.com"), "what is good stays")
}

func TestAccountsAreLeftAlone(t *testing.T) {
	t.Parallel()
	k, p, pass := certKit(t)
	until := k.clock.Now().Add(50 * time.Hour)
	p.let(func(control.CertRequest) error {
		return &control.CertError{Problem: control.CertRateLimited, Message: "too many requests", Until: until}
	})
	k.domain("one.example.com", "web")
	k.auto()
	k.domain("two.example.com", "web")
	k.settle()
	require.Equal(t, 1, p.count(""), "nothing is tried with that account")
	require.Contains(t, k.says("two.example.com").Message, "too many requests; next try at 2026-03-03T14:00:00Z")
	pass(49 * time.Hour)
	require.Equal(t, 1, p.count(""), "as long as the authority said")
	pass(2 * time.Hour)
	require.Equal(t, 2, p.count(""), "one domain finds out")
	p.let(nil)
	pass(5 * time.Hour)
	require.Equal(t, 4, p.count(""))
	require.True(t, k.says("one.example.com").Ready)
	require.True(t, k.says("two.example.com").Ready)
	holds, err := k.store.ListHolds(t.Context())
	require.NoError(t, err)
	require.Zero(t, holds[0].Failures)
}

// A try that the server did not survive counts as one that failed; one that
// the server's end cut off does not.
func TestTriesSurviveTheServer(t *testing.T) {
	t.Parallel()
	k, p, _ := certKit(t)
	begun := make(chan struct{})
	var once sync.Once
	p.before = func(ctx context.Context) {
		once.Do(func() { close(begun) })
		<-ctx.Done()
	}
	k.domain("www.example.com", "web")
	on := true
	k.tls(control.TLSChange{AutoCerts: &on})
	<-begun
	require.Contains(t, k.says("www.example.com").Message, "is being asked for at acme.example.org")
	k.deploy("img:2", "web") // its queue does not wait for that
	require.Eventually(t, func() bool { return k.release(3).State == succeeded }, 10*time.Second, time.Millisecond)
	k.stop()
	require.Contains(t, k.says("www.example.com").Message, "the server ended while")
	e, err := k.store.FindEdge(t.Context(), app)
	require.NoError(t, err)
	require.Zero(t, e.Attempts[0].Failures)

	// As after a kill: begun, and never ended.
	a := e.Attempts[0]
	a.Problem, a.Failures, a.NextTry = control.CertRunning, 1, a.LastTry.Add(time.Hour)
	require.NoError(t, k.store.BeginCert(t.Context(), a, a.LastTry))
	p.before = nil
	options := func(o *control.Options) {
		o.Certifier, o.Authorities = &authority{clock: k.clock}, p
	}
	k.renew(options)
	k.run()
	k.settle()
	require.Equal(t, 1, p.count(""), "not at once")
	k.stop()
	k.clock.pass(2 * time.Hour)
	require.Contains(t, k.says("www.example.com").Message, "the server ended while one of acme.example.org was asked for")
	k.renew(options)
	k.run()
	k.settle()
	require.Equal(t, 2, p.count(""))
	require.True(t, k.says("www.example.com").Ready)
}
