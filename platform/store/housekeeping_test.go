package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

func TestCompact(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "slipway.db")
	s := open(t, path)
	fill(t, s)
	require.NoError(t, s.Compact(t.Context()))
	_, err := s.FindApp(t.Context(), "hello")
	require.NoError(t, err, "what was there still is")
	assert.NoFileExists(t, path+"-journal")

	p := open(t, cluster.Database(t))
	require.ErrorContains(t, p.Compact(t.Context()), "PostgreSQL")
}

func TestExpiringCerts(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, place := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, place(t))
			fill(t, s)
			for i, left := range []time.Duration{90 * 24 * time.Hour, 48 * time.Hour, time.Hour} {
				_, err := s.AddCert(t.Context(), platform.Cert{Owner: "alice", App: "hello", Name: string(rune('a' + i)), Fingerprint: string(rune('a' + i)),
					Chain: []byte("chain"), Starts: now, Expires: now.Add(left), Created: now, Updated: now}, []byte("key"))
				require.NoError(t, err)
			}
			list, err := s.ExpiringCerts(t.Context(), now.Add(14*24*time.Hour))
			require.NoError(t, err)
			require.Len(t, list, 2)
			assert.Equal(t, "c", list[0].Name, "the first to end comes first")
			assert.Equal(t, "alice", list[1].Owner)
		})
	}
}
