package identity_test

import (
	"context"
	"encoding/hex"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/identity"
	"github.com/slipway-paas/slipway/platform/store"
)

func TestPasswords(t *testing.T) {
	t.Parallel()
	id := identity.New()
	hash, err := id.HashPassword(t.Context(), "correct horse")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$"))
	other, err := id.HashPassword(t.Context(), "correct horse")
	require.NoError(t, err)
	require.NotEqual(t, hash, other, "salted")
	for _, tc := range []struct {
		hash, password string
		want           bool
	}{
		{hash, "correct horse", true}, {other, "correct horse", true}, {hash, "correct horsE", false}, {hash, "", false},
		{"", "correct horse", false}, {"", "", false},
	} {
		ok, err := id.VerifyPassword(t.Context(), tc.hash, tc.password)
		require.NoError(t, err)
		require.Equal(t, tc.want, ok, "%+v", tc)
	}
}

// A hash of other cost, as another version may have made it, still verifies.
// This one is the reference implementation's own example.
func TestForeignHash(t *testing.T) {
	t.Parallel()
	const hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	ok, err := identity.New().VerifyPassword(t.Context(), hash, "password")
	require.NoError(t, err)
	require.True(t, ok)
}

func TestDamagedHashes(t *testing.T) {
	t.Parallel()
	const rest = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for _, hash := range []string{
		"plain", "$argon2i$v=19$m=65536,t=2,p=1" + rest, "$argon2id$v=16$m=65536,t=2,p=1" + rest, "$argon2id$v=19$m=x,t=2,p=1" + rest,
		"$argon2id$v=19$m=4294967295,t=2,p=1" + rest, "$argon2id$v=19$m=65536,t=0,p=1" + rest, "$argon2id$v=19$m=65536,t=2,p=0" + rest,
		"$argon2id$v=19$m=65536,t=999999,p=1" + rest, "$argon2id$v=19$m=65536,t=2,p=1$!!$AAAA", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$AA",
	} {
		ok, err := identity.New().VerifyPassword(t.Context(), hash, "password")
		require.Error(t, err, hash)
		require.False(t, ok)
		require.NotContains(t, err.Error(), hash)
	}
}

// However many log in at once, each is served, and one that gives up is let go.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	id := identity.New()
	hash, err := id.HashPassword(t.Context(), "secret")
	require.NoError(t, err)
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() {
			ok, err := id.VerifyPassword(t.Context(), hash, "secret")
			if err != nil || !ok {
				t.Errorf("verify: %v, %v", ok, err)
			}
		})
	}
	group.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var failed bool
	for range 20 { // a free slot may be taken even then
		_, err := id.HashPassword(ctx, "secret")
		failed = failed || err != nil
	}
	require.True(t, failed)
}

func TestKeysAndPasswords(t *testing.T) {
	t.Parallel()
	id := identity.New()
	seen := map[string]bool{}
	for range 100 {
		key, password := id.NewKey(), identity.NewPassword()
		require.Regexp(t, `^[A-Za-z0-9]{128}$`, key)
		require.Regexp(t, `^[A-HJ-NP-Za-km-z2-9]{24}$`, password)
		require.False(t, seen[key] || seen[password])
		seen[key], seen[password] = true, true
	}
	require.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", id.HashKey("abc"))
	raw, err := hex.DecodeString(id.HashKey(id.NewKey()))
	require.NoError(t, err)
	require.Len(t, raw, 32)
}

func TestEnsureAdmin(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "slipway.db"), make([]byte, store.KeySize))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	id := identity.New()
	require.Error(t, identity.EnsureAdmin(t.Context(), s, id, "ad", "secret"))
	require.Error(t, identity.EnsureAdmin(t.Context(), s, id, "admin", ""))
	for _, password := range []string{"secret", "another"} {
		require.NoError(t, identity.EnsureAdmin(t.Context(), s, id, "admin", password))
	}
	u, hash, err := s.FindUser(t.Context(), "admin")
	require.NoError(t, err)
	require.True(t, u.IsSuperuser && u.IsStaff && u.IsActive)
	ok, err := id.VerifyPassword(t.Context(), hash, "secret")
	require.NoError(t, err)
	require.True(t, ok, "the second start did not change it")
	require.Equal(t, platform.NotFound, platform.CodeOf(s.SetPassword(t.Context(), "nobody", hash)))
}

func BenchmarkVerify(b *testing.B) {
	id := identity.New()
	hash, err := id.HashPassword(b.Context(), "secret")
	require.NoError(b, err)
	for b.Loop() {
		_, err := id.VerifyPassword(b.Context(), hash, "secret")
		require.NoError(b, err)
	}
}
