package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/checkpoint"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/rehome"
)

const (
	// addressPatience is how long a start waits for the address of before: a
	// lease may come late.
	addressPatience = 20 * time.Second
	addressLook     = 10 * time.Second
	// addressLooks is how often in a row the address has to be away before the
	// server starts again to follow it.
	addressLooks = 3
	etcdPatience = 3 * time.Minute
)

// home is where this server runs, beside where it ran before.
type home struct {
	was, now rehome.Home
	moves    []rehome.Move // to follow before k3s starts
	chosen   string        // address that k3s would take by itself
}

// certain says that waiting would not bring back another address.
func (h home) certain(s bootstrap.Settings) bool {
	was, now := h.was, h.now
	return was.Address == "" || now.Address == was.Address || now.Interface == was.Interface || now.Address == s.NodeIP
}

func homeFile(p bootstrap.Paths) string { return filepath.Join(p.Controller, "home.json") }

// nodeName is the name of the node: as set, else the one that k3s was
// configured with, else the host's. A host that is called otherwise one day
// keeps its node: volumes are bound to the name.
func nodeName(files host.Files, s bootstrap.Settings) (string, error) {
	if s.NodeName != "" {
		return s.NodeName, nil
	}
	data, err := files.ReadFile(filepath.Join(bootstrap.NewPaths(s).K3sEtc, "config.yaml"))
	var config struct {
		NodeName string `json:"node-name"`
	}
	if err == nil {
		err = yaml.Unmarshal(data, &config)
	}
	if err == nil && config.NodeName != "" {
		return config.NodeName, nil
	}
	name, err := os.Hostname()
	return strings.ToLower(name), err
}

// locate finds name and address of this node, and what changed since the
// server last ran. Nothing is changed.
func locate(files host.Files, s bootstrap.Settings) (name string, h home, err error) {
	if name, err = nodeName(files, s); err != nil {
		return "", h, err
	}
	// A file that says nothing is as good as none.
	h.was, _ = rehome.Load(files, homeFile(bootstrap.NewPaths(s)))
	if _, chosen, err := k3s.NodeIdentity(name, ""); err == nil {
		h.chosen = chosen
	}
	have, err := rehome.Interfaces()
	if err != nil {
		return "", h, err
	}
	want := rehome.Wanted{Set: s.NodeIP, Last: h.was.Address, On: h.was.Interface, Chosen: h.chosen,
		Inside: []netip.Prefix{s.ClusterCIDR, s.ServiceCIDR}}
	h.now = rehome.Home{Domain: s.Domain, Servers: h.was.Servers, Moves: h.was.Moves}
	if h.now.Hostname, err = os.Hostname(); err != nil {
		return "", h, err
	}
	h.now.Address, h.now.Interface, err = rehome.Find(want, have)
	return name, h, err
}

// findHome finds out where this server runs. It waits a little for an address
// that went away and records what moved; runKubernetes follows it.
func (s *server) findHome(ctx context.Context, h *host.Linux) error {
	var err error
	for until := time.Now().Add(addressPatience); ; {
		s.nodeName, s.home, err = locate(h, s.settings)
		if err == nil && s.home.certain(s.settings) || time.Now().After(until) {
			break
		}
		if wait := h.Wait(ctx, time.Second); wait != nil {
			return wait
		}
	}
	if err != nil {
		return err
	}
	s.address = s.home.now.Address
	record := s.home.was
	s.home.moves = record.Begin(s.home.now, time.Now())
	s.home.now.Moves = record.Moves
	if len(s.home.moves) == 0 {
		return nil
	}
	return record.Save(h, homeFile(s.paths))
}

// follow makes the engine's configuration and datastore fit the place where
// they are now, before k3s starts. Cut off, it begins anew with the next start.
func (s *server) follow(ctx context.Context) error {
	for _, m := range s.home.moves {
		s.log.WithField("from", m.From).WithField("to", m.To).Warnf("rehome: another %s than before", m.Kind)
		if m.Kind != rehome.Address {
			continue
		}
		s.board.Set(lineKubernetes, lifecycle.Working, fmt.Sprintf("following the address from %s to %s", m.From, m.To))
		if err := s.followAddress(ctx); err != nil {
			return fmt.Errorf("follow the address from %s to %s: %w", m.From, m.To, err)
		}
	}
	return nil
}

func (s *server) followAddress(ctx context.Context) error {
	m, err := openMachine(nil, nil)
	if err != nil {
		return err
	}
	m.progress = bootstrap.NewProgress(s.log.Writer(), false, nil, time.Now)
	if m.settings.NodeIP != "" && m.settings.NodeIP != s.address {
		m.settings.NodeIP = s.address
		if err := m.configure(ctx); err != nil {
			return err
		}
		s.settings.NodeIP = s.address
	}
	etcd := filepath.Join(s.settings.DataDir, "server", "db", "etcd", "member", "wal")
	if _, err := m.host.Stat(etcd); errors.Is(err, os.ErrNotExist) {
		return nil // SQLite, or a database elsewhere
	}
	if s.home.was.Servers != 1 {
		return fmt.Errorf("the datastore has members on other servers, which know this one by its old address; "+
			"give this host its address %s again, or remove the node on another server (\"slipway node remove %s\") and join it anew", s.home.was.Address, s.nodeName)
	}
	dir, err := m.keepBefore(ctx, "before etcd was told the address "+s.address,
		checkpoint.Item{Name: "kubernetes", Path: filepath.Join(s.settings.DataDir, "server")})
	if err != nil {
		return err
	}
	s.log.WithField("folder", dir).Info("rehome: the datastore was kept as it was")
	return s.resetMembership(ctx, m.host)
}

// resetMembership tells etcd, which has no other members, its new address.
func (s *server) resetMembership(ctx context.Context, h *host.Linux) error {
	ctx, cancel := context.WithTimeout(ctx, etcdPatience)
	defer cancel()
	// A reset that was cut off left its mark, with which k3s would refuse.
	if err := h.Remove(filepath.Join(s.settings.DataDir, "server", "db", "reset-flag")); err != nil {
		return err
	}
	args := append([]string{"k3s", "--bin", s.paths.Bin, string(k3s.Server)}, s.k3sArgs()...)
	out, err := h.Run(ctx, host.Command{Name: s.paths.Binary, Args: append(args, "--cluster-reset")})
	if strings.Contains(string(out.Stderr)+string(out.Stdout), "cluster membership has been reset") {
		return nil
	}
	return fmt.Errorf("tell etcd its new address: %w", errors.Join(err, errors.New(lastLine(string(out.Stderr)))))
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// k3sArgs are the arguments for k3s. The address is among them when k3s would
// take another one than the node has had.
func (s *server) k3sArgs() []string {
	args := slices.Clone(s.settings.K3sArgs)
	named := slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--node-ip") })
	if s.settings.NodeIP == "" && !named && s.address != s.home.chosen {
		args = append(args, "--node-ip="+s.address)
	}
	return args
}

// mostKept is how many checkpoints of moves are kept.
const mostKept = 2

// keepBefore keeps what a move changes, as it is now, in a checkpoint.
func (m *machine) keepBefore(ctx context.Context, note string, items ...checkpoint.Item) (dir string, err error) {
	root := m.paths.Checkpoints
	about := checkpoint.About{Reason: "rehome", Slipway: version, Kubernetes: k3s.Version(), Note: note}
	kept, err := checkpoint.Take(ctx, root, about, time.Now(), items...)
	if err != nil {
		return "", err
	}
	_, err = checkpoint.Prune(root, about.Reason, mostKept)
	return kept.Dir, err
}

// configure writes the configuration for the present settings, through the
// ledger.
func (m *machine) configure(ctx context.Context) error {
	r := bootstrap.Repair{Host: m.host, Service: m.service, Settings: m.settings, Progress: m.progress, Clock: time.Now}
	return r.Run(ctx, []bootstrap.Step{bootstrap.ConfigStep(m.installDeps())})
}

// installDeps are what an installation on this host is made of, without what
// waits for it.
func (m *machine) installDeps() bootstrap.InstallDeps {
	return bootstrap.InstallDeps{
		Host: m.host, Service: m.service, Settings: m.settings, Executable: m.paths.Binary,
		Stage: bootstrap.Part{Name: "stage", Do: m.stage}, EngineFiles: m.engineFiles,
	}
}

// runHome records that the server runs at its place once the node is ready,
// and then ends the server when the address goes away and another one is
// there without doubt: the next start follows it.
func (s *server) runHome(ctx context.Context) error {
	if s.movedAddress() {
		if err := k3s.TellAddress(ctx, s.paths.Kubeconfig, s.nodeName, s.address); err != nil {
			return ignoreEnd(ctx, err)
		}
	}
	if err := s.board.Watch(ctx, ready(lineKubernetes)); err != nil {
		return nil // ctx ended
	}
	files := host.NewLinux(host.Options{})
	tick := time.NewTicker(addressLook)
	defer tick.Stop()
	for away, arrived := 0, false; ; {
		if !arrived {
			err := s.arrived(ctx, files)
			if arrived = err == nil; !arrived && ctx.Err() == nil {
				s.log.WithError(err).WithField("retry", addressLook.String()).Error("rehome: telling the cluster where the server runs")
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		have, err := rehome.Interfaces()
		if err != nil || rehome.Has(have, s.address) {
			away = 0
			continue
		}
		if away++; away < addressLooks {
			continue
		}
		_, now, err := locate(files, s.settings)
		if err != nil {
			if away == addressLooks {
				s.log.WithError(err).Error("rehome")
				s.board.Set(lineKubernetes, lifecycle.Failed, err.Error())
			}
			continue
		}
		return fmt.Errorf("the address of this node, %s, went away and %s is there: starting again to follow it", s.address, now.now.Address)
	}
}

// arrived tells the cluster of moves that were followed and records the place.
// It may be called again when it could not tell the cluster.
func (s *server) arrived(ctx context.Context, files host.Files) error {
	servers, err := k3s.CountServers(ctx, s.paths.Kubeconfig)
	if err != nil {
		return err
	}
	if s.movedAddress() {
		if err := k3s.Moved(ctx, s.paths.Kubeconfig, s.nodeName, s.address); err != nil {
			return err
		}
	}
	record, now := s.home.was, s.home.now
	record.Moves, now.Servers = now.Moves, servers
	record.Finish(now, time.Now())
	if err := record.Save(files, homeFile(s.paths)); err != nil {
		s.log.WithError(err).Error("rehome: the next start follows the same moves again")
	}
	s.mu.Lock()
	s.home.now.Moves = record.Moves
	s.mu.Unlock()
	for _, m := range s.home.moves {
		text := fmt.Sprintf("The %s changed from %s to %s and was followed.", m.Kind, m.From, m.To)
		s.log.WithField("from", m.From).WithField("to", m.To).Infof("rehome: the %s was followed", m.Kind)
		if err := k3s.NodeEvent(ctx, s.paths.Kubeconfig, s.nodeName, "Rehomed", text); err != nil {
			s.log.WithError(err).Warn("rehome: the cluster has no event of it")
		}
	}
	return nil
}

// movedAddress reports whether the node had another address before.
func (s *server) movedAddress() bool {
	return slices.ContainsFunc(s.home.moves, func(m rehome.Move) bool { return m.Kind == rehome.Address })
}

// ready asks whether one line of the board is.
func ready(line string) func([]lifecycle.Entry) bool {
	return func(entries []lifecycle.Entry) bool {
		return slices.ContainsFunc(entries, func(e lifecycle.Entry) bool { return e.Name == line && e.State == lifecycle.Ready })
	}
}

// movesTold are the moves of the last days, for status.
func movesTold(moves []rehome.Move, now time.Time) (list []string) {
	const days = 7 * 24 * time.Hour
	for _, m := range moves {
		if m.Done.IsZero() || now.Sub(m.Done) < days {
			list = append(list, m.String())
		}
	}
	return list
}
