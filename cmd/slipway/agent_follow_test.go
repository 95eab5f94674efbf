package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/join"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
)

func TestAServerSaysThatItMayGoBack(t *testing.T) {
	o := &offers{settings: bootstrap.DefaultSettings(), paths: bootstrap.Paths{Upgrade: t.TempDir()}}
	for phase, want := range map[upgrade.Phase]bool{
		"": false, upgrade.Preparing: true, upgrade.Verifying: true, upgrade.RollingBack: true,
		upgrade.Committed: false, upgrade.RolledBack: false, upgrade.Stranded: false,
	} {
		require.NoError(t, upgrade.Record{Dir: o.paths.Upgrade}.Write(upgrade.State{Phase: phase}))
		offer, err := o.make(t.Context(), join.Caller{Role: join.Agent}, join.Request{Role: join.Agent})
		require.NoError(t, err)
		assert.Equal(t, want, offer.Unsettled, phase)
	}
}

// An agent runs on while its settings are kept, and nothing but an installation
// writes those. The way back is the same as a server's but for the datastore.
func TestWhatIsKeptOfAnAgent(t *testing.T) {
	settings := bootstrap.DefaultSettings()
	settings.Role = bootstrap.RoleAgent
	linux := host.NewLinux(host.Options{Root: t.TempDir()})
	service, err := host.NewService(host.ManagerSystemd, linux, settings.Unit())
	require.NoError(t, err)
	m := &machine{settings: settings, paths: bootstrap.NewPaths(settings), host: linux, service: service, progress: bootstrap.NewProgress(nil, false, nil, nil)}
	u := m.upgradeOf(upgrade.Version{}, upgrade.Version{})
	assert.Nil(t, u.Platform.Stop)
	var names []string
	for _, item := range u.Live {
		names = append(names, item.Name)
	}
	assert.Equal(t, []string{"engine-settings", "settings", "service-0", "ledger"}, names)
	revision, err := u.Platform.Revision(t.Context())
	require.NoError(t, err)
	assert.Zero(t, revision)
}
