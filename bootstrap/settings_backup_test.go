package bootstrap

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBackupSettings(t *testing.T) {
	s, _, err := Load(Input{Config: []byte("backup-schedule: 30 3 * * *\nbackup-target: s3://bucket/folder\nbackup-keep: 3\n")})
	require.NoError(t, err)
	assert.Equal(t, "3", s.BackupKeep())
	assert.Equal(t, "7d,4w,6m", DefaultSettings().BackupKeep())
	for name, tc := range map[string]struct{ value, want string }{
		"SLIPWAY_BACKUP_SCHEDULE":      {"daily", "is no schedule"},
		"SLIPWAY_BACKUP_TARGET":        {"backups", "give the whole path"},
		"SLIPWAY_BACKUP_KEEP":          {"7 days", "is no rule"},
		"SLIPWAY_BACKUP_RECIPIENTS":    {"bob", "slipway backup key"},
		"SLIPWAY_BACKUP_S3_ENDPOINT":   {"ftp://x", "SLIPWAY_BACKUP_S3_ENDPOINT"},
		"SLIPWAY_BACKUP_IDENTITY_FILE": {"key", "give the whole path"},
	} {
		_, _, err := Load(Input{Environ: []string{name + "=" + tc.value}})
		require.ErrorContains(t, err, tc.want, name)
	}
	_, _, err = Load(Input{Environ: []string{"SLIPWAY_BACKUP_TARGET=s3://key:swordfish@bucket/x"}})
	require.ErrorContains(t, err, "keys belong into")
}

// What belongs to the old host does not travel; the domain goes among the former.
func TestSettingsOfARestore(t *testing.T) {
	config := []byte("domain: old.example.com\nnode-ip: 10.0.0.1\nnode-name: a\nservice-manager: openrc\nbackup-keep: 3\n")
	secrets := []byte("DRYCC_ADMIN_USERNAME=\"admin\"\nDRYCC_ADMIN_PASSWORD=\"swordfish-1\"\n")
	s, _, err := LoadRestored(Input{Flags: map[string]string{}, Config: config, Credentials: secrets}, "new.example.com")
	require.NoError(t, err)
	assert.Equal(t, "new.example.com", s.Domain)
	assert.Equal(t, []string{"old.example.com"}, s.FormerDomains)
	assert.Equal(t, "swordfish-1", s.AdminPassword.Reveal())
	assert.Empty(t, s.NodeIP)
	assert.Empty(t, s.NodeName)
	assert.Empty(t, s.ServiceManager)
	assert.Equal(t, "3", s.BackupKeep())

	same, _, err := LoadRestored(Input{Config: config, Credentials: secrets, Environ: []string{"SLIPWAY_NODE_IP=10.0.0.2"}}, "")
	require.NoError(t, err)
	assert.Equal(t, "old.example.com", same.Domain)
	assert.Empty(t, same.FormerDomains)
	assert.Equal(t, "10.0.0.2", same.NodeIP)
}

// The server opens and closes every file in its target: a database's among them
// would lose its locks.
func TestBackupsDoNotGoAmongTheDatabases(t *testing.T) {
	for _, target := range []string{"/var/lib/slipway/controller/", "/data/k3s/server/db"} {
		_, _, err := Load(Input{Environ: []string{"K3S_DATA_DIR=/data/k3s", "SLIPWAY_BACKUP_TARGET=" + target}})
		require.ErrorContains(t, err, "give a folder of its own", target)
	}
	_, _, err := Load(Input{Environ: []string{"SLIPWAY_BACKUP_TARGET=/var/lib/slipway/backups"}})
	require.NoError(t, err)
}
