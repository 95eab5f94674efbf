//go:build e2e

package powerloss

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // looks into what was left
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

const domain = "power.example.com"

func TestMain(m *testing.M) { os.Exit(house.Main(m, "make test-powerloss")) }

func rounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("ROUNDS")
	if text == "" {
		return 3
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "ROUNDS")
	return n
}

// writers keep an appliance writing, and know what it has acknowledged.
type writers struct {
	*house.House
	images   []string
	config   atomic.Int64 // last setting that was acknowledged
	next     atomic.Int64
	version  atomic.Int64 // newest release that was acknowledged
	failures atomic.Int64
}

func TestPowerLoss(t *testing.T) {
	w := &writers{House: house.Build(t, "relost", "172.31.77.66", domain)}
	w.images = []string{w.Push(t, "v2"), w.Push(t, "v3")}
	for round := range rounds(t) {
		house.Must(t, fmt.Sprintf("round %d", round+1), w.round)
	}
}

func (w *writers) round(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, write := range []func(context.Context) error{w.set, w.deploy, w.scale} {
		running.Add(1)
		go func() {
			defer running.Done()
			for ctx.Err() == nil {
				if write(ctx) != nil {
					w.failures.Add(1)
				}
			}
		}()
	}
	before := w.config.Load()
	require.NoError(t, appliance.Eventually(t.Context(), house.Limit, func(context.Context) error {
		if w.config.Load() < before+2 {
			return fmt.Errorf("%d settings were acknowledged in this round", w.config.Load()-before)
		}
		return nil
	}))
	// The moment is a matter of chance; what matters is that writes are under way.
	<-time.After(time.Duration(rand.IntN(3000)) * time.Millisecond)
	require.NoError(t, w.Kill())
	stop()
	running.Wait()

	w.databases(t)
	start := time.Now()
	require.NoError(t, w.Reboot(t.Context()))
	w.Well(t)
	t.Logf("well %.0fs after the boot; acknowledged: setting %d, release v%d", time.Since(start).Seconds(), w.config.Load(), w.version.Load())
	w.consistent(t)
}

// set changes a setting, which is a release of its own.
func (w *writers) set(ctx context.Context) error {
	n := w.next.Add(1)
	if err := w.Client.SetConfig(ctx, house.App, map[string]string{"COUNT": strconv.FormatInt(n, 10)}); err != nil {
		return err
	}
	w.config.Store(n)
	return w.sawRelease(ctx)
}

// sawRelease remembers the newest release that somebody was told of.
func (w *writers) sawRelease(ctx context.Context) error {
	r, err := w.Client.Latest(ctx, house.App)
	if err == nil && int64(r.Version) > w.version.Load() {
		w.version.Store(int64(r.Version))
	}
	return err
}

func (w *writers) deploy(ctx context.Context) error {
	return w.Client.Deploy(ctx, house.App, w.images[rand.IntN(len(w.images))])
}

func (w *writers) scale(ctx context.Context) error {
	return w.Client.Scale(ctx, house.App, 1+rand.IntN(2))
}

// databases looks into both as the plug has left them.
func (w *writers) databases(t *testing.T) {
	for _, name := range []string{"slipway/controller/slipway.db", "rancher/k3s/server/db/state.db"} {
		dir := t.TempDir()
		for _, suffix := range []string{"", "-wal"} {
			data, err := os.ReadFile(filepath.Join(w.Data(), name+suffix))
			if os.IsNotExist(err) && suffix != "" {
				continue
			}
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "copy.db"+suffix), data, 0o600))
		}
		db, err := sql.Open("sqlite3", filepath.Join(dir, "copy.db"))
		require.NoError(t, err)
		var verdict string
		require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict), name)
		assert.Equal(t, "ok", verdict, name)
		rows, err := db.QueryContext(t.Context(), "PRAGMA foreign_key_check")
		require.NoError(t, err)
		assert.False(t, rows.Next(), "%s: a row refers to one that is not there", name)
		require.NoError(t, rows.Close())
		require.NoError(t, db.Close())
	}
}

// consistent: releases are numbered without a gap, the acknowledged ones are
// there, what was under way comes to an end, and the app runs what is newest.
func (w *writers) consistent(t *testing.T) {
	ctx := t.Context()
	all, err := w.Client.Releases(ctx, house.App)
	require.NoError(t, err)
	versions := appliance.Versions(all)
	for i, v := range versions {
		require.Equal(t, i+1, v, "%v", versions)
	}
	assert.GreaterOrEqual(t, int64(len(versions)), w.version.Load(), "a release that somebody was told of is gone")
	values, err := w.Client.Config(ctx, house.App)
	require.NoError(t, err)
	count, err := strconv.ParseInt(values["COUNT"], 10, 64)
	require.NoError(t, err, "%v", values)
	assert.GreaterOrEqual(t, count, w.config.Load(), "a setting that was acknowledged is gone")

	require.NoError(t, w.Client.Scale(ctx, house.App, 1))
	w.Deploy(t, w.images[0])
	w.Answers(t, "v2")
	_, err = w.Client.WaitPods(ctx, house.App, 1, house.Limit)
	require.NoError(t, err)
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(w.Data(), "slipway/controller/slipway.db")+"?mode=ro")
	require.NoError(t, err)
	var open int
	require.NoError(t, db.QueryRowContext(ctx, `SELECT COUNT(*) FROM releases WHERE state IN ('pending', 'deploying')`).Scan(&open))
	assert.Zero(t, open, "releases that did not come to an end")
	require.NoError(t, db.Close())
}
