package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/checkpoint"
	"github.com/slipway-paas/slipway/bootstrap/join"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/bootstrap/k3s/etcd"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/upgrade"
)

const (
	lineDoor  = "node door"
	doorRetry = 10 * time.Second
)

// errConvert ends the server, which goes on with the conversion when the service
// manager has started it again.
//
//lint:global never changed
var errConvert = errors.New("restarting to turn the datastore into etcd, for another server to join")

// runDoor lets nodes in. The platform runs without it, so what keeps it from
// opening is shown and tried again.
func (s *server) runDoor(ctx context.Context) error {
	s.board.Set(lineDoor, lifecycle.Waiting, "")
	if err := k3s.WaitAPI(ctx, s.paths.Kubeconfig); err != nil {
		return ignoreEnd(ctx, err)
	}
	conversion := s.conversion()
	summary, err := conversion.Started()
	if err != nil {
		return err
	}
	if summary != nil {
		s.log.WithField("keys", summary.Keys).WithField("sha256", summary.SHA256).Info("the datastore is etcd now; every key was compared")
	}
	for {
		err := s.serveDoor(ctx, conversion)
		if ctx.Err() != nil || errors.Is(err, errConvert) {
			return err
		}
		s.log.WithError(err).Error("nodes cannot join")
		s.board.Set(lineDoor, lifecycle.Failed, err.Error())
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(doorRetry):
		}
	}
}

// serveDoor serves until ctx ends or a conversion was asked for.
func (s *server) serveDoor(ctx context.Context, conversion *etcd.Conversion) error {
	tokens, err := k3s.OpenTokens(s.paths.Kubeconfig, s.settings.DataDir)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	tls := filepath.Join(s.settings.DataDir, "server", "tls")
	offers := &offers{settings: s.settings, paths: s.paths, registry: s.secrets.RegistryNode, tokens: tokens, conversion: conversion}
	door := &join.Door{
		Addr: ":" + strconv.Itoa(join.Port),
		Identity: &join.Identity{
			CAFile: filepath.Join(tls, "server-ca.crt"), KeyFile: filepath.Join(tls, "server-ca.key"),
			Hosts: append([]string{s.address, s.nodeName, "localhost", "127.0.0.1"}, s.settings.APIHosts...), Clock: time.Now,
		},
		ClientCA: filepath.Join(tls, "client-ca.crt"), Cluster: tokens,
		// The file that runs, also when a newer one has taken its place.
		Program: "/proc/self/exe", Offer: offers.make, Logger: s.log,
		Convert: func(context.Context) error {
			err := conversion.Request()
			if kind, _, now := conversion.Now(); err == nil && now == nil && kind == etcd.Converting {
				stop(errConvert)
			}
			return err
		},
	}
	s.board.Set(lineDoor, lifecycle.Ready, "")
	err = door.Run(ctx)
	if errors.Is(context.Cause(ctx), errConvert) {
		return errConvert
	}
	return err
}

// conversion is how this server's datastore becomes etcd.
func (s *server) conversion() *etcd.Conversion {
	return &etcd.Conversion{
		DataDir: s.settings.DataDir, Name: s.nodeName + "-first", PeerURL: "https://" + net.JoinHostPort(s.address, "2380"), Clock: time.Now,
		Checkpoint: func(ctx context.Context) (string, error) {
			about := checkpoint.About{Reason: "etcd", Slipway: version, Kubernetes: k3s.Version(), Note: "before the datastore was turned into etcd"}
			var items []checkpoint.Item
			for _, name := range []string{"db", "tls", "cred", "token"} {
				items = append(items, checkpoint.Item{Name: "kubernetes-" + name, Path: filepath.Join(s.settings.DataDir, "server", name)})
			}
			items = append(items, checkpoint.Item{Name: "controller", Path: s.paths.Controller}, checkpoint.Item{Name: "secret-key", Path: s.paths.SecretKey})
			taken, err := checkpoint.Take(ctx, s.paths.Checkpoints, about, time.Now(), items...)
			return taken.Dir, err
		},
	}
}

// offers says what a node gets from this server.
type offers struct {
	settings bootstrap.Settings
	paths    bootstrap.Paths
	registry string // the nodes' password
	tokens   *k3s.Tokens

	conversion *etcd.Conversion
}

// mostServers is how many copies of the cluster's data there may be: each
// write waits for more than half of them.
const mostServers = 7

func (o *offers) make(ctx context.Context, _ join.Caller, r join.Request) (join.Offer, error) {
	state, err := upgrade.Record{Dir: o.paths.Upgrade}.Read()
	if err != nil {
		return join.Offer{}, err
	}
	offer := join.Offer{
		Version: version, Kubernetes: k3s.Version(), Arch: runtime.GOARCH, Unsettled: !state.Phase.Ended(),
		Settings: o.settings.Shared(bootstrap.Role(r.Role)), RegistryPassword: o.registry,
	}
	if r.Role != join.Server {
		return offer, nil
	}
	servers, err := o.tokens.Servers(ctx)
	if err != nil {
		return join.Offer{}, err
	}
	if len(servers) >= mostServers && !slices.Contains(servers, r.Name) {
		return join.Offer{}, join.Refuse(http.StatusConflict, "the cluster has %d servers, and more would only make it slower: join this host as an agent", len(servers))
	}
	kind, problem, err := o.conversion.Now()
	if err != nil {
		return join.Offer{}, err
	}
	offer.Datastore, offer.DatastoreProblem = string(kind), problem
	if offer.Token, err = o.tokens.ServerToken(); err != nil {
		return join.Offer{}, err
	}
	if offer.Files, err = o.platformFiles(); err != nil {
		return join.Offer{}, err
	}
	return offer, nil
}

// platformFiles are those that any server has to have, byte for byte, to run
// the controller: keys that encrypt the database, passwords of the platform's
// parts, certificates, and the host keys of git push.
func (o *offers) platformFiles() ([]join.File, error) {
	paths := []string{o.paths.SecretKey, secretsFile(o.paths)}
	for _, dir := range []string{o.paths.CA, o.paths.GitKeys} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				paths = append(paths, path)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("files for another server: %w", err)
		}
	}
	var files []join.File
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // not made yet, so there is nothing to agree on
		}
		if err != nil {
			return nil, fmt.Errorf("files for another server: %w", err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("files for another server: %w", err)
		}
		files = append(files, join.File{Path: path, Perm: info.Mode().Perm(), Data: data})
	}
	return files, nil
}
