package upgrade_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/checkpoint"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
)

// place is a platform of three files: the binary, its payload, its data.
type place struct {
	t       *testing.T
	dir     string
	running bool
	undone  []int
	ahead   int64
}

func newPlace(t *testing.T) *place {
	p := &place{t: t, dir: t.TempDir(), running: true}
	p.put("slipway", "old binary")
	p.put("bin/runc", "old runc")
	p.put("server/db", "old rows")
	return p
}

func (p *place) put(name, content string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	require.NoError(p.t, os.MkdirAll(filepath.Dir(path), 0o755))
	// As everybody does who replaces a binary: never in place.
	require.NoError(p.t, os.WriteFile(path+".tmp", []byte(content), 0o644))
	require.NoError(p.t, os.Rename(path+".tmp", path))
}

func (p *place) sum() (string, error) {
	data, err := os.ReadFile(filepath.Join(p.dir, "slipway"))
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}

func (p *place) record() upgrade.Record {
	return upgrade.Record{Dir: filepath.Join(p.dir, "upgrade")}
}

func (p *place) upgrade() *upgrade.Upgrade {
	old := sha256.Sum256([]byte("old binary"))
	return &upgrade.Upgrade{
		Record: p.record(), Checkpoints: filepath.Join(p.dir, "checkpoints"),
		From: upgrade.Version{Slipway: "v1.0.0", SHA256: hex.EncodeToString(old[:])}, To: upgrade.Version{Slipway: "v2.0.0", SHA256: "new"},
		Fixed: []checkpoint.Item{
			{Name: "payload", Path: filepath.Join(p.dir, "bin"), Link: true},
			{Name: upgrade.BinaryItem, Path: filepath.Join(p.dir, "slipway"), Link: true},
		},
		Live:  []checkpoint.Item{{Name: "kubernetes", Path: filepath.Join(p.dir, "server")}},
		Clock: time.Now,
		Platform: upgrade.Platform{
			Stop:     func(context.Context) error { p.running = false; return nil },
			Undo:     func(_ context.Context, mark int) error { p.undone = append(p.undone, mark); return nil },
			Revision: func(context.Context) (int64, error) { return 77, nil },
			Advance:  func(_ context.Context, n int64) error { p.ahead = n; return nil },
		},
	}
}

// apply is what an installation of the new version does, in its order.
func (p *place) apply() {
	p.put("slipway", "new binary")
	p.put("bin/runc", "new runc")
	p.put("bin/crun", "new too")
	p.put("server/db", "new rows")
}

// files is the platform as it is, without what the upgrade keeps for itself.
func (p *place) files() map[string]string {
	p.t.Helper()
	all := map[string]string{}
	require.NoError(p.t, filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		require.NoError(p.t, err)
		name, err := filepath.Rel(p.dir, path)
		require.NoError(p.t, err)
		if name == "checkpoints" || name == "upgrade" {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			data, err := os.ReadFile(path)
			require.NoError(p.t, err)
			all[name] = string(data)
		}
		return nil
	}))
	return all
}

func before() map[string]string {
	return map[string]string{"slipway": "old binary", "bin/runc": "old runc", "server/db": "old rows"}
}

func TestCommit(t *testing.T) {
	p := newPlace(t)
	u := p.upgrade()
	require.NoError(t, u.Prepare(t.Context(), 5))
	require.True(t, p.running, "the server runs while the binary is kept")
	require.False(t, u.Changed())
	require.NoError(t, u.Snapshot(t.Context()))
	require.False(t, p.running)
	require.True(t, u.Changed())
	p.apply()
	require.NoError(t, u.Verify())
	require.NoError(t, u.Commit())

	verdict, s, err := p.record().AtBoot(p.sum, time.Now())
	require.NoError(t, err)
	require.Equal(t, upgrade.Serve, verdict)
	require.Equal(t, upgrade.Committed, s.Phase)

	// It can be taken back until the checkpoint is pruned.
	again := p.upgrade()
	_, err = again.Resume()
	require.NoError(t, err)
	require.NoError(t, again.Back(t.Context(), "asked for"))
	require.Equal(t, before(), p.files())
	require.Equal(t, []int{5}, p.undone)
	require.Equal(t, int64(77), p.ahead)
}

// TestKilledInEveryPhase ends the upgrade's program at each of its steps, then
// starts the service as a boot does.
func TestKilledInEveryPhase(t *testing.T) {
	steps := []func(t *testing.T, p *place, u *upgrade.Upgrade){
		func(t *testing.T, _ *place, u *upgrade.Upgrade) { require.NoError(t, u.Prepare(t.Context(), 5)) },
		func(t *testing.T, _ *place, u *upgrade.Upgrade) { require.NoError(t, u.Snapshot(t.Context())) },
		func(_ *testing.T, p *place, _ *upgrade.Upgrade) { p.put("slipway", "new binary") },
		func(_ *testing.T, p *place, _ *upgrade.Upgrade) { p.apply() },
		func(t *testing.T, _ *place, u *upgrade.Upgrade) { require.NoError(t, u.Verify()) },
		func(_ *testing.T, p *place, _ *upgrade.Upgrade) { p.put("server/db", "rows of the gates") },
	}
	for n := range steps {
		t.Run(string(rune('0'+n)), func(t *testing.T) {
			p := newPlace(t)
			u := p.upgrade()
			release, err := u.Record.Hold()
			require.NoError(t, err)
			for _, step := range steps[:n+1] {
				step(t, p, u)
			}
			verdict, _, err := p.record().AtBoot(p.sum, time.Now())
			require.NoError(t, err)
			require.NotEqual(t, upgrade.GoBack, verdict, "its program is alive")

			require.NoError(t, release()) // as the kernel does at its end
			boot(t, p)
			require.Equal(t, before(), p.files())
			s, err := p.record().Read()
			require.NoError(t, err)
			require.Equal(t, upgrade.RolledBack, s.Phase)
			require.NotEmpty(t, s.Reason)
		})
	}
}

// boot does what a server does at its start, until it may serve.
func boot(t *testing.T, p *place) {
	t.Helper()
	verdict, _, err := p.record().AtBoot(p.sum, time.Now())
	require.NoError(t, err)
	if verdict == upgrade.GoBack {
		u := p.upgrade()
		u.Platform.Stop = nil
		_, err := u.Resume()
		require.NoError(t, err)
		require.NoError(t, u.Back(t.Context(), "it was cut off"))
	}
	verdict, _, err = p.record().AtBoot(p.sum, time.Now())
	require.NoError(t, err)
	require.Equal(t, upgrade.Serve, verdict)
}

// TestKilledOnTheWayBack ends the way back at each of its steps, and starts the
// service after each.
func TestKilledOnTheWayBack(t *testing.T) {
	for n := range 6 {
		t.Run(string(rune('0'+n)), func(t *testing.T) {
			p := newPlace(t)
			u := p.upgrade()
			require.NoError(t, u.Prepare(t.Context(), 5))
			require.NoError(t, u.Snapshot(t.Context()))
			p.apply()
			require.NoError(t, u.Verify())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			steps := 0
			u.Note = func(string) {
				if steps++; steps > n {
					cancel()
				}
			}
			if err := u.Back(ctx, "the gateway did not answer"); err != nil {
				require.ErrorIs(t, err, context.Canceled)
			}
			boot(t, p)
			require.Equal(t, before(), p.files())
		})
	}
}

// TestTheBinaryIsBackAndTheRecordIsNot is a kill between the last act and its
// record: whatever the old server did since must stay.
func TestTheBinaryIsBackAndTheRecordIsNot(t *testing.T) {
	p := newPlace(t)
	u := p.upgrade()
	require.NoError(t, u.Prepare(t.Context(), 5))
	require.NoError(t, u.Snapshot(t.Context()))
	s := u.State()
	s.Phase, s.Reason = upgrade.RollingBack, "the gateway did not answer"
	require.NoError(t, p.record().Write(s))
	p.put("server/db", "rows of the old server since")
	boot(t, p)
	require.Equal(t, "rows of the old server since", p.files()["server/db"])
	s, err := p.record().Read()
	require.NoError(t, err)
	require.Equal(t, upgrade.RolledBack, s.Phase)
	require.Equal(t, "the gateway did not answer", s.Reason)
}

// TestABinaryPutThereByHand does not keep the server from starting when the
// upgrade that was cut off has nothing to go back to.
func TestABinaryPutThereByHand(t *testing.T) {
	p := newPlace(t)
	require.NoError(t, p.upgrade().Prepare(t.Context(), 5))
	p.put("slipway", "somebody's binary")
	boot(t, p)
	require.Equal(t, "somebody's binary", p.files()["slipway"])
}

// TestAnUpgradeThatIsNotBegunLeavesTheRecord of the last one, which can still be
// taken back.
func TestAnUpgradeThatIsNotBegunLeavesTheRecord(t *testing.T) {
	p := newPlace(t)
	last := upgrade.State{Phase: upgrade.Committed, Checkpoint: "/checkpoints/1"}
	require.NoError(t, p.record().Write(last))
	require.NoError(t, p.upgrade().Abandon(errors.New("the ledger can't be written")))
	s, err := p.record().Read()
	require.NoError(t, err)
	require.Equal(t, last, s)
}

func TestAbandonLeavesNothing(t *testing.T) {
	p := newPlace(t)
	u := p.upgrade()
	u.Live = append(u.Live, checkpoint.Item{Name: "database", Save: func(context.Context, string) error { return errors.New("away") }})
	require.NoError(t, u.Prepare(t.Context(), 5))
	err := u.Snapshot(t.Context())
	require.ErrorContains(t, err, "away")
	require.False(t, u.Changed())
	require.NoError(t, u.Abandon(err))
	left, err := os.ReadDir(filepath.Join(p.dir, "checkpoints"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.Equal(t, before(), p.files())
}

func TestADamagedCheckpointLeavesTheNewVersion(t *testing.T) {
	p := newPlace(t)
	u := p.upgrade()
	require.NoError(t, u.Prepare(t.Context(), 5))
	require.NoError(t, u.Snapshot(t.Context()))
	p.apply()
	after := p.files()
	require.NoError(t, os.WriteFile(filepath.Join(u.State().Checkpoint, "kubernetes/db"), []byte("rot"), 0o600))
	require.ErrorIs(t, u.Back(t.Context(), "why"), checkpoint.ErrDamaged)
	require.Equal(t, after, p.files())
	boot(t, p)
	s, err := p.record().Read()
	require.NoError(t, err)
	require.Equal(t, upgrade.Stranded, s.Phase)
}

func TestOnlyOneAtATime(t *testing.T) {
	r := upgrade.Record{Dir: t.TempDir()}
	held, err := r.Held()
	require.NoError(t, err)
	require.False(t, held)
	release, err := r.Hold()
	require.NoError(t, err)
	held, err = r.Held()
	require.NoError(t, err)
	require.True(t, held)
	_, err = r.Hold()
	require.ErrorIs(t, err, upgrade.ErrRunning)
	require.NoError(t, release())
	held, err = r.Held()
	require.NoError(t, err)
	require.False(t, held)
}

func TestWatch(t *testing.T) {
	r := upgrade.Record{Dir: t.TempDir()}
	require.NoError(t, r.Write(upgrade.State{Phase: upgrade.Verifying}))
	look := make(chan time.Time, 100)
	for range cap(look) {
		look <- time.Time{}
	}
	require.ErrorIs(t, r.Watch(t.Context(), look), upgrade.ErrCutOff)

	release, err := r.Hold()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Watch(ctx, look) }()
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)

	require.NoError(t, r.Write(upgrade.State{Phase: upgrade.Committed}))
	require.NoError(t, r.Watch(t.Context(), nil))
	require.NoError(t, release())
}

func TestSteps(t *testing.T) {
	const kube = "v1.35.1+k3s1"
	tests := []struct {
		name, from, to, kubeFrom, kubeTo string
		want                             string // part of the refusal; empty: none
	}{
		{"next", "v1.0.0", "v1.1.0", kube, kube, ""},
		{"same version, another build", "v1.0.0", "v1.0.0", kube, kube, ""},
		{"older", "v1.1.0", "v1.0.9", kube, kube, "is older than the installed v1.1.0"},
		{"commits after the tag are newer", "v1.0.0", "v1.0.0-12-gabcdef0", kube, kube, ""},
		{"and the tag is older than they", "v1.0.0-12-gabcdef0-dirty", "v1.0.0", kube, kube, "is older"},
		{"a pre-release is older than its release", "v1.0.0-rc1", "v1.0.0", kube, kube, ""},
		{"the next minor", "v1.0.0", "v1.1.0", kube, "v1.36.0+k3s1", ""},
		{"a minor left out", "v1.0.0", "v1.1.0", kube, "v1.37.0+k3s1", "upgrade first to a slipway with Kubernetes v1.36"},
		{"kubernetes back", "v1.0.0", "v1.1.0", kube, "v1.35.0+k3s1", "take Kubernetes back"},
		{"another major", "v1.0.0", "v1.1.0", kube, "v2.0.0", "left out"},
		{"no version", "v1.0.0", "v1.1.0", "", kube, "can't be compared"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(upgrade.Steps(
				upgrade.Version{Slipway: tt.from, Kubernetes: tt.kubeFrom}, upgrade.Version{Slipway: tt.to, Kubernetes: tt.kubeTo}), "\n")
			if tt.want == "" {
				require.Empty(t, got)
				return
			}
			require.Contains(t, got, tt.want)
		})
	}
}
