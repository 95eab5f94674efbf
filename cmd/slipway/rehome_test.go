package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/rehome"
)

func TestRehomeChanges(t *testing.T) {
	before := bootstrap.DefaultSettings()
	stays := home{was: rehome.Home{Address: "192.0.2.5"}, now: rehome.Home{Address: "192.0.2.5", Interface: "eth0"}}
	assert.Empty(t, rehomeChanges(before, before, stays))
	assert.Empty(t, rehomeChanges(before, before, home{now: stays.now}), "the first start is no move")

	moved := stays
	moved.now.Address = "192.0.2.9"
	assert.Contains(t, rehomeChanges(before, before, moved)[0], "address: 192.0.2.5 → 192.0.2.9 (eth0)")

	pinned := before
	pinned.NodeIP = "192.0.2.5"
	assert.Contains(t, rehomeChanges(before, pinned, stays)[0], "192.0.2.5 is kept")

	after := before
	after.MoveTo("apps.example.com")
	changes := rehomeChanges(before, after, stays)
	assert.Contains(t, changes[0], "domain: slipway.localhost → apps.example.com")
	back := after
	back.MoveTo("slipway.localhost")
	assert.Contains(t, rehomeChanges(after, back, stays), "domain: slipway.localhost was the platform's before and is its own again")
}

func TestHomeFindings(t *testing.T) {
	place := home{now: rehome.Home{Address: "192.0.2.5"}}
	assert.Empty(t, homeFindings("a.example.com", place, nil))
	assert.Empty(t, homeFindings("a.example.com", place, &lifecycle.Report{Address: "192.0.2.5", Domain: "a.example.com"}))
	assert.Len(t, homeFindings("b.example.com", place, &lifecycle.Report{Address: "192.0.2.9", Domain: "a.example.com"}), 2)
	assert.Contains(t, goneFinding(&rehome.Gone{Address: "192.0.2.5", Candidates: []string{"192.0.2.9", "192.0.2.10"}}).Cure, "--ip 192.0.2.9")
	assert.Equal(t, "connect the network", goneFinding(&rehome.Gone{Address: "192.0.2.5"}).Cure)
}

// The node keeps its name when the host gets another one.
func TestNodeName(t *testing.T) {
	dir := t.TempDir()
	files := host.NewLinux(host.Options{Root: dir})
	s := bootstrap.DefaultSettings()
	name, err := os.Hostname()
	require.NoError(t, err)
	got, err := nodeName(files, s)
	require.NoError(t, err)
	assert.Equal(t, name, got)

	require.NoError(t, os.MkdirAll(filepath.Join(dir, "etc/rancher/k3s"), 0o755))
	require.NoError(t, files.WriteFile("/etc/rancher/k3s/config.yaml", []byte("# Written by slipway\nnode-name: first\ndisable: [a]\n"), 0o600))
	got, err = nodeName(files, s)
	require.NoError(t, err)
	assert.Equal(t, "first", got)
	s.NodeName = "set"
	got, err = nodeName(files, s)
	require.NoError(t, err)
	assert.Equal(t, "set", got)
}
