package edge_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/edge"
)

// clock is a clock that moves only when somebody waits: each wait passes at
// once and is remembered.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
	stop  func(waits int) bool
	end   context.CancelFunc
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.waits = append(c.waits, d)
	if c.stop(len(c.waits)) {
		c.end()
		return nil // never; the context has ended
	}
	ch := make(chan time.Time, 1)
	ch <- c.now
	return ch
}

// secrets remembers what was written; fail makes the first calls err.
type secrets struct {
	fail   int
	writes []edge.Certificate
	names  []string
}

func (s *secrets) WriteTLS(_ context.Context, namespace, name string, cert, key []byte) error {
	if s.fail > 0 {
		s.fail--
		return errors.New("the cluster is away")
	}
	s.names = append(s.names, namespace+"/"+name)
	s.writes = append(s.writes, edge.Certificate{Chain: bytes.Clone(cert), Key: bytes.Clone(key)})
	return nil
}

// distinct counts the different certificates written.
func (s *secrets) distinct() int {
	seen := map[string]bool{}
	for _, w := range s.writes {
		seen[string(w.Chain)] = true
	}
	return len(seen)
}

type bench struct {
	dir    string
	clock  *clock
	writer *secrets
	log    *bytes.Buffer
}

func newBench(t *testing.T) *bench {
	return &bench{dir: t.TempDir(), clock: &clock{now: start()}, writer: &secrets{}, log: &bytes.Buffer{}}
}

func (b *bench) renewer(t *testing.T, domain string) *edge.Renewer {
	t.Helper()
	a, err := edge.OpenAuthority(b.dir, b.clock.Now)
	require.NoError(t, err)
	logger := logrus.New()
	logger.SetOutput(b.log)
	r, err := edge.NewRenewer(edge.RenewerOptions{
		Dir: b.dir, Domain: domain, Issuer: a, Writer: b.writer,
		Namespace: "drycc", Name: "drycc-wildcard-tls", Logger: logger,
		Now: b.clock.Now, After: b.clock.After,
	})
	require.NoError(t, err)
	return r
}

func (b *bench) ensure(t *testing.T, domain string) time.Time {
	t.Helper()
	next, err := b.renewer(t, domain).Ensure(context.Background())
	require.NoError(t, err)
	return next
}

func TestEnsureMakesOneCertificateAndKeepsIt(t *testing.T) {
	b := newBench(t)
	next := b.ensure(t, "slipway.localhost")
	b.clock.now = next.Add(-time.Minute)
	assert.Equal(t, next, b.ensure(t, "slipway.localhost"))
	assert.Equal(t, 1, b.writer.distinct())
	assert.Equal(t, []string{"drycc/drycc-wildcard-tls", "drycc/drycc-wildcard-tls"}, b.writer.names)

	leaf := leafOf(t, b.writer.writes[0])
	assert.ElementsMatch(t, []string{"*.slipway.localhost", "slipway.localhost"}, leaf.DNSNames)
	assert.WithinDuration(t, start().Add(60*24*time.Hour), next, time.Hour)

	info, err := os.Stat(filepath.Join(b.dir, "wildcard.pem"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestFormerDomainsAreInTheCertificate(t *testing.T) {
	b := newBench(t)
	b.ensure(t, "old.example.com")
	a, err := edge.OpenAuthority(b.dir, b.clock.Now)
	require.NoError(t, err)
	logger := logrus.New()
	logger.SetOutput(b.log)
	for range 2 {
		r, err := edge.NewRenewer(edge.RenewerOptions{
			Dir: b.dir, Domain: "new.example.com", Former: []string{"old.example.com"}, Issuer: a, Writer: b.writer,
			Namespace: "drycc", Name: "drycc-wildcard-tls", Logger: logger, Now: b.clock.Now, After: b.clock.After,
		})
		require.NoError(t, err)
		_, err = r.Ensure(t.Context())
		require.NoError(t, err)
	}
	assert.Equal(t, 2, b.writer.distinct(), "one for each set of names")
	leaf := leafOf(t, b.writer.writes[1])
	assert.ElementsMatch(t, []string{"*.new.example.com", "new.example.com", "*.old.example.com", "old.example.com"}, leaf.DNSNames)
}

func TestEnsureReplaces(t *testing.T) {
	file := func(b *bench) string { return filepath.Join(b.dir, "wildcard.pem") }
	tests := map[string]struct {
		domain string
		spoil  func(t *testing.T, b *bench)
		why    string
	}{
		"at two thirds of its life": {"slipway.localhost", func(_ *testing.T, b *bench) {
			b.clock.now = start().Add(60 * 24 * time.Hour)
		}, "two thirds"},
		"another domain": {"example.com", func(*testing.T, *bench) {}, "other names"},
		"damaged": {"slipway.localhost", func(t *testing.T, b *bench) {
			require.NoError(t, os.Truncate(file(b), 100))
		}, "damaged"},
		"key of another": {"slipway.localhost", func(t *testing.T, b *bench) {
			data, err := os.ReadFile(file(b))
			require.NoError(t, err)
			_, chain := pem.Decode(data)
			other := newBench(t)
			other.ensure(t, "slipway.localhost")
			require.NoError(t, os.WriteFile(file(b), append(other.writer.writes[0].Key, chain...), 0o600))
		}, "damaged"},
		"another authority": {"slipway.localhost", func(t *testing.T, b *bench) {
			require.NoError(t, os.Remove(filepath.Join(b.dir, "ca.key")))
			require.NoError(t, os.Remove(filepath.Join(b.dir, "ca.crt")))
		}, "another authority"},
		"made while the clock was ahead": {"slipway.localhost", func(_ *testing.T, b *bench) {
			b.clock.now = start().Add(-48 * time.Hour)
		}, "from the future"},
		"gone": {"slipway.localhost", func(t *testing.T, b *bench) {
			require.NoError(t, os.Remove(file(b)))
		}, "none yet"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.ensure(t, "slipway.localhost")
			test.spoil(t, b)
			b.log.Reset()
			next := b.ensure(t, test.domain)
			assert.True(t, next.After(b.clock.now))
			assert.Equal(t, 2, b.writer.distinct())
			assert.Contains(t, b.log.String(), test.why)

			ca, err := os.ReadFile(filepath.Join(b.dir, "ca.crt"))
			require.NoError(t, err)
			leaf := leafOf(t, b.writer.writes[1])
			at := b.clock.now
			if at.Before(start()) {
				at = start() // the authority itself begins then
			}
			_, err = leaf.Verify(x509.VerifyOptions{Roots: pool(t, ca), DNSName: "hello." + test.domain, CurrentTime: at})
			assert.NoError(t, err)
		})
	}
}

func TestEnsureSaysWhichSecretCouldNotBeWritten(t *testing.T) {
	b := newBench(t)
	b.writer.fail = 1
	_, err := b.renewer(t, "slipway.localhost").Ensure(context.Background())
	require.ErrorContains(t, err, "secret drycc/drycc-wildcard-tls: the cluster is away")
	b.ensure(t, "slipway.localhost")
	assert.Equal(t, 1, b.writer.distinct(), "the certificate made before the failure is used")
}

func TestRunRenewsInTime(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	b.clock.end = cancel
	b.clock.stop = func(int) bool { return b.clock.now.After(start().AddDate(0, 0, 70)) }
	require.NoError(t, b.renewer(t, "slipway.localhost").Run(ctx))

	assert.Equal(t, 2, b.writer.distinct(), "one at the start and one after 60 days")
	for _, w := range b.clock.waits {
		assert.LessOrEqual(t, w, time.Hour)
		assert.Positive(t, w)
	}
}

func TestRunTriesAgainAtGrowingIntervals(t *testing.T) {
	b := newBench(t)
	b.writer.fail = 12
	ctx, cancel := context.WithCancel(context.Background())
	b.clock.end = cancel
	b.clock.stop = func(n int) bool { return n == 13 }
	require.NoError(t, b.renewer(t, "slipway.localhost").Run(ctx))

	assert.Equal(t, 2*time.Second, b.clock.waits[0])
	assert.Equal(t, 4*time.Second, b.clock.waits[1])
	assert.Equal(t, 5*time.Minute, b.clock.waits[11])
	assert.Equal(t, time.Hour, b.clock.waits[12], "calm again after a success")
	assert.Equal(t, 1, b.writer.distinct())
	assert.NotContains(t, b.log.String(), "PRIVATE KEY")
}

func TestRunSurvivesTheEndOfTheAuthority(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	b.clock.end = cancel
	r := b.renewer(t, "slipway.localhost")
	b.clock.now = start().Add(10*365*24*time.Hour - time.Hour)
	b.clock.stop = func(int) bool { return b.clock.now.After(start().Add(10*365*24*time.Hour + 24*time.Hour)) }
	require.NoError(t, r.Run(ctx))
	assert.Contains(t, b.log.String(), "it expired at")
	assert.Contains(t, b.log.String(), "restore ca.key and ca.crt from a backup")
	assert.Less(t, len(b.clock.waits), 1000, "it spins")
}

func TestNewRenewerNeedsItsParts(t *testing.T) {
	_, err := edge.NewRenewer(edge.RenewerOptions{})
	assert.ErrorContains(t, err, "directory")
	_, err = edge.NewRenewer(edge.RenewerOptions{Dir: "d", Domain: "x", Namespace: "n", Name: "m"})
	assert.ErrorContains(t, err, "issuer")
}
