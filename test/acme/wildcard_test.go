package acme

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/edge"
)

const (
	tsigName = "slipway-key"
	tsigKey  = "c2xpcHdheS1zbGlwd2F5LXNsaXB3YXktc2xpcHdheQ=="
)

// secret is the Secret that the gateway names.
type secret struct {
	mu   sync.Mutex
	cert []byte
}

func (s *secret) WriteTLS(_ context.Context, _, _ string, cert, _ []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cert = cert
	return nil
}

func (s *secret) leaf(t *testing.T) *x509.Certificate {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	block, _ := pem.Decode(s.cert)
	require.NotNil(t, block)
	leaf, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return leaf
}

func zoneKit(t *testing.T) (*kit, func(key string) change) {
	t.Helper()
	k := newKit(t, []string{"-zone", domain, "-tsig", tsigName, "-tsig-key", tsigKey, "-validity", "3600"})
	return k, func(key string) change {
		return func(s *edge.ACMESettings) {
			s.DNS = edge.DNSSettings{Provider: edge.ProviderRFC2136, Server: k.ca.dns, KeyName: tsigName, KeyAlgorithm: "hmac-sha256",
				Key: key, Resolvers: []string{k.ca.dns}}
		}
	}
}

// renewer is the platform's, made anew each time that ensure is called.
func (k *kit) renewer() (served *secret, own *edge.Authority, ensure func() time.Time, tells func() control.OwnCert) {
	k.t.Helper()
	served = &secret{}
	dir := k.t.TempDir()
	own, err := edge.OpenAuthority(dir, k.clock.Now)
	require.NoError(k.t, err)
	log := logrus.New()
	log.SetOutput(io.Discard)
	ensure = func() time.Time {
		r, err := edge.NewRenewer(edge.RenewerOptions{
			Dir: dir, Domain: domain, Issuer: k.acme.Wildcard(own), Fallback: own, Writer: served,
			Namespace: "drycc", Name: "wildcard", Logger: log, Now: k.clock.Now,
		})
		require.NoError(k.t, err)
		next, err := r.Ensure(k.t.Context())
		require.NoError(k.t, err)
		return next
	}
	tells = func() control.OwnCert {
		cert, err := edge.NewOwnNames(dir, own, k.acme.Wildcard(own)).OwnCert(k.t.Context())
		require.NoError(k.t, err)
		return cert
	}
	return served, own, ensure, tells
}

// The platform's wildcard and that of an app below its own name are proven by
// records in a zone that takes signed updates.
func TestWildcards(t *testing.T) {
	t.Parallel()
	k, dns := zoneKit(t)
	k.renew(k.store, dns(tsigKey))
	k.run()
	k.create("hello", nil, "*.hello."+domain)
	served, own, ensure, tells := k.renewer()
	ensure()
	leaf := served.leaf(t)
	require.False(t, own.Issued(leaf))
	require.Equal(t, control.OwnCert{Public: true, Leaf: leaf.Raw, ACME: control.ACMESubject{
		Directory: k.ca.directory, Email: "ops@example.com"}}, tells())
	require.ElementsMatch(t, []string{"*." + domain, domain}, leaf.DNSNames)
	k.settle()
	ev := k.says("hello", "*.hello."+domain)
	require.True(t, ev.Ready, ev.Message)
	orders, _ := k.ca.counts()
	require.Equal(t, 2, orders)

	ensure()
	require.Equal(t, leaf.SerialNumber, served.leaf(t).SerialNumber, "it lasts")

	// The key for updates is wrong by now: what is there goes on, until it
	// ends, and the authority is not even asked again and again.
	k.stop()
	k.renew(k.store, dns("AAAA"+tsigKey[4:]))
	k.clock.pass(41 * time.Minute)
	before, _ := k.ca.counts()
	next := ensure()
	require.Equal(t, leaf.SerialNumber, served.leaf(t).SerialNumber)
	require.True(t, next.After(k.clock.Now().Add(4*time.Minute)))
	ensure()
	after, _ := k.ca.counts()
	require.Equal(t, before+1, after)
	told := tells()
	require.False(t, told.Interim, "the one that lasts is the public one's")
	require.NotNil(t, told.ACME.Last)
	require.Equal(t, control.CertDNSProvider, told.ACME.Last.Problem)
	require.True(t, next.Equal(told.ACME.Last.Next))
	_, _, err := k.acme.Obtain(t.Context(), control.CertRequest{App: "hello", Domain: "*.x.hello." + domain})
	var why *control.CertError
	require.ErrorAs(t, err, &why)
	require.Equal(t, control.CertDNSProvider, why.Problem)
	require.Contains(t, why.Message, "could not be made through rfc2136")

	k.clock.pass(30 * time.Minute)
	ensure()
	require.True(t, own.Issued(served.leaf(t)), "better than one that has ended")
	require.True(t, tells().Interim)

	// The account at the provider is the same: it is asked when the pause is over.
	k.renew(k.store, dns(tsigKey))
	k.clock.pass(time.Hour)
	ensure()
	require.False(t, own.Issued(served.leaf(t)))
	k.provesItsOwnOnly(t)
}

// provesItsOwnOnly shows that records of the platform's zone prove nothing for
// names of other apps.
func (k *kit) provesItsOwnOnly(t *testing.T) {
	t.Helper()
	for _, name := range []string{"*.other." + domain, "*." + domain, "*.example.com"} {
		_, _, err := k.acme.Obtain(t.Context(), control.CertRequest{App: "hello", Domain: name})
		var why *control.CertError
		require.ErrorAs(t, err, &why)
		require.Equal(t, control.CertWildcard, why.Problem, name)
	}
}
