package bootstrap

import (
	"testing"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/host/hosttest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAnInstallationInAContainerIsNotOurs: its programs have the same paths.
func TestAnInstallationInAContainerIsNotOurs(t *testing.T) {
	h := hosttest.New()
	shim := "/var/lib/slipway/bin/containerd-shim-runc-v2"
	h.Procs = []host.Process{{PID: 20, StartTime: 1, Exe: shim, Args: []string{shim}}, {PID: 30, StartTime: 1, Exe: shim, Args: []string{shim}, Elsewhere: true}}
	engine, pods, err := findOurs(h, NewPaths(DefaultSettings()))
	require.NoError(t, err)
	assert.Empty(t, pods)
	require.Len(t, engine, 1)
	assert.Equal(t, 20, engine[0].PID)
}
