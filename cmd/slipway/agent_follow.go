package main

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/follow"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/join"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
)

// followLogLimit is when the log of following begins anew, in bytes.
const followLogLimit = 1 << 20

// followLog is what the server's program writes while it takes the place of
// this one.
func followLog(p bootstrap.Paths) string { return filepath.Join(p.LogDir, "upgrade.log") }

// runFollow has this agent run the program of its server, until ctx ends.
func (s *server) runFollow(ctx context.Context) error {
	m, err := newMachine(s.settings, nil)
	if err != nil {
		return err
	}
	// The file that runs, also when a newer one has taken its place.
	sum, err := m.host.Hash("/proc/self/exe")
	if err != nil {
		return err
	}
	agent := &follow.Agent{
		Record: upgrade.Record{Dir: s.paths.Upgrade}, Checkpoints: s.paths.Checkpoints,
		Running:   upgrade.Version{Slipway: version, Kubernetes: k3s.Version(), SHA256: sum},
		Installed: func() (string, error) { return m.host.Hash(s.paths.Binary) },
		Dial:      s.dialDoor,
		Free: func(dir string) (uint64, error) {
			d, err := m.host.Disk(dir)
			return d.Free, err
		},
		Start:  m.startProgram,
		Tell:   s.tellFollowing(ctx),
		Chance: func(most time.Duration) time.Duration { return rand.N(most) },
		Clock:  time.Now,
		Log:    followLog(s.paths),
	}
	return agent.Run(ctx)
}

// nodeDoor is the door for this node.
type nodeDoor struct {
	*join.Client
	node join.Request
}

// Offer implements follow.Door.
func (d nodeDoor) Offer(ctx context.Context) (join.Offer, error) { return d.Client.Offer(ctx, d.node) }

// dialDoor comes with the certificate of this node, whose token may have ended.
func (s *server) dialDoor(ctx context.Context) (follow.Door, error) {
	client, err := dialCluster(ctx, s.settings)
	if err != nil {
		return nil, err
	}
	return nodeDoor{client, join.Request{Role: join.Agent, Name: s.nodeName, Arch: runtime.GOARCH}}, nil
}

// startProgram starts the server's program in a session of its own: it goes on
// when it restarts this one.
func (m *machine) startProgram(program string) (alive func() (bool, error), err error) {
	log := followLog(m.paths)
	info, err := os.Stat(log)
	if err == nil && info.Size() > followLogLimit {
		err = os.Truncate(log, 0)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	p, err := m.host.Spawn(host.Command{Name: program, Args: []string{"follow"}}, log)
	if err != nil {
		return nil, err
	}
	return func() (bool, error) {
		found, err := m.process(p.PID)
		return found.PID != 0 && found.StartTime == p.StartTime, err
	}, nil
}

// process is the running process of a number; the zero one when there is none.
func (m *machine) process(pid int) (host.Process, error) {
	all, err := m.host.Processes()
	for _, p := range all {
		if p.PID == pid {
			return p, err
		}
	}
	return host.Process{}, err
}

// sayTime bounds telling the cluster what this node runs.
const sayTime = 5 * time.Second

// tellFollowing shows how following goes on, here on the board and to the whole
// cluster at the node.
func (s *server) tellFollowing(ctx context.Context) func(lifecycle.State, string) {
	said := false
	last := ""
	return func(state lifecycle.State, message string) {
		// Who reads on the board that all is well finds it in the cluster too.
		defer s.board.Set(lineUpgrade, state, message)
		if said && message == last {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, sayTime)
		defer cancel()
		err := k3s.SayVersion(ctx, filepath.Join(s.settings.DataDir, "agent", "kubelet.kubeconfig"), s.nodeName, version, message)
		if err != nil { // said again at the next look
			s.log.WithError(err).Debug("telling the cluster which version runs here")
			return
		}
		said, last = true, message
	}
}
