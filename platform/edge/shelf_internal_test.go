package edge

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mholt/acmez/v3/acme"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/store"
)

func openShelf(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "slipway.db"), make([]byte, store.KeySize))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestStorage(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	shelf := openShelf(t)
	one, other := newStorage(shelf, "accounts/a", time.Now), newStorage(shelf, "accounts/b", time.Now)
	_, err := one.Load(ctx, "acme/users/me/me.key")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = one.List(ctx, "acme", true)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.False(t, one.Exists(ctx, "acme"))
	require.NoError(t, one.Store(ctx, "acme/users/me/me.key", []byte("old")))
	require.NoError(t, one.Store(ctx, "acme/users/me/me.key", []byte("key")))
	require.NoError(t, one.Store(ctx, "acme/users/you/you.key", []byte("key 2")))
	require.NoError(t, one.Store(ctx, "acmes", []byte("no part of it")))
	value, err := one.Load(ctx, "acme/users/me/me.key")
	require.NoError(t, err)
	require.Equal(t, "key", string(value))
	_, err = other.Load(ctx, "acme/users/me/me.key")
	require.ErrorIs(t, err, fs.ErrNotExist, "each account has its own part")
	keys, err := one.List(ctx, "acme/users", true)
	require.NoError(t, err)
	require.Equal(t, []string{"acme/users/me/me.key", "acme/users/you/you.key"}, keys)
	keys, err = one.List(ctx, "acme/users", false)
	require.NoError(t, err)
	require.Equal(t, []string{"acme/users/me", "acme/users/you"}, keys)
	info, err := one.Stat(ctx, "acme/users/me/me.key")
	require.NoError(t, err)
	require.True(t, info.IsTerminal)
	require.EqualValues(t, 3, info.Size)
	info, err = one.Stat(ctx, "acme/users")
	require.NoError(t, err)
	require.False(t, info.IsTerminal)
	require.NoError(t, one.Delete(ctx, "acme/users"))
	require.False(t, one.Exists(ctx, "acme/users/you/you.key"))
	require.True(t, one.Exists(ctx, "acmes"))
	require.NoError(t, one.Delete(ctx, "acme/users"), "again")
}

func TestStorageLocks(t *testing.T) {
	t.Parallel()
	shelf := openShelf(t)
	var group sync.WaitGroup
	inside, most := 0, 0
	var mu sync.Mutex
	for range 4 { // as four servers
		group.Go(func() {
			s := newStorage(shelf, "accounts/a", time.Now)
			if err := s.Lock(t.Context(), "register"); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			inside++
			most = max(most, inside)
			mu.Unlock()
			mu.Lock()
			inside--
			mu.Unlock()
			if err := s.Unlock(t.Context(), "register"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	require.Equal(t, 1, most)

	// One that dies with the lock keeps others out until its time is over.
	ctx := t.Context()
	now := time.Now()
	taken, err := shelf.TakeLock(ctx, "accounts/a/register", "dead", now, now.Add(lockLease))
	require.NoError(t, err)
	require.True(t, taken)
	bounded, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, newStorage(shelf, "accounts/a", time.Now).Lock(bounded, "register"), context.Canceled)
	late := newStorage(shelf, "accounts/a", func() time.Time { return now.Add(2 * lockLease) })
	require.NoError(t, late.Lock(ctx, "register"))
	require.NoError(t, shelf.FreeLock(ctx, "accounts/a/register", "dead"), "without effect")
	taken, err = shelf.TakeLock(ctx, "accounts/a/register", "third", now.Add(2*lockLease), now.Add(3*lockLease))
	require.NoError(t, err)
	require.False(t, taken)
	require.NoError(t, late.Unlock(ctx, "register"))
	require.NoError(t, late.Unlock(ctx, "register"), "again")
}

// Only the host that is asked back answers, only to its token, and not for ever.
func TestChallenges(t *testing.T) {
	t.Parallel()
	shelf, now := openShelf(t), time.Now()
	put := func(kind, host, token string, at time.Time) {
		data, err := json.Marshal(acme.Challenge{Type: kind, Token: token, KeyAuthorization: token + ".thumb", Identifier: acme.Identifier{Type: "dns", Value: host}})
		require.NoError(t, err)
		s := newStorage(shelf, "accounts/a", func() time.Time { return at })
		require.NoError(t, s.Store(t.Context(), "acme/ca/challenge_tokens/"+host+".json", data))
	}
	put(acme.ChallengeTypeHTTP01, "www.example.com", "tok", now)
	put(acme.ChallengeTypeHTTP01, "old.example.com", "tok", now.Add(-2*challengeLife))
	put(acme.ChallengeTypeDNS01, "dns.example.com", "tok", now)
	log := logrus.New()
	log.SetOutput(io.Discard)
	handler := NewChallenges(shelf, func() time.Time { return now }, log)
	for _, tc := range []struct {
		method, host, path string
		want               int
	}{
		{http.MethodGet, "www.example.com", "/.well-known/acme-challenge/tok", http.StatusOK},
		{http.MethodGet, "WWW.example.com.:80", "/.well-known/acme-challenge/tok", http.StatusOK},
		{http.MethodGet, "www.example.com", "/.well-known/acme-challenge/other", http.StatusNotFound},
		{http.MethodGet, "www.example.com", "/.well-known/acme-challenge/", http.StatusNotFound},
		{http.MethodGet, "www.example.com", "/.well-known/acme-challenge/tok/x", http.StatusNotFound},
		{http.MethodPost, "www.example.com", "/.well-known/acme-challenge/tok", http.StatusNotFound},
		{http.MethodGet, "other.example.com", "/.well-known/acme-challenge/tok", http.StatusNotFound},
		{http.MethodGet, "../..", "/.well-known/acme-challenge/tok", http.StatusNotFound},
		{http.MethodGet, "", "/.well-known/acme-challenge/tok", http.StatusNotFound},
		{http.MethodGet, "old.example.com", "/.well-known/acme-challenge/tok", http.StatusNotFound},
		{http.MethodGet, "dns.example.com", "/.well-known/acme-challenge/tok", http.StatusNotFound},
	} {
		r := httptest.NewRequest(tc.method, "http://x"+tc.path, nil)
		r.Host = tc.host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Equal(t, tc.want, w.Code, "%+v", tc)
		if tc.want == http.StatusOK {
			require.Equal(t, "tok.thumb", w.Body.String())
		}
	}
}
