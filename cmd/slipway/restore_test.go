package main

import (
	"testing"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/cmd/slipway/archive"
	"github.com/stretchr/testify/require"
)

// An install never builds on half of a platform's data.
func TestHalfRestoredHostsAreNotInstalled(t *testing.T) {
	p := bootstrap.NewPaths(bootstrap.DefaultSettings())
	p.Controller = t.TempDir()
	require.NoError(t, refuseHalfRestored(p))
	m := archive.Mark{ID: "1", File: "/mnt/one.backup"}
	require.NoError(t, m.Save(p))
	require.ErrorContains(t, refuseHalfRestored(p), "restore of /mnt/one.backup was cut off")
	m.Data = true
	require.NoError(t, m.Save(p))
	require.NoError(t, refuseHalfRestored(p))
}
