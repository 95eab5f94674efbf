package acme

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/store"
)

// Two servers on one PostgreSQL want the same certificates at the same moment,
// twice: each is ordered once, from one account.
func TestTwoServersOrderOnce(t *testing.T) {
	t.Parallel()
	location := postgres.Database(t)
	one := newKitOn(t, location, nil)
	two := one.beside(location)
	var names []string
	for i := range 6 {
		names = append(names, fmt.Sprintf("d%d.two.example.com", i))
	}
	one.create("hello", nil, names...)
	one.run()
	two.run()
	one.settle()
	two.settle()
	for _, name := range names {
		require.True(t, one.says("hello", name).Ready, one.says("hello", name).Message)
		require.NoError(t, one.handshake(name))
	}
	orders, accounts := one.ca.counts()
	require.Equal(t, len(names), orders)
	require.Equal(t, 1, accounts)

	leaf := one.leaf("hello", names[0])
	one.clock.pass(leaf.Expires.Sub(one.clock.Now()) - time.Hour)
	var both sync.WaitGroup
	for _, k := range []*kit{one, two} {
		both.Go(func() {
			k.kick <- k.clock.Now()
			k.kick <- k.clock.Now()
		})
	}
	both.Wait()
	one.settle()
	two.settle()
	orders, accounts = one.ca.counts()
	require.Equal(t, 2*len(names), orders)
	require.Equal(t, 1, accounts)
	require.True(t, one.leaf("hello", names[0]).Expires.After(leaf.Expires))
}

// beside is a second server with the same database, cluster and authority.
func (k *kit) beside(location string) *kit {
	k.t.Helper()
	s, err := store.Open(k.t.Context(), location, make([]byte, store.KeySize))
	require.NoError(k.t, err)
	k.t.Cleanup(func() { require.NoError(k.t, s.Close()) })
	other := &kit{t: k.t, store: s, cluster: k.cluster, gateway: k.gateway, ca: k.ca, clock: k.clock, alice: k.alice,
		kick: make(chan time.Time), stop: func() {}}
	other.renew(s)
	k.t.Cleanup(func() { other.stop() })
	return other
}
