package follow_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/checkpoint"
	"github.com/slipway-paas/slipway/bootstrap/follow"
	"github.com/slipway-paas/slipway/bootstrap/join"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
)

const (
	oldProgram = "the old program"
	newProgram = "the new program"
)

func sumOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// node is an agent's host of three files, its server, and a clock. The record,
// what is kept and the way back are the real ones.
type node struct {
	t   *testing.T
	dir string
	now time.Time

	offered   string // the server's program
	sent      string // what it sends when asked for it; empty: that
	unsettled bool
	arch      string
	away      error
	free      uint64
	downloads int
	asked     int

	state    lifecycle.State // of the board
	message  string
	started  []string // programs, by content
	alive    bool     // the last of them
	restarts int
	ready    map[string]bool // whether the node is ready with a program
}

func newNode(t *testing.T) *node {
	n := &node{t: t, dir: t.TempDir(), now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), offered: oldProgram,
		arch: runtime.GOARCH, free: 1 << 40, ready: map[string]bool{oldProgram: true, newProgram: true}}
	n.put("slipway", oldProgram)
	n.put("bin/runc", "old runc")
	n.put("etc/config", "old settings")
	return n
}

func (n *node) put(name, content string) {
	n.t.Helper()
	path := filepath.Join(n.dir, name)
	require.NoError(n.t, os.MkdirAll(filepath.Dir(path), 0o755))
	// As everybody does who replaces a binary: never in place.
	require.NoError(n.t, os.WriteFile(path+".tmp", []byte(content), 0o644))
	require.NoError(n.t, os.Rename(path+".tmp", path))
}

func (n *node) read(name string) string {
	n.t.Helper()
	data, err := os.ReadFile(filepath.Join(n.dir, name))
	require.NoError(n.t, err)
	return string(data)
}

func (n *node) record() upgrade.Record { return upgrade.Record{Dir: filepath.Join(n.dir, "upgrade")} }

func (n *node) last() upgrade.State {
	n.t.Helper()
	s, err := n.record().Read()
	require.NoError(n.t, err)
	return s
}

func (n *node) installed() (string, error) { return sumOf(n.read("slipway")), nil }

func versionOf(program string) upgrade.Version {
	v := upgrade.Version{Slipway: "v1.0.0", SHA256: sumOf(program)}
	if program == newProgram {
		v.Slipway = "v2.0.0"
	}
	return v
}

// agent is the agent that runs a program.
func (n *node) agent(program string) *follow.Agent {
	return &follow.Agent{
		Record: n.record(), Checkpoints: filepath.Join(n.dir, "checkpoints"), Running: versionOf(program),
		Installed: n.installed,
		Dial:      func(context.Context) (follow.Door, error) { return n, n.away },
		Free:      func(string) (uint64, error) { return n.free, nil },
		Start: func(path string) (func() (bool, error), error) {
			content, err := os.ReadFile(path)
			n.started, n.alive = append(n.started, string(content)), true
			return func() (bool, error) { return n.alive, nil }, err
		},
		Tell:   func(s lifecycle.State, message string) { n.state, n.message = s, message },
		Chance: func(most time.Duration) time.Duration { return most / 2 },
		Clock:  func() time.Time { return n.now },
		Log:    "/var/log/slipway/upgrade.log",
	}
}

// Offer implements follow.Door.
func (n *node) Offer(context.Context) (join.Offer, error) {
	n.asked++
	return join.Offer{Version: versionOf(n.offered).Slipway, Arch: n.arch, Unsettled: n.unsettled,
		Binary: join.Binary{SHA256: sumOf(n.offered), Size: int64(len(n.offered))}}, nil
}

// Binary implements follow.Door, as join.Client does.
func (n *node) Binary(_ context.Context, want join.Binary, w io.Writer, _ func(int64)) error {
	n.downloads++
	send := cmp.Or(n.sent, n.offered)
	_, err := io.WriteString(w, send)
	if err == nil && sumOf(send) != want.SHA256 {
		err = errors.New("its sha256 is another")
	}
	return err
}

// Close implements follow.Door.
func (n *node) Close() {}

// look lets an agent look once, a while after the last time.
func (n *node) look(a *follow.Agent) {
	n.t.Helper()
	n.now = n.now.Add(30 * time.Second)
	require.NoError(n.t, a.Look(n.t.Context()))
}

// upgradeOf is what package upgrade does on this node.
func (n *node) upgradeOf(from, to string) *upgrade.Upgrade {
	return &upgrade.Upgrade{
		Record: n.record(), Checkpoints: filepath.Join(n.dir, "checkpoints"), From: versionOf(from), To: versionOf(to),
		Fixed: []checkpoint.Item{
			{Name: upgrade.BinaryItem, Path: filepath.Join(n.dir, "slipway"), Link: true},
			{Name: "programs", Path: filepath.Join(n.dir, "bin"), Link: true},
		},
		Live:  []checkpoint.Item{{Name: "settings", Path: filepath.Join(n.dir, "etc")}},
		Clock: func() time.Time { n.now = n.now.Add(time.Second); return n.now },
		Platform: upgrade.Platform{
			Undo:     func(context.Context, int) error { return nil },
			Revision: func(context.Context) (int64, error) { return 0, nil },
		},
	}
}

// errKilled ends a program in the middle of something, as kill -9 does: nothing
// is given up or brought back.
var errKilled = errors.New("killed")

// change is the new program that was started here. stop is called by the name of
// each of its steps, and may panic with errKilled.
func (n *node) change(to string, stop func(step string)) *follow.Change {
	return &follow.Change{
		Upgrade: n.upgradeOf(n.read("slipway"), to),
		Check:   func(context.Context) error { stop("check"); return nil },
		Apply: func(context.Context) error {
			stop("stage")
			n.put("slipway", to)
			stop("binary")
			n.put("bin/runc", "runc of "+to)
			n.put("etc/config", "settings of "+to)
			stop("restart")
			n.restarts++
			return n.well("apply")
		},
		Well:    func(context.Context) error { stop("well"); return n.well("well") },
		Restart: func(context.Context) error { n.restarts++; return nil },
	}
}

func (n *node) well(string) error {
	if !n.ready[n.read("slipway")] {
		return errors.New("the node is not ready")
	}
	return nil
}

// run runs the program that was started, until it ends or kills itself.
func (n *node) run(c *follow.Change) (err error) {
	defer func() {
		n.alive = false
		if r := recover(); r != nil {
			err = r.(error)
		}
	}()
	return c.Run(n.t.Context())
}

// boot is what an agent does when it starts: it brings back what was cut off,
// and is then the program that is installed.
func (n *node) boot() *follow.Agent {
	n.t.Helper()
	for range 3 {
		verdict, _, err := n.record().AtBoot(n.installed, n.now)
		require.NoError(n.t, err)
		if verdict != upgrade.GoBack {
			break
		}
		u := n.upgradeOf("", "")
		_, err = u.Resume()
		require.NoError(n.t, err)
		require.NoError(n.t, u.Back(n.t.Context(), upgrade.CutOff))
	}
	return n.agent(n.read("slipway"))
}

// isOld checks that the node is as it was before anything.
func (n *node) isOld() {
	n.t.Helper()
	require.Equal(n.t, []string{oldProgram, "old runc", "old settings"}, []string{n.read("slipway"), n.read("bin/runc"), n.read("etc/config")})
}
