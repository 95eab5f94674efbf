package bootstrap

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everything is a server whose settings are all of a kind that matters here.
func everything(t *testing.T) Settings {
	t.Helper()
	s, _, err := Load(Input{Flags: map[string]string{
		"PLATFORM_DOMAIN": "apps.example.com", "DRYCC_ADMIN_PASSWORD": "correct-horse", "CLUSTER_CIDR": "10.50.0.0/16",
		"SLIPWAY_NODE_IP": "192.0.2.1", "K3S_NODE_NAME": "first", "HTTPS_PROXY": "http://user:pw@192.0.2.9:3128",
		"DATABASE_URL": "postgres://u:p@db.example.com/slipway", "DRYCC_THROTTLE_USER": "7/sec",
	}})
	require.NoError(t, err)
	return s
}

func TestAgentsAreToldNoSecret(t *testing.T) {
	rows := map[string]Setting{}
	for _, row := range SettingsTable() {
		rows[row.Name] = row
	}
	shared := everything(t).Shared(RoleAgent)
	assert.Equal(t, "apps.example.com", shared["PLATFORM_DOMAIN"])
	assert.Equal(t, "10.50.0.0/16", shared["CLUSTER_CIDR"])
	for name := range shared {
		assert.False(t, rows[name].Secret, name)
	}
	assert.NotContains(t, shared, "DRYCC_THROTTLE_USER")
}

func TestServersShareAllButTheHostsOwn(t *testing.T) {
	first := everything(t)
	flags := first.Shared(RoleServer)
	for _, name := range nodesOwn() {
		assert.NotContains(t, flags, name)
	}
	flags["K3S_URL"], flags["K3S_TOKEN"], flags["INSTALL_ROLE"] = "https://192.0.2.1:6443", "K10x::server:y", "server"
	second, _, err := Load(Input{Flags: flags})
	require.NoError(t, err)
	assert.Equal(t, first.Domain, second.Domain)
	assert.Equal(t, first.AdminPassword, second.AdminPassword)
	assert.Equal(t, first.DatabaseURL, second.DatabaseURL)
	assert.Equal(t, first.Controller, second.Controller)
	assert.Empty(t, second.NodeIP)
	assert.Empty(t, second.Proxy)
}
