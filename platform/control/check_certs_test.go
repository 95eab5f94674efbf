package control_test

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// looker finds every domain well and remembers what it was told of them.
type looker struct {
	mu       sync.Mutex
	subjects []control.DomainSubject
	hold     chan struct{} // looks wait until it is closed; nil: they do not
	entered  chan struct{}
}

func (l *looker) Diagnose(_ context.Context, s control.DomainSubject) platform.Diagnosis {
	l.mu.Lock()
	l.subjects = append(l.subjects, s)
	l.mu.Unlock()
	if l.hold != nil {
		l.entered <- struct{}{}
		<-l.hold
	}
	return platform.Diagnosis{App: s.App, Domain: s.Domain, Links: []platform.Link{{ID: "dns", State: platform.LinkOK}}}
}

func (l *looker) of(t *testing.T, domain string) control.DomainSubject {
	t.Helper()
	i := slices.IndexFunc(l.subjects, func(s control.DomainSubject) bool { return s.Domain == domain })
	require.GreaterOrEqual(t, i, 0, domain)
	return l.subjects[i]
}

func newLookedAt(t *testing.T) (*kit, *looker) {
	t.Helper()
	k, l := newKit(t), &looker{}
	k.renew(func(o *control.Options) {
		o.Diagnoser, o.Certifier = l, &authority{clock: k.clock}
		o.Addresses = func() []platform.Address {
			return []platform.Address{{Type: "IPAddress", Value: "192.0.2.10"}, {Type: "Hostname", Value: "lb.example"}}
		}
	})
	k.run()
	k.create(app)
	return k, l
}

// What is told of a domain is what the records say, and no key.
func TestCheckCertsKnowsItsDomains(t *testing.T) {
	t.Parallel()
	k, l := newLookedAt(t)
	k.deploy("img:1", "web")
	k.furnish() // have.example.com, other.example.com with the certificate "have"
	k.settle()
	list, total, err := k.CheckCerts(t.Context(), k.alice, app, "", control.Page{})
	require.NoError(t, err)
	require.Equal(t, 3, total)
	var names []string
	for _, d := range list {
		names = append(names, d.Domain)
	}
	require.Equal(t, []string{"hello.example.test", "have.example.com", "other.example.com"}, names)
	own, bare, uploaded := l.of(t, names[0]), l.of(t, names[1]), l.of(t, names[2])
	require.Equal(t, []netip.Addr{netip.MustParseAddr("192.0.2.10")}, own.Addresses)
	require.Equal(t, control.FromOwn, own.Source)
	require.Equal(t, control.FromNobody, bare.Source)
	require.Nil(t, bare.Leaf)
	require.Equal(t, []string{control.FromUser, "have"}, []string{uploaded.Source, uploaded.Cert})
	require.NotEmpty(t, uploaded.Leaf)
	require.Empty(t, own.Hidden+bare.Hidden)

	k.tls(control.TLSChange{AutoCerts: ptr(true)})
	k.settle()
	l.subjects = nil
	list, total, err = k.CheckCerts(t.Context(), k.alice, app, "HAVE.example.com.", control.Page{})
	require.NoError(t, err)
	require.Equal(t, 1, total)
	require.Equal(t, "have.example.com", list[0].Domain)
	signed := l.of(t, "have.example.com")
	require.Equal(t, control.FromOwn, signed.Source)
	require.NotEmpty(t, signed.Leaf)

	list, total, err = k.CheckCerts(t.Context(), k.alice, app, "", control.Page{Limit: 1, Offset: 2})
	require.NoError(t, err)
	require.Equal(t, 3, total)
	require.Equal(t, "other.example.com", list[0].Domain)
}

// Of public authorities it is told how the last try went.
func TestCheckCertsKnowsTries(t *testing.T) {
	t.Parallel()
	k, l := newLookedAt(t)
	k.stop()
	ca := &public{signer: authority{clock: k.clock}}
	until := k.clock.Now().Add(72 * time.Hour)
	ca.let(func(r control.CertRequest) error {
		switch r.Domain {
		case "caa.example.com":
			return &control.CertError{Problem: control.CertCAA, Message: "CAA forbids it"}
		case "*.example.com":
			return &control.CertError{Problem: control.CertWildcard, Message: "no wildcards"}
		}
		return nil
	})
	k.renew(func(o *control.Options) {
		o.Diagnoser, o.Certifier, o.Authorities = l, &authority{clock: k.clock}, ca
	})
	k.run()
	k.deploy("img:1", "web")
	for _, name := range []string{"good.example.com", "caa.example.com", "*.example.com"} {
		k.domain(name, "web")
	}
	k.tls(control.TLSChange{AutoCerts: ptr(true), Issuer: &platform.Issuer{Email: "a@example.com"}})
	k.settle()
	look := func(domain string) control.DomainSubject {
		l.subjects = nil
		_, _, err := k.CheckCerts(t.Context(), k.alice, app, domain, control.Page{})
		require.NoError(t, err)
		return l.of(t, domain)
	}
	good := look("good.example.com")
	require.Equal(t, control.FromPublic, good.Source)
	require.Equal(t, acme, good.ACME.Directory)
	require.Equal(t, "a@example.com", good.ACME.Email)
	require.True(t, good.Answers)
	require.Nil(t, good.ACME.Last)
	require.NotEmpty(t, good.Leaf)
	require.False(t, good.Interim)
	bad := look("caa.example.com")
	require.Equal(t, control.CertCAA, bad.ACME.Last.Problem)
	require.Equal(t, "CAA forbids it", bad.ACME.Last.Message)
	require.True(t, bad.ACME.Last.Next.After(k.clock.Now()))
	wild := look("*.example.com")
	require.False(t, wild.Wildcards)
	require.False(t, wild.Answers)

	ca.let(func(control.CertRequest) error {
		return &control.CertError{Problem: control.CertRateLimited, Message: "too many", Until: until}
	})
	k.domain("late.example.com", "web")
	k.settle()
	late := look("late.example.com")
	require.Equal(t, control.CertRateLimited, late.ACME.Last.Problem)
	require.Equal(t, until.UTC(), late.ACME.Last.Next.UTC())
	require.Equal(t, control.CertRateLimited, look("good.example.com").ACME.Last.Problem, "it holds for all of the account")
}

func TestCheckCertsSaysThatAnAppIsHidden(t *testing.T) {
	t.Parallel()
	k, l := newLookedAt(t)
	_, _, err := k.CheckCerts(t.Context(), k.alice, app, "", control.Page{})
	require.NoError(t, err)
	require.Contains(t, l.of(t, "hello.example.test").Hidden, "no release")
	k.deploy("img:1", "web")
	k.settings(control.SettingsChange{Routable: ptr(false)})
	k.settle()
	l.subjects = nil
	_, _, err = k.CheckCerts(t.Context(), k.alice, app, "", control.Page{})
	require.NoError(t, err)
	require.Contains(t, l.of(t, "hello.example.test").HiddenCure, "drycc routing enable -a hello")
}

// Only an app's own domains are looked at, and one request at a time.
func TestCheckCertsRefuses(t *testing.T) {
	t.Parallel()
	k, l := newLookedAt(t)
	k.domain("www.example.com", "web")
	_, err := k.CreateApp(t.Context(), k.bobby, control.NewApp{ID: "other"})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		actor  control.Actor
		domain string
		code   platform.Code
		says   string
	}{
		"of nobody":          {k.alice, "elsewhere.example.com", platform.NotFound, "No Domain"},
		"of another app":     {k.alice, "other.example.test", platform.NotFound, "No Domain"},
		"an address":         {k.alice, "169.254.169.254", platform.Invalid, ""},
		"a URL":              {k.alice, "http://www.example.com/", platform.Invalid, ""},
		"somebody else asks": {k.bobby, "www.example.com", platform.Forbidden, ""},
	} {
		_, _, err := k.CheckCerts(t.Context(), test.actor, app, test.domain, control.Page{})
		require.Error(t, err, name)
		fails(t, err, test.code, test.says)
	}
	require.Empty(t, l.subjects)

	l.hold, l.entered = make(chan struct{}), make(chan struct{}, 10)
	done := make(chan error, 1)
	go func() {
		_, _, err := k.CheckCerts(t.Context(), k.alice, app, "www.example.com", control.Page{})
		done <- err
	}()
	<-l.entered
	_, _, err = k.CheckCerts(t.Context(), k.alice, app, "www.example.com", control.Page{})
	fails(t, err, platform.Throttled, "being checked already")
	close(l.hold)
	require.NoError(t, <-done)

	k.renew(func(o *control.Options) { o.Diagnoser = nil })
	_, _, err = k.CheckCerts(t.Context(), k.alice, app, "", control.Page{})
	fails(t, err, platform.Unprocessable, "cannot look")
}

func TestCheckAll(t *testing.T) {
	t.Parallel()
	k, _ := newLookedAt(t)
	k.domain("www.example.com", "web")
	all := func(domain string) (names []string, err error) {
		err = k.CheckAll(t.Context(), domain, func(d platform.Diagnosis) { names = append(names, d.Domain) })
		return names, err
	}
	names, err := all("")
	require.NoError(t, err)
	require.Equal(t, []string{"drycc.example.test", "*.example.test", "hello.example.test", "www.example.com"}, names)
	for _, one := range []string{"www.example.com", "drycc.example.test", "hello.example.test"} {
		names, err = all(one)
		require.NoError(t, err)
		require.Equal(t, []string{one}, names)
	}
	_, err = all("gone.example.com")
	fails(t, err, platform.NotFound, "drycc domains add")
	_, err = all("not_valid")
	fails(t, err, platform.Invalid, "")
}

// ownNames have a certificate of a public authority.
type ownNames struct{ cert control.OwnCert }

func (o ownNames) OwnCert(context.Context) (control.OwnCert, error) { return o.cert, nil }

// Where a public authority signs the platform's names, they are looked at as
// such: those of the platform and those that apps have of it.
func TestCheckAllKnowsWhoSignsThePlatform(t *testing.T) {
	t.Parallel()
	for name, cert := range map[string]control.OwnCert{
		"the own authority": {},
		"a public one": {
			Public: true, Leaf: []byte("leaf"), Interim: true,
			ACME: control.ACMESubject{Directory: "https://acme.example/dir", Last: &control.ACMEFailure{Problem: control.CertDNSProvider}},
		},
	} {
		k, l := newLookedAt(t)
		k.renew(func(o *control.Options) { o.Diagnoser, o.OwnNames = l, ownNames{cert} })
		require.NoError(t, k.CheckAll(t.Context(), "", func(platform.Diagnosis) {}))
		for _, domain := range []string{"drycc.example.test", "*.example.test", "hello.example.test"} {
			s := l.of(t, domain)
			require.Equal(t, map[bool]string{false: control.FromOwn, true: control.FromPublic}[cert.Public], s.Source, name)
			require.Equal(t, cert.Leaf, s.Leaf, name)
			require.Equal(t, cert.Interim, s.Interim, name)
			require.Equal(t, cert.ACME, s.ACME, name)
			require.False(t, s.Answers, "nobody asks these names over HTTP")
		}
	}
}
