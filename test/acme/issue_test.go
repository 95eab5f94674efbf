package acme

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

// prober makes TLS connections to domains, round and round, until stop, which
// returns how many it made and the errors. Any certificate for the name that
// is good now will do, whoever signed.
func (k *kit) prober(domains []string, pause time.Duration) (stop func() (int, time.Duration, []error)) {
	end := make(chan struct{})
	var group sync.WaitGroup
	var count int
	var failed []error
	begin := time.Now()
	group.Go(func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-end:
				return
			case <-tick.C:
			}
			if err := k.handshake(domains[i%len(domains)]); err != nil {
				failed = append(failed, err)
			}
			count++
		}
	})
	return func() (int, time.Duration, []error) {
		close(end)
		group.Wait()
		return count, time.Since(begin), failed
	}
}

func (k *kit) handshake(name string) error {
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: 5 * time.Second}, Config: &tls.Config{
		ServerName: name, InsecureSkipVerify: true, //nolint:gosec // looked at below
		VerifyConnection: func(s tls.ConnectionState) error {
			leaf := s.PeerCertificates[0]
			if k.clock.Now().After(leaf.NotAfter) {
				return fmt.Errorf("%s: ended %s", name, leaf.NotAfter)
			}
			return leaf.VerifyHostname(name)
		},
	}}
	conn, err := dialer.DialContext(k.t.Context(), "tcp", k.gateway.tls.Addr().String())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return conn.Close()
}

// Twenty domains of five apps get certificates, and all are renewed, while
// somebody connects to them more than fifty times a second.
func TestTwentyDomains(t *testing.T) {
	t.Parallel()
	k := newKit(t, []string{"-validity", "3600"})
	k.run()
	var all []string
	apps := map[string][]string{}
	for i := range 5 {
		app := fmt.Sprintf("shop-%c", 'a'+i)
		for j := range 4 {
			name := fmt.Sprintf("d%d.%s.example.com", j, app)
			apps[app], all = append(apps[app], name), append(all, name)
		}
		k.create(app, &platform.Issuer{Email: app + "@example.com"}, apps[app]...)
	}
	k.settle()
	first := map[string]time.Time{}
	for app, names := range apps {
		for _, name := range names {
			ev := k.says(app, name)
			require.True(t, ev.Ready, ev.Message)
			require.Contains(t, ev.Message, "served with a certificate of 127.0.0.1:")
			first[name] = k.leaf(app, name).Expires
			require.Equal(t, k.ca.directory, k.leaf(app, name).Issuer)
		}
	}
	orders, accounts := k.ca.counts()
	require.Equal(t, 20, orders, "bad nonces are asked again, nothing else")
	require.Equal(t, 5, accounts, "one for each app")

	stop := k.prober(all, 10*time.Millisecond)
	k.pass(41 * time.Minute) // two thirds of an hour and a little
	count, took, failed := stop()
	require.NoError(t, errors.Join(failed...))
	require.Greater(t, float64(count)/took.Seconds(), 50.0, "connections a second")
	for app, names := range apps {
		for _, name := range names {
			require.NotEqual(t, first[name], k.leaf(app, name).Expires, name)
		}
	}
	t.Logf("%d connections in %s, none failed", count, took.Round(time.Millisecond))
}

// What the gateway serves is the authority's whole chain.
func TestChainIsServed(t *testing.T) {
	t.Parallel()
	k := newKit(t, nil)
	k.run()
	k.create("hello", nil, "www.example.com")
	k.settle()
	require.True(t, k.says("hello", "www.example.com").Ready, k.says("hello", "www.example.com").Message)
	certs := k.cluster.Exposed("hello").Certs
	require.Len(t, certs, 1)
	var chain []*x509.Certificate
	for rest := certs[0].Chain; len(rest) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		one, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		chain = append(chain, one)
	}
	require.Len(t, chain, 2, "leaf and intermediate")
	require.NoError(t, chain[0].CheckSignatureFrom(chain[1]))
	require.NoError(t, k.handshake("www.example.com"))
	left, err := k.store.ListItems(t.Context(), "challenges")
	require.NoError(t, err)
	require.Empty(t, left, "no challenge is left behind")
}
