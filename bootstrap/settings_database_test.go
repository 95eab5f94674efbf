package bootstrap

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The database's URL holds a password: it is kept with the other secrets and
// shown nowhere, not even when it is wrong.
func TestDatabaseURL(t *testing.T) {
	const good = "postgres://slipway:swordfish@db.example.com:5432/slipway?sslmode=verify-full"
	s, _, err := Load(Input{Environ: []string{"DATABASE_URL=" + good}})
	require.NoError(t, err)
	assert.Equal(t, good, s.DatabaseURL.Reveal())
	config, err := s.ConfigFile()
	require.NoError(t, err)
	assert.NotContains(t, string(config), "swordfish")
	credentials, err := s.CredentialsFile()
	require.NoError(t, err)
	assert.Contains(t, string(credentials), "swordfish")
	for _, bad := range []string{"mysql://u:swordfish@h/d", "postgres://u:swordfish@", "u:swordfish", "postgres://u:swordfish%zz@h/d"} {
		_, _, err := Load(Input{Environ: []string{"DATABASE_URL=" + bad}})
		require.ErrorContains(t, err, "DATABASE_URL", bad)
		assert.NotContains(t, err.Error(), "swordfish")
	}
	s, _, err = Load(Input{Environ: []string{"DATABASE_URL=postgres:///slipway?host=/run/postgresql"}})
	require.NoError(t, err)
	assert.False(t, s.DatabaseURL.Empty())
}
