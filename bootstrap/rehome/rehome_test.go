package rehome_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/rehome"
)

func on(name string, addresses ...string) rehome.Interface {
	i := rehome.Interface{Name: name}
	for _, a := range addresses {
		i.Addresses = append(i.Addresses, netip.MustParseAddr(a))
	}
	return i
}

func TestFind(t *testing.T) {
	inside := []netip.Prefix{netip.MustParsePrefix("10.42.0.0/16"), netip.MustParsePrefix("10.43.0.0/16")}
	lo := on("lo", "127.0.0.1", "::1")
	ours := []rehome.Interface{on("cni0", "10.42.0.1"), on("flannel.1", "10.42.0.0"), on("docker0", "172.17.0.1"), on("weird0", "10.42.9.9")}
	tests := map[string]struct {
		want    rehome.Wanted
		have    []rehome.Interface
		address string
		on      string
		err     string
	}{
		"first start": {rehome.Wanted{Chosen: "192.0.2.5"}, []rehome.Interface{lo, on("eth0", "192.0.2.5")}, "192.0.2.5", "eth0", ""},
		"first start, set": {rehome.Wanted{Set: "192.0.2.6", Chosen: "192.0.2.5"},
			[]rehome.Interface{on("eth0", "192.0.2.5", "192.0.2.6")}, "192.0.2.6", "eth0", ""},
		"first start without a network": {rehome.Wanted{}, []rehome.Interface{lo}, "", "", "SLIPWAY_NODE_IP"},
		"still there, though the default route is elsewhere now": {rehome.Wanted{Last: "192.0.2.5", Chosen: "198.51.100.1"},
			[]rehome.Interface{on("eth0", "192.0.2.5"), on("eth1", "198.51.100.1")}, "192.0.2.5", "eth0", ""},
		"still there on another interface": {rehome.Wanted{Last: "192.0.2.5", On: "eth0"},
			[]rehome.Interface{on("br0", "192.0.2.5")}, "192.0.2.5", "br0", ""},
		"moved, one left": {rehome.Wanted{Last: "192.0.2.5", On: "eth0", Chosen: "192.0.2.9"},
			append(ours, lo, on("ens3", "192.0.2.9", "fe80::1", "2001:db8::9")), "192.0.2.9", "ens3", ""},
		"moved, on the same interface": {rehome.Wanted{Last: "192.0.2.5", On: "eth0", Chosen: "192.0.2.9"},
			append(ours, on("eth0", "192.0.2.9"), on("eth1", "198.51.100.1")), "192.0.2.9", "eth0", ""},
		"moved, the set one is gone": {rehome.Wanted{Set: "192.0.2.5", Inside: inside},
			append(ours, on("eth0", "192.0.2.9")), "192.0.2.9", "eth0", ""},
		"several": {rehome.Wanted{Last: "192.0.2.5", On: "eth0"},
			[]rehome.Interface{on("eth1", "192.0.2.9"), on("eth2", "198.51.100.1")}, "", "", "slipway rehome --ip 192.0.2.9"},
		"several on the same": {rehome.Wanted{Last: "192.0.2.5", On: "eth0"},
			[]rehome.Interface{on("eth0", "192.0.2.9", "198.51.100.1")}, "", "", "192.0.2.9, 198.51.100.1"},
		"no cable":         {rehome.Wanted{Last: "192.0.2.5", On: "eth0"}, append(ours, lo), "", "", "there is no other one"},
		"the other family": {rehome.Wanted{Last: "192.0.2.5", On: "eth0"}, []rehome.Interface{on("eth0", "2001:db8::1")}, "", "", "there is no other one"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.want.Inside = inside
			address, iface, err := rehome.Find(tt.want, tt.have)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.address, address)
			assert.Equal(t, tt.on, iface)
		})
	}
}

func TestUsable(t *testing.T) {
	have := []rehome.Interface{on("lo", "127.0.0.1"), on("cni0", "10.42.0.1"), on("x0", "10.43.0.9"), on("eth0", "192.0.2.5", "2001:db8::5", "fe80::1")}
	assert.Equal(t, []string{"192.0.2.5 (eth0)", "2001:db8::5 (eth0)"}, rehome.Usable(have, []netip.Prefix{netip.MustParsePrefix("10.43.0.0/16")}))
}

func TestInterfaces(t *testing.T) {
	have, err := rehome.Interfaces()
	require.NoError(t, err)
	assert.True(t, rehome.Has(have, "127.0.0.1"), "%v", have)
	assert.False(t, rehome.Has(have, "192.0.2.77"))
	assert.False(t, rehome.Has(have, "nonsense"))
}

func TestMoves(t *testing.T) {
	files, path := host.NewLinux(host.Options{Root: t.TempDir()}), "/home.json"
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	load := func() rehome.Home {
		h, err := rehome.Load(files, path)
		require.NoError(t, err)
		return h
	}
	first := rehome.Home{Address: "192.0.2.5", Interface: "eth0", Hostname: "one", Domain: "a.example.com", Servers: 1}

	h := load()
	assert.Empty(t, h.Begin(first, at), "the first start is no move")
	h.Finish(first, at)
	require.NoError(t, h.Save(files, path))
	assert.Equal(t, first, load())

	second := first
	second.Address, second.Domain = "192.0.2.9", "b.example.com"
	h = load()
	begun := h.Begin(second, at)
	require.Len(t, begun, 2)
	assert.Equal(t, "address 192.0.2.5 became 192.0.2.9: being followed since 2026-03-01T12:00:00Z", begun[0].String())
	require.NoError(t, h.Save(files, path))

	// Killed; and the address changed once more before the next start.
	third := second
	third.Address, third.Hostname = "192.0.2.10", "two"
	h = load()
	assert.Equal(t, "192.0.2.5", h.Address, "what was begun is not done")
	require.Len(t, h.Begin(third, at.Add(time.Minute)), 3)
	require.Len(t, h.Moves, 3, "what was cut off is not told of")
	shown := h.Moves
	h.Finish(third, at.Add(2*time.Minute))
	assert.Zero(t, shown[0].Done, "who shows them meanwhile is not disturbed")
	require.NoError(t, h.Save(files, path))

	h = load()
	assert.Equal(t, "192.0.2.10", h.Address)
	assert.Equal(t, "hostname one became two; the node keeps its name: followed at 2026-03-01T12:02:00Z", h.Moves[1].String())
	assert.Empty(t, h.Begin(third, at.Add(time.Hour)))
	for range 30 {
		second.Address, third.Address = third.Address, second.Address
		h.Begin(second, at)
		h.Finish(second, at)
	}
	assert.LessOrEqual(t, len(h.Moves), 20)
}

func TestUnreadableHomeIsNoHome(t *testing.T) {
	files := host.NewLinux(host.Options{Root: t.TempDir()})
	require.NoError(t, files.WriteFile("/home.json", nil, 0o600)) // as a power cut leaves what was not synced
	h, err := rehome.Load(files, "/home.json")
	require.ErrorContains(t, err, "/home.json")
	assert.Zero(t, h)
}
