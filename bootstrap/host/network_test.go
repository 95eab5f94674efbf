package host

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestListenersFindsARealOneWithItsOwner(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		ln, err := net.Listen("tcp", addr)
		if err != nil && addr == "[::1]:0" {
			continue // a machine without IPv6 has nothing to find
		}
		require.NoError(t, err)
		defer ln.Close()
		want := ln.Addr().(*net.TCPAddr)
		all, err := NewLinux(Options{}).Listeners()
		require.NoError(t, err)
		found := false
		for _, l := range all {
			if l.Port == want.Port && l.Address == want.IP.String() {
				found = true
				assert.Equal(t, os.Getpid(), l.PID)
				assert.NotEmpty(t, l.Exe)
			}
		}
		assert.True(t, found, "%s is not listed", want)
	}
}

func TestParseListeners(t *testing.T) {
	text := `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0
   2: 0100007F:1538 0100007F:D2A4 01 00000000:00000000 00:00000000 00000000     0        0 333 1 0 20 4 30 10 -1
   3: 00000000000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 444 1 0
   4: 0000000000000000FFFF00000100007F:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 555 1 0
`
	got := map[string]Listener{}
	require.NoError(t, parseListeners(text, got))
	assert.Equal(t, map[string]Listener{
		"111": {Address: "127.0.0.1", Port: 5432}, "222": {Address: "0.0.0.0", Port: 80},
		"444": {Address: "::1", Port: 443}, "555": {Address: "127.0.0.1", Port: 22},
	}, got)
}

func TestLinksHasLoopback(t *testing.T) {
	links, err := NewLinux(Options{}).Links()
	require.NoError(t, err)
	names := map[string]bool{}
	for _, l := range links {
		names[l.Name] = true
	}
	assert.True(t, names["lo"])
	require.NoError(t, NewLinux(Options{}).DeleteLink("absent-link"), "an absent one is no error")
}

func TestNamespaces(t *testing.T) {
	l, root := rooted(t)
	names, err := l.Namespaces()
	require.NoError(t, err)
	assert.Empty(t, names)
	put(t, root, "/run/netns/cni-1", "")
	var unmounted []string
	l.sys.unmount = func(point string, _ int) error {
		unmounted = append(unmounted, point)
		return unix.EINVAL // not a mount
	}
	names, err = l.Namespaces()
	require.NoError(t, err)
	assert.Equal(t, []string{"cni-1"}, names)
	require.NoError(t, l.DeleteNamespace("cni-1"))
	assert.Equal(t, []string{filepath.Join(root, "run/netns/cni-1")}, unmounted)
	names, err = l.Namespaces()
	require.NoError(t, err)
	assert.Empty(t, names)
}
