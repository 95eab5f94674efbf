package secrets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

func TestSecretsAreMadeOnceForRootOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "secrets.json")
	first, err := Open(path)
	require.NoError(t, err)
	second, err := Open(path)
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.NotEmpty(t, first.RegistryNode)
	require.NotEqual(t, first.RegistryNode, first.RegistryHTTP)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestDamagedFilesAreNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte("{broken"), 0o600))
	_, err := Open(path)
	require.ErrorContains(t, err, "restore it from a backup")
	_, err = OpenKey(path)
	require.ErrorContains(t, err, "7 bytes instead of 32")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "{broken", string(data))
}

func TestKeyStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	first, err := OpenKey(path)
	require.NoError(t, err)
	require.Len(t, first, 32)
	second, err := OpenKey(path)
	require.NoError(t, err)
	require.Equal(t, first, second)
}

func TestHtpasswdChangesOnlyWithAPassword(t *testing.T) {
	users := map[string]string{"admin": "one", NodeUser: "two"}
	order := []string{"admin", NodeUser}
	first, err := Htpasswd("", users, order)
	require.NoError(t, err)
	second, err := Htpasswd(first, users, order)
	require.NoError(t, err)
	require.Equal(t, first, second)

	users["admin"] = "three"
	third, err := Htpasswd(second, users, order)
	require.NoError(t, err)
	before, after := strings.Split(second, "\n"), strings.Split(third, "\n")
	require.Equal(t, before[1], after[1])
	_, hash, _ := strings.Cut(after[0], ":")
	require.NoError(t, bcrypt.CompareHashAndPassword([]byte(hash), []byte("three")))
}

func TestDerive(t *testing.T) {
	key := make([]byte, 32)
	service := Derive(key, "service")
	require.Regexp(t, `^[0-9a-f]{64}$`, service)
	require.Equal(t, service, Derive(key, "service"), "the same after a restart")
	require.NotEqual(t, service, Derive(key, "other"))
	require.NotEqual(t, service, Derive(append([]byte{1}, key[1:]...), "service"))
}
